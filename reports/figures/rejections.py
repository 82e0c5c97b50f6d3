"""Why files and blocks were rejected: a bar per reason."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from xtalpriors.reports.meta import FigureMeta, count
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["data", "draw"]

SHOWN = 18


def data(rejections: pd.DataFrame) -> pd.DataFrame:
    """Rows `stage`, `code`, `n`, `example` (first file by name), the most frequent first.

    `rejections` has the columns `stage`, `code`, `n`, `example`, one row per reason.
    """
    frame = rejections[["stage", "code", "n", "example"]]
    return frame.sort_values(["n", "stage", "code"], ascending=[False, True, True], ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Horizontal bars on a logarithmic axis, so that a single file is seen beside a thousand."""
    shown = frame.head(SHOWN)
    figure, (axes,) = new_figure(1, layout, row_height=1.1 + 0.27 * max(len(shown), 3))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    if shown.empty:
        axes.set_axis_off()
        axes.text(
            0.5, 0.5, "nothing was rejected", ha="center", transform=axes.transAxes, color=LIGHT["muted"]
        )
        return figure
    n = shown["n"].astype("float64")
    axes.barh(range(len(shown)), n, left=0, height=0.68, color=LIGHT["moved"])
    for y, value in enumerate(n):
        axes.text(value * 1.06, y, count(value), va="center", fontsize=8)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0.7, float(n.max()) * 2.5)
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    axes.set_yticks(
        range(len(shown)), [f"{s}: {c}" for s, c in zip(shown["stage"], shown["code"], strict=True)]
    )
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(shown), 3) - 0.4, -0.6)
    axes.set_xlabel("files or blocks (logarithmic)")
    return figure
