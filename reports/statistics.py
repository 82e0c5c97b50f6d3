"""Small statistics of the figures: intervals, bins, and how far two distributions are apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.estimate import wilson_interval

__all__ = [
    "Interval",
    "edges_within",
    "kolmogorov_distance",
    "kolmogorov_fit",
    "nice_edges",
    "nice_width",
    "total_variation",
    "votes",
    "wasserstein",
    "weighted_quantile",
    "wilson",
]


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(count: float, n: float) -> Interval:
    """A fraction with its 95 % interval, as `wilson_interval`; the fraction is nan when n is 0."""
    return Interval(count / n if n > 0 else float("nan"), *wilson_interval(count, n))


def votes(clusters: ArrayLike) -> F64:
    """Weight of each row: 1 / rows of its cluster, so that every cluster has one vote.

    Give it the rows that have a value, and no others: a structure whose value is unknown must not take
    a part of its cluster's vote. `xtalpriors fit` counts in the same way.

    >>> votes(["a", "a", "b"])
    array([0.5, 0.5, 1. ])
    """
    series = pd.Series(np.asarray(clusters))
    return np.asarray(1.0 / series.groupby(series, sort=False).transform("size"), dtype=np.float64)


def _round_up(width: float) -> float:
    """The next of 1, 2, 2.5, 5 × a power of ten."""
    power = 10.0 ** np.floor(np.log10(width))
    step = next(s for s in (1, 2, 2.5, 5, 10) if s * power >= width * (1 - 1e-9))
    return float(step * power)


def nice_width(
    values: ArrayLike,
    low: float,
    high: float,
    bins: tuple[int, int] = (8, 48),
    *,
    weights: ArrayLike | None = None,
) -> float:
    """Round width of the bins of values between `low` and `high`.

    It is Freedman and Diaconis', 2·IQR/n^⅓, within the limits that `bins` (fewest, most) sets: a handful of
    values gets a handful of bins, a million gets no more than can be seen. n is the sum of the weights, the
    number of clusters: ten determinations of one structure make no finer picture.
    """
    array = np.asarray(values, dtype=np.float64)
    w = np.ones_like(array) if weights is None else np.asarray(weights, dtype=np.float64)
    inside = (array >= low) & (array <= high)
    array, w = array[inside], w[inside]
    widest, narrowest = (high - low) / bins[0], (high - low) / bins[1]
    width = widest
    if len(array) > 1:
        quartiles = [weighted_quantile(array, p, w) for p in (0.25, 0.75)]
        width = 2 * (quartiles[1] - quartiles[0]) / float(w.sum()) ** (1 / 3)
    return _round_up(min(max(width, narrowest), widest))


def edges_within(width: float, low: float, high: float) -> F64:
    """Edges of bins of a width, at multiples of it, that cover [low, high]."""
    first, last = np.floor(low / width + 1e-9), np.ceil(high / width - 1e-9)
    return np.asarray(width * np.arange(first, last + 1), dtype=np.float64)


def nice_edges(
    values: ArrayLike,
    low: float,
    high: float,
    *,
    bins: tuple[int, int] = (8, 48),
    weights: ArrayLike | None = None,
) -> F64:
    """Edges at round numbers that cover [low, high], of bins of `nice_width`."""
    return edges_within(nice_width(values, low, high, bins, weights=weights), low, high)


def _cumulative(values: ArrayLike, weights: ArrayLike | None) -> tuple[F64, F64]:
    """Sorted values and the cumulative share of the weight up to and with each."""
    array = np.asarray(values, dtype=np.float64)
    w = np.ones_like(array) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(array, kind="stable")
    cumulative = np.cumsum(w[order])
    return array[order], cumulative / cumulative[-1]


def weighted_quantile(values: ArrayLike, p: float, weights: ArrayLike | None = None) -> float:
    """The smallest value at which the cumulative weight reaches `p`; nan without values.

    A weight short of `p` by rounding alone reaches it: which of two values is the median must not depend on
    the order in which a processor adds.
    """
    if np.size(values) == 0:
        return float("nan")
    array = np.asarray(values, dtype=np.float64)
    mass = np.ones(len(array)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(array, kind="stable")
    reached = np.cumsum(mass[order])
    return float(array[order][np.searchsorted(reached, p * reached[-1] * (1.0 - 1e-9))])


def kolmogorov_distance(
    a: ArrayLike, b: ArrayLike, weights_a: ArrayLike | None = None, weights_b: ArrayLike | None = None
) -> float:
    """Largest difference D of two weighted distribution functions, 0…1; nan when a sample is empty."""
    if np.size(a) == 0 or np.size(b) == 0:
        return float("nan")
    (xa, fa), (xb, fb) = _cumulative(a, weights_a), _cumulative(b, weights_b)
    x = np.union1d(xa, xb)
    at_a = np.append(0.0, fa)[np.searchsorted(xa, x, side="right")]
    at_b = np.append(0.0, fb)[np.searchsorted(xb, x, side="right")]
    return float(np.max(np.abs(at_a - at_b)))


def kolmogorov_fit(values: ArrayLike, cdf: Callable[[F64], F64], weights: ArrayLike | None = None) -> float:
    """Largest difference D of a weighted sample to a continuous distribution; nan for an empty sample."""
    if np.size(values) == 0:
        return float("nan")
    x, share = _cumulative(values, weights)
    at = cdf(x)
    return float(max(np.max(np.abs(share - at)), np.max(np.abs(np.append(0.0, share[:-1]) - at))))


def wasserstein(
    a: ArrayLike, b: ArrayLike, weights_a: ArrayLike | None = None, weights_b: ArrayLike | None = None
) -> float:
    """Area between two weighted distribution functions, in the values' unit; nan when a sample is empty."""
    if np.size(a) == 0 or np.size(b) == 0:
        return float("nan")
    from scipy.stats import wasserstein_distance  # half a second, which a report without generated sets saves

    values = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    weights = (None if w is None else np.asarray(w, dtype=np.float64) for w in (weights_a, weights_b))
    return float(wasserstein_distance(*values, *weights))


def total_variation(p: ArrayLike, q: ArrayLike) -> float:
    """Half the sum of the differences of two sets of shares: the share that would have to move, 0…1."""
    return float(np.abs(np.asarray(p, dtype=np.float64) - np.asarray(q, dtype=np.float64)).sum() / 2)
