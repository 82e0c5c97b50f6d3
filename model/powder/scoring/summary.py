"""Scores of many crystals as numbers: means, means over structure types, and differences with an interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64

__all__ = ["Difference", "Summary", "paired_difference", "summarise"]

GOOD_SSIM = 0.95
_RESAMPLES = 2000


class Summary(NamedTuple):
    """A method on a set of crystals.

    Attributes
    ----------
    n
        Crystals.
    ssim, ssim_sd, psnr
        Mean and standard deviation over crystals; equal maps count as 100 dB.
    ssim_by_type
        Mean over structure types of the mean of each, so that a frequent type counts once.
    good
        Share of crystals with SSIM above 0.95.
    """

    n: int
    ssim: float
    ssim_sd: float
    psnr: float
    psnr_sd: float
    ssim_by_type: float
    good: float


class Difference(NamedTuple):
    """Mean of SSIM minus that of another method on the same crystals, with its bootstrap interval of 95 %."""

    mean: float
    low: float
    high: float


def summarise(ssim: npt.ArrayLike, psnr: npt.ArrayLike, types: npt.ArrayLike) -> Summary:
    """Summary of scores (n,) of crystals with structure types (n,)."""
    s = np.asarray(ssim, dtype=np.float64)
    p = np.minimum(np.asarray(psnr, dtype=np.float64), 100.0)
    _, of_type = np.unique(np.asarray(types), return_inverse=True)
    by_type = np.bincount(of_type, s) / np.bincount(of_type)
    return Summary(
        len(s),
        float(s.mean()),
        float(s.std()),
        float(p.mean()),
        float(p.std()),
        float(by_type.mean()),
        float((s > GOOD_SSIM).mean()),
    )


def paired_difference(ours: npt.ArrayLike, theirs: npt.ArrayLike, seed: int = 0) -> Difference:
    """Mean difference of scores (n,) of the same crystals; crystals are drawn anew 2,000 times."""
    difference: F64 = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    rows = np.random.default_rng(seed).integers(0, len(difference), (_RESAMPLES, len(difference)))
    low, high = np.quantile(difference[rows].mean(axis=1), [0.025, 0.975])
    return Difference(float(difference.mean()), float(low), float(high))
