"""The origin and the orientation of a crystal, of all that a powder pattern cannot tell apart.

A pattern does not know which of the allowed origins of the space group was chosen, nor a structure from its
inverse or, where the Laue class has no fourfold axis, from one turned by 90°. All are operations of the
Euclidean normaliser of the group. `canonical_coordinates` chooses one.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["canonical_coordinates", "normaliser"]

_TURNS: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "cubic": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "trigonal": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)),
}
"""Rotations of the lattice that need not belong to the Laue class: a fourfold and a twofold axis along c."""
_TEST_POINTS: Final = ((0.25, 0.25, 0.25), (0.125, 0.125, 0.125), (0.19, 0.07, 0.31), (0.0, 0.31, 0.17))
"""Where densities are compared, in order, if the densities at the origin are equal."""
_EQUAL: Final = 0.02


@lru_cache(maxsize=256)
def normaliser(group: SpaceGroup) -> tuple[tuple[F64, F64], ...]:
    """Operations x ↦ M x + s that leave a group as it is, one of each class that changes structures.

    M is the identity, the inversion, or the turn of `_TURNS` with and without it; s are the allowed origins
    from one that the M needs. Shifts along polar axes are left out.
    """
    turn = _TURNS.get(group.crystal_system)
    matrices = [np.eye(3), -np.eye(3)]
    if turn is not None:
        matrices += [np.array(turn, dtype=np.float64), -np.array(turn, dtype=np.float64)]
    own = _codes(group.rotations, group.translations)
    shifts = permissible_origins(group).shifts
    operations: list[tuple[F64, F64]] = []
    for matrix in matrices:
        inverse = np.linalg.inv(matrix)
        rotations = np.rint(matrix @ group.rotations @ inverse)
        for start in itertools.product((0.0, 0.25, 0.5, 0.75), repeat=3):
            first = np.array(start)
            translations = group.translations @ matrix.T + first - rotations @ first
            if _codes(rotations, translations) == own:
                operations += [(matrix, first + shift) for shift in shifts]
                break
    return tuple(operations)


def _codes(rotations: npt.ArrayLike, translations: npt.ArrayLike) -> frozenset[tuple[int, ...]]:
    """Operators as whole numbers, translations in 24ths of the cell."""
    r = np.rint(np.asarray(rotations)).astype(int).reshape(-1, 9)
    t = np.rint(np.asarray(translations) * 24.0).astype(int) % 24
    return frozenset(map(tuple, np.concatenate([r, t], axis=1).tolist()))


def canonical_coordinates(
    group: SpaceGroup, cell: UnitCell, numbers: npt.ArrayLike, fract: npt.ArrayLike
) -> F64:
    """Coordinates (n, 3) in [0, 1) in the description with the most electrons at 0, 0, 0.

    Where the density at the origin is the same within 2 %, that at a few fixed points decides. Along the
    polar axis of a group the first of the heaviest atoms stands at 0.
    """
    z, x = np.asarray(numbers, dtype=np.int64), np.asarray(fract, dtype=np.float64)
    heaviest = int(np.argmax(z))
    for direction in permissible_origins(group).directions.astype(np.float64):
        along = int(np.abs(direction).argmax())
        x = x - x[heaviest, along] / direction[along] * direction
    metric = cell.metric_tensor
    best: tuple[float, ...] | None = None
    result = x
    for matrix, shift in normaliser(group):
        candidate = x @ matrix.T + shift
        values = _point_densities(metric, z, candidate)
        if best is None or _is_more(values, best):
            best, result = values, candidate
    wrapped: F64 = np.round(result % 1.0, 7) % 1.0
    return wrapped


def _is_more(values: tuple[float, ...], best: tuple[float, ...]) -> bool:
    """The first of two rows of densities is clearly greater where they first differ."""
    for value, other in zip(values, best, strict=True):
        if abs(value - other) > _EQUAL * max(abs(value), abs(other), 0.05):
            return value > other
    return False


def _point_densities(metric: F64, numbers: npt.NDArray[np.int64], fract: F64) -> tuple[float, ...]:
    """A measure of the density at the origin and the test points: atoms as Gaussians of 0.6 Å."""
    points = np.array(((0.0, 0.0, 0.0), *_TEST_POINTS))
    difference = points[:, None, :] - fract[None, :, :]
    difference -= np.rint(difference)
    squares = np.einsum("pni,ij,pnj->pn", difference, metric, difference)
    return tuple((numbers * np.exp(-squares / 0.72)).sum(axis=1).tolist())
