"""Estimators that the priors share: a real number with its families, shares of labels, counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xtalpriors.priors.bootstrap import Resampler, bca_interval, share_estimate
from xtalpriors.priors.distributions import Categorical, Counts, Empirical, Scalar
from xtalpriors.priors.estimate import Estimate, GoodnessOfFit
from xtalpriors.priors.families import Family
from xtalpriors.priors.goodness import goodness_of_fit, thinned
from xtalpriors.priors.observations import Context, Observations, Pool, Values, observe
from xtalpriors.priors.rivals import Candidate, from_family
from xtalpriors.priors.scalar import ScalarPrior
from xtalpriors.priors.table import SubsetTable

__all__ = [
    "QUANTILE_LEVELS",
    "fit_categorical",
    "fit_counts",
    "fit_scalar",
    "fit_share",
    "fit_share_of",
    "scalar_of",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

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


def quantile_table(x: Floats, weight: Floats) -> Empirical:
    """Quantile table of weighted values; a value stands at the middle of its own weight."""
    points, weights = thinned(x, weight)
    middle = (np.cumsum(weights) - 0.5 * weights) / weights.sum()
    values = np.clip(np.interp(QUANTILE_LEVELS[1:-1], middle, points), x.min(), x.max())
    return Empirical(
        probabilities=QUANTILE_LEVELS, values=(float(x.min()), *map(float, values), float(x.max()))
    )


def _estimates(
    observations: Observations, resampler: Resampler, statistics: Floats, solve: Callable[[Floats], Floats]
) -> list[Estimate] | None:
    """Parameters that depend on weighted means of `statistics` (n, k); null where there is no maximum."""
    weighted = np.column_stack([np.ones(len(statistics)), statistics]) * observations.weight[:, None]
    sums = resampler.sums(weighted)

    def parameters(totals: Floats) -> Floats:
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
    if len(np.unique(kept.cluster)) >= 5:
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


def fit_share(context: Context, name: str, observations: Observations, inside: NDArray[np.bool_]) -> Estimate:
    """Weighted share of the observations that are `inside`."""
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    return _shares(observations, resampler, inside.astype(float)[:, None], observations.weight)[0]


def fit_share_of(context: Context, name: str, observations: Observations, fraction: Floats) -> Estimate:
    """Weighted mean of a fraction in [0, 1] of each observation."""
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    return _shares(observations, resampler, fraction[:, None], observations.weight)[0]


def _shares(
    observations: Observations, resampler: Resampler, indicators: Floats, weight: Floats
) -> list[Estimate]:
    """Weighted share of each column of 0/1 indicators (or fractions)."""
    sums = resampler.sums(np.column_stack([weight, indicators * weight[:, None]]))
    totals = sums.sum(0)
    replicates, left_out = resampler.replicate(sums), resampler.jackknife(sums)
    with np.errstate(all="ignore"):
        boot, jack = replicates[:, 1:] / replicates[:, :1], left_out[:, 1:] / left_out[:, :1]
    n = len(np.unique(observations.cluster))
    found = []
    for j in range(indicators.shape[1]):
        n_with = len(np.unique(observations.cluster[indicators[:, j] > 0]))
        n_without = len(np.unique(observations.cluster[indicators[:, j] < 1]))
        share = float(totals[j + 1] / totals[0])
        found.append(share_estimate(share, n_with, n_without, n, boot[:, j], jack[:, j]))
    return found


def fit_categorical(
    context: Context,
    name: str,
    observations: Observations,
    labels: Sequence[str],
    *,
    weight: Floats | None = None,
) -> Categorical:
    """Shares of labels; `observations.x` holds indices into `labels`, ties are ordered by label."""
    weight = observations.weight if weight is None else weight
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    codes = observations.x.astype(int)
    sums = np.zeros((resampler.n_groups, len(labels)))
    np.add.at(sums, (resampler.group, codes), weight)
    totals = sums.sum(0)
    replicates, left_out = resampler.replicate(sums), resampler.jackknife(sums)
    with np.errstate(all="ignore"):
        boot, jack = replicates / replicates.sum(1, keepdims=True), left_out / left_out.sum(1, keepdims=True)
    clusters, position = np.unique(observations.cluster, return_inverse=True)
    n = len(clusters)
    cluster_of, label_of = np.divmod(np.unique(position * len(labels) + codes), len(labels))
    n_with = np.bincount(label_of, minlength=len(labels))
    alone = np.bincount(cluster_of, minlength=n)[cluster_of] == 1  # clusters that hold one label only
    n_without = n - np.bincount(label_of[alone], minlength=len(labels))
    order = sorted(np.flatnonzero(totals > 0).tolist(), key=lambda i: (-totals[i], labels[i]))
    share = totals / totals.sum()
    return Categorical(
        labels=tuple(labels[i] for i in order),
        shares=tuple(
            share_estimate(float(share[i]), int(n_with[i]), int(n_without[i]), n, boot[:, i], jack[:, i])
            for i in order
        ),
    )


def fit_counts(context: Context, name: str, observations: Observations) -> Counts:
    """Probabilities of 0, 1, 2, … up to the largest count seen."""
    counts = observations.x.astype(int)
    indicators = (counts[:, None] == np.arange(counts.max() + 1)).astype(float)
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    return Counts(probabilities=tuple(_shares(observations, resampler, indicators, observations.weight)))
