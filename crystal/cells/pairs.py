"""Counts of neighbours by pair of elements, beside what as many atoms at random places would give.

Their ratio is the pair correlation g(d): far above 1 at the length of a bond, about 0 where two atoms never
meet. Distances are taken over the sum of covalent radii, in equal steps of the square of that ratio.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.cell import cell_volumes, metric_tensors, reciprocal_metric_tensors
from xtalpriors.crystal.cells.distances import StructureArrays, operators_of, sites_of
from xtalpriors.crystal.cells.distances_kernel import (
    ALTERNATIVE_RATIO,
    COINCIDENT_ANGSTROM,
    Operators,
    Sites,
    nearby,
    orbit,
    rule_of,
)

__all__ = ["BondedPairs", "PairCounts", "pair_counts"]


class PairCounts(NamedTuple):
    """Sums over structures, each with its weight.

    Attributes
    ----------
    counts
        (e, e, bins) neighbours of the second element around atoms of the first.
    expected
        (e, e, bins) the same for atoms at random places of the same cells.
    atoms
        (e,) atoms of each element.
    """

    counts: F64
    expected: F64
    atoms: F64


class BondedPairs(NamedTuple):
    """Bonds by structure and pair of elements, one row for each that there is.

    Attributes
    ----------
    structure, first, second
        (n,) number of the structure, and of two elements in ascending order.
    amount
        (n,) neighbours in the structure that are bonded, times its weight.
    """

    structure: I64
    first: I64
    second: I64
    amount: F64


@kernel(nogil=True)
def _count_pairs(
    s: int,
    g: F64,
    reciprocal: F64,
    sites: Sites,
    code: I64,
    operators: Operators,
    weight: float,
    square_max: float,
    cutoff: float,
    bond_square: float,
    counts: F64,
    bonded: F64,
) -> None:
    """Add the pairs of one structure up to `cutoff` Å to `counts`, and those that are bonded to `bonded`."""
    first, last = operators.offsets[operators.group_of[s]], operators.offsets[operators.group_of[s] + 1]
    # reading the arrays from the tuple for each pair would take longer than the pair itself
    offsets, fract, _, occupancy, multiplicity, radius, assembly, alternative = sites
    start, end = offsets[s], offsets[s + 1]
    g00, g11, g22, g01, g02, g12 = g[0, 0], g[1, 1], g[2, 2], g[0, 1], g[0, 2], g[1, 2]
    images = np.empty((last - first, 3))
    near = np.empty(end - start, np.int64)
    n_bins = counts.shape[2]
    farthest = cutoff * reciprocal
    for j in range(start, end):
        n_images = orbit(fract[j], multiplicity[j], first, last, operators, g, images)
        share = occupancy[j] * multiplicity[j] / n_images
        for o in range(n_images):
            for k in range(nearby(images[o], fract, start, end, farthest, near)):
                i = near[k]
                f0 = images[o, 0] - fract[i, 0]
                f1 = images[o, 1] - fract[i, 1]
                f2 = images[o, 2] - fract[i, 2]
                together = assembly[i] == assembly[j]
                rule = rule_of(alternative[i], alternative[j], together, occupancy[i], occupancy[j], o == 0)
                radii = radius[i] + radius[j]
                if rule == 2 or not radii > 0.0:
                    continue
                nearest = (
                    COINCIDENT_ANGSTROM if rule == 0 else max(COINCIDENT_ANGSTROM, ALTERNATIVE_RATIO * radii)
                )
                reach = min(cutoff, radii * math.sqrt(square_max))
                r0, r1, r2 = reach * reciprocal[0], reach * reciprocal[1], reach * reciprocal[2]
                amount = weight * multiplicity[i] * occupancy[i] * share
                scale = n_bins / (square_max * radii * radii)
                for t0 in range(math.ceil(-r0 - f0), math.floor(r0 - f0) + 1):
                    u = f0 + t0
                    for t1 in range(math.ceil(-r1 - f1), math.floor(r1 - f1) + 1):
                        v = f1 + t1
                        plane = g00 * u * u + g11 * v * v + 2.0 * g01 * u * v
                        for t2 in range(math.ceil(-r2 - f2), math.floor(r2 - f2) + 1):
                            w = f2 + t2
                            square = plane + w * (g22 * w + 2.0 * (g02 * u + g12 * v))
                            if nearest * nearest <= square < reach * reach:
                                a, b = code[i], code[j]
                                counts[a, b, min(int(square * scale), n_bins - 1)] += amount
                                if square < bond_square * radii * radii:
                                    bonded[min(a, b), max(a, b)] += amount


@kernel(nogil=True)
def _count_all(
    metric: F64,
    reciprocal: F64,
    volume: F64,
    sites: Sites,
    code: I64,
    operators: Operators,
    weights: F64,
    square_max: float,
    cutoff: float,
    bond_square: float,
    counts: F64,
    density: F64,
    atoms: F64,
    pairs: I64,
    amounts: F64,
) -> int:
    """Pairs, Σ N_A·N_B/V, atoms and bonds of all structures; the number of rows of bonds."""
    n_elements = counts.shape[0]
    here, bonded, rows = np.zeros(n_elements), np.zeros((n_elements, n_elements)), 0
    for s in range(len(metric)):
        if not (volume[s] > 0.0 and reciprocal[s].min() > 0.0):
            continue
        here[:] = 0.0
        for i in range(sites.offsets[s], sites.offsets[s + 1]):
            here[code[i]] += sites.multiplicity[i] * sites.occupancy[i]
        for a in range(n_elements):
            if here[a] == 0.0:
                continue
            atoms[a] += weights[s] * here[a]
            for b in range(n_elements):
                density[a, b] += weights[s] * here[a] * here[b] / volume[s]
        _count_pairs(
            s, metric[s], reciprocal[s], sites, code, operators, weights[s], square_max, cutoff, bond_square,
            counts, bonded,
        )  # fmt: skip
        for a in range(n_elements):
            if here[a] == 0.0:
                continue
            for b in range(a, n_elements):
                if bonded[a, b] > 0.0:
                    pairs[0, rows], pairs[1, rows], pairs[2, rows], amounts[rows] = s, a, b, bonded[a, b]
                    bonded[a, b] = 0.0
                    rows += 1
    return rows


def pair_counts(
    structures: StructureArrays,
    weights: F64,
    code: I64,
    radii: F64,
    *,
    n_bins: int,
    ratio_max: float,
    bond_max: float,
    cutoff_angstrom: float,
) -> tuple[PairCounts, BondedPairs]:
    """Neighbours by pair of elements, and the bonds of each structure.

    Parameters
    ----------
    structures, weights
        The structures, and the weight (n,) of each.
    code, radii
        Number of each site's element (m,), and covalent radius (e,) of each element in Å.
    n_bins, ratio_max
        Equal steps of (d / (R_A + R_B))² up to ratio_max².
    bond_max
        d / (R_A + R_B) up to which two atoms are bonded.
    cutoff_angstrom
        Pairs further apart are counted neither on one side nor on the other.
    """
    e, square_max = len(radii), ratio_max**2
    counts, density, atoms = np.zeros((e, e, n_bins)), np.zeros((e, e)), np.zeros(e)
    metric = metric_tensors(structures.cells)
    reciprocal = np.sqrt(np.einsum("nii->ni", reciprocal_metric_tensors(structures.cells)))
    # as many rows as structures have pairs of elements
    there = np.unique(np.repeat(np.arange(len(metric)), np.diff(structures.offsets)) * e + code)
    kinds = np.bincount(there // e, minlength=len(metric))
    most = int((kinds * (kinds + 1) // 2).sum())
    pairs, amounts = np.zeros((3, most), dtype=np.int64), np.zeros(most)
    rows = _count_all(
        metric, reciprocal, cell_volumes(structures.cells), sites_of(structures), code,
        operators_of(structures), np.asarray(weights, float), square_max, cutoff_angstrom, bond_max**2,
        counts, density, atoms, pairs, amounts,
    )  # fmt: skip
    total = radii[:, None] + radii[None, :]
    edges = total[..., None] * np.sqrt(np.linspace(0.0, square_max, n_bins + 1))
    shell = np.diff(np.minimum(edges, cutoff_angstrom) ** 3, axis=-1) * (4.0 / 3.0 * math.pi)
    found = PairCounts(counts, density[..., None] * shell, atoms)
    return found, BondedPairs(pairs[0, :rows], pairs[1, :rows], pairs[2, :rows], amounts[:rows])
