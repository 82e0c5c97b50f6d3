"""Maximum likelihood against scipy's numeric optimum, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from xtalpriors.priors.fitting.maximum_likelihood import (
    exponential,
    gamma,
    lognormal,
    truncated_normal,
    zero_inflated_beta,
)
from xtalpriors.priors.fitting.rivals import laplace, weibull


def solved(family, x):
    return family.solve(family.statistics(x).mean(axis=0))


def test_lognormal_is_mean_and_population_deviation_of_the_logarithms() -> None:
    x = np.exp([1.0, 2.0, 3.0, 6.0])  # by hand: mean 3, squares 4 + 1 + 0 + 9 over 4
    assert solved(lognormal(), x) == pytest.approx([3.0, np.sqrt(3.5)])
    shape, location, scale = stats.lognorm.fit(x, floc=0)
    assert (location, np.log(scale), shape) == pytest.approx((0, 3.0, np.sqrt(3.5)), rel=1e-4)


def test_gamma_beta_and_weibull_agree_with_scipy() -> None:
    rng = np.random.default_rng(11)
    x = rng.gamma(2.3, 4.0, 4000)
    shape, _, scale = stats.gamma.fit(x, floc=0)
    assert solved(gamma(), x) == pytest.approx([shape, scale], rel=1e-6)
    y = rng.beta(5, 7, 4000)
    a, b, _, _ = stats.beta.fit(y, floc=0, fscale=1)
    found = solved(zero_inflated_beta(), np.concatenate([y, np.zeros(1000)]))
    assert found == pytest.approx([0.2, a, b], rel=1e-6)
    fit = weibull().fit(x, np.ones_like(x))
    c, _, scale = stats.weibull_min.fit(x, floc=0)
    assert fit is not None
    p = np.array([0.05, 0.5, 0.95])
    np.testing.assert_allclose(fit.quantile(p), stats.weibull_min(c, scale=scale).ppf(p), rtol=1e-4)
    np.testing.assert_allclose(
        fit.log_prob(x[:9]), stats.weibull_min(c, scale=scale).logpdf(x[:9]), rtol=1e-3
    )


def test_laplace_agrees_with_scipy() -> None:
    x = stats.laplace(0.3, 0.02).rvs(999, random_state=2)
    fit = laplace().fit(x, np.ones_like(x))
    theirs = stats.laplace(*stats.laplace.fit(x))
    assert fit is not None
    p = np.array([0.01, 0.4, 0.5, 0.99])
    np.testing.assert_allclose(fit.quantile(p), theirs.ppf(p), rtol=1e-6)
    np.testing.assert_allclose(fit.cdf(x[:9]), theirs.cdf(x[:9]), rtol=1e-6)


@pytest.mark.parametrize("rate", [-40.0, -3.0, 0.0, 0.4, 6.0, 250.0])
def test_truncated_exponential_is_the_numeric_optimum(rate: float) -> None:
    steep = max(abs(rate), 1e-6)
    x = 1 + 0.8 * stats.truncexpon(steep).rvs(3000, random_state=1) / steep
    x = 2.8 - x if rate < 0 else x

    def loss(t: float) -> float:  # density t·exp(−t(x − 1)) / (1 − exp(−0.8 t))
        norm = np.log(abs(-np.expm1(-0.8 * t) / t)) if t != 0 else np.log(0.8)
        return float(t * (x - 1).mean() + norm)

    best = optimize.minimize_scalar(loss, bracket=(rate / 0.8 - 1, rate / 0.8 + 1))
    assert solved(exponential(1.0, 1.8), x)[0] == pytest.approx(best.x, rel=1e-4, abs=1e-4)


def test_unbounded_exponential_is_one_over_the_mean() -> None:
    assert solved(exponential(1.0, None), np.array([1.5, 2.0, 2.5])) == pytest.approx([1.0])


@pytest.mark.parametrize(("mean", "sd", "low", "high"), [(14, 5, 7, 22), (12, 6, 0, None), (-2, 1.5, 0, 3)])
def test_truncated_normal_is_the_numeric_optimum(
    mean: float, sd: float, low: float, high: float | None
) -> None:
    upper = np.inf if high is None else high
    x = stats.truncnorm.rvs((low - mean) / sd, (upper - mean) / sd, mean, sd, size=4000, random_state=5)

    def loss(p):
        m, s = p[0], np.exp(p[1])
        return -stats.truncnorm.logpdf(x, (low - m) / s, (upper - m) / s, m, s).mean()

    best = optimize.minimize(
        loss, [mean, np.log(sd)], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}
    )
    found = solved(truncated_normal(low, high), x)
    assert found == pytest.approx([best.x[0], np.exp(best.x[1])], rel=2e-3)
    assert loss([found[0], np.log(found[1])]) <= best.fun + 1e-9


def test_solvers_take_many_data_sets_at_once() -> None:
    rng = np.random.default_rng(0)
    for family, data in (
        (lognormal(), rng.lognormal(0, 1, (7, 50))),
        (gamma(), rng.gamma(2, 1, (7, 50))),
        (exponential(0, 5), rng.uniform(0, 5, (7, 50))),
        (truncated_normal(0, None), rng.normal(9, 2, (7, 50))),
        (zero_inflated_beta(), rng.beta(2, 2, (7, 50))),
    ):
        means = np.stack([family.statistics(row).mean(axis=0) for row in data])
        together = family.solve(means)
        for row, alone in zip(data, together, strict=True):
            np.testing.assert_allclose(solved(family, row), alone, rtol=1e-10)


@pytest.mark.parametrize("family", [lognormal(), gamma(), truncated_normal(0, None), zero_inflated_beta()])
def test_equal_values_have_no_maximum(family) -> None:
    assert not np.all(np.isfinite(solved(family, np.full(60, 0.25))))
