"""Redeterminations of one structure found around references, compiled."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I64, U8
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.lattice_match import has_matching_basis, may_match

__all__ = ["assign_references", "read_compositions"]

BLANK: Final = ord(" ")
TIE: Final = 1e-9
"""Volumes whose ratio is within this of 1 are equal: their last bits depend on the processor."""
HYDROGEN: Final = 32 * (ord("H") - 64)


@kernel(nogil=True)
def assign_references(
    cell_starts: I64,
    cell_bucket: I64,
    cell_bin: I64,
    cell_of: I64,
    by_rank: I64,
    volume: F64,
    metric: F64,
    start: I64,
    end: I64,
    elements: I64,
    fractions: F64,
    h_fraction: F64,
    tolerances: F64,
) -> I64:
    """Reference of each entry, itself where it is one.

    Within a bucket entries are taken from the best to the worst. Each joins the reference nearest in
    volume that it matches (of several equally near the best), or becomes a reference. No chain can form:
    every member is within the tolerances of its reference.

    Parameters
    ----------
    cell_starts, cell_bucket, cell_bin
        A bucket (one space group, one set of elements) is cut into cells by the fraction of its first
        element, in bins as wide as the tolerance. (c + 1,) first entry of each cell, (c,) its bucket, (c,)
        its bin; cells are sorted by both, entries of a cell by volume.
    cell_of, by_rank
        (n,) cell of each entry; (n,) entries of each bucket from the best to the worst.
    volume, metric
        (n,) and (n, 3, 3) of the Niggli cells.
    start, end
        (n,) where the composition of each entry begins and ends in the two arrays that follow.
    elements, fractions
        As `read_compositions` gives them.
    h_fraction
        (n,) mole fraction of hydrogen, NaN where it is not known (which agrees with any).
    tolerances
        Lengths (relative), angles (radians), ratio of volumes, mole fractions, mole fraction of hydrogen.
    """
    reference = np.full(len(volume), -1, dtype=np.int64)
    place = np.empty(len(volume), dtype=np.int64)
    for n in range(len(by_rank)):
        p = by_rank[n]
        place[p] = n
        own = cell_of[p]
        best, nearest = p, tolerances[2]
        for cell in range(max(own - 1, 0), min(own + 2, len(cell_bucket))):
            if cell_bucket[cell] != cell_bucket[own] or abs(cell_bin[cell] - cell_bin[own]) > 1:
                continue
            q = cell_starts[cell] + np.searchsorted(
                volume[cell_starts[cell] : cell_starts[cell + 1]], volume[p] / tolerances[2]
            )
            while q < cell_starts[cell + 1] and volume[q] <= volume[p] * (nearest + TIE):
                ratio = max(volume[q], volume[p]) / min(volume[q], volume[p])
                if (
                    reference[q] == q
                    and (ratio < nearest - TIE or (ratio <= nearest + TIE and place[q] < place[best]))
                    and may_match(metric[q], metric[p], tolerances[0])
                    and not abs(h_fraction[p] - h_fraction[q]) > tolerances[4]
                    and _same_composition(p, q, start, end, elements, fractions, tolerances[3])
                    and has_matching_basis(metric[q], metric[p], tolerances[0], tolerances[1])
                ):
                    best, nearest = q, ratio
                q += 1
        reference[p] = best
    return reference


@kernel(nogil=True)
def _same_composition(
    p: int, q: int, start: I64, end: I64, elements: I64, fractions: F64, tolerance: float
) -> bool:
    if end[p] - start[p] != end[q] - start[q]:
        return False
    for k in range(end[p] - start[p]):
        i, j = start[p] + k, start[q] + k
        if elements[i] != elements[j] or abs(fractions[i] - fractions[j]) > tolerance:
            return False
    return True


@kernel(nogil=True)
def read_compositions(text: U8, offsets: I64) -> tuple[I64, I64, F64, I64]:
    """Elements but hydrogen and their mole fractions, of formulas such as `C4 H8 Cl2 O1.5`.

    Parameters
    ----------
    text, offsets
        Formulas one behind the other, as ASCII codes, and where each begins (n + 1,).

    Returns
    -------
    starts : (n + 1,)
        First element of each formula in the next two arrays.
    elements, fractions : (m,)
        Numbers that sort as the symbols do, ascending in each formula; mole fractions.
    key : (n,)
        A hash of the elements: formulas of the same elements have the same.
    """
    n = len(offsets) - 1
    most = n + np.count_nonzero(text == BLANK)
    starts = np.zeros(n + 1, dtype=np.int64)
    elements, fractions = np.zeros(most, dtype=np.int64), np.zeros(most)
    key = np.zeros(n, dtype=np.int64)
    for s in range(n):
        m, at = starts[s], offsets[s]
        while at < offsets[s + 1]:
            element, count, at = _read_piece(text, at, offsets[s + 1])
            if element == HYDROGEN or element == 0:
                continue
            place = m
            while place > starts[s] and elements[place - 1] > element:
                elements[place], fractions[place] = elements[place - 1], fractions[place - 1]
                place -= 1
            elements[place], fractions[place] = element, count
            m += 1
        total = fractions[starts[s] : m].sum()
        for k in range(starts[s], m):
            fractions[k] /= total
            key[s] = key[s] * 1_000_003 + elements[k]
        starts[s + 1] = m
    return starts, elements[: starts[n]], fractions[: starts[n]], key


@kernel(nogil=True)
def _read_piece(text: U8, at: int, end: int) -> tuple[int, float, int]:
    """Element (0: none) and count of the piece of a formula at a place, and where the next piece begins."""
    element, digits, scale, decimals = 0, 0.0, 1.0, False
    while at < end and text[at] != BLANK:
        c = int(text[at])
        if ord("A") <= c <= ord("Z"):
            element = 32 * (c - 64)
        elif ord("a") <= c <= ord("z"):
            element += c - 96
        elif c == ord("."):
            decimals = True
        elif ord("0") <= c <= ord("9"):
            digits = 10.0 * digits + (c - 48)
            scale *= 10.0 if decimals else 1.0
        at += 1
    return element, (digits / scale if digits > 0.0 else 1.0), at + 1
