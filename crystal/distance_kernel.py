"""The loop over pairs behind `distances`: compiled, without allocation per pair."""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["Bins", "Operators", "Sites", "accumulate"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_COINCIDENT_ANGSTROM = 0.1
"""Nearer than this, two sites are one position: the atom itself, or an element that shares its site."""
_ALTERNATIVE_RATIO = 0.7
"""Two partly occupied sites nearer than this times R_A + R_B exclude one another."""


class Sites(NamedTuple):
    """Arrays of the sites of all structures, as in `StructureArrays`."""

    offsets: I64
    fract: F64
    is_hydrogen: Bool
    occupancy: F64
    multiplicity: F64
    radius: F64
    assembly: I64
    alternative: I64


class Operators(NamedTuple):
    """Operators of all groups, and the group of each structure."""

    group_of: I64
    offsets: I64
    rotations: F64
    translations: F64


class Bins(NamedTuple):
    """Range in Å and number of bins of the distances, and of d / (R_A + R_B)."""

    maximum: float
    n_bins: int
    maximum_ratio: float
    n_ratios: int


@numba.njit(cache=True, nogil=True)
def accumulate(
    metric: F64,
    reciprocal: F64,
    sites: Sites,
    operators: Operators,
    weights: F64,
    bins: Bins,
    sums: F64,
    totals: F64,
) -> int:
    """Add each structure's normalised histograms to `sums` (3, bins), its weight to `totals` (3,).

    Row 0 is all pairs, row 1 pairs without hydrogen, row 2 d / (R_A + R_B) of these. Returns how many
    structures had a pair. `metric` is (n, 3, 3), `reciprocal` (n, 3) the lengths of a*, b*, c*.
    """
    counted = 0
    local = np.zeros(sums.shape)
    for s in range(len(metric)):
        if not (reciprocal[s, 0] > 0.0 and reciprocal[s, 1] > 0.0 and reciprocal[s, 2] > 0.0):
            continue
        local[:] = 0.0
        _structure(s, metric[s], reciprocal[s], sites, operators, bins, local)
        for row in range(3):
            total = local[row].sum()
            if total > 0.0:
                sums[row] += local[row] * (weights[s] / total)
                totals[row] += weights[s]
                if row == 0:
                    counted += 1
    return counted


@numba.njit(cache=True, nogil=True)
def _structure(
    s: int, g: F64, reciprocal: F64, sites: Sites, operators: Operators, bins: Bins, local: F64
) -> None:
    """Count the pairs of one structure in `local`."""
    first, last = operators.offsets[operators.group_of[s]], operators.offsets[operators.group_of[s] + 1]
    start = sites.offsets[s]
    for j in range(start, sites.offsets[s + 1]):
        share = sites.occupancy[j] * sites.multiplicity[j] / (last - first)
        for o in range(first, last):
            x = _image(operators.rotations[o], operators.translations[o], sites.fract[j])
            # The pairs of i around j are those of j around i by the inverse operators: one half will do.
            for i in range(start, j + 1):
                weight = sites.multiplicity[i] * sites.occupancy[i] * share * (2.0 if i < j else 1.0)
                rule = _rule(sites, i, j, o == first)
                if rule == 2 or not weight > 0.0:
                    continue
                radii = sites.radius[i] + sites.radius[j]
                nearest = _COINCIDENT_ANGSTROM
                if rule == 1 and radii > 0.0:
                    nearest = max(nearest, _ALTERNATIVE_RATIO * radii)
                with_hydrogen = sites.is_hydrogen[i] or sites.is_hydrogen[j]
                _pair(x, sites.fract[i], g, reciprocal, weight, radii, nearest, with_hydrogen, bins, local)


@numba.njit(cache=True, nogil=True)
def _image(rotation: F64, translation: F64, point: F64) -> tuple[float, float, float]:
    return (
        rotation[0, 0] * point[0] + rotation[0, 1] * point[1] + rotation[0, 2] * point[2] + translation[0],
        rotation[1, 0] * point[0] + rotation[1, 1] * point[1] + rotation[1, 2] * point[2] + translation[1],
        rotation[2, 0] * point[0] + rotation[2, 1] * point[1] + rotation[2, 2] * point[2] + translation[2],
    )


@numba.njit(cache=True, nogil=True)
def _rule(sites: Sites, i: int, j: int, by_identity: bool) -> int:
    """0: neighbours; 1: neighbours unless too near (unmarked alternatives); 2: marked alternatives."""
    first, second = sites.alternative[i], sites.alternative[j]
    if first != 0 and second != 0 and sites.assembly[i] == sites.assembly[j]:
        return 2 if first != second or (first < 0 and not by_identity) else 0
    occupancy, other = sites.occupancy[i], sites.occupancy[j]
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
    radii: float,
    nearest: float,
    with_hydrogen: bool,
    bins: Bins,
    local: F64,
) -> None:
    """Count all lattice translations of one atom around another, |f + t| ≤ r |a*| in each direction."""
    maximum = bins.maximum
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
                _count(math.sqrt(squared), weight, radii, with_hydrogen, bins, local)


@numba.njit(cache=True, nogil=True)
def _count(distance: float, weight: float, radii: float, with_hydrogen: bool, bins: Bins, local: F64) -> None:
    local[0, min(int(distance / bins.maximum * bins.n_bins), bins.n_bins - 1)] += weight
    if with_hydrogen:
        return
    local[1, min(int(distance / bins.maximum * bins.n_bins), bins.n_bins - 1)] += weight
    ratio = distance / radii
    if ratio < bins.maximum_ratio:
        local[2, min(int(ratio / bins.maximum_ratio * bins.n_ratios), bins.n_ratios - 1)] += weight
