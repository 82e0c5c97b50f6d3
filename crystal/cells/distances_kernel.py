"""The loop over pairs behind `distances`: compiled, without allocation per pair."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.compilation import kernel

__all__ = [
    "ALTERNATIVE_RATIO",
    "COINCIDENT_ANGSTROM",
    "Bins",
    "Operators",
    "Sites",
    "accumulate",
    "nearby",
    "orbit",
    "rule_of",
]


COINCIDENT_ANGSTROM = 0.1
"""Nearer than this, two sites are one position: the atom itself, or an element that shares its site."""
ALTERNATIVE_RATIO = 0.7
"""Two partly occupied sites nearer than this times R_A + R_B exclude one another."""
MARGIN = 1e-6
"""Of a cell's length: more than fractional coordinates are rounded by."""


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


@kernel(nogil=True)
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
    n_columns = sums.shape[1]
    for s in range(len(metric)):
        if not (reciprocal[s, 0] > 0.0 and reciprocal[s, 1] > 0.0 and reciprocal[s, 2] > 0.0):
            continue
        for row in range(3):
            for column in range(n_columns):
                local[row, column] = 0.0
        _structure(s, metric[s], reciprocal[s], sites, operators, bins, local)
        for row in range(3):
            total = 0.0
            for column in range(n_columns):
                total += local[row, column]
            if total > 0.0:
                share = weights[s] / total
                for column in range(n_columns):
                    sums[row, column] += local[row, column] * share
                totals[row] += weights[s]
                if row == 0:
                    counted += 1
    return counted


@kernel(nogil=True)
def _structure(
    s: int, g: F64, reciprocal: F64, sites: Sites, operators: Operators, bins: Bins, local: F64
) -> None:
    """Count the pairs of one structure in `local`."""
    first, last = operators.offsets[operators.group_of[s]], operators.offsets[operators.group_of[s] + 1]
    # reading the arrays from the tuple for each pair would take longer than the pair itself
    offsets, fract, is_hydrogen, occupancy, multiplicity, radius, assembly, alternative = sites
    start, end = offsets[s], offsets[s + 1]
    images = np.empty((last - first, 3))
    near = np.empty(end - start, np.int64)
    reach = bins.maximum * reciprocal
    for j in range(start, end):
        n_images = orbit(fract[j], multiplicity[j], first, last, operators, g, images)
        share = occupancy[j] * multiplicity[j] / n_images
        for o in range(n_images):
            # The pairs of i around j are those of j around i by the inverse operators: one half will do.
            for k in range(nearby(images[o], fract, start, j + 1, reach, near)):
                i = near[k]
                weight = multiplicity[i] * occupancy[i] * share * (2.0 if i < j else 1.0)
                together = assembly[i] == assembly[j]
                rule = rule_of(alternative[i], alternative[j], together, occupancy[i], occupancy[j], o == 0)
                if rule == 2 or not weight > 0.0:
                    continue
                radii = radius[i] + radius[j]
                nearest = COINCIDENT_ANGSTROM
                if rule == 1 and radii > 0.0:
                    nearest = max(nearest, ALTERNATIVE_RATIO * radii)
                f0 = images[o, 0] - fract[i, 0]
                f1 = images[o, 1] - fract[i, 1]
                f2 = images[o, 2] - fract[i, 2]
                with_hydrogen = is_hydrogen[i] or is_hydrogen[j]
                _pair(f0, f1, f2, g, reach, weight, radii, nearest, with_hydrogen, bins, local)


@kernel(nogil=True)
def nearby(x: F64, fract: F64, start: int, stop: int, reach: F64, found: I64) -> int:
    """Fill `found` with the sites from `start` to `stop` that lattice translations bring near a point.

    Near means within r |a*| along each axis, and a little more for rounding: in a large cell this is all that
    most pairs cost. Returns how many sites there are.
    """
    n = 0
    x0, x1, x2 = x[0], x[1], x[2]
    r0, r1, r2 = reach[0] + MARGIN, reach[1] + MARGIN, reach[2] + MARGIN
    for i in range(start, stop):
        u, v, w = x0 - fract[i, 0], x1 - fract[i, 1], x2 - fract[i, 2]
        found[n] = i
        is_near = (
            (abs(u - np.floor(u + 0.5)) <= r0)
            & (abs(v - np.floor(v + 0.5)) <= r1)
            & (abs(w - np.floor(w + 0.5)) <= r2)
        )
        n += is_near
    return n


