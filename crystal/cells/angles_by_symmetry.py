"""Angles of a cell that its space group fixes, or that its volume gives where one is left."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from xtalpriors.arrays import F64

__all__ = ["angle_from_volume", "angles_by_symmetry"]

_TOLERANCE: Final = 0.01
"""Of the cosines: a cell further from the symmetry of a group is not one of that group."""
_RANK: Final = 1e-3
_PAIRS: Final = ((1, 2), (0, 2), (0, 1))
"""The axes between which alpha, beta and gamma are."""
_MOST_OBLIQUE_DEGREE: Final = 150.0
_TOO_LARGE: Final = 1.002
"""Volume over a·b·c·…: a little more than the largest is a rounded one, more is a contradiction."""


def angles_by_symmetry(rotations: F64, lengths: F64, angles_degree: F64) -> F64 | None:
    """Angles (3,) with those filled in that the rotations fix, given the lengths and the other angles.

    The metric tensor G of a cell is the same after each rotation R: RᵀGR = G. These equations are linear in
    the cosines of the angles.

    Parameters
    ----------
    rotations
        (n, 3, 3) rotation parts of the group.
    lengths
        (3,) in any unit.
    angles_degree
        (3,), NaN where unknown.

    Returns
    -------
    NaN where the group leaves an angle open; None where the lengths and the known angles contradict it.
    """
    scaled = rotations * lengths[:, None] / lengths[None, :]
    moved = scaled.transpose(0, 2, 1) @ scaled - np.eye(3)
    columns = []
    for i, j in _PAIRS:
        unit = np.zeros((3, 3))
        unit[i, j] = unit[j, i] = 1.0
        columns.append((scaled.transpose(0, 2, 1) @ unit @ scaled - unit).ravel())
    matrix = np.stack(columns, axis=1)
    unknown = np.isnan(angles_degree)
    cosines = np.array([0.0 if math.isnan(x) else math.cos(math.radians(x)) for x in angles_degree])
    right = -moved.ravel() - matrix @ cosines
    found, _, rank, _ = np.linalg.lstsq(matrix[:, unknown], right, rcond=_RANK)
    if np.abs(matrix[:, unknown] @ found - right).max() > _TOLERANCE or np.abs(found).max(initial=0.0) >= 1.0:
        return None
    _, _, axes = np.linalg.svd(matrix[:, unknown])
    is_open = (np.abs(axes[rank:]) > _RANK).any(axis=0)
    filled = angles_degree.copy()
    filled[unknown] = [
        math.nan if free else _degrees(x) for free, x in zip(is_open.tolist(), found.tolist(), strict=True)
    ]
    return filled


def angle_from_volume(lengths: F64, angles_degree: F64, volume: float) -> float | None:
    """The one unknown angle (NaN) of a cell with two right angles, taken for obtuse; None where it has none.

    V = abc·sin β. Where the others are not right angles, an acute and an obtuse one give the same volume.
    """
    known = angles_degree[~np.isnan(angles_degree)]
    sine = volume / float(lengths.prod())
    if len(known) != 2 or np.abs(known - 90.0).max() > 1e-6 or not 0.0 < sine <= _TOO_LARGE:
        return None
    angle = 180.0 - math.degrees(math.asin(min(sine, 1.0)))
    return round(angle, 3) if angle <= _MOST_OBLIQUE_DEGREE else None


def _degrees(cosine: float) -> float:
    return round(math.degrees(math.acos(cosine)), 6)
