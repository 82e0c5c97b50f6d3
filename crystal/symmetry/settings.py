"""Changes of setting: cell, coordinates and operators moved by one operator.

Two settings matter here. The *reference* setting is gemmi's (ITA's first). For P2₁/c it can be very oblique,
so there is also the *least-oblique* P2₁/c cell, which keeps the operators of P 1 2₁/c 1.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import lcm
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.least_oblique import least_oblique_cells
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.closure import NotAGroupError
from xtalpriors.crystal.symmetry.space_group import SpaceGroup, space_group
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, Operator
from xtalpriors.errors import UsageError

__all__ = [
    "InSetting",
    "LeastOblique",
    "change_setting",
    "group_in_setting",
    "least_oblique_p21c",
    "plane_change",
    "reference_axes",
    "to_reference",
]


class InSetting(NamedTuple):
    """A structure's cell, group and coordinates in another setting.

    Attributes
    ----------
    cell, group
        In the new setting.
    fract
        (m, 3) coordinates, not wrapped into the cell.
    change
        The map of coordinates from the old setting.
    """

    cell: UnitCell
    group: SpaceGroup
    fract: F64
    change: ChangeOfBasis


class LeastOblique(NamedTuple):
    """The least-oblique P2₁/c cell and the change of coordinates to it from the setting given."""

    cell: UnitCell
    change: ChangeOfBasis


def change_setting(
    group: SpaceGroup, cell: UnitCell, fract: npt.ArrayLike, change: ChangeOfBasis
) -> InSetting:
    """Move a structure to another setting: everything by the same change of coordinates.

    Structure factors are those of the same reflections, h′ = `change.miller_indices(h)`, times the ratio of
    the cells' volumes.

    Raises
    ------
    NotAGroupError
        On the new axes a rotation of the group would not be integer.
    """
    moved = group_in_setting(group, change)
    return InSetting(change.cell(cell), moved, change.coordinates(fract), change)


def to_reference(group: SpaceGroup, cell: UnitCell, fract: npt.ArrayLike) -> InSetting:
    """The structure in the reference setting of its group (`SpaceGroup.to_reference`)."""
    return change_setting(group, cell, fract, group.to_reference)


@lru_cache(maxsize=1024)
def group_in_setting(group: SpaceGroup, change: ChangeOfBasis) -> SpaceGroup:
    """The group in another setting; errors as in `change_setting`."""
    matrix, vector, inverse = change.matrix, change.vector, change.inverse().matrix
    # Where the new cell is larger, translations of the old lattice become operators of their own.
    size = lcm(*(x.denominator for row in change.rows for x in row))
    lattice = np.array(list(product(range(size), repeat=3))) @ matrix.T
    rotations = matrix @ group.rotations @ inverse
    shifts = group.translations @ matrix.T + vector - rotations @ vector
    translations = (shifts[:, None] + lattice[None]) * DENOMINATOR
    if max(_distance_to_integers(rotations), _distance_to_integers(translations)) > 1e-5:
        raise NotAGroupError("not-integer", f"{change.triplet} gives operators that do not keep its lattice")
    members: set[Operator] = set()
    exact = (np.rint(translations).astype(np.int64) % DENOMINATOR).tolist()
    integers = np.rint(rotations).astype(np.int64).reshape(-1, 9).tolist()
    for rotation, moved in zip(integers, exact, strict=True):
        members |= {(tuple(rotation), (x, y, z)) for x, y, z in moved}
    return space_group(frozenset(members))


def _distance_to_integers(values: F64) -> float:
    return float(np.abs(values - np.rint(values)).max())


def least_oblique_p21c(group: SpaceGroup, cell: UnitCell) -> LeastOblique:
    """The P 1 2₁/c 1 cell with β nearest 90°, folded to β ≥ 90°, of a structure in any setting of no. 14.

    `least_oblique_cells` says how it is found, and does many cells at once.

    Raises
    ------
    UsageError
        The group is not no. 14, or the cell has no volume.
    """
    if group.number != 14:
        raise UsageError(f"The least-oblique P2₁/c cell is for group no. 14, not for no. {group.number}.")
    if not cell.is_valid:
        raise UsageError(f"The cell {cell.parameters} has no volume.")
    # a copy: the kernel would be compiled once more for an array that cannot be written to
    cells, planes = least_oblique_cells(np.array([cell.parameters]), np.array([reference_axes(group)]))
    return LeastOblique(UnitCell(*cells[0].tolist()), plane_change(group, *planes[0].tolist()))


@lru_cache(maxsize=256)
def reference_axes(group: SpaceGroup) -> F64:
    """Axes of the reference setting (3, 3), one a row, in units of the group's."""
    axes = np.ascontiguousarray(group.to_reference.inverse().matrix.T, dtype=np.float64)
    axes.setflags(write=False)
    return axes


@lru_cache(maxsize=4096)
def plane_change(group: SpaceGroup, p: int, q: int, r: int, s: int) -> ChangeOfBasis:
    """Change of coordinates to a′ = p a + q c, c′ = r a + s c of the reference setting's axes."""
    turn = p * s - q * r  # b turns around with the plane, so the axes stay right-handed
    axes = ChangeOfBasis.from_matrix([[p, 0, r], [0, turn, 0], [q, 0, s]])
    return axes.inverse().after(group.to_reference)
