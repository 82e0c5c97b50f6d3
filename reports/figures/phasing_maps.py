"""Fig. 7: slabs through predicted density maps beside the true ones, of successes and of failures.

The true atoms are marked with crosses in both.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.model.network.card import SOLVED
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["SHOWN", "data", "draw"]

SHOWN: Final = 4
LEVELS: Final = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
"""Contours as shares of the highest true density; the first one is drawn negative too, dashed."""


def data(projections: pd.DataFrame) -> pd.DataFrame:
    """Rows `entry_id`, `r`, `volume_angstrom3`, `kind`, `x`, `y` (Å), `density` and `true_density` (e/Å³).

    `kind` is `density`, or the element of an atom, which has no density.

    Parameters
    ----------
    projections
        Rows of `model.projection.PROJECTIONS`.
    """
    parts = []
    for row in projections.head(SHOWN).to_dict("records"):
        n = round(len(row["density"]) ** 0.5)
        half = row["step_angstrom"] * (n - 1) / 2
        across = np.round(np.linspace(-half, half, n), 6)
        x, y = np.tile(across, n), np.repeat(across, n)
        electrons = np.round(np.asarray(row["density"], dtype=np.float64), 3)
        true = np.round(np.asarray(row["true_density"], dtype=np.float64), 3)
        pixels = {"kind": "density", "x": x, "y": y, "density": electrons, "true_density": true}
        atoms = pd.DataFrame(
            {
                "kind": row["atom_element"],
                "x": row["atom_x_angstrom"],
                "y": row["atom_y_angstrom"],
                "density": np.nan,
                "true_density": np.nan,
            }
        )
        part = pd.concat([pd.DataFrame(pixels), atoms], ignore_index=True)
        part.insert(0, "entry_id", row["entry_id"])
        part.insert(1, "r", row["r"])
        part.insert(2, "volume_angstrom3", row["volume_angstrom3"])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Two squares for each structure, predicted and true: four in a row, or two in the narrow layout."""
    groups = [group for _, group in frame.groupby("entry_id", sort=False)]
    columns = 4 if len(groups) > 1 else 2
    figure, all_axes = new_figure(
        2 * len(groups),
        layout,
        columns=columns,
        narrow_columns=2,
        row_height=2.45 if columns == 4 or layout.narrow else 4.2,
    )
    for k, group in enumerate(groups):
        first = group.iloc[0]
        name = str(first["entry_id"]).split("#", 1)[-1]
        verdict = "solved" if first["r"] >= SOLVED else "not solved"
        score = f"{first['r']:.2f}".replace("-", "−")
        head = f"({'abcdefgh'[k]}) {name}, V = {first['volume_angstrom3']:,.0f} Å³"
        for axes, column, under in (
            (all_axes[2 * k], "density", f"{verdict}, r = {score}"),
            (all_axes[2 * k + 1], "true_density", "true phases"),
        ):
            _panel(axes, group, column)
            title = head if column == "density" else ""
            axes.set_title(f"{title}\n{under}", fontsize=7.6, fontweight="normal")
    return figure


def _panel(axes: Axes, group: pd.DataFrame, column: str) -> None:
    """Contours of one map; both maps of a structure have the levels of the true one."""
    pixels = group[group["kind"] == "density"]
    n = round(len(pixels) ** 0.5)
    values = pixels[column].to_numpy(dtype=np.float64).reshape(n, n)
    across = pixels["x"].to_numpy(dtype=np.float64)[:n]
    top = float(pixels["true_density"].max())
    if top > 0:
        levels = [x * top for x in LEVELS]
        if values.max() > levels[0]:
            axes.contour(across, across, values, levels, colors=LIGHT["data"], linewidths=0.6)
        if values.min() < -levels[0]:
            axes.contour(
                across, across, values, [-levels[0]], colors=LIGHT["fit"], linewidths=0.5, linestyles="dashed"
            )
    atoms = group[group["kind"] != "density"]
    axes.scatter(atoms["x"], atoms["y"], marker="x", s=13, lw=0.9, color=LIGHT["ink"], zorder=3)
    half = across[-1]
    for element, x, y in zip(atoms["kind"], atoms["x"], atoms["y"], strict=True):
        if element != "C" and abs(x) < half - 0.9 and abs(y) < half - 0.9:
            axes.annotate(element, (x, y), (2, 2), textcoords="offset points", fontsize=6, zorder=4)
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal", xlabel="e₁ / Å")
    if column == "density":
        axes.set_ylabel("e₂ / Å")
    else:
        axes.set_yticklabels([])
    axes.set_xticks([-4, 0, 4])
    axes.set_yticks([-4, 0, 4])
    axes.grid(visible=False)
