"""HTML from the templates: whole pages, and a section with its figures inside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.section import Section
from xtalpriors.reports.style import DARK, LIGHT, css_variables, inline_svg

__all__ = ["Fact", "page_title", "render_html", "section_view"]


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
    return Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined)


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
