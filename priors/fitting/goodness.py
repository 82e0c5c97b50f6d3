"""How far a fit is from the values: KS distance, Wasserstein distance, held-out log-likelihood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.priors.distributions.estimate import GoodnessOfFit, Rival
from xtalpriors.priors.fitting.rivals import Candidate, Fitted
from xtalpriors.priors.fitting.subset_table import present

__all__ = ["goodness_of_fit", "ks_distance", "thinned", "wasserstein_distance"]

FOLDS = 5
MAX_POINTS = 20_000
"""Sorted values beyond which neighbours are averaged: the distances change by less than 1/20000."""
GRID = (np.arange(2000) + 0.5) / 2000
"""Levels at which quantiles are compared."""
LEAST_LOG_DENSITY = -50.0
"""Stands for −∞ of a value that a fit excludes: one such value ruins the score but leaves it a number."""

Points = tuple[F64, F64]
"""Sorted values and their weights."""


def thinned(x: F64, weight: F64) -> Points:
    """Sorted values and their weights, equal values merged, at most 20,000 of them."""
    order = np.argsort(x, kind="stable")
    x, weight = x[order], weight[order]
    starts = np.flatnonzero(np.insert(np.diff(x) > 0, 0, True))
    if len(starts) <= MAX_POINTS:
        return x[starts], np.add.reduceat(weight, starts)
    total = np.cumsum(weight)[starts]
    block = np.floor(total / total[-1] * MAX_POINTS * (1 - 1e-12)).astype(int)
    starts = starts[np.insert(np.diff(block) > 0, 0, True)]
    weights = np.add.reduceat(weight, starts)
    # the accumulation undoes what rounding of the averages may have put out of order
    return np.maximum.accumulate(np.add.reduceat(weight * x, starts) / weights), weights


def ks_distance(x: F64, weight: F64, fit: Fitted) -> float:
    """Largest distance between the distribution function of sorted weighted values and a fit's."""
    upper = np.cumsum(weight) / weight.sum()
    lower = np.insert(upper[:-1], 0, 0.0)
    # just below a value: a fit may have a step there (the exact zeros of a hydrogen fraction)
    below = fit.cdf(np.nextafter(x, -np.inf))
    return float(max(np.abs(upper - fit.cdf(x)).max(), np.abs(lower - below).max()))


def wasserstein_distance(x: F64, weight: F64, fit: Fitted) -> float:
    """Wasserstein-1 distance between sorted weighted values and a fit, in their unit.

    The mean distance of the quantiles at 2,000 levels; a step of either is seen at 1/2000. SciPy's function
    compares two samples; a fit has none.
    """
    levels = np.cumsum(weight) / weight.sum()
    at = np.minimum(np.searchsorted(levels, GRID), len(x) - 1)
    return float(np.abs(x[at] - fit.quantile(GRID)).mean())


def _together(parts: Sequence[Points]) -> Points:
    """Several sorted sets of points as one."""
    return thinned(np.concatenate([x for x, _ in parts]), np.concatenate([w for _, w in parts]))


def _held_out(parts: Sequence[Points], candidate: Candidate) -> float | None:
    """Mean log density of each fold under the fit to the others."""
    total = 0.0
    for k, (values, weights) in enumerate(parts):
        fit = candidate.fit(*_together([part for i, part in enumerate(parts) if i != k]))
        if fit is None:
            return None
        total += float(weights @ np.maximum(fit.log_prob(values), LEAST_LOG_DENSITY))
    return total / float(sum(weights.sum() for _, weights in parts))


def goodness_of_fit(
    x: F64,
    weight: F64,
    cluster: I64,
    candidates: Sequence[Candidate],
    *,
    rng: np.random.Generator,
) -> GoodnessOfFit | None:
    """Effect sizes of the first candidate, and its rivals best first; null where it cannot be fitted.

    Parameters
    ----------
    x, weight, cluster : (n,) arrays
        Values, weights, and clusters, which the folds keep together.
    """
    clusters, position = present(cluster)
    fold = (rng.permutation(len(clusters)) % FOLDS)[position]
    parts = [thinned(x[fold == k], weight[fold == k]) for k in range(FOLDS)]
    points, weights = _together(parts)
    scored: list[Rival] = []
    for candidate in candidates:
        fit, score = candidate.fit(points, weights), _held_out(parts, candidate)
        if fit is None or score is None:
            continue
        scored.append(
            Rival(
                family=candidate.name,
                held_out_log_likelihood=score,
                ks_d=ks_distance(points, weights, fit),
                wasserstein=wasserstein_distance(points, weights, fit),
            )
        )
    if not scored or scored[0].family != candidates[0].name:
        return None
    ranked = sorted(scored, key=lambda r: -r.held_out_log_likelihood)
    own = scored[0]
    return GoodnessOfFit(
        ks_d=own.ks_d,
        wasserstein=own.wasserstein,
        held_out_log_likelihood=own.held_out_log_likelihood,
        best_family=ranked[0].family,
        rivals=tuple(ranked),
    )
