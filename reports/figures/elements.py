"""Table S1: which elements sit on general and on special positions."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from xtalpriors.priors.kinds.elements import Elements
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]

SHOWN = 26
LOOK = {"general": ("o", LIGHT["data"]), "special": ("D", LIGHT["second"])}


def data(elements: Elements | None) -> pd.DataFrame:
    """A row per element and kind of position: `element`, `position`, `share`, `low`, `high` (95 %), `rank`.

    `rank` orders the elements by their larger share; shares are of independent non-hydrogen sites.
    """
    rows = []
    for position in LOOK:
        shares = None if elements is None else getattr(elements, position)
        if shares is not None:
            pairs = zip(shares.per_site.labels, shares.per_site.shares, strict=True)
            rows += [(label, position, e.value, e.low, e.high) for label, e in pairs]
    frame = pd.DataFrame(rows, columns=["element", "position", "share", "low", "high"])
    largest = frame.groupby("element")["share"].max().reset_index()
    largest = largest.sort_values(["share", "element"], ascending=[False, True], ignore_index=True)
    rank = {element: i + 1 for i, element in enumerate(largest["element"])}
    frame["rank"] = frame["element"].map(rank).astype("Int64")
    return frame.sort_values(["rank", "position"], ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Shares of the most frequent elements on a logarithmic axis, a line joining the two positions.

    The elements stand side by side, in the narrow layout one under the other.
    """
    shown = frame[(frame["rank"] <= SHOWN) & (frame["share"] > 0)]
    n = int(shown["rank"].nunique())
    figure, (axes,) = new_figure(1, layout, row_height=0.8 + 0.19 * n if layout.narrow else 4.2)
    floor = max(float(shown["share"].min()) * 100 * 0.6, 1e-3) if n else 0.1
    across = axes.hlines if layout.narrow else axes.vlines
    for rank in sorted(set(shown["rank"])):
        ends = 100 * shown.loc[shown["rank"] == rank, "share"]
        across(rank, ends.min(), ends.max(), color=LIGHT["grid"], lw=3, zorder=1)
    for position, (marker, colour) in LOOK.items():
        part = shown[shown["position"] == position].astype(dict.fromkeys(["rank", "low", "high"], "float64"))
        known = part[part["low"].notna()]
        low, high = (100 * known["low"]).clip(lower=floor), 100 * known["high"]
        across(known["rank"], low, high, color=colour, lw=1.2)
        at = (100 * part["share"].astype("float64"), part["rank"])
        x, y = at if layout.narrow else at[::-1]
        axes.plot(x, y, ls="", marker=marker, ms=5, color=colour, label=f"{position} positions")
    _axes(axes, shown, floor, layout)
    handles, series = axes.get_legend_handles_labels()
    legend_above(figure, dict(zip(series, handles, strict=True)), layout)
    return figure


def _axes(axes: Axes, shown: pd.DataFrame, floor: float, layout: Layout) -> None:
    """Scales, ticks and names: shares on one axis, the elements on the other."""
    names = shown.drop_duplicates("rank").set_index("rank")["element"]
    elements, shares = (axes.yaxis, axes.xaxis) if layout.narrow else (axes.xaxis, axes.yaxis)
    axes.grid(visible=layout.narrow, axis="x")
    axes.grid(visible=not layout.narrow, axis="y")
    elements.set_ticks(list(names.index), list(names))
    elements.set_tick_params(length=0)
    if layout.narrow:
        axes.set_xscale("log")
        axes.set_xlim(left=floor)
        axes.set_ylim(len(names) + 0.7, 0.3)
    else:
        axes.set_yscale("log")
        axes.set_ylim(bottom=floor)
        axes.set_xlim(0.3, len(names) + 0.7)
    shares.set_major_locator(LogLocator(subs=(1, 5) if layout.narrow else (1, 2, 5)))
    shares.set_minor_formatter(NullFormatter())
    shares.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    shares.set_label_text("% of independent non-H sites")
