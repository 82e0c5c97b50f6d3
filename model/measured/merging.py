"""Merging of equivalent reflections with the weights of SHELX, and the agreement of what was merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64, Bool

__all__ = ["Merged", "laue_rotations", "merge_equivalents", "representatives"]

OUTLIER_SIGMAS = 5.0
"""An observation this far from the median of its three or more equivalents is left out."""
OUTLIER_SHARE = 0.1
"""Share of the intensity that is added to σ in that test: absorption and scaling make such errors."""


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """Unique reflections.

    Attributes
    ----------
    hkl
        (m, 3), of each set of equivalents the one with the largest l, then k, then h.
    intensity
        Weighted mean |F|², (m,).
    sigma
        Of the mean, (m,): the larger of what the observations' own σ and their scatter say; NaN where
        neither says anything.
    n_observed
        Observations of each, (m,), without outliers.
    n_repeated
        Observations of reflections that were measured more than once, equivalents included.
    r_int
        Σ | |F|² − ⟨|F|²⟩ | / Σ |F|² over them; None where no reflection was measured more than once.
    n_outliers
        Observations that were left out.
    """

    hkl: I64
    intensity: F64
    sigma: F64
    n_observed: I64
    n_repeated: int
    r_int: float | None
    n_outliers: int


def laue_rotations(rotations: I64) -> I64:
    """The distinct matrices R and −R (n, 3, 3) of a point group: h R runs over the equivalents of h."""
    both = np.concatenate([rotations, -rotations]).reshape(-1, 9)
    return np.unique(both, axis=0).reshape(-1, 3, 3).astype(np.int64)


def representatives(hkl: I64, laue: I64) -> I64:
    """The equivalent (m, 3) that stands for each reflection: the largest l, then k, then h."""
    if len(hkl) == 0:
        return hkl.reshape(-1, 3)
    base = 2 * int(np.abs(np.einsum("mi,nij->mnj", hkl[:1], laue)).max(initial=0) + 3 * np.abs(hkl).max()) + 1
    best = hkl.copy()
    best_code = (hkl[:, 2] * base + hkl[:, 1]) * base + hkl[:, 0]
    for rotation in laue:
        image = hkl @ rotation
        code = (image[:, 2] * base + image[:, 1]) * base + image[:, 0]
        better = code > best_code
        best[better], best_code[better] = image[better], code[better]
    return best


def merge_equivalents(
    hkl: I64, intensity: F64, sigma: F64, laue: I64, *, reject_outliers: bool = False
) -> Merged:
    """Merge.

    The weight of an observation is I/σ² where I > 3σ, else 3/σ (SHELXL's, before its factor for outliers), 1
    for all where some σ is not known.

    Parameters
    ----------
    hkl, intensity, sigma
        Observations: (m, 3), (m,), (m,); a σ that is NaN or not above 0 is not known.
    laue
        Of `laue_rotations`.
    reject_outliers
        Leave out observations further than `OUTLIER_SIGMAS` from the median of three or more.
    """
    unique, inverse = np.unique(representatives(hkl, laue), axis=0, return_inverse=True)
    inverse = inverse.ravel()
    known = bool((sigma > 0).all() and np.isfinite(sigma).all())
    kept: Bool = np.ones(len(hkl), dtype=bool)
    if reject_outliers and known:
        kept = ~_outliers(intensity, sigma, inverse, len(unique))
    place, value, own = inverse[kept], intensity[kept], sigma[kept]
    weight = np.where(value > 3.0 * own, value / own, 3.0) / own if known else np.ones(len(value))
    count = np.bincount(place, minlength=len(unique))
    mean = np.bincount(place, weight * value, len(unique)) / np.bincount(place, weight, len(unique))
    deviation = np.abs(value - mean[place])
    total = np.bincount(place, deviation, len(unique))
    with np.errstate(divide="ignore", invalid="ignore"):
        scatter = np.where(count > 1, total / (count * np.sqrt(np.maximum(count - 1.0, 1.0))), np.nan)
        counted = (
            np.bincount(place, own**-2.0, len(unique)) ** -0.5 if known else np.full(len(unique), np.nan)
        )
    repeated = count[place] > 1
    whole = value[repeated].sum()
    return Merged(
        unique.astype(np.int64),
        mean,
        np.fmax(counted, scatter) if known else scatter,
        count,
        int(repeated.sum()),
        float(deviation[repeated].sum() / whole) if whole > 0 else None,
        int((~kept).sum()),
    )


def _outliers(intensity: F64, sigma: F64, inverse: I64, n: int) -> Bool:
    """Which observations are far from the median of their equivalents; only of three or more."""
    order = np.lexsort((intensity, inverse))
    start = np.searchsorted(inverse[order], np.arange(n))
    count = np.bincount(inverse, minlength=n)
    sorted_values = intensity[order]
    median = (sorted_values[start + (count - 1) // 2] + sorted_values[start + count // 2]) / 2.0
    allowed = OUTLIER_SIGMAS * np.sqrt(sigma**2 + (OUTLIER_SHARE * median[inverse]) ** 2)
    found: Bool = np.abs(intensity - median[inverse]) > allowed
    # where no majority agrees with the median nobody knows which are wrong
    few = 2 * np.bincount(inverse, found, n) < count
    return found & (few & (count >= 3))[inverse]
