"""Changes of setting: cell, coordinates and operators moved by one operator.

Two settings matter here. The *reference* setting is gemmi's (ITA's first). For P2₁/c it can be very oblique,
so there is also the *least-oblique* P2₁/c cell, which keeps the operators of P 1 2₁/c 1.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from math import lcm
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.basis import ChangeOfBasis
from xtalpriors.crystal.cell import UnitCell
from xtalpriors.crystal.space_group import NotAGroupError, SpaceGroup, space_group
from xtalpriors.crystal.triplets import DENOMINATOR, Operator
from xtalpriors.errors import UsageError

__all__ = [
    "InSetting",
    "LeastOblique",
    "change_setting",
    "group_in_setting",
    "least_oblique_p21c",
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
    fract: npt.NDArray[np.float64]
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
        The new axes are no setting of the group: a rotation would not be integer.
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


def _distance_to_integers(values: npt.NDArray[np.float64]) -> float:
    return float(np.abs(values - np.rint(values)).max())


def least_oblique_p21c(group: SpaceGroup, cell: UnitCell) -> LeastOblique:
    """The P 1 2₁/c 1 cell with β nearest 90°, folded to β ≥ 90°, of a structure in any setting of no. 14.

    All cells of the group in this setting have a′ = p a + q c and c′ = r a + s c with r even, s odd and
    determinant ±1 (compositions of a′ = ±a + m c and c′ = ±c + 2n a). Since a c sin β is the same for all of
    them, β is nearest 90° where a′c′ is smallest: with u, v the shortest vectors of the plane, (c′, a′) is
    (u, v), (v, u), or the shorter of u ± v with u, by the class of c modulo 2.

    Raises
    ------
    UsageError
        The group is not no. 14, or the cell has no volume.
    """
    if group.number != 14:
        raise UsageError(f"The least-oblique P2₁/c cell is for group no. 14, not for no. {group.number}.")
    if not cell.is_valid:
        raise UsageError(f"The cell {cell.parameters} has no volume.")
    a, b, c = _reference_axes(group)
    aa, bb, cc, ac = (_dot(cell, u, v) for u, v in ((a, a), (b, b), (c, c), (a, c)))
    p, q, r, s = _least_oblique_plane(aa, ac, cc)
    new_aa = p * p * aa + 2 * p * q * ac + q * q * cc
    new_cc = r * r * aa + 2 * r * s * ac + s * s * cc
    new_ac = p * r * aa + (p * s + q * r) * ac + q * s * cc
    # an angle that is 90° but for rounding stays 90°
    cosine = new_ac / math.sqrt(new_aa * new_cc)
    beta = 90.0 if abs(cosine) < 1e-14 else math.degrees(math.acos(cosine))
    new_cell = UnitCell(math.sqrt(new_aa), math.sqrt(bb), math.sqrt(new_cc), 90.0, beta, 90.0)
    return LeastOblique(new_cell, _plane_change(group, p, q, r, s))


def _dot(cell: UnitCell, u: tuple[float, ...], v: tuple[float, ...]) -> float:
    """Scalar product in Å² of two vectors in units of the axes, in plain floats (it runs once a file)."""
    a, b, c = cell.a, cell.b, cell.c
    total = u[0] * v[0] * a * a + u[1] * v[1] * b * b + u[2] * v[2] * c * c
    for angle, i, j, size in ((cell.alpha, 1, 2, b * c), (cell.beta, 0, 2, a * c), (cell.gamma, 0, 1, a * b)):
        mixed = u[i] * v[j] + u[j] * v[i]
        if mixed and angle != 90.0:
            total += mixed * size * math.cos(math.radians(angle))
    return total


@lru_cache(maxsize=256)
def _reference_axes(group: SpaceGroup) -> tuple[tuple[float, ...], ...]:
    """Axes of the reference setting in units of the group's."""
    return tuple(tuple(column) for column in group.to_reference.inverse().matrix.T.tolist())


@lru_cache(maxsize=4096)
def _plane_change(group: SpaceGroup, p: int, q: int, r: int, s: int) -> ChangeOfBasis:
    """Change of coordinates to a′ = p a + q c, c′ = r a + s c of the reference setting's axes."""
    turn = p * s - q * r  # b turns around with the plane, so the axes stay right-handed
    axes = ChangeOfBasis.from_matrix([[p, 0, r], [0, turn, 0], [q, 0, s]])
    return axes.inverse().after(group.to_reference)


def _least_oblique_plane(aa: float, ac: float, cc: float) -> tuple[int, int, int, int]:
    """Integers p, q, r, s of `_plane_change`, from the metric of the plane: a·a, a·c, c·c."""

    def dot(u: tuple[int, int], v: tuple[int, int]) -> float:
        return aa * u[0] * v[0] + ac * (u[0] * v[1] + u[1] * v[0]) + cc * u[1] * v[1]

    u, v = (1, 0), (0, 1)
    for _ in range(1000):  # Gauss's reduction; each round but the last shortens a vector
        if dot(v, v) < dot(u, u) * (1 - 1e-12):
            u, v = v, u
        k = round(dot(u, v) / dot(u, u))
        if k == 0:
            break
        v = (v[0] - k * u[0], v[1] - k * u[1])
    best: tuple[float, int, tuple[int, int, int, int]] | None = None
    vectors = (u, v, (u[0] + v[0], u[1] + v[1]), (u[0] - v[0], u[1] - v[1]))
    for new_c in vectors:
        if new_c[0] % 2 or not new_c[1] % 2:
            continue
        for new_a in vectors:
            if abs(new_a[0] * new_c[1] - new_a[1] * new_c[0]) != 1:
                continue
            candidate = _folded(new_a, new_c, dot(new_a, new_c) > 0)
            size = sum(x * x for x in candidate)
            value = dot(new_a, new_a) * dot(new_c, new_c)
            # a tie in the angle goes to the cell nearest the reference cell
            limit = math.inf if best is None else best[0] * (1 + (1e-9 if size < best[1] else -1e-9))
            if best is None or value < limit:
                best = (value, size, candidate)
    if best is None:  # one of u, v, u ± v is in the class of c, whatever the metric
        raise AssertionError("no basis of the plane keeps the glide")
    return best[2]


def _folded(new_a: tuple[int, int], new_c: tuple[int, int], acute: bool) -> tuple[int, int, int, int]:
    """Axes with β ≥ 90°: a is turned around where β is acute, c keeps its old direction."""
    if new_c[1] < 0:
        new_c = (-new_c[0], -new_c[1])
        acute = not acute
    if acute:
        new_a = (-new_a[0], -new_a[1])
    return (*new_a, *new_c)
