"""Fig. S3: a few generated structures drawn as molecules, projected on their flattest plane."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM
from xtalpriors.generator.structures import Structure
from xtalpriors.reports.meta import FigureMeta
from xtalpriors.reports.style import LIGHT, WIDE, Layout, new_figure

__all__ = ["BOND_FACTOR", "SHOWN", "data", "draw"]

ASPECT: Final = 0.72
"""Height over width of a panel."""
SHOWN: Final = 6
BOND_FACTOR: Final = 1.15
"""Two atoms are joined up to this times the sum of their radii; the fillings put bonds at 0.9 to 1.1."""
COLOURS: Final = {
    "H": "#f4f6f8", "C": "#5b6168", "N": "#3268c4", "O": "#d6402b", "F": "#5aa32a", "Cl": "#2f9e44",
    "Br": "#99401f", "I": "#7a2f8f", "S": "#e0b21b", "P": "#e58119", "Si": "#c79a6b", "B": "#e39c92",
}  # fmt: skip
METAL: Final = "#8e7cc3"


def data(structures: Sequence[Structure]) -> pd.DataFrame:
    """A row per atom: `structure` (index), `atom`, `element`, `x`, `y` in the plane, `depth`, `radius` (Å).

    The asymmetric unit is shown, in Cartesian coordinates turned to its principal axes: the plane is that
    of the largest spread, `depth` points to the reader.
    """
    parts = []
    for structure in structures[:SHOWN]:
        xyz = structure.fract @ structure.cell.orthogonalization.T
        xyz = _principal(xyz - xyz.mean(axis=0))
        radii = [COVALENT_RADIUS_ANGSTROM[z] or np.nan for z in structure.element]
        columns = {"x": xyz[:, 0], "y": xyz[:, 1], "depth": xyz[:, 2], "radius": radii}
        part = pd.DataFrame(columns)
        part.insert(0, "structure", structure.index)
        part.insert(1, "atom", range(len(xyz)))
        part.insert(2, "element", structure.symbols)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _principal(xyz: F64) -> F64:
    """Coordinates along the principal axes, largest spread first, signs fixed by the third moments."""
    _, _, axes = np.linalg.svd(xyz, full_matrices=True)
    turned = xyz @ axes.T
    signs = np.where((turned**3).sum(axis=0) < 0, -1.0, 1.0)
    return np.asarray(np.round(turned * signs, 6))


def draw(frame: pd.DataFrame, meta: FigureMeta, layout: Layout = WIDE) -> Figure:
    """Two rows of three, all to one scale."""
    figure, all_axes = new_figure(
        SHOWN, layout, columns=3, narrow_columns=2, row_height=1.75 if layout.narrow else 2.45
    )
    groups = [group.reset_index(drop=True) for _, group in frame.groupby("structure", sort=False)]
    half = max(1.4 + float(frame["x"].abs().max()), (1.4 + float(frame["y"].abs().max())) / ASPECT)
    for axes, group in zip(all_axes, groups, strict=False):
        _draw_one(axes, group)
        axes.set_title(f"no. {group['structure'].iloc[0]}", fontweight="normal", color=LIGHT["muted"])
    for axes in all_axes:
        axes.set_axis_off()
        axes.set_aspect("equal")
        axes.set(xlim=(-half, half), ylim=(-ASPECT * half, ASPECT * half))
    if groups:
        bar = all_axes[min(len(groups), SHOWN) - 1]
        bar.plot([half - 2.0, half], [-0.68 * half] * 2, color=LIGHT["muted"], lw=1.5, solid_capstyle="butt")
        bar.text(half - 1.0, -0.65 * half, "2 Å", ha="center", va="bottom", fontsize=8, color=LIGHT["muted"])
    return figure


def _draw_one(axes: Axes, atoms: pd.DataFrame) -> None:
    """Bonds and atoms from back to front, a bond just before its farther atom."""
    xyz = atoms[["x", "y", "depth"]].to_numpy(dtype=np.float64)
    radius = atoms["radius"].to_numpy(dtype=np.float64)
    items: list[tuple[float, int, tuple[int, ...]]] = [(xyz[i, 2], 1, (i,)) for i in range(len(xyz))]
    for i, j in combinations(range(len(xyz)), 2):
        if np.linalg.norm(xyz[i] - xyz[j]) <= BOND_FACTOR * (radius[i] + radius[j]):
            items.append((float(xyz[[i, j], 2].min()), 0, (i, j)))
    for order, (_, _, members) in enumerate(sorted(items)):
        if len(members) == 2:
            ends = xyz[list(members)]
            axes.plot(ends[:, 0], ends[:, 1], color=LIGHT["surface"], lw=5.2, zorder=order)
            axes.plot(ends[:, 0], ends[:, 1], color=LIGHT["muted"], lw=2.6, zorder=order + 0.5)
            continue
        i = members[0]
        symbol = str(atoms["element"][i])
        colour = COLOURS.get(symbol, METAL)
        size = 5.0 if symbol == "H" else 6.0 + 4.5 * float(np.nan_to_num(radius[i], nan=1.5))
        rim = LIGHT["muted"] if symbol == "H" else LIGHT["surface"]
        axes.plot(xyz[i, 0], xyz[i, 1], "o", ms=size, mfc=colour, mec=rim, mew=0.8, zorder=order + 0.5)
        if symbol not in ("H", "C"):
            ink = "#fefefe" if symbol not in ("S", "Si", "B", "P") else "#16191d"
            label = axes.text(xyz[i, 0], xyz[i, 1], symbol, zorder=order + 0.6)
            label.set(ha="center", va="center_baseline", fontsize=6.3, color=ink, fontweight="bold")
