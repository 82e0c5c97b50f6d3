"""Effect sizes against scipy, and rivals that win where they should."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy import stats

from xtalpriors.priors.distributions.distribution import LogNormal, ZeroInflatedBeta, fixed
from xtalpriors.priors.fitting.goodness import goodness_of_fit, ks_distance, thinned, wasserstein_distance
from xtalpriors.priors.fitting.maximum_likelihood import exponential, gamma, lognormal
from xtalpriors.priors.fitting.rivals import Candidate, from_family, uniform, weibull


def test_distances_agree_with_scipy() -> None:
    x = np.random.default_rng(0).gamma(4, 100, 3000)
    fit = LogNormal(mu=fixed(5.9), sigma=fixed(0.5))
    points, weights = thinned(x, np.ones_like(x))
    theirs = stats.lognorm(0.5, scale=np.exp(5.9))
    assert ks_distance(points, weights, fit) == pytest.approx(
        stats.kstest(x, theirs.cdf).statistic, abs=1e-12
    )
    grid = theirs.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert wasserstein_distance(points, weights, fit) == pytest.approx(
        stats.wasserstein_distance(x, grid), rel=0.01
    )


def test_distances_of_weighted_values_are_those_of_repeated_ones() -> None:
    rng = np.random.default_rng(3)
    x, times = rng.gamma(4, 100, 800), rng.integers(1, 6, 800)
    fit, theirs = LogNormal(mu=fixed(5.9), sigma=fixed(0.5)), stats.lognorm(0.5, scale=np.exp(5.9))
    points, weights = thinned(x, times.astype(float))
    repeated = np.repeat(x, times)
    assert ks_distance(points, weights, fit) == pytest.approx(stats.kstest(repeated, theirs.cdf).statistic)
    grid = theirs.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert wasserstein_distance(points, weights, fit) == pytest.approx(
        stats.wasserstein_distance(x, grid, u_weights=times), rel=0.01
    )


@dataclass(frozen=True)
class Memory:
    """A fit that knows the values it was given by heart, and finds every other one improbable."""

    seen: np.ndarray

    def log_prob(self, x: ArrayLike) -> np.ndarray:
        return np.where(np.isin(x, self.seen), 0.0, -10.0)

    def cdf(self, x: ArrayLike) -> np.ndarray:
        return np.zeros(np.shape(x))

    def quantile(self, p: ArrayLike) -> np.ndarray:
        return np.zeros(np.shape(p))


def test_held_out_values_were_not_seen_nor_was_any_of_their_cluster() -> None:
    """40 clusters whose 6 determinations agree: learning by heart must earn nothing, and weights count."""
    cluster = np.repeat(np.arange(40), 6)
    by_heart = Candidate("memory", lambda x, weight: Memory(x))
    found = goodness_of_fit(
        cluster.astype(float), np.ones(240), cluster, [by_heart], rng=np.random.default_rng(0)
    )
    assert found is not None
    assert found.held_out_log_likelihood == -10.0


def test_held_out_values_count_by_their_weight() -> None:
    """Half of the values, which hold 9 of 10 parts of the weight, have the log density −1, the others −3."""
    x = np.repeat([1.0, 2.0], 50) + np.arange(100) / 1000
    weight = np.where(x < 2, 0.9 / 50, 0.1 / 50)

    class Fixed(Memory):
        def log_prob(self, x: ArrayLike) -> np.ndarray:
            return np.where(np.asarray(x) < 2, -1.0, -3.0)

    known = Candidate("known", lambda x, weight: Fixed(x))
    found = goodness_of_fit(x, weight, np.arange(100), [known], rng=np.random.default_rng(0))
    assert found is not None
    assert found.held_out_log_likelihood == pytest.approx(-1 * 0.9 - 3 * 0.1)


def test_a_step_that_both_have_is_no_distance() -> None:
    fit = ZeroInflatedBeta(p_zero=fixed(0.5), a=fixed(1), b=fixed(1))
    x = np.concatenate([np.zeros(1000), (np.arange(1000) + 0.5) / 1000])
    assert ks_distance(*thinned(x, np.ones(2000)), fit) < 0.001
    assert wasserstein_distance(*thinned(x, np.ones(2000)), fit) < 0.001


def test_thinning_keeps_mean_and_weight() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.lognormal(0, 1, 100_000), rng.random(100_000)
    points, weights = thinned(x, weight)
    assert len(points) <= 20_000
    assert weights.sum() == pytest.approx(weight.sum())
    assert weights @ points == pytest.approx(weight @ x)
    assert np.all(np.diff(points) >= 0)


@pytest.mark.parametrize(
    ("draw", "winner"),
    [
        (lambda rng: rng.lognormal(6, 0.6, 4000), "lognormal"),
        (lambda rng: rng.gamma(2.0, 100, 4000), "gamma"),
        (lambda rng: 100 * rng.weibull(3.0, 4000), "weibull"),
    ],
)
def test_the_family_that_the_values_come_from_predicts_best(draw, winner: str) -> None:
    x = draw(np.random.default_rng(1))
    candidates = [from_family(lognormal()), from_family(gamma()), weibull()]
    found = goodness_of_fit(x, np.ones(4000), np.arange(4000), candidates, rng=np.random.default_rng(0))
    assert found is not None
    assert found.best_family == winner
    assert found.rivals[0].family == winner
    scores = [r.held_out_log_likelihood for r in found.rivals]
    assert scores == sorted(scores, reverse=True)


def test_held_out_likelihood_is_the_entropy_of_the_right_family() -> None:
    """The mean log density of log-normal values under their own law is −(μ + ½ ln 2πe σ²)."""
    x = np.random.default_rng(2).lognormal(6.04, 0.394, 50_000)
    found = goodness_of_fit(
        x, np.ones(50_000), np.arange(50_000), [from_family(lognormal())], rng=np.random.default_rng(0)
    )
    assert found is not None
    assert found.held_out_log_likelihood == pytest.approx(
        -(6.04 + 0.5 * np.log(2 * np.pi * np.e * 0.394**2)), abs=4 / np.sqrt(50_000)
    )


def test_the_exponential_beats_the_uniform_on_exponential_ratios() -> None:
    x = 1 + stats.truncexpon(0.8 * 4, scale=1 / 4).rvs(500, random_state=1)
    candidates = [from_family(exponential(1.0, 1.8)), uniform(1.0, 1.8)]
    found = goodness_of_fit(x, np.ones(500), np.arange(500), candidates, rng=np.random.default_rng(0))
    assert found is not None
    assert found.best_family == "exponential"
