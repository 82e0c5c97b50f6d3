"""Reciprocal space: Miller indices, d-spacings, systematic absences, equivalent reflections.

Reflections are integer arrays (m, 3) of h, k, l. An operator (R, t) takes the reflection h (a row) to hR,
with F(hR) = F(h) exp(-2πi h·t). Equivalent means equivalent in the Laue class (Friedel's law holds: no
anomalous scattering anywhere here).
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.cells.cell import reciprocal_metric_tensors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR
from xtalpriors.errors import XtalpriorsError

__all__ = [
    "SPHERE_TOLERANCE",
    "IndexBox",
    "asymmetric_box",
    "equivalent_reflections",
    "largest_indices",
    "orbit_numbers",
    "reflection_multiplicities",
    "s_squared",
    "sphere_limit",
    "systematic_absences",
    "unique_reflections",
]


SPHERE_TOLERANCE = 1e-9
"""Relative, on |s|²: a reflection at d_min but for rounding belongs to the sphere."""


class IndexBox(NamedTuple):
    """Ranges of h, k and l, both ends included: the axes of an array of reflections."""

    h_min: int
    h_max: int
    k_min: int
    k_max: int
    l_min: int
    l_max: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Lengths of the three axes."""
        return (
            self.h_max - self.h_min + 1,
            self.k_max - self.k_min + 1,
            self.l_max - self.l_min + 1,
        )

    @property
    def miller_indices(self) -> I64:
        """All h k l of the box (m, 3), h slowest and l fastest, ascending: the order of the flat array."""
        h, k, l = np.meshgrid(
            np.arange(self.h_min, self.h_max + 1),
            np.arange(self.k_min, self.k_max + 1),
            np.arange(self.l_min, self.l_max + 1),
            indexing="ij",
        )
        return np.stack([h.ravel(), k.ravel(), l.ravel()], axis=1).astype(np.int64)


def s_squared(hkl: npt.ArrayLike, cells: npt.ArrayLike) -> F64:
    """|s|² = 1/d² in Å⁻², (n, m), of reflections (m, 3) in cells (n, 6)."""
    h = np.asarray(hkl, dtype=np.float64)
    result: F64 = np.einsum("mi,nij,mj->nm", h, reciprocal_metric_tensors(cells), h)
    return result


def check_d_min(d_min_angstrom: npt.ArrayLike) -> F64:
    """d_min as float64; XtalpriorsError unless every value is positive and finite."""
    d_min = np.asarray(d_min_angstrom, dtype=np.float64)
    if not np.all((d_min > 0) & np.isfinite(d_min)):
        wrong = d_min[~((d_min > 0) & np.isfinite(d_min))].flat[0]
        raise XtalpriorsError(
            f"d_min is {wrong} Å: a resolution limit must be a positive number, for example 1.0 Å."
        )
    return d_min


def sphere_limit(d_min_angstrom: float) -> float:
    """Largest |s|² in Å⁻² of the reflections with d ≥ d_min; d_min counts but for rounding."""
    limit: float = (1.0 + SPHERE_TOLERANCE) * d_min_angstrom**-2.0
    return limit


def systematic_absences(group: SpaceGroup, hkl: npt.ArrayLike) -> Bool:
    """Which reflections (m, 3) are absent: some operator has hR = h with h·t not a whole number."""
    h = np.asarray(hkl, dtype=np.int64)
    shifts = np.rint(group.translations * DENOMINATOR).astype(np.int64)
    absent = np.zeros(len(h), dtype=bool)
    for rotation, shift in zip(group.rotations, shifts, strict=True):
        absent |= np.all(h @ rotation == h, axis=1) & ((h @ shift) % DENOMINATOR != 0)
    return absent


def equivalent_reflections(group: SpaceGroup, hkl: npt.ArrayLike) -> I64:
    """The reflections hR and -hR of each (m, 3), with repetitions: (m, 2n, 3), n distinct rotations."""
    rotations = np.unique(group.rotations.reshape(-1, 9), axis=0).reshape(-1, 3, 3)
    moved = np.einsum("mi,nij->mnj", np.asarray(hkl, dtype=np.int64), rotations)
    result: I64 = np.concatenate([moved, -moved], axis=1)
    return result


def _codes(group: SpaceGroup, hkl: npt.ArrayLike) -> I64:
    """One number per equivalent reflection (m, 2n), ordered by l, then k, then h."""
    equivalent = equivalent_reflections(group, hkl)
    base = 2 * int(np.abs(equivalent).max(initial=0)) + 1
    codes: I64 = (equivalent[..., 2] * base + equivalent[..., 1]) * base + equivalent[..., 0]
    return codes


def reflection_multiplicities(group: SpaceGroup, hkl: npt.ArrayLike) -> I64:
    """Number of distinct equivalents of each reflection (m, 3), Friedel mates included: 4 of h k l in 2/m."""
    codes = np.sort(_codes(group, hkl), axis=1)
    counts: I64 = 1 + np.count_nonzero(np.diff(codes, axis=1), axis=1)
    return counts


def orbit_numbers(group: SpaceGroup, hkl: npt.ArrayLike) -> I64:
    """Number (m,) of the set of equivalents of each reflection (m, 3), in order of first appearance."""
    keys = _codes(group, hkl).max(axis=1, initial=-(2**62))
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    numbers: I64 = rank[inverse.ravel()]
    return numbers


def unique_reflections(group: SpaceGroup, hkl: npt.ArrayLike) -> Bool:
    """Which reflections (m, 3) to keep so that one of each set of equivalents is there, and not 0 0 0.

    Of the equivalents that the list has, the one with the largest l, then k, then h is kept.
    """
    h = np.asarray(hkl, dtype=np.int64)
    orbits = orbit_numbers(group, h)
    order = np.lexsort((-h[:, 0], -h[:, 1], -h[:, 2], orbits))
    keep = np.zeros(len(h), dtype=bool)
    keep[order[np.flatnonzero(np.diff(orbits[order], prepend=-1))]] = True
    keep &= np.any(h != 0, axis=1)
    return keep


_SIGNS = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1))
"""Which of h, k and l take both signs, the fewest first."""


def asymmetric_box(group: SpaceGroup, max_index: int | tuple[int, int, int]) -> IndexBox:
    """Smallest box, with h, k or l of one sign where it can be, that holds an equivalent of every reflection.

    h ∈ [-10, 10], k and l ∈ [0, 10] in 2/m, b unique, with `max_index` 10.

    Raises
    ------
    XtalpriorsError
        `max_index` is below 1.
    """
    top = (max_index,) * 3 if isinstance(max_index, int) else max_index
    if min(top) < 1:
        raise XtalpriorsError(f"The largest index is {min(top)}: a box of reflections needs at least 1.")
    # signs decide; two octants' worth of small indices show every case
    probe = np.array(list(itertools.product(range(-2, 3), repeat=3)))
    equivalent = equivalent_reflections(group, probe)
    for signs in _SIGNS:
        inside = np.all((equivalent >= 0) | np.array(signs, dtype=bool), axis=2).any(axis=1)
        if inside.all():
            break
    low = [-t if both else 0 for t, both in zip(top, signs, strict=True)]
    return IndexBox(low[0], top[0], low[1], top[1], low[2], top[2])


def largest_indices(group: SpaceGroup, hkl: I64) -> I64:
    """Largest |h|, |k| and |l| among the equivalents of reflections (m, 3): what a grid must hold."""
    largest: I64 = np.abs(hkl @ group.rotations).max(axis=(0, 1), initial=0)
    return largest
