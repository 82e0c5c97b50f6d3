"""Intervals from a seeded bootstrap over clusters, fast enough for a whole database.

Clusters are dealt at random into at most 1,000 groups, and groups are resampled: with fewer clusters than
that it is the plain cluster bootstrap, with more the spread is that of the clusters to 1/√2000 = 2 % of
itself, whatever n. Every estimator works on sums over groups, so a replicate costs a row of a matrix product
and not a pass over the data.
Limits are bias-corrected and accelerated (BCa: Efron 1987, doi 10.1080/01621459.1987.10478410).
"""

from __future__ import annotations

import zlib

import numpy as np
from scipy import special

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.fitting.observations import Observations
from xtalpriors.priors.fitting.subset_table import occurring, present

__all__ = ["FEW", "Resampler", "bca_interval", "share_estimate"]

MAX_GROUPS = 1000
FEW = 10
"""Clusters with (or without) a label below which its share has Poisson limits: too few for a bootstrap."""
LEVELS = (0.025, 0.975)
TIE = 1e-10
"""Relative difference below which a replicate equals the estimate: sums differ in the last bits with the
number of threads of the linear algebra, and a tie that is broken by them would move the limits."""


class Resampler:
    """Groups of clusters and the number of times each is drawn in each replicate.

    Own and parent's clusters are resampled apart, so that the weight of either side stays what was decided.
    """

    def __init__(self, observations: Observations, *, seed: int, name: str, replicates: int) -> None:
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        clusters, position = present(observations.cluster)
        stratum = np.zeros(len(clusters), int)
        stratum[position] = observations.stratum
        group = np.empty(len(clusters), int)
        blocks: list[F64] = []
        self.n_groups = 0
        for side in occurring(stratum):
            members = rng.permutation(np.flatnonzero(stratum == side))
            size = min(len(members), MAX_GROUPS)
            group[members] = self.n_groups + np.arange(len(members)) % size
            blocks.append(_counts(rng.integers(size, size=(replicates, size))))
            self.n_groups += size
        self.group: I64 = group[position]
        self.draws: F64 = np.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]

    def sums(self, values: F64) -> F64:
        """(n_groups, k) sums of the rows of (n, k) values over each group."""
        columns = [np.bincount(self.group, column, self.n_groups) for column in values.T]
        return np.column_stack(columns)

    def replicate(self, sums: F64) -> F64:
        """(replicates, k) sums of each resampled data set."""
        return self.draws @ sums

    @staticmethod
    def jackknife(sums: F64) -> F64:
        """(n_groups, k) sums with one group left out."""
        return np.asarray(sums.sum(0) - sums, float)


@kernel(nogil=True)
def _counts(drawn: I64) -> F64:
    """(b, g) how often each of g groups is among the g draws of each of b replicates."""
    counts = np.zeros(drawn.shape)
    for b in range(drawn.shape[0]):
        for i in range(drawn.shape[1]):
            counts[b, drawn[b, i]] += 1.0
    return counts


def bca_interval(value: float, replicates: F64, jackknife: F64) -> tuple[float, float] | None:
    """95 % limits of one estimate; null where over 5 % of the replicates have no estimate.

    Parameters
    ----------
    replicates, jackknife : (b,), (g,) arrays
        Estimates of the resampled data sets and with one group left out; NaN where there is none.
    """
    kept = np.sort(replicates[np.isfinite(replicates)])
    left_out = jackknife[np.isfinite(jackknife)]
    if len(kept) < 0.95 * len(replicates) or not len(left_out):
        return None
    same = np.abs(kept - value) <= TIE * max(abs(value), float(np.abs(kept).max()))
    below = (np.sum((kept < value) & ~same) + 0.5 * np.sum(same)) / len(kept)
    bias = special.ndtri(np.clip(below, 0.5 / len(kept), 1 - 0.5 / len(kept)))
    d = left_out.mean() - left_out
    spread = float(d @ d)
    acceleration = float(np.sum(d**3)) / (6 * spread**1.5) if spread > 0 else 0.0
    z = bias + special.ndtri(LEVELS)
    levels = special.ndtr(bias + z / (1 - acceleration * z))
    low, high = np.quantile(kept, levels)
    # the estimate may fall outside its own limits by the grain of few replicates
    return float(min(low, value)), float(max(high, value))


def share_estimate(
    value: float, n_with: int, n_without: int, n: int, replicates: F64, jackknife: F64
) -> Estimate:
    """A share with its 95 % limits.

    Parameters
    ----------
    value
        The weighted share.
    n_with, n_without, n
        Clusters that hold the label at all, those that hold anything else, and clusters in all.

    Notes
    -----
    Where fewer than 10 clusters have (or lack) the label, the limits are the exact binomial ones (Clopper &
    Pearson 1934) of that many of n, scaled to the share: too few for a bootstrap. A label never seen has the
    upper limit 3.7/n.
    """
    if n_with >= FEW and n_without >= FEW:
        limits = bca_interval(value, replicates, jackknife)
        if limits is not None:
            return Estimate(value=value, low=max(0.0, limits[0]), high=min(1.0, limits[1]))
    if n_with <= n_without:
        low, high = _exact_limits(value, n_with, n)
    else:
        low, high = (1.0 - limit for limit in reversed(_exact_limits(1.0 - value, n_without, n)))
    return Estimate(value=value, low=max(0.0, min(low, value)), high=min(1.0, max(high, value)))


def _exact_limits(value: float, k: int, n: int) -> tuple[float, float]:
    """Clopper–Pearson limits of k of n, times the share that one of them stands for over 1/n."""
    scale = value * n / k if k else 1.0
    low = special.betaincinv(k, n - k + 1, LEVELS[0]) if k else 0.0
    high = special.betaincinv(k + 1, n - k, LEVELS[1]) if k < n else 1.0
    return float(low * scale), float(high * scale)
