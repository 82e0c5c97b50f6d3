"""The loop over pairs behind `distances`: compiled, without allocation per pair."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["accumulate"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_COINCIDENT_ANGSTROM = 0.1
"""Nearer than this, two sites are one position: the atom itself, or an element that shares its site."""
_ALTERNATIVE_RATIO = 0.7
"""Two partly occupied sites nearer than this times R_A + R_B exclude one another."""


@numba.njit(cache=True, nogil=True)
def accumulate(
    metric: F64,
    reciprocal: F64,
    offsets: I64,
    fract: F64,
    hydrogen: Bool,
    occupancy: F64,
    multiplicity: F64,
    radius: F64,
    group_of: I64,
    group_offsets: I64,
    rotations: F64,
    translations: F64,
    assembly: I64,
    alternative: I64,
    weights: F64,
    maximum: float,
    n_bins: int,
    maximum_ratio: float,
    n_ratios: int,
    sums: F64,
    totals: F64,
) -> int:
    """Add each structure's normalised histograms to `sums` (3, bins), its weight to `totals` (3,).

    Row 0 is all pairs, row 1 pairs without hydrogen, row 2 d / (R_A + R_B) of these. Returns how many
    structures had a pair. Arguments as in `StructureArrays`; `metric` (n, 3, 3), `reciprocal` (n, 3) lengths.
    """
    counted = 0
    local = np.zeros(sums.shape)
    for s in range(len(offsets) - 1):
        if not (reciprocal[s, 0] > 0.0 and reciprocal[s, 1] > 0.0 and reciprocal[s, 2] > 0.0):
            continue
        local[:] = 0.0
        first_operator, last_operator = group_offsets[group_of[s]], group_offsets[group_of[s] + 1]
        order = last_operator - first_operator
        for j in range(offsets[s], offsets[s + 1]):
            for o in range(first_operator, last_operator):
                x = _image(rotations[o], translations[o], fract[j])
                # The pairs of i around j are those of j around i by the inverse operators: one half will do.
                for i in range(offsets[s], j + 1):
                    weight = multiplicity[i] * occupancy[i] * occupancy[j] * multiplicity[j] / order
                    if i < j:
                        weight *= 2.0
                    if not weight > 0.0:
                        continue
                    rule = _rule(
                        assembly[i] == assembly[j],
                        alternative[i],
                        alternative[j],
                        o == first_operator,
                        occupancy[i],
                        occupancy[j],
                    )
                    if rule == 2:
                        continue
                    _pair(
                        x,
                        fract[i],
                        metric[s],
                        reciprocal[s],
                        weight,
                        radius[i] + radius[j],
                        rule == 1,
                        hydrogen[i] or hydrogen[j],
                        maximum,
                        n_bins,
                        maximum_ratio,
                        n_ratios,
                        local,
                    )
        for row in range(3):
            total = local[row].sum()
            if total > 0.0:
                sums[row] += local[row] * (weights[s] / total)
                totals[row] += weights[s]
                if row == 0:
                    counted += 1
    return counted


@numba.njit(cache=True, nogil=True)
def _image(rotation: F64, translation: F64, point: F64) -> tuple[float, float, float]:
    return (
        rotation[0, 0] * point[0] + rotation[0, 1] * point[1] + rotation[0, 2] * point[2] + translation[0],
        rotation[1, 0] * point[0] + rotation[1, 1] * point[1] + rotation[1, 2] * point[2] + translation[1],
        rotation[2, 0] * point[0] + rotation[2, 1] * point[1] + rotation[2, 2] * point[2] + translation[2],
    )


@numba.njit(cache=True, nogil=True)
def _rule(
    same_assembly: bool, first: int, second: int, by_identity: bool, occupancy: float, other: float
) -> int:
    """0: neighbours; 1: neighbours unless too near (unmarked alternatives); 2: marked alternatives."""
    if same_assembly and first != 0 and second != 0:
        return 2 if first != second or (first < 0 and not by_identity) else 0
    if first == 0 and second == 0 and occupancy < 0.99 and other < 0.99 and occupancy + other <= 1.01:
        return 1
    return 0


@numba.njit(cache=True, nogil=True)
def _pair(
    x: tuple[float, float, float],
    origin: F64,
    g: F64,
    reciprocal: F64,
    weight: float,
    sum_of_radii: float,
    unless_near: bool,
    with_hydrogen: bool,
    maximum: float,
    n_bins: int,
    maximum_ratio: float,
    n_ratios: int,
    local: F64,
) -> None:
    """Count all lattice translations of one atom around another, |f + t| ≤ r |a*| in each direction."""
    nearest = _COINCIDENT_ANGSTROM
    if unless_near and sum_of_radii > 0.0:
        nearest = max(nearest, _ALTERNATIVE_RATIO * sum_of_radii)
    f0, f1, f2 = x[0] - origin[0], x[1] - origin[1], x[2] - origin[2]
    r0, r1, r2 = maximum * reciprocal[0], maximum * reciprocal[1], maximum * reciprocal[2]
    for t0 in range(math.ceil(-r0 - f0), math.floor(r0 - f0) + 1):
        u = f0 + t0
        for t1 in range(math.ceil(-r1 - f1), math.floor(r1 - f1) + 1):
            v = f1 + t1
            plane = g[0, 0] * u * u + g[1, 1] * v * v + 2.0 * g[0, 1] * u * v
            for t2 in range(math.ceil(-r2 - f2), math.floor(r2 - f2) + 1):
                w = f2 + t2
                squared = plane + w * (g[2, 2] * w + 2.0 * (g[0, 2] * u + g[1, 2] * v))
                if squared >= maximum * maximum or squared < nearest * nearest:
                    continue
                distance = math.sqrt(squared)
                place = min(int(distance / maximum * n_bins), n_bins - 1)
                local[0, place] += weight
                if with_hydrogen:
                    continue
                local[1, place] += weight
                ratio = distance / sum_of_radii
                if ratio < maximum_ratio:
                    local[2, min(int(ratio / maximum_ratio * n_ratios), n_ratios - 1)] += weight
