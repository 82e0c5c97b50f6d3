"""Table S1: which elements sit on general and on special positions."""

from __future__ import annotations

import pandas as pd
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
    """Shares of the most frequent elements on a logarithmic axis, a line joining the two positions."""
    shown = frame[(frame["rank"] <= SHOWN) & (frame["share"] > 0)]
    figure, (axes,) = new_figure(1, layout, row_height=1.2 if shown.empty else 4.2)
    if shown.empty:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no data in this corpus", ha="center", transform=axes.transAxes)
        return figure
    floor = max(float(shown["share"].min()) * 100 * 0.6, 1e-3)
    for _, pair in shown.groupby("rank"):
        ends = pair["share"] * 100
        axes.plot([pair["rank"].iloc[0]] * len(pair), ends, color=LIGHT["grid"], lw=3, zorder=1)
    for position, (marker, colour) in LOOK.items():
        part = shown[shown["position"] == position]
        share = 100 * part["share"].astype("float64")
        known = part["low"].notna()
        low = (100 * part["low"].astype("float64")).clip(lower=floor)
        axes.vlines(
            part["rank"][known], low[known], 100 * part["high"].astype("float64")[known], color=colour, lw=1.2
        )
        axes.plot(
            part["rank"], share, ls="", marker=marker, ms=5.5, color=colour, label=f"{position} positions"
        )
    names = shown.drop_duplicates("rank").set_index("rank")["element"]
    axes.set_xticks(list(names.index), list(names))
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(0.3, len(names) + 0.7)
    axes.set_yscale("log")
    axes.set_ylim(bottom=floor)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.set_ylabel("share of independent non-H sites / %")
    handles, series = axes.get_legend_handles_labels()
    legend_above(figure, dict(zip(series, handles, strict=True)), layout)
    return figure
