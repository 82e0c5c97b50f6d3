"""Fig. 7: slabs through predicted density maps, the true atoms marked with crosses."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["SHOWN", "data", "draw"]

SHOWN: Final = 4
LEVELS: Final = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
"""Contours as shares of the highest density of the panel; the first one is drawn negative too, dashed."""


def data(projections: pd.DataFrame) -> pd.DataFrame:
    """Rows `entry_id`, `r`, `volume_angstrom3`, `kind` (`density` or an element), `x`, `y` (Å), `density`.

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
        density = pd.DataFrame({"kind": "density", "x": x, "y": y, "density": electrons})
        atoms = pd.DataFrame(
            {
                "kind": row["atom_element"],
                "x": row["atom_x_angstrom"],
                "y": row["atom_y_angstrom"],
                "density": np.nan,
            }
        )
        part = pd.concat([density, atoms], ignore_index=True)
        part.insert(0, "entry_id", row["entry_id"])
        part.insert(1, "r", row["r"])
        part.insert(2, "volume_angstrom3", row["volume_angstrom3"])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """One square for each structure, in rows of two."""
    groups = [group for _, group in frame.groupby("entry_id", sort=False)]
    figure, all_axes = new_figure(len(groups), layout, columns=2, row_height=4.0)
    for axes, group in zip(all_axes, groups, strict=True):
        _panel(axes, group)
    return figure


def _panel(axes: Axes, group: pd.DataFrame) -> None:
    pixels = group[group["kind"] == "density"]
    n = round(len(pixels) ** 0.5)
    values = pixels["density"].to_numpy(dtype=np.float64).reshape(n, n)
    across = pixels["x"].to_numpy(dtype=np.float64)[:n]
    top = float(values.max())
    if top > 0:
        axes.contour(across, across, values, [x * top for x in LEVELS], colors=LIGHT["data"], linewidths=0.7)
        negative = [-LEVELS[0] * top]
        if values.min() < negative[0]:
            axes.contour(across, across, values, negative, colors=LIGHT["second"], linewidths=0.5)
    atoms = group[group["kind"] != "density"]
    axes.scatter(atoms["x"], atoms["y"], marker="x", s=26, lw=1.1, color=LIGHT["fit"], zorder=3)
    half = across[-1]
    for element, x, y in zip(atoms["kind"], atoms["x"], atoms["y"], strict=True):
        if element != "C" and abs(x) < half - 0.5 and abs(y) < half - 0.5:
            axes.annotate(
                element, (x, y), (3, 3), textcoords="offset points", fontsize=7, color=LIGHT["ink"], zorder=4
            )
    first = group.iloc[0]
    name = str(first["entry_id"]).rsplit("#", 1)[-1]
    title = f"{name}, V = {first['volume_angstrom3']:,.0f} Å³, r = {first['r']:.2f}".replace("-0.", "−0.")
    axes.set_title(title, fontweight="normal")
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal", xlabel="e₁ / Å", ylabel="e₂ / Å")
    axes.grid(visible=False)
