"""Distributions as tidy rows, and the panels that show them.

A figure's frame has a row per bin or point: `panel`, `series` (as in the legend), `role` (its look), `kind`,
`x_low`, `x_high` (equal for a point), `density` with the ends `low` and `high` of its 95 % interval where it
was counted, `n` (entries in the bin). Kinds are `histogram`, `curve`, `value` (a tick for each of a few), and
three that the legend prints: `total` has the entries of a series in `n`; `distance` and `variation` have in
`density` how far it is from the database, as Kolmogorov–Smirnov distance D and as total variation TV.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.priors.distributions.estimate import POOR_FIT
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.statistics import edges_within, nice_width, wilson
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = [
    "COLUMNS",
    "LINES",
    "Fitted",
    "Panel",
    "common_edges",
    "covered_share",
    "curve_rows",
    "distance_row",
    "draw_distribution",
    "empty_rows",
    "fit_rows",
    "has_values",
    "histogram_rows",
    "panels_drawer",
    "stack",
    "total_row",
    "value_rows",
]

COLUMNS: Final = ["panel", "series", "role", "kind", "x_low", "x_high", "density", "low", "high", "n"]

MEASURES: Final = {"distance": "D", "variation": "TV"}
"""Kinds of rows that hold a distance to the database, and the sign of each."""

LINES: Final[dict[str, dict[str, Any]]] = {
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


class Fitted(NamedTuple):
    """A parametric form, and its Kolmogorov–Smirnov distance D to the values it describes, if known."""

    form: Scalar
    distance: float | None = None

    @classmethod
    def of(cls, prior: ScalarPrior | None) -> Fitted | None:
        """The form of a prior; None where it has none."""
        if prior is None or prior.parametric is None:
            return None
        return cls(prior.parametric, None if prior.goodness is None else prior.goodness.ks_d)


def empty_rows() -> pd.DataFrame:
    """A frame without rows, for a statistic that the corpus cannot give."""
    return pd.DataFrame(
        {name: pd.Series(dtype="object" if name in COLUMNS[:4] else "float64") for name in COLUMNS}
    )


def common_edges(
    samples: Sequence[tuple[Weighted, float, float]], bins: tuple[int, int] = (8, 48)
) -> list[F64]:
    """Bin edges of several samples, all of one width: that of the sample that needs the widest.

    A sample is its values with their weights, and the limits (low, high) of its axis.
    """
    widths = [nice_width(s.values, low, high, bins, weights=s.weights) for s, low, high in samples]
    return [edges_within(max(widths), low, high) for _, low, high in samples]


def value_rows(panel: str, series: str, values: ArrayLike, *, role: str = "second") -> pd.DataFrame:
    """Rows of single values, too few for a histogram, and of their total."""
    at = np.asarray(values, dtype=np.float64)
    at = at[np.isfinite(at)]
    unknown = np.full(len(at), np.nan)
    return stack(
        [_rows(panel, series, role, "value", at, at, unknown), total_row(panel, series, len(at), role=role)]
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
    """Rows of a normalised histogram and of its total; values outside the edges count in the norm.

    The density is that of the weights where there are any, and has then Wilson's 95 % interval over clusters,
    whose number is the sum of the weights; `n` counts the values themselves.
    """
    array, bounds = np.asarray(values, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    keep = np.isfinite(array)
    w = np.ones_like(array) if weights is None else np.asarray(weights, dtype=np.float64)
    array, w = array[keep], w[keep]
    if len(array) == 0:
        return empty_rows()
    counts, _ = np.histogram(array, bounds)
    mass, _ = np.histogram(array, bounds, weights=w)
    total, widths = float(w.sum()), np.diff(bounds)
    ends = np.full((len(widths), 2), np.nan)
    if weights is not None:
        ends = np.array([wilson(float(m), total)[1:] for m in mass]) / widths[:, None]
    bars = _rows(
        panel, series, role, "histogram", bounds[:-1], bounds[1:], mass / total / widths, counts, ends.T
    )
    return stack([bars, total_row(panel, series, len(array), role=role)])


def total_row(panel: str, series: str, n: int, *, role: str = "data") -> pd.DataFrame:
    """A row that has the legend print `N = …` behind the name of a series."""
    return _rows(panel, series, role, "total", [np.nan], [np.nan], [np.nan], [n])


def curve_rows(
    panel: str, series: str, x: ArrayLike, density: ArrayLike, *, role: str = "fit"
) -> pd.DataFrame:
    """Rows of a curve."""
    at = np.asarray(x, dtype=np.float64)
    return _rows(panel, series, role, "curve", at, at, np.asarray(density, dtype=np.float64))


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
    panel: str, series: str, fit: Fitted, x: ArrayLike, *, share: float = 1.0, role: str = "fit"
) -> pd.DataFrame:
    """Rows of a form's density within its support, times the share of the values there, and of its D."""
    at = np.asarray(x, dtype=np.float64)
    density = share * np.exp(fit.form.log_prob(at))
    inside = (density > 0) & np.isfinite(density)
    curve = curve_rows(panel, series, at[inside], density[inside], role=role)
    return stack([curve, distance_row(panel, series, fit.distance, role=role)])


def distance_row(
    panel: str, series: str, distance: float | None, *, role: str, kind: str = "distance"
) -> pd.DataFrame:
    """A row that has the legend print `D = …` behind the name of a series; none where D is not known."""
    if distance is None or not np.isfinite(distance):
        return empty_rows()
    return _rows(panel, series, role, kind, [np.nan], [np.nan], [distance])


