"""Positions of a batch of entries: special or general, shared or not, with Wyckoff letters and orders.

Everything is recomputed from the operators; what files call multiplicity is mostly the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xtalpriors.arrays import F64, I16, I32, I64, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff import SiteSymmetries, site_symmetries_of_entries, wyckoff_positions
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.parts import pairs_of_negative_parts

__all__ = ["Positions", "site_positions", "special_summary"]


@dataclass(frozen=True, slots=True)
class Positions:
    """Per site (s,); 0 and an empty letter where the site has no coordinates.

    Attributes
    ----------
    multiplicity, order
        Multiplicity per cell, and order of the site symmetry group.
    letter
        Wyckoff letter as its ASCII code.
    snapped
        (s, 3) coordinates on the symmetry element exactly.
    """

    multiplicity: I16
    order: I16
    letter: U8
    snapped: F64


def site_positions(entries: Entries, metric: F64, fract: F64, placed: Bool, occupancy: F64) -> Positions:
    """Site symmetry of every placed site of n entries.

    Parameters
    ----------
    metric
        (n, 3, 3) metric tensors in Å².
    fract, placed, occupancy
        (s, 3) and (s,) fractional coordinates, whether the site has them, and its occupancy.
    """
    found = _with_thirds(entries, np.where(placed[:, None], fract, np.nan), metric)
    multiplicity, order, snapped = found.multiplicity, found.order, found.fract
    letter = found.letter.view(np.int32).astype(np.uint8)
    for i in pairs_of_negative_parts(entries.batch, order, occupancy).tolist():
        token = entries.batch.site_tokens("disorder_group")[i]
        entry = int(np.flatnonzero(entries.block == entries.batch.tokens.block[token])[0])
        group = entries.symmetry[entry].group
        multiplicity[i], order[i], letter[i] = group.order, 1, ord(_general_letter(group))
        snapped[i] = fract[i]
    return Positions(multiplicity, order, letter, snapped)


def _with_thirds(entries: Entries, fract: F64, metric: F64) -> SiteSymmetries:
    """Site symmetries; where thirds have two digits, those of the exact thirds if they are higher."""
    groups = [s.group for s in entries.symmetry]
    bounds = np.stack([entries.start, entries.end], axis=1).astype(np.int64)
    found = site_symmetries_of_entries(groups, bounds, fract, metric)
    rows, of, thirds = _exact_thirds(bounds, entries.groups.array(_has_hexagonal_axes), fract)
    if not rows.size:
        return found
    owners, counts = np.unique(of, return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    exactly = site_symmetries_of_entries(
        [groups[e] for e in owners.tolist()], offsets, thirds, metric[owners]
    )
    higher = exactly.order > found.order[rows]
    at = rows[higher]
    found.multiplicity[at], found.order[at] = exactly.multiplicity[higher], exactly.order[higher]
    found.letter[at], found.fract[at] = exactly.letter[higher], exactly.fract[higher]
    return found


@lru_cache(maxsize=2048)
def _has_hexagonal_axes(group: SpaceGroup) -> bool:
    """The group has a threefold axis along c (-y,x-y,z): its special positions have thirds and sixths."""
    return bool((group.rotations == ((0, -1, 0), (1, -1, 0), (0, 0, 1))).all(axis=(1, 2)).any())


@kernel()
def _exact_thirds(bounds: I64, hexagonal: Bool, fract: F64) -> tuple[I64, I64, F64]:
    """Sites (r,) on hexagonal axes with a coordinate of 0.33, 0.67, 0.66, 0.17, 0.16 or 0.83, their entries
    (r,), and their coordinates (r, 3) with that as an exact fraction.

    A coordinate may be more by whole numbers; sites with NaN do not count.
    """
    rows, of = np.empty(fract.shape[0], np.int64), np.empty(fract.shape[0], np.int64)
    exact, n = np.empty(fract.shape), 0
    for e in range(hexagonal.size):
        if not hexagonal[e]:
            continue
        for i in range(bounds[e, 0], bounds[e, 1]):
            rounded = False
            for k in range(3):
                x = fract[i, k]
                sixth = np.floor(x * 6.0 + 0.5)
                percent, given = sixth / 6.0 * 100.0, x * 100.0
                is_two_digits = abs(given - np.rint(percent)) < 1e-6 or abs(given - np.trunc(percent)) < 1e-6
                exact[n, k] = sixth / 6.0 if is_two_digits and sixth % 3.0 != 0.0 else x
                rounded |= exact[n, k] != x
            if rounded and not np.isnan(fract[i].sum()):
                rows[n], of[n] = i, e
                n += 1
    return rows[:n], of[:n], exact[:n]


@lru_cache(maxsize=2048)
def _general_letter(group: SpaceGroup) -> str:
    return next(p.letter for p in wyckoff_positions(group) if p.degrees_of_freedom == 3)


@kernel()
def _occupied_letters(start: I32, end: I32, first: I64, letter: U8, wanted: Bool) -> tuple[U8, I64]:
    """Letters of the positions of the wanted sites, each once, and the bounds of each entry's letters."""
    letters, bounds = np.empty(wanted.size, np.uint8), np.zeros(start.size + 1, np.int64)
    seen = np.zeros(wanted.size, np.bool_)
    n = 0
    for e in range(start.size):
        for i in range(start[e], end[e]):
            if wanted[i] and not seen[first[i]]:
                seen[first[i]] = True
                letters[n] = letter[i]
                n += 1
        bounds[e + 1] = n
    return letters[:n], bounds


@lru_cache(maxsize=2048)
def _points(group: SpaceGroup) -> frozenset[int]:
    """Letters (ASCII codes) of the positions without a free coordinate."""
    return frozenset(ord(p.letter) for p in wyckoff_positions(group) if p.degrees_of_freedom == 0)


def special_summary(
    entries: Entries, positions: Positions, first: I64, non_hydrogen: Bool
) -> tuple[I64, list[str], list[int]]:
    """Of n entries: occupied special positions, their letters joined by blanks, and how many are points.

    `first` (s,) is the first site on the same position (`shared_positions.first_on_position`).
    """
    wanted = non_hydrogen & (positions.order > 1)
    found, bounds = _occupied_letters(entries.start, entries.end, first, positions.letter, wanted)
    codes, places = found.tobytes(), bounds.tolist()
    counts = np.diff(bounds)
    letters, points = [""] * len(entries), [0] * len(entries)
    for e in np.flatnonzero(counts).tolist():
        here = sorted(codes[places[e] : places[e + 1]])
        letters[e] = " ".join(map(chr, here))
        special = _points(entries.symmetry[e].group)
        points[e] = sum(code in special for code in here)
    return counts, letters, points
