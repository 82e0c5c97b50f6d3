"""Cell angles that a file does not state: fixed by the group, computed from the volume, or a guess of 90°.

The core dictionary's default is 90°. A hexagonal cell has 120°, a monoclinic one nearly always another angle:
with 90° it would have another shape and volume than the crystal.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.cells.angles_by_symmetry import angle_from_volume, angles_by_symmetry
from xtalpriors.crystal.cells.cell import cell_volumes
from xtalpriors.crystal.symmetry.resolve import Reading, SymmetryFailure
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.symbols import axes_of
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.symmetry.blocks import resolve_blocks

__all__ = ["settle_angles"]

_SHORTEST_ANGSTROM, _LONGEST_ANGSTROM = 0.1, 1e6
_DEFAULT_DEGREE: Final = 90.0
_SAME_LENGTH: Final = 1e-3
_CONTRADICTED: Final = 0.02
_TRICLINIC: Final = 2


def settle_angles(batch: Batch, cells: F64, unknown: Bool, volumes: F64, notes: dict[int, list[str]]) -> None:
    """Fill unknown angles where the group or the volume tells them, in place, and note how.

    Parameters
    ----------
    cells
        (b, 6) with 90° for angles that are not given, NaN for those that cannot be read.
    unknown
        (b, 3) both of these.
    volumes
        (b,) declared, NaN where none is.
    notes
        By block; `angle-by-default`, `angle-from-group`, `angle-from-volume`, and `angle-unclear` for a 90°
        that is a guess.
    """
    possible = (cells[:, :3] > _SHORTEST_ANGSTROM) & (cells[:, :3] < _LONGEST_ANGSTROM)
    possible &= unknown | ((cells[:, 3:] > 0.0) & (cells[:, 3:] < 180.0))
    blocks = np.flatnonzero(unknown.any(axis=1) & possible.all(axis=1)).tolist()
    axes = [""] * len(cells)
    for b in blocks:
        axes[b] = _axes(cells[b], unknown[b])
    by_default = unknown & ~np.isnan(cells[:, 3:])
    for b, reading in resolve_blocks(batch, axes, blocks).items():
        found, note = _settled(reading, cells[b], unknown[b], float(volumes[b]))
        if found is not None:
            cells[b, 3:] = found
        if note is not None:
            notes.setdefault(b, []).append(note)
    for b in np.flatnonzero((by_default & (cells[:, 3:] == _DEFAULT_DEGREE)).any(axis=1)).tolist():
        notes.setdefault(b, []).append("angle-by-default")


def _axes(cell: F64, unknown: Bool) -> str:
    """What the known angles, else the lengths, say of the axes: see `axes_of`."""
    a, b, c, *angles = np.where([False] * 3 + unknown.tolist(), _DEFAULT_DEGREE, cell).tolist()
    said = axes_of((angles[0], angles[1], angles[2]))
    if said != "H" and abs(b / a - 1.0) < _SAME_LENGTH and abs(c / a - 1.0) < _SAME_LENGTH:
        return "R"
    return "" if said == "o" else said


def _settled(reading: Reading, cell: F64, unknown: Bool, volume: float) -> tuple[F64 | None, str | None]:
    """The angles of a cell, None where they stay as they are, and a note."""
    angles = np.where(unknown, np.nan, cell[3:])
    filled = [angles_by_symmetry(g.rotations.astype(np.float64), cell[:3], angles) for g in _groups(reading)]
    first = filled[0] if filled else None
    if first is None or any(f is None or not np.allclose(f, first, equal_nan=True) for f in filled):
        return None, "angle-unclear"
    note = "angle-from-group" if not np.array_equal(first, cell[3:]) else None
    if np.isnan(first).any():
        monoclinic = all(group.number > _TRICLINIC for group in _groups(reading))
        by_volume = angle_from_volume(cell[:3], first, volume) if monoclinic else None
        if by_volume is None:
            return None, "angle-unclear"
        first, note = np.where(np.isnan(first), by_volume, first), "angle-from-volume"
    return first, "angle-unclear" if _differs(first, cell, volume) > _CONTRADICTED else note


def _differs(angles: F64, cell: F64, volume: float) -> float:
    """Relative difference of the volume with these angles from the declared one; NaN where none is."""
    if not volume > 0.0:
        return math.nan
    return abs(float(cell_volumes(np.append(cell[:3], angles)[None])[0]) / volume - 1.0)


def _groups(reading: Reading) -> list[SpaceGroup]:
    """The group of a file, and where its statements disagree each that it names."""
    if isinstance(reading.answer, SymmetryFailure):
        return []
    named = reading.declared.on_cell() if reading.answer.agreement == "disagree" else ()
    return [reading.answer.group, *(group for _, group, _ in named)]
