"""Redeterminations of one structure found around references, compiled."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.lattice_match import has_matching_basis

__all__ = ["assign_references"]

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@numba.njit(cache=True, nogil=True)
def assign_references(
    bucket_starts: I64,
    by_rank: I64,
    volume: F64,
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
    bucket_starts
        (b + 1,) first entry of each bucket; entries of a bucket are sorted by volume.
    by_rank
        (n,) entries of each bucket from the best to the worst.
    volume, metric
        (n,) and (n, 3, 3) of the Niggli cells.
    fraction_starts, fractions
        Ragged mole fractions of the elements but hydrogen, the same elements in the same order in a bucket.
    h_fraction
        (n,) mole fraction of hydrogen, NaN where it is not known (which agrees with any).
    tolerances
        Lengths (relative), angles (radians), volumes (relative), mole fractions, mole fraction of hydrogen.
    """
    reference = np.full(len(volume), -1, dtype=np.int64)
    for b in range(len(bucket_starts) - 1):
        low, high = bucket_starts[b], bucket_starts[b + 1]
        for n in range(low, high):
            p = by_rank[n]
            reference[p] = p
            left, right = p - 1, p + 1
            while True:
                down = volume[p] / volume[left] if left >= low else np.inf
                up = volume[right] / volume[p] if right < high else np.inf
                if min(down, up) > 1.0 + tolerances[2]:
                    break
                q = left if down <= up else right
                if down <= up:
                    left -= 1
                else:
                    right += 1
                if reference[q] != q:
                    continue
                if abs(h_fraction[p] - h_fraction[q]) > tolerances[4]:
                    continue
                if not _same_composition(p, q, fraction_starts, fractions, tolerances[3]):
                    continue
                if has_matching_basis(metric[q], metric[p], tolerances[0], tolerances[1]):
                    reference[p] = q
                    break
    return reference


@numba.njit(cache=True, nogil=True)
def _same_composition(p: int, q: int, starts: I64, fractions: F64, tolerance: float) -> bool:
    for k in range(starts[p + 1] - starts[p]):
        if abs(fractions[starts[p] + k] - fractions[starts[q] + k]) > tolerance:
            return False
    return True
