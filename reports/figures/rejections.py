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
    row = 0.38 if layout.narrow else 0.27
    figure, (axes,) = new_figure(1, layout, row_height=0.8 + row * max(len(shown), 2))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    n = shown["n"].astype("float64")
    axes.barh(range(len(shown)), n, left=0, height=0.4 if layout.narrow else 0.68, color=LIGHT["moved"])
    for y, value in enumerate(n):
        axes.text(value * 1.06, y, count(value), va="center", fontsize=8)
    axes.set_xscale("log")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0.7, max(float(n.max()) * 2.5, 12.0) if len(n) else 12.0)
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    names = [f"{s}: {c}" for s, c in zip(shown["stage"], shown["code"], strict=True)]
    axes.set_yticks([] if layout.narrow else range(len(shown)), [] if layout.narrow else names)
    if layout.narrow:  # names stand over their bars, where a line is as long as the figure
        for y, name in enumerate(names):
            axes.text(0.72, y - 0.42, name, va="center", fontsize=7.6)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(shown), 2) - 0.4, -0.8)
    axes.set_xlabel("files or blocks (logarithmic)")
    return figure
