"""Distributions as tidy rows, and the panels that show them.

A figure's frame has a row per bin or point: `panel`, `series` (as in the legend), `role` (its look), `kind`
(`histogram`, `curve`, or `note` for a Kolmogorov–Smirnov distance, which stands in `density`), `x_low`,
`x_high` (equal for a point), `density`, `n` (entries in the bin).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = [
    "COLUMNS",
    "Panel",
    "covered_share",
    "curve_rows",
    "draw_distribution",
    "empty_rows",
    "fit_rows",
    "histogram_rows",
    "note_row",
    "panels_drawer",
    "stack",
]

COLUMNS: Final = ["panel", "series", "role", "kind", "x_low", "x_high", "density", "n"]

_LINES: Final[dict[str, dict[str, Any]]] = {
    "fit": {"color": LIGHT["fit"], "ls": "-"},
    "rule": {"color": LIGHT["rule"], "ls": (0, (5, 2))},
    "rule-2": {"color": LIGHT["rule"], "ls": (0, (1.2, 1.6))},
    "paper": {"color": LIGHT["paper"], "ls": (0, (4, 1.6, 1, 1.6))},
    "second": {"color": LIGHT["second"], "ls": "-"},
    "second-fit": {"color": LIGHT["second"], "ls": (0, (3, 1.5))},
    "generated-1": {"color": LIGHT["fit"], "ls": "-"},
    "generated-2": {"color": LIGHT["rule"], "ls": (0, (5, 2))},
    "generated-3": {"color": LIGHT["second"], "ls": (0, (1.2, 1.4))},
    "generated-4": {"color": LIGHT["paper"], "ls": (0, (4, 1.6, 1, 1.6))},
}


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of axes: the key in the frame, the label of the x axis with its unit, a title and limits.

    `y_factor` turns the density into what `y_label` says (1e4 for `% per 100 Å³`).
    """

    key: str
    x_label: str
    title: str = ""
    limits: tuple[float, float] | None = None
    y_label: str = "Density"
    y_factor: float = 1.0
    note: str = ""


def empty_rows() -> pd.DataFrame:
    """A frame without rows, for a statistic that the corpus cannot give."""
    return pd.DataFrame(
        {name: pd.Series(dtype="object" if name in COLUMNS[:4] else "float64") for name in COLUMNS}
    )


