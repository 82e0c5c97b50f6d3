"""Redeterminations of one structure found around references, compiled."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.lattice_match import has_matching_basis

__all__ = ["assign_references"]


@kernel(nogil=True)
def assign_references(
    cell_starts: I64,
    cell_bucket: I64,
    cell_bin: I64,
    cell_of: I64,
    by_rank: I64,
    log_volume: F64,
    metric: F64,
    fraction_starts: I64,
    fractions: F64,
    h_fraction: F64,
    tolerances: F64,
) -> I64:
    """Reference of each entry, itself where it is one.

    Within a bucket entries are taken from the best to the worst. Each joins the reference nearest in
    volume that it matches, or becomes a reference. No chain can form: every member is within the tolerances
    of its reference.

    Parameters
    ----------
    cell_starts, cell_bucket, cell_bin
        A bucket (one space group, one set of elements) is cut into cells by the fraction of its first
        element, in bins as wide as the tolerance. (c + 1,) first entry of each cell, (c,) its bucket, (c,)
        its bin; cells are sorted by both, entries of a cell by volume.
    cell_of, by_rank
        (n,) cell of each entry; (n,) entries of each bucket from the best to the worst.
    log_volume, metric
        (n,) and (n, 3, 3) of the Niggli cells.
    fraction_starts, fractions
        Ragged mole fractions of the elements but hydrogen, the same elements in the same order in a bucket.
    h_fraction
        (n,) mole fraction of hydrogen, NaN where it is not known (which agrees with any).
    tolerances
        Lengths (relative), angles (radians), ln of volumes, mole fractions, mole fraction of hydrogen.
    """
    reference = np.full(len(log_volume), -1, dtype=np.int64)
    for n in range(len(by_rank)):
        p = by_rank[n]
        own = cell_of[p]
        best, nearest = p, tolerances[2]
        for cell in range(max(own - 1, 0), min(own + 2, len(cell_bucket))):
            if cell_bucket[cell] != cell_bucket[own] or abs(cell_bin[cell] - cell_bin[own]) > 1:
                continue
            q = cell_starts[cell] + np.searchsorted(
                log_volume[cell_starts[cell] : cell_starts[cell + 1]], log_volume[p] - tolerances[2]
            )
            while q < cell_starts[cell + 1] and log_volume[q] - log_volume[p] <= nearest:
                distance = abs(log_volume[q] - log_volume[p])
                if (
                    reference[q] == q
                    and distance <= nearest
                    and not abs(h_fraction[p] - h_fraction[q]) > tolerances[4]
                    and _same_composition(p, q, fraction_starts, fractions, tolerances[3])
                    and has_matching_basis(metric[q], metric[p], tolerances[0], tolerances[1])
                ):
                    best, nearest = q, distance
                q += 1
        reference[p] = best
    return reference


@kernel(nogil=True)
def _same_composition(p: int, q: int, starts: I64, fractions: F64, tolerance: float) -> bool:
    for k in range(starts[p + 1] - starts[p]):
        if abs(fractions[starts[p] + k] - fractions[starts[q] + k]) > tolerance:
            return False
    return True
