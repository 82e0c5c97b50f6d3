"""The first shell of each atom: how many atoms it is bonded to, and the angles between its bonds."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.cell import metric_tensors, reciprocal_metric_tensors
from xtalpriors.crystal.cells.distances import StructureArrays, operators_of, sites_of
from xtalpriors.crystal.cells.distances_kernel import (
    COINCIDENT_ANGSTROM,
    Operators,
    Sites,
    nearby,
    orbit,
    rule_of,
)

__all__ = ["MOST_BONDS", "ShellCounts", "shell_counts"]

MOST_BONDS = 16
"""Bonds of one atom that are told apart; atoms with more count as having so many."""
FULL = 0.99
"""Occupancy from which on a site counts as full."""


class ShellCounts(NamedTuple):
    """Sums over structures, each with its weight.

    Attributes
    ----------
    numbers
        (e, MOST_BONDS + 1) atoms of each element with 0, 1, 2, … bonds.
    angles
        (e, bins) atoms of each element with two bonds or more, spread over equal steps of the cosine of the
        angle between two of their bonds, from −1 to 1.
    """

    numbers: F64
    angles: F64


@kernel(nogil=True)
def _bonds(
    s: int,
    g: F64,
    reciprocal: F64,
    sites: Sites,
    operators: Operators,
    bond_max: float,
    vectors: F64,
    count: I64,
) -> None:
    """Fill `vectors` (sites, MOST_BONDS, 3) with the bonds of each site, fractional, and `count` (sites,)."""
    first, last = operators.offsets[operators.group_of[s]], operators.offsets[operators.group_of[s] + 1]
    # reading the arrays from the tuple for each pair would take longer than the pair itself
    offsets, fract, is_hydrogen, occupancy, multiplicity, radius, assembly, alternative = sites
    start, end = offsets[s], offsets[s + 1]
    g00, g11, g22, g01, g02, g12 = g[0, 0], g[1, 1], g[2, 2], g[0, 1], g[0, 2], g[1, 2]
    images = np.empty((last - first, 3))
    near = np.empty(end - start, np.int64)
    widest = 0.0
    for i in range(start, end):
        if radius[i] > widest:
            widest = radius[i]
    for j in range(start, end):
        farthest = bond_max * (radius[j] + widest)
        if is_hydrogen[j] or not occupancy[j] >= FULL or not farthest > 0.0:
            continue
        n_images = orbit(fract[j], multiplicity[j], first, last, operators, g, images)
        for o in range(n_images):
            for k in range(nearby(images[o], fract, start, end, farthest * reciprocal, near)):
                i = near[k]
                reach = bond_max * (radius[i] + radius[j])
                if not reach > 0.0:
                    continue
                r0, r1, r2 = reach * reciprocal[0], reach * reciprocal[1], reach * reciprocal[2]
                f0 = images[o, 0] - fract[i, 0]
                f1 = images[o, 1] - fract[i, 1]
                f2 = images[o, 2] - fract[i, 2]
                together = assembly[i] == assembly[j]
                rule = rule_of(alternative[i], alternative[j], together, occupancy[i], occupancy[j], o == 0)
                if rule == 2:
                    continue
                for t0 in range(math.ceil(-r0 - f0), math.floor(r0 - f0) + 1):
                    u = f0 + t0
                    for t1 in range(math.ceil(-r1 - f1), math.floor(r1 - f1) + 1):
                        v = f1 + t1
                        plane = g00 * u * u + g11 * v * v + 2.0 * g01 * u * v
                        for t2 in range(math.ceil(-r2 - f2), math.floor(r2 - f2) + 1):
                            w = f2 + t2
                            square = plane + w * (g22 * w + 2.0 * (g02 * u + g12 * v))
                            if COINCIDENT_ANGSTROM**2 <= square < reach * reach:
                                n = count[i - start]
                                if n < MOST_BONDS:
                                    vectors[i - start, n, 0] = u
                                    vectors[i - start, n, 1] = v
                                    vectors[i - start, n, 2] = w
                                count[i - start] += 1


@kernel(nogil=True)
def _product(g: F64, a: F64, b: F64) -> float:
    """Scalar product of two fractional vectors."""
    total = 0.0
    for i in range(3):
        for j in range(3):
            total += g[i, j] * a[i] * b[j]
    return total


@kernel(nogil=True)
def _count_shells(
    metric: F64,
    reciprocal: F64,
    sites: Sites,
    code: I64,
    operators: Operators,
    weights: F64,
    bond_max: float,
    numbers: F64,
    angles: F64,
) -> None:
    """Numbers of bonds and angles of all structures."""
    n_bins = angles.shape[1]
    for s in range(len(metric)):
        if not reciprocal[s].min() > 0.0:
            continue
        start, n = sites.offsets[s], sites.offsets[s + 1] - sites.offsets[s]
        vectors, count = np.empty((n, MOST_BONDS, 3)), np.zeros(n, np.int64)
        g = metric[s]
        _bonds(s, g, reciprocal[s], sites, operators, bond_max, vectors, count)
        for i in range(n):
            if sites.is_hydrogen[start + i] or not sites.occupancy[start + i] >= FULL:
                continue
            e, k = code[start + i], min(count[i], MOST_BONDS)
            amount = weights[s] * sites.multiplicity[start + i]
            numbers[e, k] += amount
            for p in range(k):
                for q in range(p):
                    a, b = vectors[i, p], vectors[i, q]
                    cosine = _product(g, a, b) / math.sqrt(_product(g, a, a) * _product(g, b, b))
                    step = min(max(int(0.5 * (cosine + 1.0) * n_bins), 0), n_bins - 1)
                    angles[e, step] += amount / (0.5 * k * (k - 1))


def shell_counts(
    structures: StructureArrays, weights: F64, code: I64, n_elements: int, *, bond_max: float, n_bins: int
) -> ShellCounts:
    """Numbers of bonds between fully occupied sites other than hydrogen, and the angles between them.

    Parameters
    ----------
    structures, weights
        The structures, and the weight (n,) of each.
    code, n_elements
        Number of each site's element (m,), and how many elements there are.
    bond_max
        d / (R_A + R_B) up to which two atoms are bonded.
    n_bins
        Steps of the cosine.

    Returns
    -------
    ShellCounts
        Of all elements. An atom with two bonds or more counts once among the angles, however many it has.
    """
    numbers, angles = np.zeros((n_elements, MOST_BONDS + 1)), np.zeros((n_elements, n_bins))
    _count_shells(
        metric_tensors(structures.cells),
        np.sqrt(np.einsum("nii->ni", reciprocal_metric_tensors(structures.cells))),
        sites_of(structures), code, operators_of(structures), np.asarray(weights, float), bond_max, numbers,
        angles,
    )  # fmt: skip
    return ShellCounts(numbers, angles)
