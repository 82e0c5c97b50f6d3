"""What became of the files: every step from the file to the entry and on to the subset, with its losses."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xtalpriors.reports.meta import FigureMeta, count
from xtalpriors.reports.style import LIGHT, WIDE, Layout, legend_above, new_figure

__all__ = ["data", "draw"]


def data(steps: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Rows `step`, `n` left after it, `lost` in it (null for the first and for a step that gains)."""
    frame = pd.DataFrame(steps, columns=["step", "n"])
    lost = frame["n"].shift(1) - frame["n"]
    frame["lost"] = lost.where(lost >= 0).astype("Int64")
    return frame


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """A bar per step, the loss in the paler end."""
    figure, (axes,) = new_figure(1, layout, row_height=1.1 + 0.3 * max(len(frame), 1))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    top = max(int(frame["n"].max()), 1) if len(frame) else 1
    for y, (n, lost) in enumerate(zip(frame["n"], frame["lost"], strict=True)):
        axes.barh(y, n, height=0.68, color=LIGHT["data"], label="left")
        end, text = float(n), count(n)
        if not pd.isna(lost) and lost > 0:
            part = axes.barh(y, lost, left=n, height=0.68, color=LIGHT["moved"], alpha=0.35)
            part.set_label("lost in the step")
            end, text = float(n + lost), f"{count(n)}   −{count(lost)}"
        axes.text(end + 0.01 * top, y, text, va="center", fontsize=8)
    axes.set_yticks(range(len(frame)), [str(step).replace("_", " ") for step in frame["step"]])
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.set_xlim(0, (1.6 if layout.narrow else 1.22) * top)
    axes.xaxis.set_major_locator(MaxNLocator(3 if layout.narrow else 6))
    axes.xaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    axes.set_xlabel("number")
    handles, names = axes.get_legend_handles_labels()
    legend_above(figure, dict(zip(names, handles, strict=True)), layout)
    return figure
