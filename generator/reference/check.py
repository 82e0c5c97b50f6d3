"""Brute-force check of the distance rules, in float64 and by another route than the kernels.

Every pair of atoms, every operator, every lattice translation that can lie within the cutoff; no fixed point,
no symmetry shortcut, no early end. It also counts what there was to violate.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.cell import metric_tensors, reciprocal_metric_tensors
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM
from xtalpriors.errors import UsageError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.structures import StructureBatch

__all__ = ["RuleCheck", "check_rules"]

COINCIDENT_ANGSTROM = 1e-3
"""Images of one atom nearer than this are the same point of a special position."""

DISTANCES, VIOLATIONS, SPECIAL_VIOLATIONS, EXEMPT, WRONG_ORBITS, UNBONDED = range(6)
"""Columns of the kernels' counts, in the order of `RuleCheck`."""


class RuleCheck(NamedTuple):
    """What the check found, summed over a batch.

    Attributes
    ----------
    n_structures, n_atoms, n_distances
        Structures that hold atoms, atoms, and distances looked at: up to 1.4·R_Σ in molecules, up to twice
        the minimum distance otherwise.
    violations
        Distances that break the rule of the filling: below the minimum distance, or in molecules ≤ 0.9·R_Σ or
        within [1.1; 1.4]·R_Σ.
    special_violations
        Distances between special positions below the minimum distance.
    exempt
        Distances between special positions that break the molecule rule, from which they are exempt.
    wrong_orbits
        Atoms whose number of distinct images is not their multiplicity.
    unbonded
        Molecules: atoms on general positions that are bonded to no other atom, the first of a structure
        apart; and hydrogens bonded to no non-hydrogen atom.
    smallest
        Smallest distance met, Å.
    """

    n_structures: int
    n_atoms: int
    n_distances: int
    violations: int
    special_violations: int
    exempt: int
    wrong_orbits: int
    unbonded: int
    smallest: float


@kernel()
def _difference(point, other, rotation, translation):
    """Fractional vector from a point to the nearest image along each axis, and whether W is the identity."""
    pure, d = True, np.empty(3)
    for axis in range(3):
        d[axis] = translation[axis] - point[axis]
        for k in range(3):
            d[axis] += rotation[axis, k] * other[k]
            pure = pure and rotation[axis, k] == (1 if axis == k else 0)
        d[axis] -= np.round(d[axis])
    return d, pure


@kernel()
def _check_structure(
    fract, radii, hydrogen, special, multiplicity, rotations, translations, metric, reach_of, rule
):
    """Counts of one structure, and its smallest distance in Å."""
    molecular, min_distance, low, high, gap_low, gap_high = rule
    n, n_ops = fract.shape[0], rotations.shape[0]
    counts = np.zeros(6, np.int64)
    smallest = np.inf
    bonds, bonds_skeleton = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for i in range(n):
        coincident = 0
        for j in range(n):
            r_sum = radii[i] + radii[j]
            cutoff = max(min_distance, gap_high * r_sum) if molecular else 2.0 * min_distance
            for k in range(n_ops):
                d0, pure = _difference(fract[i], fract[j], rotations[k], translations[k])
                if i == j and pure:
                    if translations[k, 0] == 0 and translations[k, 1] == 0 and translations[k, 2] == 0:
                        coincident += 1
                    continue
                reach = (
                    int(cutoff * reach_of[0] + 0.5),
                    int(cutoff * reach_of[1] + 0.5),
                    int(cutoff * reach_of[2] + 0.5),
                )
                for ta in range(-reach[0], reach[0] + 1):
                    for tb in range(-reach[1], reach[1] + 1):
                        for tc in range(-reach[2], reach[2] + 1):
                            x, y, z = d0[0] + ta, d0[1] + tb, d0[2] + tc
                            d2 = metric[0, 0] * x * x + metric[1, 1] * y * y + metric[2, 2] * z * z
                            d2 += 2.0 * (metric[0, 1] * x * y + metric[0, 2] * x * z + metric[1, 2] * y * z)
                            d = np.sqrt(max(d2, 0.0))
                            if i == j and d < COINCIDENT_ANGSTROM:
                                coincident += 1
                                continue
                            if d > cutoff:
                                continue
                            counts[DISTANCES] += 1
                            smallest = min(smallest, d)
                            both = special[i] and special[j]
                            if both and d < min_distance:
                                counts[SPECIAL_VIOLATIONS] += 1
                            if molecular:
                                ratio = d / r_sum
                                broken = ratio <= low or (gap_low <= ratio <= gap_high)
                                if low < ratio <= high and i != j:
                                    bonds[i] += 1
                                    bonds_skeleton[i] += not hydrogen[j]
                            else:
                                broken = d < min_distance
                            if broken and both and molecular:
                                counts[EXEMPT] += 1
                            elif broken and not (both and d < min_distance):
                                counts[VIOLATIONS] += 1
        if coincident * multiplicity[i] != n_ops:
            counts[WRONG_ORBITS] += 1
    if molecular:
        _count_unbonded(bonds, bonds_skeleton, special, hydrogen, counts)
    return counts, smallest


@kernel()
def _count_unbonded(bonds, bonds_skeleton, special, hydrogen, counts):
    """Add unbonded atoms: the first atom on a general position may stand alone."""
    loners = 1
    for i in range(bonds.size):
        if special[i]:
            continue
        if hydrogen[i]:
            counts[UNBONDED] += bonds_skeleton[i] == 0
        elif bonds[i] == 0:
            if loners == 0:
                counts[UNBONDED] += 1
            loners = 0
        else:
            loners = 0


@kernel(nogil=True)
def _check_batch(
    offsets, fract, radii, hydrogen, special, multiplicity, rotations, translations, metrics, reaches, rule
):
    totals, smallest = np.zeros(6, np.int64), np.inf
    for s in range(offsets.size - 1):
        a, b = offsets[s], offsets[s + 1]
        counts, nearest = _check_structure(
            fract[a:b], radii[a:b], hydrogen[a:b], special[a:b], multiplicity[a:b],
            rotations, translations, metrics[s], reaches[s], rule,
        )  # fmt: skip
        totals += counts
        smallest = min(smallest, nearest)
    return totals, smallest


def check_rules(batch: StructureBatch, config: GeneratorConfig) -> RuleCheck:
    """Check every distance of a batch against the rules of the configuration that it was generated with.

    Raises
    ------
    UsageError
        The filling is `fitted`, which has no rule but takes distances from the bundle; or `packed`, whose
        rule concerns molecules and not all atoms.
    """
    if config.filling in ("fitted", "packed"):
        raise UsageError(
            "check_rules checks the rules of the paper's fillings; "
            f"filling={config.filling} has none of them."
        )
    reciprocal = reciprocal_metric_tensors(batch.cell)
    radii = np.array([r or 0.0 for r in COVALENT_RADIUS_ANGSTROM])[batch.element]
    rule = (
        config.filling == "molecules",
        config.min_distance_angstrom,
        *config.bond_window,
        *config.gap_window,
    )
    totals, smallest = _check_batch(
        batch.offsets,
        batch.fract,
        radii,
        batch.element == 1,
        batch.site != GENERAL,
        batch.multiplicity.astype(np.int64),
        batch.group.rotations,
        batch.group.translations,
        metric_tensors(batch.cell),
        np.sqrt(np.einsum("nii->ni", reciprocal)),
        rule,
    )
    n_structures = int(np.count_nonzero(batch.n_atoms))
    return RuleCheck._make([n_structures, len(batch.element), *totals.tolist(), float(smallest)])