def histogram_rows(
    panel: str,
    series: str,
    values: ArrayLike,
    edges: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    role: str = "data",
) -> pd.DataFrame:
    """Rows of a normalised histogram; values outside the edges count in the norm but are not shown.

    The density is that of the weights where there are any; `n` counts the values themselves.
    """
    array, bounds = np.asarray(values, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    keep = np.isfinite(array)
    w = np.ones_like(array) if weights is None else np.asarray(weights, dtype=np.float64)
    array, w = array[keep], w[keep]
    if len(array) == 0:
        return empty_rows()
    counts, _ = np.histogram(array, bounds)
    mass, _ = np.histogram(array, bounds, weights=w)
    density = mass / w.sum() / np.diff(bounds)
    return _rows(panel, series, role, "histogram", bounds[:-1], bounds[1:], density, counts)


def curve_rows(
    panel: str, series: str, x: ArrayLike, density: ArrayLike, *, role: str = "fit"
) -> pd.DataFrame:
    """Rows of a curve."""
    at = np.asarray(x, dtype=np.float64)
    return _rows(panel, series, role, "curve", at, at, np.asarray(density, dtype=np.float64), None)


def covered_share(fit: Scalar, values: ArrayLike, weights: ArrayLike) -> float:
    """Share of the values that a fit to a cut range describes; 1 without bounds, and for no values."""
    array, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    low, high = getattr(fit, "low", None), getattr(fit, "high", None)
    known = np.isfinite(array)
    inside = (
        known & (array >= (-np.inf if low is None else low)) & (array <= (np.inf if high is None else high))
    )
    return float(w[inside].sum() / w[known].sum()) if w[known].sum() > 0 else 1.0


def fit_rows(
    panel: str, series: str, fit: Scalar, x: ArrayLike, *, share: float = 1.0, role: str = "fit"
) -> pd.DataFrame:
    """Rows of a distribution's density within its support, times the share of the values that lie there."""
    at = np.asarray(x, dtype=np.float64)
    density = share * np.exp(fit.log_prob(at))
    inside = (density > 0) & np.isfinite(density)
    return curve_rows(panel, series, at[inside], density[inside], role=role)


def note_row(panel: str, series: str, distance: float, *, role: str) -> pd.DataFrame:
    """A row that prints `D = …` on the panel, in the colour of the series."""
    return _rows(panel, series, role, "note", [np.nan], [np.nan], [distance], None)


def _rows(
    panel: str,
    series: str,
    role: str,
    kind: str,
    low: ArrayLike,
    high: ArrayLike,
    density: ArrayLike,
    n: ArrayLike | None,
) -> pd.DataFrame:
    counts = np.full(np.size(low), np.nan) if n is None else n
    columns = dict(zip(COLUMNS, (panel, series, role, kind, low, high, density, counts), strict=True))
    return pd.DataFrame(columns)


def stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows, in the order given."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty_rows()


def draw_distribution(axes: Axes, rows: pd.DataFrame, panel: Panel) -> None:
    """One panel: filled histograms under stepped ones under curves, or a note that there is nothing."""
    axes.set_xlabel(panel.x_label)
    axes.set_title(panel.title)
    axes.set_ylabel(panel.y_label)
    if rows.empty:
        axes.text(
            0.5,
            0.5,
            "no data in this corpus",
            ha="center",
            va="center",
            transform=axes.transAxes,
            color=LIGHT["muted"],
        )
        axes.set_yticks([])
        axes.set_xticks([])
        return
    notes = rows[rows["kind"] == "note"]
    rows = rows[rows["kind"] != "note"]
    if len(notes) and len(rows):
        peak = float(rows["x_low"].iloc[int(rows["density"].astype("float64").argmax())])
        _draw_notes(axes, notes, left=bool(2 * peak > rows["x_low"].min() + rows["x_high"].max()))
    rows = rows.assign(density=panel.y_factor * rows["density"].astype("float64"))
    for (series, role, kind), part in rows.groupby(["series", "role", "kind"], sort=False):
        if kind == "histogram":
            _draw_histogram(axes, str(series), str(role), part)
        else:
            axes.plot(part["x_low"], part["density"], label=str(series), **_LINES[str(role)])
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.set_xlim(panel.limits or (rows["x_low"].min(), rows["x_high"].max()))
    if panel.note:
        place = axes.text(0.985, 0.97, panel.note, ha="right", va="top", transform=axes.transAxes)
        place.set(fontsize=8, color=LIGHT["muted"])


def _draw_notes(axes: Axes, notes: pd.DataFrame, *, left: bool) -> None:
    """The distances of the series, one under the other, in the upper corner where there is less to hide."""
    x, side = (0.03, "left") if left else (0.99, "right")
    for place, (role, distance) in enumerate(zip(notes["role"], notes["density"], strict=True)):
        text = axes.text(x, 0.98 - 0.075 * place, f"D = {distance:.2f}", transform=axes.transAxes)
        text.set(ha=side, va="top", fontsize=8.5, fontweight="bold", color=_LINES[str(role)]["color"])


def _tick(value: float, _: int | None = None) -> str:
    return f"{value:,.10g}".replace("-", "−")


def _draw_histogram(axes: Axes, series: str, role: str, part: pd.DataFrame) -> None:
    edges = np.append(part["x_low"].to_numpy(), part["x_high"].to_numpy()[-1])
    if role == "data":
        colour = LIGHT["data"]
        patch = axes.stairs(part["density"], edges, fill=True, lw=1.1, label=series)
        patch.set(facecolor=(colour, 0.28), edgecolor=colour)
    else:
        line = _LINES[role]
        axes.stairs(part["density"], edges, label=series, color=line["color"], ls=line["ls"], lw=1.5)


def panels_drawer(
    panels: Sequence[Panel], *, row_height: float = 3.4, columns: int | None = None
) -> Callable[[pd.DataFrame, FigureMeta, Layout], Figure]:
    """The `draw` of a figure made of panels, in rows of `columns` (one row without), under one legend."""

    def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
        figure, all_axes = new_figure(len(panels), layout, columns=columns, row_height=row_height)
        handles: dict[str, Any] = {}
        for panel, axes in zip(panels, all_axes, strict=True):
            draw_distribution(axes, frame[frame["panel"] == panel.key], panel)
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
        legend_above(figure, handles, layout)
        return figure

    return draw
