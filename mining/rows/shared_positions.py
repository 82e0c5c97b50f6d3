"""Which sites stand on one position of the crystal, the operators of its group included.

Lists of atoms hold mixed sites, images of other sites, whole cells beside full operators, and two
whole atoms on one place. What is counted, and what is said of an entry, begins with knowing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I16, I32, I64, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.metric_kernel import distance2
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR
from xtalpriors.mining.reading.addresses import uncounted
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.positions import Positions
from xtalpriors.mining.rows.site_table import Sites

__all__ = ["Occupation", "first_on_position", "occupation", "repeated_sites"]

I8 = npt.NDArray[np.int8]

_SAME_PLACE_ANGSTROM: Final = 0.05
"""Sites nearer than this, or with images nearer than this, are on one position."""
_FULL: Final = 0.9995
"""An occupancy below this is partial."""
_OVERFULL: Final = 1.1
"""Occupancies of one position that sum to more than this cannot come from rounding alone."""


@kernel(error_model="numpy")
def _width(g: F64, axis: int) -> float:
    """Largest difference along an axis, in fractions of the cell, of two points that count as one place."""
    i, j = (axis + 1) % 3, (axis + 2) % 3
    minor = g[i, i] * g[j, j] - g[i, j] * g[i, j]
    a = g[axis, i] * g[j, j] - g[i, j] * g[axis, j]
    b = g[axis, i] * g[i, j] - g[i, i] * g[axis, j]
    return float(
        _SAME_PLACE_ANGSTROM * np.sqrt(minor / (g[axis, axis] * minor - g[axis, i] * a + g[axis, j] * b))
    )


@kernel(forceinline=True)
def _nearest(x: F64, lines: F64, low: int, high: int) -> float:
    """Least distance of a coordinate from a whole number, over all images of x: the same for each image.

    `low` to `high` are the lines of the coordinate, see `_lines`.
    """
    least = 1.0
    for k in range(low, high):
        u = lines[k, 0] * x[0] + lines[k, 1] * x[1] + lines[k, 2] * x[2] + lines[k, 3]
        least = min(least, abs(u - np.floor(u + 0.5)))
    return least


@kernel()
def _bins(n: int, wide: float, wide_z: float) -> tuple[int, int]:
    """Numbers of bins along x and z, powers of 2: eight and more for each of n sites, if they are not narrow.

    At most 32 n together, for one site at least.
    """
    n_x = n_z = 1
    while n_x * n_z < 8 * n and (4 * n_x * wide < 1.0 or 4 * n_z * wide_z < 1.0):
        n_x *= 2 if 4 * n_x * wide < 1.0 else 1
        n_z *= 2 if 4 * n_z * wide_z < 1.0 else 1
    return n_x, n_z


@kernel()
def _is_image(x: F64, y: F64, g: F64, operators: F64, low: int, high: int) -> bool:
    """Whether one of the operators `low` … `high` brings x onto y."""
    for k in range(low, high):
        o = operators[k]
        u = o[0] * x[0] + o[1] * x[1] + o[2] * x[2] + o[3]
        v = o[4] * x[0] + o[5] * x[1] + o[6] * x[2] + o[7]
        w = o[8] * x[0] + o[9] * x[1] + o[10] * x[2] + o[11]
        if distance2(g, (u, v, w), y) < _SAME_PLACE_ANGSTROM**2:
            return True
    return False


@kernel()
def _first(
    start: I32,
    end: I32,
    metric: F64,
    fract: F64,
    letter: U8,
    placed: Bool,
    group: I64,
    op_start: I64,
    operators: F64,
    lines: F64,
    line_start: I64,
) -> I64:
    """The kernel of `first_on_position`.

    All images of a site have the same least distances of x and of z from a whole number (`_nearest`). The
    sites of an entry are sorted into bins by them, so that each is compared with few others.
    """
    metric, fract, letter = uncounted(metric), uncounted(fract), uncounted(letter)
    operators, lines = uncounted(operators), uncounted(lines)
    first = np.full(placed.size, -1, np.int64)
    largest = max((end - start).max(), 1) if start.size else 1
    head, following = np.empty(32 * largest, np.int32), np.empty(placed.size, np.int32)
    nearest = np.empty((placed.size, 2))
    for e in range(start.size):
        g = metric[e]
        wide, wide_z = _width(g, 0), _width(g, 2)
        n_x, n_z = _bins(end[e] - start[e], wide, wide_z)
        head[: n_x * n_z] = -1
        low, high = op_start[group[e]], op_start[group[e] + 1]
        k = 2 * group[e]
        of_x, of_z, after = line_start[k], line_start[k + 1], line_start[k + 2]
        for i in range(start[e], end[e]):
            if not placed[i] or letter[i] == 0:
                continue
            x, z = _nearest(fract[i], lines, of_x, of_z), _nearest(fract[i], lines, of_z, after)
            nearest[i, 0], nearest[i, 1] = x, z
            for p in range(int(np.floor((x - wide) * n_x)), int((x + wide) * n_x) + 1):
                for q in range(int(np.floor((z - wide_z) * n_z)), int((z + wide_z) * n_z) + 1):
                    j = head[(p & (n_x - 1)) * n_z + (q & (n_z - 1))]
                    while j >= 0 and first[i] < 0:
                        near = abs(nearest[j, 0] - x) < wide and abs(nearest[j, 1] - z) < wide_z
                        near &= letter[j] == letter[i]  # images have the letter of the site
                        if near and _is_image(fract[i], fract[j], g, operators, low, high):
                            first[i] = j
                        j = following[j]
            if first[i] < 0:
                first[i] = i
                slot = (int(x * n_x) & (n_x - 1)) * n_z + (int(z * n_z) & (n_z - 1))
                following[i], head[slot] = head[slot], i
    return first


def first_on_position(entries: Entries, metric: F64, positions: Positions, placed: Bool) -> I64:
    """Index of the first site on the position of each site, images by the group's operators included.

    Parameters
    ----------
    metric
        (n, 3, 3) metric tensors of the entries in Å².
    positions, placed
        Of s sites.

    Returns
    -------
    (s,) index of a site of the same entry, the site's own where it is the first, −1 where it is not placed.
    """
    operators, op_start = entries.groups.operators()
    sites = (positions.snapped, positions.letter, placed)
    of = [part for group in entries.groups.distinct for part in _lines(group)]
    lines, line_start = np.concatenate([np.empty((0, 4)), *of]), np.cumsum([0, *map(len, of)])
    of_groups = (entries.groups.place, op_start, operators, lines, line_start)
    found: I64 = _first(entries.start, entries.end, metric, *sites, *of_groups)
    return found


@lru_cache(maxsize=1024)
def _lines(group: SpaceGroup) -> tuple[F64, F64]:
    """What the operators make of x, and of z: (n, 4) rotation and translation.

    Each counts once of those that differ by their sign and whole numbers alone: x,y,z and -x,-y,-z are as far
    from whole numbers.
    """
    by_coordinate = []
    for axis in (0, 2):
        rows, shifts = group.rotations[:, axis].astype(np.float64), group.translations[:, axis]
        sign = np.sign([row[np.flatnonzero(row)[0]] for row in rows])
        lines = np.column_stack([rows, shifts]) * sign[:, None]
        lines[:, 3] = np.rint(lines[:, 3] * DENOMINATOR) % DENOMINATOR / DENOMINATOR
        by_coordinate.append(np.unique(lines, axis=0))
    return by_coordinate[0], by_coordinate[1]


@kernel()
def _repeated(
    start: I32, end: I32, first: I64, number: I16, isotope: I8, occupancy: F64, full: float
) -> Bool:
    repeated, heavy = np.zeros(first.size, np.bool_), np.zeros(first.size, np.bool_)
    for e in range(start.size):
        for i in range(start[e], end[e]):
            if first[i] >= 0 and number[i] != 1:
                heavy[first[i]] = True
        for i in range(start[e], end[e]):
            k = first[i]
            if k < 0 or k == i or not occupancy[i] >= full or (number[i] == 1 and heavy[k]):
                continue
            for j in range(k, i):
                if first[j] == k and number[j] == number[i] and isotope[j] == isotope[i]:
                    repeated[i] |= occupancy[j] >= full
    return repeated


@kernel()
def _shared(start: I32, end: I32, first: I64) -> Bool:
    """(n,) some position of the entry has more than one site."""
    found = np.zeros(start.size, np.bool_)
    for e in range(start.size):
        for i in range(start[e], end[e]):
            found[e] |= 0 <= first[i] < i
    return found


@kernel()
def _repeated_shares(
    start: I32, end: I32, first: I64, number: I16, isotope: I8, occupancy: F64, full: float, most: float
) -> Bool:
    """Shares listed again: of a position that holds too much, and that is just full without what is alike."""
    repeated = np.zeros(first.size, np.bool_)
    total, once = np.zeros(first.size), np.zeros(first.size)
    again = np.zeros(first.size, np.bool_)
    for e in range(start.size):
        for i in range(start[e], end[e]):
            k = first[i]
            if k < 0 or number[i] == 1 or np.isnan(occupancy[i]):
                continue
            for j in range(k, i):
                alike = first[j] == k and number[j] == number[i] and isotope[j] == isotope[i]
                again[i] |= alike and not again[j] and abs(occupancy[j] - occupancy[i]) < 0.0005
            total[k] += occupancy[i]
            once[k] += 0.0 if again[i] else occupancy[i]
        for i in range(start[e], end[e]):
            k = first[i]
            if k >= 0 and again[i] and occupancy[i] < full:
                repeated[i] = total[k] > most and 2.0 - most <= once[k] <= most
    return repeated


def repeated_sites(entries: Entries, first: I64, sites: Sites) -> Bool:
    """(s,) whether a site is an earlier atom of its entry listed again.

    Two sites on one position count as the same atom only if element, isotope and full occupancy agree; or if
    the position holds too much, and is just full when sites of the same element and share count once (the
    whole cell of a solid solution).
    Hydrogens on the place of a heavier atom count as atoms of their own: some files write an ammonium ion
    or a water molecule so, if its hydrogens were not found.
    """
    shared = np.flatnonzero(_shared(entries.start, entries.end, first))
    start, end, species = entries.start[shared], entries.end[shared], sites.species
    of_sites = (first, species.number, species.isotope, sites.occupancy, _FULL)
    found: Bool = _repeated(start, end, *of_sites) | _repeated_shares(start, end, *of_sites, _OVERFULL)
    return found


@dataclass(frozen=True, slots=True)
class Occupation:
    """What the occupancies of entries say, (n,) flags each.

    Attributes
    ----------
    partial
        Some occupancy is below 1.
    mixed
        Two elements on one position, hydrogens of whole occupancy left out.
    alone
        A partial occupancy on a position that no other partial site shares.
    overfull
        The occupancies of the atoms other than hydrogen on one position add up to more than one atom.
    """

    partial: Bool
    mixed: Bool
    alone: Bool
    overfull: Bool


@kernel()
def _occupation(
    start: I32, end: I32, first: I64, placed: Bool, number: I16, occupancy: F64
) -> tuple[Bool, Bool, Bool, Bool]:
    n = start.size
    partial, mixed, alone = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    overfull = np.zeros(n, np.bool_)
    element = np.full(first.size, -1, np.int64)  # of what counts for `mixed`, by position
    n_partial, n_heavy = np.zeros(first.size, np.int64), np.zeros(first.size, np.int64)
    atoms = np.zeros(first.size)
    for e in range(n):
        for i in range(start[e], end[e]):
            k = first[i]
            if not placed[i] or k < 0:
                continue
            if occupancy[i] < _FULL:
                partial[e] = True
                n_partial[k] += 1
            if number[i] != 1:
                n_heavy[k] += 1
                atoms[k] += 0.0 if np.isnan(occupancy[i]) else occupancy[i]
            if number[i] != 1 or occupancy[i] < _FULL:
                mixed[e] |= element[k] >= 0 and element[k] != number[i]
                element[k] = number[i]
            overfull[e] |= n_heavy[k] > 1 and atoms[k] > _OVERFULL
        for i in range(start[e], end[e]):
            alone[e] |= placed[i] and first[i] >= 0 and occupancy[i] < _FULL and n_partial[first[i]] == 1
    return partial, mixed, alone, overfull


def occupation(entries: Entries, first: I64, sites: Sites) -> Occupation:
    """What the occupancies of the entries say; `first` (s,) as from `first_on_position`."""
    of_sites = (sites.placed, sites.species.number, sites.occupancy)
    return Occupation(*_occupation(entries.start, entries.end, first, *of_sites))
