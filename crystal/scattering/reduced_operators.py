"""The operators that a structure-factor sum needs: without centring, and without inversions at the origin."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from xtalpriors.crystal.scattering.kernels_general import Representatives
from xtalpriors.crystal.scattering.kernels_monoclinic import SeparableOperators
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["ReducedOperators", "reduce_operators"]


class ReducedOperators(NamedTuple):
    """What the kernels need to know of a group.

    Attributes
    ----------
    representatives
        One operator for each rotation; of R and -R one, where F is real.
    real
        F is real: an inversion centre lies at the origin.
    separable
        For the groups that `kernels_monoclinic` can do, else None.
    """

    representatives: Representatives
    real: bool
    separable: SeparableOperators | None


@lru_cache(maxsize=1024)
def reduce_operators(group: SpaceGroup) -> ReducedOperators:
    """Reduce the operators; the sums hold for reflections that the centring does not extinguish."""
    inversion = tuple((-np.eye(3, dtype=int)).ravel().tolist())
    identity = tuple(np.eye(3, dtype=int).ravel().tolist())
    shifts: dict[tuple[int, ...], list[tuple[float, ...]]] = {}
    for rotation, translation in zip(group.rotations, group.translations, strict=True):
        shifts.setdefault(tuple(rotation.ravel().tolist()), []).append(tuple(translation.tolist()))
    real = (0.0, 0.0, 0.0) in shifts.get(inversion, [])
    kept: list[tuple[int, ...]] = []
    for rotation in shifts:
        if not (real and tuple(-x for x in rotation) in kept):
            kept.append(rotation)
    lattice_points = len(shifts[identity])
    representatives = Representatives(
        rotations=np.array(kept, dtype=np.float64).reshape(-1, 3, 3),
        translations=np.array([min(shifts[rotation]) for rotation in kept]),
        factor=float(lattice_points * (2 if real else 1)),
    )
    return ReducedOperators(representatives, real, _separable(shifts, real, lattice_points))


def _separable(
    shifts: dict[tuple[int, ...], list[tuple[float, ...]]], real: bool, lattice_points: int
) -> SeparableOperators | None:
    """The operators of 2/m, b unique, with a glide that leaves h alone; None for any other group."""
    twofold = (-1, 0, 0, 0, 1, 0, 0, 0, -1)
    if not real or len(shifts) != 4 or twofold not in shifts:
        return None
    for t1, t2, t3 in sorted(shifts[twofold]):
        if t1 == 0.0 and {t2, t3} <= {0.0, 0.5}:
            return SeparableOperators(int(2 * t2), int(2 * t3), lattice_points)
    return None
