"""HTML and sentences from the files of `templates/`: Python computes the values, a template has the words.

`words("cells", "volume", …)` calls the macro `volume` of `templates/cells.html`. `page_view` numbers the
figures of a page and explains its words; `render_html` prints it.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from xtalpriors.counted import counted
from xtalpriors.reports.glossary import Glossary, Word
from xtalpriors.reports.meta import Rendered, count, short_digest
from xtalpriors.reports.section import Section, Table, fit_text, measure_text, share_text
from xtalpriors.reports.style import DARK, LIGHT, css_variables, inline_svg

__all__ = ["Fact", "html_table", "markup", "page_title", "page_view", "render_html", "words"]


POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src "


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the head of the page."""

    name: str
    value: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class FigureView:
    """A figure as the template prints it, numbered within its page, drawn for a desk and for a telephone."""

    key: str
    number: int
    of_paper: str
    title: str
    caption: Markup
    sample: str
    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class TableView:
    """A table as the template prints it."""

    key: str
    title: str
    html: Markup
    lead: Markup
    after: Markup
    csv: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A section as the template prints it, with the words that stand in it for the first time."""

    key: str
    title: str
    lead: Markup
    body: Markup
    parts: Sequence[FigureView | TableView]
    words: list[Word]


@cache
def _environment() -> Environment:
    folder = Path(__file__).resolve().parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {
        "count": count,
        "counted": counted,
        "digest": short_digest,
        "fit": fit_text,
        "fixed": lambda value, digits: f"{value:.{digits}f}",
        "percent": lambda share, digits: f"{100 * share:.{digits}f} %",
        "measure": measure_text,
        "share": share_text,
    }
    return environment


def _source(name: str) -> str:
    return (Path(__file__).resolve().parent / "templates" / name).read_text(encoding="utf-8")


def markup(template: str, macro: str, **values: object) -> Markup:
    """The HTML of a macro of `templates/{template}.html`; its values are escaped."""
    module = _environment().get_template(f"{template}.html").module
    return Markup(getattr(module, macro)(**values))


def words(template: str, macro: str, **values: object) -> str:
    """The text of a macro of `templates/{template}.html`, not escaped, its lines joined to one."""
    return re.sub(r"[ \n]+", " ", markup(template, macro, **values).unescape()).strip(" ")


def html_table(frame: pd.DataFrame, *, numeric: Sequence[str] = (), look: str = "") -> Markup:
    """An HTML table of texts; those in `numeric` are right-aligned, `look` is a class of the style."""
    rows = list(frame.itertuples(index=False, name=None))
    return markup("tables", "plain", columns=list(frame.columns), rows=rows, numeric=numeric, look=look)


def render_html(template: str, **values: object) -> str:
    """A page: a template of `templates/` with its values, the style sheet, the script and the palettes.

    The page's own policy allows this one script and no request to any other place, so that a name from an
    entry could do nothing even if it were not escaped.
    """
    script = _source("page.js")
    digest = b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    return (
        _environment()
        .get_template(template)
        .render(
            light=Markup(css_variables(LIGHT)),
            dark=Markup(css_variables(DARK)),
            css=Markup(_source("style.css")),
            script=Markup(script),
            policy=POLICY + f"'sha256-{digest}'",
            **values,
        )
    )


def page_title(corpus: str) -> str:
    """Name of a corpus as a heading: short names, which are abbreviations, in capitals."""
    return corpus.upper() if len(corpus) <= 5 and corpus.isalpha() else corpus


def page_view(sections: Sequence[Section], glossary: Glossary) -> list[SectionView]:
    """Sections as the templates print them: figures numbered through the page, words explained once."""
    views: list[SectionView] = []
    first = 1
    for section in sections:
        lead, body = glossary.link(section.lead), glossary.link(section.body)
        figures = [_figure(figure, number, glossary) for number, figure in enumerate(section.figures, first)]
        first += len(figures)
        tables = [
            _table(f"{section.key}-table-{k}", table, glossary) for k, table in enumerate(section.tables, 1)
        ]
        parts: list[FigureView | TableView] = [*figures, *tables]
        if section.tables_first:
            parts = [*tables, *figures]
        views.append(SectionView(section.key, section.title, lead, body, parts, glossary.explained()))
    return views


def _figure(figure: Rendered, number: int, glossary: Glossary) -> FigureView:
    label = f"Figure {number}: {figure.title}. {figure.caption}"
    cell = "" if figure.meta.convention == "no cell" else f" · {figure.meta.convention} cell"
    sample = "; ".join(str(s) for s in figure.meta.samples) + cell
    of_paper = re.match(r"(Fig\.|Table|Eq\.|Section) [\dS.]+", figure.number)
    return FigureView(
        key=figure.name,
        number=number,
        of_paper="" if of_paper is None else f"{of_paper[0]} of the paper",
        title=figure.title,
        caption=glossary.link(figure.caption),
        sample=sample,
        wide=Markup(inline_svg(figure.svg, figure.name, label)),
        narrow=Markup(inline_svg(figure.svg_narrow, f"{figure.name}-narrow", label)),
    )


def _table(key: str, table: Table, glossary: Glossary) -> TableView:
    lead = glossary.link(table.lead)
    glossary.meet([table.html, table.after])
    caption = markup("tables", "caption", title=table.title)
    html = Markup(re.sub(r"(<table[^>]*>)", lambda m: f"{m[1]}{caption}", table.html, count=1))
    return TableView(key, table.title, html, lead, table.after, table.csv)
