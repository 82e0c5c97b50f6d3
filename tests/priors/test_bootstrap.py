"""Intervals cover the truth as often as they say, clusters together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from xtalpriors.priors.fitting.bootstrap import Resampler, bca_interval, share_estimate
from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.maximum_likelihood import exponential, lognormal
from xtalpriors.priors.fitting.observations import Observations
from xtalpriors.priors.fitting.scalars import quantile_table, scalar_of
from xtalpriors.priors.fitting.shares import fit_categorical, fit_counts, fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable

SEEDS = 300


def observations(x: np.ndarray, cluster: np.ndarray | None = None) -> Observations:
    n = len(x)
    cluster = np.arange(n) if cluster is None else cluster
    size = np.bincount(cluster)[cluster]
    weight = (1 / size) / (1 / size).sum()
    return Observations(x, weight, cluster, np.zeros(n, int), n, len(np.unique(cluster)), None)


def covered(inside: list[bool]) -> bool:
    """The count of successes is one that 95 % coverage gives in all but one of 10⁴ runs."""
    low, high = stats.binom(len(inside), 0.95).ppf([5e-5, 1 - 5e-5])
    return low <= sum(inside) <= high


@pytest.fixture(scope="module")
def context(table_of: Callable[..., SubsetTable]) -> Context:
    return Context(table_of(1), None, None, seed=0, bootstrap=500)


def fitted(context: Context, x: np.ndarray, family, cluster: np.ndarray | None = None):
    return scalar_of(context, "x", observations(x, cluster), unit="", convention="", families=[family])


@pytest.mark.slow
def test_intervals_of_lognormal_exponential_median_and_share_are_nominal(context: Context) -> None:
    truth = {"mu": 6.04, "sigma": 0.394, "median": np.exp(6.04), "share": 0.9790156, "rate": 4.0}
    inside: dict[str, list[bool]] = {name: [] for name in truth}
    for seed in range(SEEDS):
        rng = np.random.default_rng([1, seed])
        x = rng.lognormal(6.04, 0.394, 250)
        prior = fitted(context, x, lognormal())
        seen = {"mu": prior.parametric.mu, "sigma": prior.parametric.sigma, "median": prior.median}
        seen["share"] = fit_share(context, "s", observations(x), (x >= 160) & (x <= 1000))
        y = 1 + stats.truncexpon(0.8 * 4, scale=1 / 4).rvs(250, random_state=rng)
        seen["rate"] = fitted(context, y, exponential(1.0, 1.8)).parametric.rate
        for name, estimate in seen.items():
            inside[name].append(bool(estimate.low <= truth[name] <= estimate.high))
    rates = {name: np.mean(values) for name, values in inside.items()}
    share = inside.pop("share")
    assert np.mean(share) > 0.93  # a rare event: exact limits cover at least what they say
    assert all(covered(values) for values in inside.values()), rates


def test_clusters_are_resampled_together(context: Context) -> None:
    """40 copies of each of 60 values: as wide as 60 values; votes of single values would give a sixth."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, 60)
    cluster = np.repeat(np.arange(60), 40)
    copied = scalar_of(context, "x", observations(values[cluster], cluster), unit="", convention="")
    alone = scalar_of(context, "x", observations(values), unit="", convention="")
    assert copied.mean.half_width == pytest.approx(alone.mean.half_width, rel=0.1)
    assert copied.mean.half_width == pytest.approx(1.96 * values.std() / np.sqrt(60), rel=0.15)


def test_many_clusters_are_dealt_into_groups_without_changing_the_width() -> None:
    """20,000 clusters in 1,000 groups: the spread of the mean is σ/√n within 2 %."""
    x = np.random.default_rng(3).exponential(1, 20_000)
    seen = observations(x)
    widths = []
    for seed in range(8):
        resampler = Resampler(seen, seed=seed, name="x", replicates=1000)
        assert resampler.n_groups == 1000
        sums = resampler.sums(np.column_stack([seen.weight, seen.weight * x]))
        totals = resampler.replicate(sums)
        widths.append(np.std(totals[:, 1] / totals[:, 0]))
    assert np.mean(widths) == pytest.approx(x.std() / np.sqrt(20_000), rel=0.03)


