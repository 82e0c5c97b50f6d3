"""A section of the report, and the step from a frame to a finished figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor, log10
from typing import Final, Protocol

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from xtalpriors.priors.distributions.estimate import Estimate, GoodnessOfFit
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.meta import FigureMeta, Rendered
from xtalpriors.reports.style import NARROW, WIDE, Layout, figure_style, render_svg

__all__ = [
    "DIGITS",
    "FIGURES",
    "PAGE",
    "SYMBOLS",
    "LinkedPage",
    "Section",
    "Table",
    "drawn",
    "estimate_text",
    "figure_files",
    "fit_text",
    "measure_text",
    "misfit_text",
    "render",
    "rounded",
    "share_text",
]


SYMBOLS = {"mu": "μ", "sigma": "σ", "p_zero": "p₀"}


PAGE: Final = "index.html"
FIGURES: Final = "figures"
"""Folder of the figures of a page, beside it."""
DIGITS: Final = 6
"""Significant digits of the numbers behind a figure or a table."""


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame whose floats have `DIGITS` significant digits."""
    floats = frame.select_dtypes("float").columns
    return frame.assign(**{c: [float(f"{value:.{DIGITS}g}") for value in frame[c]] for c in floats})


@dataclass(frozen=True, slots=True)
class LinkedPage:
    """A page beside the report, its figures and its tables for CSV, and a sentence to link to it with."""

    html: str
    figures: list[Rendered]
    tables: dict[str, pd.DataFrame]
    teaser: str

    def files(self) -> dict[str, str]:
        """Text of the page's files, by name."""
        return figure_files(self.figures, self.tables) | {PAGE: self.html}


def figure_files(figures: Sequence[Rendered], tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Text of the files of figures and tables, by name."""
    frames = tables | {figure.name: figure.frame for figure in figures}
    files = {f"{FIGURES}/{figure.name}.svg": figure.svg for figure in figures}
    for name, frame in frames.items():
        files[f"{FIGURES}/{name}.csv"] = frame.to_csv(
            index=False, float_format=f"%.{DIGITS}g", lineterminator="\n"
        )
    return files


class Drawable(Protocol):
    """What a figure module offers."""

    def draw(self, frame: pd.DataFrame, meta: FigureMeta, layout: Layout, /) -> Figure:
        """The figure of a frame in a layout."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table under the figures; `csv` is the stem of its file in `figures/`, if it has one.

    `html` is the `<table>`, `after` what stands below it.
    """

    title: str
    html: Markup
    lead: str = ""
    csv: str = ""
    after: Markup = field(default_factory=Markup)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with figures and tables.

    `body` is text of several paragraphs below the lead; tables stand below the figures, or with
    `tables_first` above them.
    """

    key: str
    title: str
    lead: str = ""
    figures: Sequence[Rendered] = ()
    tables: Sequence[Table] = field(default_factory=tuple)
    body: Markup = field(default_factory=Markup)
    tables_first: bool = False


def drawn(figures: Sequence[Rendered]) -> tuple[list[Rendered], str]:
    """The figures that have something to show, and the captions of the others, which say what is missing."""
    shown = [figure for figure in figures if figure.svg]
    return shown, " ".join(dict.fromkeys(figure.caption for figure in figures if not figure.svg))


def render(
    module: Drawable, name: str, number: str, title: str, frame: pd.DataFrame, meta: FigureMeta, caption: str
) -> Rendered:
    """Draw a frame with a figure module, in the report's style, wide and narrow.

    What is drawn, and kept as CSV, has `DIGITS` significant digits: the last bits of a number can depend on
    the processor, and a figure must not. A frame without rows is not drawn: its SVG is empty.
    """
    frame = rounded(frame)
    wide, narrow = (_svg(module, name, frame, meta, layout) for layout in (WIDE, NARROW))
    return Rendered(name, number, title, caption, wide, narrow, frame, meta)


def _svg(module: Drawable, name: str, frame: pd.DataFrame, meta: FigureMeta, layout: Layout) -> str:
    if frame.empty:
        return ""
    with figure_style(f"{name} {layout.name}"):
        return render_svg(module.draw(frame, meta, layout), meta.footer(layout.footer_characters))


def estimate_text(estimate: Estimate | None, digits: int = 3) -> str:
    """A value with its interval, as `6.04 (6.01 to 6.07)`; a dash for none."""
    if estimate is None:
        return "–"
    text = f"{estimate.value:,.{digits}f}"
    if estimate.low is not None and estimate.high is not None:
        text += f" ({estimate.low:,.{digits}f} to {estimate.high:,.{digits}f})"
    return text.replace("-", "−")


def measure_text(estimate: Estimate | None) -> str:
    """A value to three significant digits with its interval, `0.0136 (0.0108 to 0.0166)`; a dash for none."""
    if estimate is None:
        return "–"
    value = abs(estimate.value)
    decimals = min(max(0, 2 - floor(log10(value))), 9) if value > 0 else 2
    return estimate_text(estimate, decimals)


def share_text(estimate: Estimate | None) -> str:
    """A share with its interval, in per cent."""
    if estimate is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.1f} %"
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def misfit_text(goodness: GoodnessOfFit, family: str) -> str:
    """D of a fit, with a warning where it is no description of the values, and the form that fits better."""
    text = f"D = {goodness.ks_d:.3f}"
    rival = goodness.best_family
    better = "" if rival == family else f"{family_text(rival)} predicts held-out structures better"
    if not goodness.poor:
        return f"{text} ({better})" if better else text
    closest = goodness.closest
    if closest.family != family:
        better = f"{family_text(closest.family)} is closer, D = {closest.ks_d:.3f}"
    return f"{text}: a poor fit ({better or 'no form that was tried is closer; use the quantile table'})"


def family_text(name: str) -> str:
    """Name of a family of distributions, as it stands in a sentence."""
    return name.replace("lognormal", "log-normal").replace("truncated-", "truncated ")


def fit_text(prior: ScalarPrior) -> str:
    """Parameters and misfit of a prior's parametric form, as a clause."""
    if prior.parametric is None:
        return "no parametric fit"
    parameters = [
        f"{SYMBOLS.get(name, name)} = {estimate_text(value)}"
        for name, value in prior.parametric
        if isinstance(value, Estimate)
    ]
    family = family_text(prior.parametric.family)
    text = f"{family} with {', '.join(parameters)}" if parameters else family
    if prior.goodness is not None:
        text += f", {misfit_text(prior.goodness, prior.parametric.family)}"
    if prior.shrinkage is not None:
        text += f"; {100 * prior.shrinkage.weight_own:.0f} % its own, the rest of {prior.shrinkage.parent}"
    return text
