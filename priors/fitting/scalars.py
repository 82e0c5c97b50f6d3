"""The estimator of a real number: quantile table, median, mean, and the best of some families."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.distribution import Empirical, Scalar
from xtalpriors.priors.distributions.estimate import Estimate, GoodnessOfFit
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.bootstrap import Resampler, bca_interval
from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.goodness import goodness_of_fit, thinned
from xtalpriors.priors.fitting.maximum_likelihood import Family
from xtalpriors.priors.fitting.observations import Observations, Pool, Values, observe
from xtalpriors.priors.fitting.rivals import Candidate, from_family
from xtalpriors.priors.fitting.subset_table import SubsetTable, occurring

__all__ = ["QUANTILE_LEVELS", "fit_scalar", "quantile_table", "scalar_of"]


QUANTILE_LEVELS: tuple[float, ...] = (
    0.0,
    0.001,
    0.0025,
    0.005,
    *(round(0.01 * i, 2) for i in range(1, 100)),
    0.995,
    0.9975,
    0.999,
    1.0,
)
"""Levels of the quantile table: every per cent, and finer in the tails."""


ATOM_SHARE, ATOM_RATIO = 0.01, 5.0
"""A value is a step of the distribution function, not a point of a smooth one, where it alone has over 1 %
of the weight and over five times the average of the values (no hydrogen, for one)."""


def quantile_table(x: F64, weight: F64) -> Empirical:
    """Quantile table of weighted values: each stands at the middle of its weight, a step at both ends."""
    points, weights = thinned(x, weight)
    share = weights / weights.sum()
    upper = np.cumsum(share)
    step = share > max(ATOM_SHARE, ATOM_RATIO / len(points)) if len(points) > 1 else np.ones(1, bool)
    half = np.where(step, 0.5 * (1 - 1e-9), 0.0) * share
    middle = upper - 0.5 * share
    levels = np.column_stack([middle - half, middle + half]).ravel()
    values = np.interp(QUANTILE_LEVELS[1:-1], levels, np.repeat(points, 2))
    inner = np.clip(values, x.min(), x.max()).tolist()
    return Empirical(probabilities=QUANTILE_LEVELS, values=(float(x.min()), *inner, float(x.max())))


def _estimates(
    observations: Observations, resampler: Resampler, statistics: F64, solve: Callable[[F64], F64]
) -> list[Estimate] | None:
    """Parameters that depend on weighted means of `statistics` (n, k); null where there is no maximum."""
    weighted = np.column_stack([np.ones(len(statistics)), statistics]) * observations.weight[:, None]
    sums = resampler.sums(weighted)

    def parameters(totals: F64) -> F64:
        """Parameters from sums (…, 1 + k) of the weights and of the weighted statistics."""
        with np.errstate(all="ignore"):
            return solve(totals[..., 1:] / totals[..., :1])

    value = parameters(sums.sum(0))
    if not np.all(np.isfinite(value)):
        return None
    replicates, left_out = parameters(resampler.replicate(sums)), parameters(resampler.jackknife(sums))
    found = []
    for i, v in enumerate(value):
        limits = bca_interval(float(v), replicates[:, i], left_out[:, i])
        low, high = limits if limits is not None else (None, None)
        found.append(Estimate(value=float(v), low=low, high=high))
    return found


def _median(observations: Observations, resampler: Resampler, table: Empirical) -> Estimate:
    """Weighted median; its limits are the quantiles at the limits of the share below it (Woodruff 1952)."""
    median = float(table.quantile(0.5))
    below = (observations.x < median) + 0.5 * (observations.x == median)
    sums = resampler.sums(np.column_stack([observations.weight, observations.weight * below]))
    totals = resampler.replicate(sums)
    spread = 1.959964 * float(np.std(totals[:, 1] / totals[:, 0]))
    low, high = table.quantile([max(0.0, 0.5 - spread), min(1.0, 0.5 + spread)])
    return Estimate(value=median, low=float(min(low, median)), high=float(max(high, median)))


def fit_scalar(
    context: Context,
    name: str,
    extract: Callable[[SubsetTable], Values],
    *,
    unit: str,
    convention: str,
    families: Sequence[Family] = (),
    rivals: Sequence[Candidate] = (),
    pool: Pool = "parent",
) -> ScalarPrior:
    """Prior of one real number per structure or site.

    The parametric form is that of `families` which predicts held-out values best (the only one where there
    is one); `rivals` are scored beside it. Without families the prior is empirical only.

    Raises
    ------
    Unavailable
        Too few clusters have a value.
    """
    observations = observe(context, name, extract, pool=pool)
    return scalar_of(
        context, name, observations, unit=unit, convention=convention, families=families, rivals=rivals
    )


def scalar_of(
    context: Context,
    name: str,
    observations: Observations,
    *,
    unit: str,
    convention: str,
    families: Sequence[Family] = (),
    rivals: Sequence[Candidate] = (),
) -> ScalarPrior:
    """Prior of observations already made; see `fit_scalar`."""
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    table = quantile_table(observations.x, observations.weight)
    # means that are 0 by construction come out as rounding noise: snapped
    noise = 1e-12 * float(np.abs(observations.x).max())
    mean = _estimates(
        observations,
        resampler,
        observations.x[:, None],
        lambda means: np.where(np.abs(means) > noise, means, 0.0),
    )
    parametric, goodness, n_left_out = _parametric(context, name, observations, resampler, families, rivals)
    return ScalarPrior(
        n=observations.n,
        n_clusters=observations.n_clusters,
        n_left_out=n_left_out,
        unit=unit,
        convention=convention,
        parametric=parametric,
        empirical=table,
        median=_median(observations, resampler, table),
        mean=mean[0] if mean else None,
        goodness=goodness,
        shrinkage=observations.shrinkage,
    )


def _parametric(
    context: Context,
    name: str,
    observations: Observations,
    resampler: Resampler,
    families: Sequence[Family],
    rivals: Sequence[Candidate],
) -> tuple[Scalar | None, GoodnessOfFit | None, int | None]:
    """Fitted form, its goodness, and the own values outside its range."""
    if not families:
        return None, None, None
    inside = families[0].supports(observations.x)
    n_left_out = int(np.sum(~inside & (observations.stratum == 0)))
    if np.ptp(observations.x[inside]) == 0 if inside.any() else True:
        context.unavailable[f"{name}.parametric"] = (
            "all values are equal: there is no spread to fit"
            if inside.any()
            else "no value lies within its range"
        )
        return None, None, n_left_out
    kept = observations if inside.all() else observations.where(inside)
    rng = np.random.default_rng([context.seed, len(kept.x)])
    candidates = [from_family(f) for f in families]
    goodness = None
    order = list(range(len(families)))
    if len(occurring(kept.cluster)) >= 5:
        scores = goodness_of_fit(kept.x, kept.weight, kept.cluster, [*candidates, *rivals], rng=rng)
        ranking = [r.family for r in scores.rivals] if scores else []
        order.sort(
            key=lambda i: ranking.index(families[i].name) if families[i].name in ranking else len(ranking)
        )
        goodness = _of_family(scores, families[order[0]].name)
    resampler = (
        resampler
        if kept is observations
        else Resampler(kept, seed=context.seed, name=name, replicates=context.bootstrap)
    )
    for i in order:
        found = _estimates(kept, resampler, families[i].statistics(kept.x), families[i].solve)
        if found is not None:
            return families[i].build(found), goodness, n_left_out
    context.unavailable[f"{name}.parametric"] = "the likelihood has no maximum in any of its families"
    return None, None, n_left_out


def _of_family(scores: GoodnessOfFit | None, name: str) -> GoodnessOfFit | None:
    """The same comparison, seen from the family that was chosen."""
    own = next((r for r in scores.rivals if r.family == name), None) if scores else None
    if scores is None or own is None:
        return None
    update: dict[str, Any] = {
        "ks_d": own.ks_d,
        "wasserstein": own.wasserstein,
        "held_out_log_likelihood": own.held_out_log_likelihood,
    }
    return scores.model_copy(update=update)