def _rows(
    panel: str,
    series: str,
    role: str,
    kind: str,
    low: ArrayLike,
    high: ArrayLike,
    density: ArrayLike,
    n: ArrayLike | None = None,
    ends: ArrayLike | None = None,
) -> pd.DataFrame:
    unknown = np.full(np.size(low), np.nan)
    lower, upper = (unknown, unknown) if ends is None else np.asarray(ends, dtype=np.float64)
    values = (panel, series, role, kind, low, high, density, lower, upper, unknown if n is None else n)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def stack(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows, in the order given."""
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else empty_rows()


def has_values(frame: pd.DataFrame, panel: str | None = None) -> bool:
    """Whether a figure, or one of its panels, has values of the corpus or of generated structures to show."""
    own = frame["role"].isin(["data", "second"]) | frame["role"].str.startswith("generated")
    shown = own & (frame["kind"] == "histogram")
    return bool((shown if panel is None else shown & (frame["panel"] == panel)).any())


def draw_distribution(axes: Axes, rows: pd.DataFrame, panel: Panel, title: str) -> None:
    """One panel: filled histograms under stepped ones under curves, and over them the title and the legend.

    The legend stands outside of the axes, where it hides nothing, and says of each series how many entries it
    has, or how far it is from the database.
    """
    axes.set_xlabel(panel.x_label)
    axes.set_ylabel(panel.y_label)
    said = rows[rows["kind"].isin(["total", *MEASURES])]
    drawn = rows.drop(said.index)
    scaled = {name: panel.y_factor * drawn[name].astype("float64") for name in ("density", "low", "high")}
    drawn = drawn.assign(**scaled)
    for (series, role, kind), part in drawn.groupby(["series", "role", "kind"], sort=False):
        name = f"{series}{_said(said[said['series'] == series])}"
        if kind == "histogram":
            _draw_histogram(axes, name, str(role), part)
        elif kind == "value":
            ticks = axes.vlines(part["x_low"], 0, 0.07, label=name, color=LINES[str(role)]["color"], lw=1.3)
            ticks.set_transform(axes.get_xaxis_transform())
        else:
            axes.plot(part["x_low"], part["density"], label=name, **LINES[str(role)])
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10], min_n_ticks=3))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))
    axes.set_xlim(panel.limits or (drawn["x_low"].min(), drawn["x_high"].max()))
    legend = axes.legend(
        title=title,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        bbox_transform=axes.transAxes + ScaledTranslation(-0.42, 0.0, axes.figure.dpi_scale_trans),
        alignment="left",
        fontsize=7.8,
        borderaxespad=0.3,
        borderpad=0.0,
        labelspacing=0.35,
    )
    legend.get_title().set(fontsize=9.5, fontweight="bold")


def _said(rows: pd.DataFrame) -> str:
    """What stands behind the name of a series: `, N = 209`, or `, D = 0.09`."""
    text, role = "", rows["role"].iloc[0] if len(rows) else ""
    for kind, n, distance in zip(rows["kind"], rows["n"], rows["density"], strict=True):
        if kind != "total":
            text += f", {MEASURES[kind]} = {distance:.2f}"
        elif role in ("data", "second"):
            text += f", N = {n:,.0f}"
    poor = role in ("fit", "second-fit") and rows["density"].max() > POOR_FIT
    return text + (" (poor)" if poor else "")


def _tick(value: float, _: int | None = None) -> str:
    return f"{value:,.10g}".replace("-", "−")


def _draw_histogram(axes: Axes, name: str, role: str, part: pd.DataFrame) -> None:
    edges = np.append(part["x_low"].to_numpy(), part["x_high"].to_numpy()[-1])
    if role == "data":
        colour, style = LIGHT["data"], "-"
        patch = axes.stairs(part["density"], edges, fill=True, lw=1.1, label=name)
        patch.set(facecolor=(colour, 0.28), edgecolor=colour)
    else:
        colour, style = LINES[role]["color"], LINES[role]["ls"]
        axes.stairs(part["density"], edges, label=name, color=colour, ls=style, lw=1.5)
    counted = (part["low"].notna() & (part["density"] > 0)).to_numpy()
    if counted.any():
        middle = (edges[1:] + edges[:-1]) / 2 + (0.0 if role == "data" else 0.12 * np.diff(edges))
        axes.vlines(middle[counted], part["low"][counted], part["high"][counted], color=colour, lw=0.8)


def panels_drawer(
    panels: Sequence[Panel], *, row_height: float = 3.4, columns: int | None = None
) -> Callable[[pd.DataFrame, FigureMeta, Layout], Figure]:
    """The `draw` of a figure made of panels, in rows of `columns` (one row without), each with its legend.

    Panels without values are left out: the caption says that the corpus has none.
    """

    def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
        """The figure in one layout, of the panels that have values."""
        shown = [panel for panel in panels if has_values(frame, panel.key)]
        lines = max((_legend_lines(frame, panel) for panel in shown), default=0)
        height = row_height + 0.17 * max(lines - 2, 0)
        across = min(columns or len(panels), max(len(shown), 1))
        figure, all_axes = new_figure(len(shown), layout, columns=across, row_height=height)
        for place, (panel, axes) in enumerate(zip(shown, all_axes, strict=True)):
            letter = f"({'abcdefghijkl'[place]}) " if len(shown) > 1 else ""
            draw_distribution(axes, frame[frame["panel"] == panel.key], panel, letter + panel.title)
        return figure

    return draw


def _legend_lines(frame: pd.DataFrame, panel: Panel) -> int:
    return int(frame.loc[frame["panel"] == panel.key, "series"].nunique())