def test_bca_of_a_symmetric_bootstrap_is_the_percentile_interval() -> None:
    replicates = stats.norm(5, 2).ppf((np.arange(20_000) + 0.5) / 20_000)
    jackknife = np.array([4.0, 5.0, 6.0])
    low, high = bca_interval(5.0, replicates, jackknife)
    assert (low, high) == pytest.approx((5 - 1.96 * 2, 5 + 1.96 * 2), abs=0.01)
    assert bca_interval(5.0, np.full(100, np.nan), jackknife) is None


def test_bca_limits_of_a_skewed_statistic_are_scipys() -> None:
    """Twenty-five values of an exponential distribution: neither bias nor acceleration is zero."""
    x = np.random.default_rng(0).exponential(1, 25)
    theirs = stats.bootstrap((x,), np.mean, n_resamples=4000, method="BCa", rng=np.random.default_rng(1))
    left_out = (x.sum() - x) / (len(x) - 1)
    limits = bca_interval(x.mean(), theirs.bootstrap_distribution, left_out)
    assert limits == pytest.approx(theirs.confidence_interval, rel=1e-6)


@pytest.mark.parametrize(("k", "n"), [(0, 40), (3, 200), (199, 200), (40, 40)])
def test_rare_shares_have_exact_binomial_limits(k: int, n: int) -> None:
    exact = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    nothing = np.array([k / n] * 10)
    found = share_estimate(k / n, k, n - k, n, nothing, nothing)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_a_share_is_rare_by_its_clusters_not_by_its_structures(context: Context) -> None:
    """A label in 3 of 200 clusters, each determined 12 times: exact limits of 3 of 200, not 36 of 2400."""
    cluster = np.repeat(np.arange(200), 12)
    has = cluster < 3
    exact = stats.binomtest(3, 200).proportion_ci(0.95, "exact")
    share = fit_share(context, "s", observations(has.astype(float), cluster), has)
    labels = fit_categorical(context, "c", observations(has.astype(float), cluster), ["other", "rare"])
    for found in (share, labels.shares[labels.labels.index("rare")]):
        assert found.value == pytest.approx(3 / 200)
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_weighted_values_are_repeated_values() -> None:
    """A value of weight 3 is three values: quantile table, and the smallest value with half of the weight."""
    rng = np.random.default_rng(6)
    x, times = rng.gamma(3, 10, 500), rng.integers(1, 4, 500)
    weighted = quantile_table(x, times.astype(float))
    repeated = quantile_table(np.repeat(x, times), np.ones(times.sum()))
    assert weighted.values == pytest.approx(repeated.values)
    median = np.quantile(x, 0.5, weights=times, method="inverted_cdf")
    assert weighted.quantile(0.5) == pytest.approx(median, rel=0.01)


def test_counts_have_one_probability_each(context: Context) -> None:
    x = np.array([0.0] * 30 + [2.0] * 10)
    counts = fit_counts(context, "n", observations(x))
    assert counts.values == pytest.approx([0.75, 0, 0.25])
    assert counts.probabilities[1].high == pytest.approx(1 - 0.025 ** (1 / 40))


def test_limits_do_not_see_the_last_bits_of_ties() -> None:
    """Shares of few clusters tie with the estimate; how their sums are rounded may not move the limits."""
    rng = np.random.default_rng(4)
    value = 0.3
    replicates = np.append(rng.normal(value, 0.05, 1500), np.full(500, value))
    jackknife = value + (rng.random(40) - 0.5) / 100
    expected = bca_interval(value, replicates, jackknife)
    assert expected is not None
    for factor in (1.0 - 4e-16, 1.0 + 4e-16):
        assert np.sum(replicates * factor == value) < 10
        assert bca_interval(value, replicates * factor, jackknife) == pytest.approx(expected, rel=1e-12)