@kernel(nogil=True)
def orbit(
    point: F64, multiplicity: float, first: int, last: int, operators: Operators, g: F64, images: F64
) -> int:
    """Fill `images` with the positions of a site, the identity's first, and return how many they are.

    Of a special position each image is taken once; where these are not as many as the multiplicity says (a
    site near a special position), all operators count, and the caller weights them down.
    """
    n = 0
    if multiplicity < last - first:
        for o in range(first, last):
            _image(operators.rotations[o], operators.translations[o], point, images[n])
            n += 1
            for k in range(n - 1):
                if _is_same(images[n - 1], images[k], g):
                    n -= 1
                    break
        if n == multiplicity:
            return n
    for o in range(first, last):
        _image(operators.rotations[o], operators.translations[o], point, images[o - first])
    return last - first


@kernel(nogil=True)
def _is_same(first: F64, second: F64, g: F64) -> bool:
    u, v, w = first[0] - second[0], first[1] - second[1], first[2] - second[2]
    u, v, w = u - round(u), v - round(v), w - round(w)
    plane = g[0, 0] * u * u + g[1, 1] * v * v + 2.0 * g[0, 1] * u * v
    squared = plane + w * (g[2, 2] * w + 2.0 * (g[0, 2] * u + g[1, 2] * v))
    return bool(squared < COINCIDENT_ANGSTROM * COINCIDENT_ANGSTROM)


@kernel(nogil=True)
def _image(rotation: F64, translation: F64, point: F64, out: F64) -> None:
    for row in range(3):
        x = rotation[row, 0] * point[0] + rotation[row, 1] * point[1] + rotation[row, 2] * point[2]
        out[row] = x + translation[row]


@kernel(nogil=True)
def rule_of(
    first: int, second: int, of_one_assembly: bool, occupancy: float, other: float, by_identity: bool
) -> int:
    """0: neighbours; 1: neighbours unless too near (unmarked alternatives); 2: marked alternatives.

    `first` and `second` are the alternatives that two sites are of, `other` the occupancy of the second.
    """
    if first != 0 and second != 0 and of_one_assembly:
        return 2 if first != second or (first < 0 and not by_identity) else 0
    if first == 0 and second == 0 and occupancy < 0.99 and other < 0.99 and occupancy + other <= 1.01:
        return 1
    return 0


@kernel(nogil=True)
def _pair(
    f0: float,
    f1: float,
    f2: float,
    g: F64,
    reach: F64,
    weight: float,
    radii: float,
    nearest: float,
    with_hydrogen: bool,
    bins: Bins,
    local: F64,
) -> None:
    """Count all lattice translations of one atom around another, |f + t| ≤ r |a*| in each direction."""
    maximum = bins.maximum
    r0, r1, r2 = reach[0], reach[1], reach[2]
    g00, g11, g22, g01, g02, g12 = g[0, 0], g[1, 1], g[2, 2], g[0, 1], g[0, 2], g[1, 2]
    for t0 in range(math.ceil(-r0 - f0), math.floor(r0 - f0) + 1):
        u = f0 + t0
        for t1 in range(math.ceil(-r1 - f1), math.floor(r1 - f1) + 1):
            v = f1 + t1
            plane = g00 * u * u + g11 * v * v + 2.0 * g01 * u * v
            for t2 in range(math.ceil(-r2 - f2), math.floor(r2 - f2) + 1):
                w = f2 + t2
                squared = plane + w * (g22 * w + 2.0 * (g02 * u + g12 * v))
                if squared >= maximum * maximum or squared < nearest * nearest:
                    continue
                _count(math.sqrt(squared), weight, radii, with_hydrogen, bins, local)


@kernel(nogil=True)
def _count(distance: float, weight: float, radii: float, with_hydrogen: bool, bins: Bins, local: F64) -> None:
    local[0, min(int(distance / bins.maximum * bins.n_bins), bins.n_bins - 1)] += weight
    if with_hydrogen:
        return
    local[1, min(int(distance / bins.maximum * bins.n_bins), bins.n_bins - 1)] += weight
    ratio = distance / radii
    if ratio < bins.maximum_ratio:
        local[2, min(int(ratio / bins.maximum_ratio * bins.n_ratios), bins.n_ratios - 1)] += weight
