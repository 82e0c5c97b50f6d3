"""HTML and sentences from the files of `templates/`: Python computes the values, a template has the words.

`words("cells", "volume", …)` calls the macro `volume` of `templates/cells.html`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from xtalpriors.reports.meta import Rendered, count, short_digest
from xtalpriors.reports.section import Section, fit_text, measure_text, share_text
from xtalpriors.reports.style import DARK, LIGHT, css_variables, inline_svg

__all__ = ["Fact", "html_table", "markup", "page_title", "render_html", "section_view", "words"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the head of the page."""

    name: str
    value: str
    mono: bool = False


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure as the template prints it."""

    name: str
    number: str
    title: str
    caption: str
    sample: str
    inline: Markup


@cache
def _environment() -> Environment:
    folder = Path(__file__).resolve().parent / "templates"
    environment = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)
    environment.filters |= {
        "count": count,
        "digest": short_digest,
        "fit": fit_text,
        "fixed": lambda value, digits: f"{value:.{digits}f}",
        "percent": lambda share, digits: f"{100 * share:.{digits}f} %",
        "measure": measure_text,
        "share": share_text,
    }
    return environment


def markup(template: str, macro: str, **values: object) -> Markup:
    """The HTML of a macro of `templates/{template}.html`; its values are escaped."""
    module = _environment().get_template(f"{template}.html").module
    return Markup(getattr(module, macro)(**values))


def words(template: str, macro: str, **values: object) -> str:
    """The text of a macro of `templates/{template}.html`, not escaped, its lines joined to one."""
    return re.sub(r"[ \n]+", " ", markup(template, macro, **values).unescape()).strip(" ")


def html_table(frame: pd.DataFrame, *, numeric: Sequence[str] = ()) -> Markup:
    """An HTML table of texts; columns in `numeric` are right-aligned."""
    rows = list(frame.itertuples(index=False, name=None))
    return markup("tables", "plain", columns=list(frame.columns), rows=rows, numeric=numeric)


def render_html(template: str, **values: object) -> str:
    """A page: a template of `templates/` with its values, the style sheet and the palettes."""
    environment = _environment()
    css = environment.loader.get_source(environment, "style.css")[0] if environment.loader else ""
    return environment.get_template(template).render(
        light=Markup(css_variables(LIGHT)), dark=Markup(css_variables(DARK)), css=Markup(css), **values
    )


def page_title(corpus: str) -> str:
    """Name of a corpus as a heading: short names, which are abbreviations, in capitals."""
    return corpus.upper() if len(corpus) <= 5 and corpus.isalpha() else corpus


def section_view(section: Section) -> dict[str, object]:
    """A section as the template prints it, its figures as inline SVG."""
    figures = [_figure(figure) for figure in section.figures]
    return {
        "key": section.key,
        "title": section.title,
        "lead": section.lead,
        "figures": figures,
        "tables": section.tables,
    }


def _figure(figure: Rendered) -> _Figure:
    inline = Markup(inline_svg(figure.svg, figure.name, f"{figure.number}: {figure.title}. {figure.caption}"))
    cell = "" if figure.meta.convention == "no cell" else f" · {figure.meta.convention} cell"
    sample = "; ".join(str(s) for s in figure.meta.samples) + cell
    return _Figure(figure.name, figure.number, figure.title, figure.caption, sample, inline)
