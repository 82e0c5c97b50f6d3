"""Estimators of shares: of observations that meet a condition, of labels, and of counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.priors.distributions.distribution import Categorical, Counts
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.fitting.bootstrap import Resampler, share_estimate
from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.observations import Observations
from xtalpriors.priors.fitting.subset_table import occurring, present

__all__ = ["fit_categorical", "fit_counts", "fit_share", "fit_share_of"]


def fit_share(context: Context, name: str, observations: Observations, inside: Bool) -> Estimate:
    """Weighted share of the observations that are `inside`."""
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    return _shares(observations, resampler, inside.astype(float)[:, None], observations.weight)[0]


def fit_share_of(context: Context, name: str, observations: Observations, fraction: F64) -> Estimate:
    """Weighted mean of a fraction in [0, 1] of each observation."""
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    return _shares(observations, resampler, fraction[:, None], observations.weight)[0]


def _n_clusters(observations: Observations, keep: Bool) -> int:
    """Clusters with an observation that is kept."""
    return len(occurring(observations.cluster[keep]))


def _shares(observations: Observations, resampler: Resampler, indicators: F64, weight: F64) -> list[Estimate]:
    """Weighted share of each column of 0/1 indicators (or fractions)."""
    sums = resampler.sums(np.column_stack([weight, indicators * weight[:, None]]))
    totals = sums.sum(0)
    replicates, left_out = resampler.replicate(sums), resampler.jackknife(sums)
    with np.errstate(all="ignore"):
        boot, jack = replicates[:, 1:] / replicates[:, :1], left_out[:, 1:] / left_out[:, :1]
    n = _n_clusters(observations, np.ones(len(observations.x), bool))
    found = []
    for j in range(indicators.shape[1]):
        n_with = _n_clusters(observations, indicators[:, j] > 0)
        n_without = _n_clusters(observations, indicators[:, j] < 1)
        share = float(totals[j + 1] / totals[0])
        found.append(share_estimate(share, n_with, n_without, n, boot[:, j], jack[:, j]))
    return found


def fit_categorical(
    context: Context,
    name: str,
    observations: Observations,
    labels: Sequence[str],
) -> Categorical:
    """Shares of labels; `observations.x` holds indices into `labels`, ties are ordered by label."""
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    codes = observations.x.astype(int)
    sums = _sums_by_label(observations, resampler, codes, len(labels))
    totals = sums.sum(0)
    replicates, left_out = resampler.replicate(sums), resampler.jackknife(sums)
    with np.errstate(all="ignore"):
        boot, jack = replicates / replicates.sum(1, keepdims=True), left_out / left_out.sum(1, keepdims=True)
    n, n_with, n_without = _clusters_by_label(observations, codes, len(labels))
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
    n_counts = int(counts.max()) + 1
    resampler = Resampler(observations, seed=context.seed, name=name, replicates=context.bootstrap)
    sums = np.column_stack(
        [
            np.bincount(resampler.group, observations.weight, resampler.n_groups),
            _sums_by_label(observations, resampler, counts, n_counts),
        ]
    )
    totals = sums.sum(0)
    with np.errstate(all="ignore"):
        boot, jack = (x[:, 1:] / x[:, :1] for x in [resampler.replicate(sums), resampler.jackknife(sums)])
    n, n_with, n_without = _clusters_by_label(observations, counts, n_counts)
    return Counts(
        probabilities=tuple(
            share_estimate(
                float(totals[i + 1] / totals[0]), int(n_with[i]), int(n_without[i]), n, boot[:, i], jack[:, i]
            )
            for i in range(n_counts)
        )
    )


def _sums_by_label(observations: Observations, resampler: Resampler, codes: I64, n_labels: int) -> F64:
    """(n_groups, n_labels) weight of each label in each group of clusters."""
    cells = resampler.group * n_labels + codes
    flat = np.bincount(cells, observations.weight, resampler.n_groups * n_labels)
    return np.asarray(flat, float).reshape(-1, n_labels)


def _clusters_by_label(observations: Observations, codes: I64, n_labels: int) -> tuple[int, I64, I64]:
    """Number of clusters, of those that hold each label (n_labels,), and of those that hold another one."""
    clusters, position = present(observations.cluster)
    n = len(clusters)
    cluster_of, label_of = np.divmod(occurring(position * n_labels + codes), n_labels)
    n_with = np.bincount(label_of, minlength=n_labels)
    alone = np.bincount(cluster_of, minlength=n)[cluster_of] == 1  # clusters that hold one label only
    return n, n_with, n - np.bincount(label_of[alone], minlength=n_labels)
