"""Sections through true densities and those that networks answer with, failures among them."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["data", "draw"]

LEVELS: Final = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)
"""Contours as shares of the highest true density of the section."""


def data(sections: pd.DataFrame) -> pd.DataFrame:
    """Rows `crystal`, `what`, `ssim`, `x`, `y` and `density` (e/Å³): the truth and the first tries.

    Parameters
    ----------
    sections
        Of the evaluation, with the column `crystal`, its name in the figure.
    """
    parts = []
    for row in sections[sections["rank"] <= 1].to_dict("records"):
        n = int(row["points"])
        along = np.round(np.arange(n) / n, 4)
        parts.append(
            pd.DataFrame(
                {
                    "crystal": row["crystal"],
                    "what": row["what"],
                    "ssim": row["ssim"],
                    "x": np.repeat(along, n),
                    "y": np.tile(along, n),
                    "density": np.asarray(row["values"], dtype=np.float64),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """For each crystal the truth, then each network's first try; pairs stand two in a row."""
    crystals = [group for _, group in frame.groupby("crystal", sort=False)]
    across = max(group["what"].nunique() for group in crystals)
    figure, axes = new_figure(
        len(crystals) * across,
        layout,
        columns=4 if across == 2 else across,
        narrow_columns=across,
        row_height=2.3,
    )
    for k, group in enumerate(crystals):
        top = float(group.loc[group["what"] == "truth", "density"].max())
        for j, (what, part) in enumerate(group.groupby("what", sort=False)):
            score = "" if what == "truth" else f", SSIM {part['ssim'].iloc[0]:.2f}".replace("-", "−")
            title = f"({k + 1}) {group['crystal'].iloc[0]}" if j == 0 else ""
            axes[k * across + j].set_title(f"{title}\n{what}{score}", fontsize=7.2, fontweight="normal")
            _panel(axes[k * across + j], part, top)
        for empty in axes[k * across + group["what"].nunique() : (k + 1) * across]:
            empty.set_axis_off()  # fewer networks answered this set
    return figure


def _panel(axes: Axes, part: pd.DataFrame, top: float) -> None:
    """Contours of one section, its axes in fractions of the cell; a sentence where there is none."""
    n = round(len(part) ** 0.5)
    values = np.pad(part["density"].to_numpy(dtype=np.float64).reshape(n, n), (0, 1), mode="wrap")
    along = np.arange(n + 1) / n
    levels = [share * top for share in LEVELS]
    if values.max() > levels[0] > values.min():
        axes.contour(along, along, values.T, levels, colors=LIGHT["data"], linewidths=0.6)
    else:
        text = f"flat: at most\n{values.max():.2g} e/Å³"
        axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=7, color=LIGHT["muted"])
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="x", ylabel="y")
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    axes.grid(visible=False)
