"""The page itself: contents, permalinks, numbers of figures, explained words, and what the script adds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

from xtalpriors.reports.glossary import Glossary, known_words
from xtalpriors.reports.html import page_view
from xtalpriors.reports.quantities import quantity
from xtalpriors.reports.section import Section, Table


class Outline(HTMLParser):
    """Ids, links of the contents, headings and figures of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.contents: list[str] = []
        self.sections: list[str] = []
        self.parts: list[str] = []
        self.links: set[str] = set()
        self._inside_contents = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("id")
        if name is not None:
            self.ids.append(name)
        if tag == "nav":
            self._inside_contents = True
        if tag == "section" or (tag == "div" and values.get("class") == "tabular") or tag == "figure":
            (self.sections if tag == "section" else self.parts).append(str(name))
        href = str(values.get("href"))
        if tag == "a" and href.startswith("#"):
            self.links.add(href[1:])
            if self._inside_contents and href not in {"#toc", "#top"}:
                self.contents.append(href[1:])

    def handle_endtag(self, tag: str) -> None:
        self._inside_contents &= tag != "nav"


@pytest.fixture(scope="module")
def page(report: Path) -> str:
    return (report / "index.html").read_text(encoding="utf-8")


def test_contents_are_the_headings_and_figures_in_their_order(page: str) -> None:
    outline = Outline(page)
    assert len(outline.ids) == len(set(outline.ids)) > 100
    assert len(outline.sections) >= 6 and len(outline.parts) > 12
    assert [k for k in outline.contents if k in outline.sections] == outline.sections
    assert [k for k in outline.contents if k in outline.parts] == outline.parts
    assert set(outline.contents) == {*outline.sections, *outline.parts}
    assert outline.links <= set(outline.ids)
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(outline.ids)


def test_every_figure_has_a_number_a_text_alternative_and_its_data(page: str, report: Path) -> None:
    figures = re.findall(r'<figure id="([^"]+)">(.*?)</figure>', page, flags=re.DOTALL)
    assert len(figures) > 10
    for number, (key, html) in enumerate(figures, 1):
        assert f'<a class="number" href="#{key}">Figure {number}</a>' in html
        labels = re.findall(r'role="img" aria-label="(Figure \d+: [^"]{20,})"', html)
        assert len(labels) == 2 and all(label.startswith(f"Figure {number}: ") for label in labels)
        for kind in ("svg", "csv"):
            assert f'href="figures/{key}.{kind}"' in html and (report / "figures" / f"{key}.{kind}").is_file()


def test_numbers_of_the_paper_stand_in_brackets(page: str) -> None:
    caption = re.search(r'href="#volume">Figure \d+</a> <b>([^<]*)</b> \(([^)]*)\)', page)
    assert caption is not None and caption[2] == "Fig. 1 of the paper"
    assert re.search(r'href="#waterfall">Figure \d+</a> <b>[^<]*</b>\.', page)


def test_words_are_explained_once_in_the_section_that_uses_them_first(page: str) -> None:
    for key in ("cluster", "subset-p21c-10", "special-position", "digest"):
        assert page.count(f'id="word-{key}"') == 1, key
        link = page.find(f'href="#word-{key}"')
        if link >= 0:
            start = page.rfind("<section", 0, link)
            assert start <= page.find(f'id="word-{key}"') < page.find("</section>", link), key


def test_a_glossary_links_the_first_use_and_escapes() -> None:
    glossary = Glossary({"mine": 'Structures of "<b>" & more'})
    text = glossary.link("D = 0.1 of <mine>, then D = 0.2; 12 clusters & a cluster.")
    assert text.count('href="#word-d"') == text.count('href="#word-cluster"') == 1
    assert "&lt;<a" in text and "then D = 0.2" in text and "<b>" not in text
    assert [word.key for word in glossary.explained()] == ["d", "subset-mine", "cluster"]
    assert glossary.explained() == [] and "<a" not in glossary.link("D of mine and clusters")
    assert glossary.link(Markup('<a href="#x">a bundle</a>, a bundle')).count("word-bundle") == 1


def test_words_of_the_glossary_are_found_by_their_own_pattern() -> None:
    for word in known_words():
        example = {
            "r": "r ≥ 0.8",
            "wilson": "Wilson interval",
            "tv": "TV",
            "u-iso": "Uᵢₛₒ",
            "rate": "rate = 5",
        }
        assert re.search(word.pattern, example.get(word.key, word.name)), word.key


def test_names_from_outside_are_escaped_everywhere() -> None:
    evil = '<script>alert("x")</script>'
    table = Table(evil, Markup("<table></table>"), evil)
    view = page_view([Section("s", evil, evil, [], [table])], Glossary({"s-1": evil}))[0]
    assert "<script" not in view.lead and "<script" not in view.parts[0].html  # type: ignore[union-attr]
    assert "<script" not in view.parts[0].lead  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("cell_volume.parametric.mu", "Volume of the cell, μ"),
        ("displacement.mean.median", "Mean U_iso of a structure, median"),
        ("displacement.by_temperature.130-250-K", "Mean U_iso of a structure measured at 130–250 K"),
        ("displacement.by_temperature.below-130-K", "Mean U_iso of a structure measured below 130 K"),
        ("displacement.by_element.Fe.ratio", "U_iso of Fe, over the mean of its structure"),
        ("special_positions.113", "Special positions of space group no. 113"),
        ("special_positions.groups.14.wyckoff_sets.abcd.probability",
         "Special positions of space group no. 14, Wyckoff letters a, b, c, d, probability to be occupied"),
        ("something_else.mean", "something else, mean"),
    ],
)  # fmt: skip
def test_names_of_quantities(path: str, name: str) -> None:
    assert quantity(path) == name
