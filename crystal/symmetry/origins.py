"""Permissible origins: shifts of the origin that leave every operator of a space group as it is.

A shift s is permissible where (R - I)s is a lattice vector for every rotation R. The coordinates become x - s
and F(h) becomes F(h) exp(-2πi h·s): amplitudes stay, phases move (Giacovazzo, *Fundamentals of
Crystallography*). These are the translations of the Euclidean normalizer (ITA vol. A, table 3.5.2), counted
once for each that differs by more than a lattice translation.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.integer import smith_normal_form
from xtalpriors.crystal.symmetry.primitive import primitive_basis
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["PermissibleOrigins", "origin_phase_shifts", "permissible_origins"]


class PermissibleOrigins(NamedTuple):
    """The permissible origins of a group.

    Attributes
    ----------
    shifts
        (n, 3), in [0, 1), the zero shift first, then sorted: no two differ by a lattice vector (centring
        included) or along a polar direction.
    directions
        (p, 3) integers: along each the origin may be moved at will (polar groups; p = 3 in P1).
    """

    shifts: F64
    directions: I64


@lru_cache(maxsize=1024)
def permissible_origins(group: SpaceGroup) -> PermissibleOrigins:
    """Permissible origins of a group in its own setting: the 8 of (0|½, 0|½, 0|½) in P2₁/c.

    In the primitive basis B the condition is M p ∈ ℤ with M = B⁻¹(R - I)B stacked and s = B p; the Smith form
    U M V = diag(d) solves it: p = V y with y_i ∈ {0, 1/d_i, …}, and y_i free where d_i = 0.
    """
    basis = primitive_basis(group)
    rotations = np.unique(group.rotations.reshape(-1, 9), axis=0).reshape(-1, 3, 3)
    rows = np.linalg.inv(basis) @ (rotations - np.eye(3)) @ basis
    _, diagonal, v, _ = smith_normal_form(np.rint(rows).astype(int).reshape(-1, 3).tolist())
    steps = [np.arange(d) / d if d else np.zeros(1) for d in diagonal]
    axes = basis @ np.array(v, dtype=np.float64)
    shifts = np.array([axes @ np.array(y) for y in itertools.product(*steps)]) % 1.0
    # away with -0.0, 1 - 1e-17 and the like: shifts are multiples of small fractions
    shifts = np.rint(shifts * 5040.0) % 5040.0 / 5040.0
    shifts = shifts[np.lexsort(shifts.T[::-1])]
    free = axes[:, [i for i, d in enumerate(diagonal) if d == 0]].T
    directions = np.array([_smallest_integers(row) for row in free], dtype=np.int64).reshape(-1, 3)
    shifts.setflags(write=False)
    directions.setflags(write=False)
    return PermissibleOrigins(shifts, directions)


def _smallest_integers(direction: F64) -> I64:
    """Integers without a common factor along a rational direction, the first that is not 0 positive."""
    whole = np.rint(direction * 5040.0).astype(np.int64)
    whole //= np.gcd.reduce(whole)
    sign = np.sign(whole[np.flatnonzero(whole)[0]])
    result: I64 = whole * sign
    return result


def origin_phase_shifts(hkl: npt.ArrayLike, shifts: npt.ArrayLike) -> F64:
    """How far the phases move: 2π h·s in [0, 2π), (n, m), for shifts (n, 3) and reflections (m, 3).

    A structure described from an origin moved by s has the phase φ(h) - 2π h·s.
    """
    turns = np.asarray(shifts, dtype=np.float64) @ np.asarray(hkl, dtype=np.float64).T
    # in steps of 1/5040 turn, so that whole turns are exactly 0
    result: F64 = np.rint(turns * 5040.0) % 5040.0 / 5040.0 * (2.0 * np.pi)
    return result
