"""Every family against scipy.stats, an independent implementation of the same formulae."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import integrate, stats

from xtalpriors.priors.distributions.distribution import (
    Categorical,
    Constant,
    Counts,
    Distribution,
    Empirical,
    Exponential,
    Gamma,
    Histogram,
    LogNormal,
    TruncatedNormal,
    Uniform,
    ZeroInflatedBeta,
    fixed,
)

CASES: list[tuple[Any, Any]] = [
    (LogNormal(mu=fixed(6.04), sigma=fixed(0.394)), stats.lognorm(0.394, scale=np.exp(6.04))),
    (Uniform(low=7, high=22), stats.uniform(7, 15)),
    (Exponential(rate=fixed(3.5), low=1.0, high=None), stats.expon(1.0, 1 / 3.5)),
    (Exponential(rate=fixed(3.5), low=1.0, high=1.8), stats.truncexpon(0.8 * 3.5, 1.0, 1 / 3.5)),
    (Gamma(shape=fixed(2.7), scale=fixed(5.1)), stats.gamma(2.7, scale=5.1)),
    (
        TruncatedNormal(mean=fixed(14), sd=fixed(5), low=7, high=22),
        stats.truncnorm((7 - 14) / 5, (22 - 14) / 5, 14, 5),
    ),
    (TruncatedNormal(mean=fixed(-30), sd=fixed(5), low=0, high=None), stats.truncnorm(6, np.inf, -30, 5)),
    (TruncatedNormal(mean=fixed(1), sd=fixed(2), low=None, high=None), stats.norm(1, 2)),
]


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=lambda c: getattr(c, "family", ""))
def test_continuous_families_agree_with_scipy(ours: Any, theirs: Any) -> None:
    p = np.linspace(0.001, 0.999, 101)
    x = theirs.ppf(p)
    np.testing.assert_allclose(ours.quantile(p), x, rtol=1e-9)
    np.testing.assert_allclose(ours.cdf(x), p, rtol=1e-8)
    np.testing.assert_allclose(ours.log_prob(x), theirs.logpdf(x), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=lambda c: getattr(c, "family", ""))
def test_samples_follow_the_distribution(ours: Any, theirs: Any) -> None:
    x = ours.sample(20_000, rng=np.random.default_rng(3))
    assert stats.kstest(x, theirs.cdf).statistic < 1.63 / np.sqrt(20_000)  # the 1 % point
    again = ours.sample(20_000, rng=np.random.default_rng(3))
    np.testing.assert_array_equal(x, again)


@given(rate=st.floats(-60, 60), low=st.floats(-3, 3), span=st.floats(0.05, 10))
@settings(max_examples=60, deadline=None)
def test_truncated_exponential_integrates_to_one_and_to_its_distribution_function(
    rate: float, low: float, span: float
) -> None:
    family = Exponential(rate=fixed(rate), low=low, high=low + span)
    middle = low + 0.3 * span
    edge = low if rate > 0 else low + span

    def density(x: float) -> float:
        return float(np.exp(family.log_prob(x)))

    near = [edge, edge + np.sign(low + 0.5 * span - edge) * min(span, 1 / max(abs(rate), 1e-9))]
    points = sorted(float(np.clip(v, low, low + span)) for v in near)
    whole, _ = integrate.quad(density, low, low + span, points=points, limit=200)
    part, _ = integrate.quad(density, low, middle, limit=200)
    assert whole == pytest.approx(1, abs=1e-7)
    assert family.cdf(middle) == pytest.approx(part, abs=1e-7)
    if 1e-6 < part < 1 - 1e-6:  # elsewhere the probability holds too few digits of x
        assert family.quantile(family.cdf(middle)) == pytest.approx(middle, abs=1e-8 * span)


def test_truncated_exponential_is_uniform_at_rate_zero() -> None:
    flat = Exponential(rate=fixed(0.0), low=1, high=3)
    x = np.linspace(1, 3, 9)
    np.testing.assert_allclose(flat.log_prob(x), -np.log(2))
    np.testing.assert_allclose(flat.cdf(x), (x - 1) / 2)
    nearly = Exponential(rate=fixed(1e-7), low=1, high=3)
    np.testing.assert_allclose(nearly.log_prob(x), flat.log_prob(x), atol=1e-6)


def test_zero_inflated_beta_has_its_zeros_and_its_beta() -> None:
    family = ZeroInflatedBeta(p_zero=fixed(0.3), a=fixed(5), b=fixed(6))
    x = np.array([0.1, 0.4, 0.9])
    np.testing.assert_allclose(family.log_prob(x), np.log(0.7) + stats.beta(5, 6).logpdf(x))
    np.testing.assert_allclose(family.cdf(x), 0.3 + 0.7 * stats.beta(5, 6).cdf(x))
    assert family.log_prob(0.0) == pytest.approx(np.log(0.3))
    assert family.cdf(-1e-12) == 0
    assert family.cdf(0.0) == pytest.approx(0.3)
    sample = family.sample(20_000, rng=np.random.default_rng(1))
    assert np.mean(sample == 0) == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 20_000))
    assert stats.kstest(sample[sample > 0], stats.beta(5, 6).cdf).pvalue > 0.001


def test_the_papers_volumes_show_that_0394_is_sigma_and_not_its_square() -> None:
    """Melgalvis & Reķis (2026), doi 10.1107/S2053273325009428, Tables 1 and 2."""
    as_sigma = LogNormal(mu=fixed(6.04), sigma=fixed(0.394))
    as_variance = LogNormal(mu=fixed(6.04), sigma=fixed(np.sqrt(0.394)))
    share = [float(d.cdf(1000) - d.cdf(160)) for d in (as_sigma, as_variance)]
    assert share == pytest.approx([0.979, 0.854], abs=5e-4)


def test_quantile_table_interpolates_and_steps() -> None:
    table = Empirical(probabilities=(0, 0.25, 0.5, 1), values=(0, 0, 2, 4))
    np.testing.assert_allclose(table.quantile([0, 0.1, 0.25, 0.375, 0.75]), [0, 0, 0, 1, 3])
    np.testing.assert_allclose(table.cdf([-1, 0, 1, 2, 3, 4, 9]), [0, 0.25, 0.375, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(np.exp(table.log_prob([1.0, 3.0, 5.0])), [0.125, 0.25, 0])


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=20), st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_quantile_table_inverts_itself(values: list[float], p: float) -> None:
    table = Empirical(probabilities=tuple(np.linspace(0, 1, len(values))), values=tuple(sorted(values)))
    x = float(table.quantile(p))
    assert float(table.cdf(x)) >= p - 1e-9
    below = float(np.nextafter(x, -np.inf))
    assert float(table.cdf(below)) <= p + 1e-9


def test_histogram_skips_empty_bins() -> None:
    histogram = Histogram(edges=(0, 1, 2, 4), density=(0.5, 0, 0.25))
    np.testing.assert_allclose(histogram.quantile([0.25, 0.5, 0.75]), [0.5, 1.0, 3.0])
    np.testing.assert_allclose(histogram.cdf([0.5, 1.5, 3]), [0.25, 0.5, 0.75])
    sample = histogram.sample(5000, rng=np.random.default_rng(0))
    assert not np.any((sample > 1) & (sample < 2))
    assert np.mean(sample > 2) == pytest.approx(0.5, abs=0.03)


def test_labels_and_counts_are_drawn_with_their_shares() -> None:
    shares = Categorical(labels=("C", "O", "N"), shares=(fixed(0.7), fixed(0.2), fixed(0.1)))
    drawn = shares.sample(30_000, rng=np.random.default_rng(0))
    for label, share in (("C", 0.7), ("O", 0.2), ("N", 0.1)):
        assert np.mean(drawn == label) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 30_000))
    assert shares.share("N", "O") == pytest.approx(0.3)
    assert shares.log_prob(["C", "U"]).tolist() == [np.log(0.7), -np.inf]
    counts = Counts(probabilities=(fixed(0.6), fixed(0.1), fixed(0.3)))
    many = counts.sample(30_000, rng=np.random.default_rng(0))
    assert many.mean() == pytest.approx(counts.mean, abs=0.02)
    assert counts.mean == pytest.approx(0.1 + 0.6)
    np.testing.assert_allclose(counts.cdf([-1, 0, 1, 2, 7]), [0, 0.6, 0.7, 1, 1])
    np.testing.assert_allclose(np.exp(counts.log_prob([0, 2, 3, 0.5])), [0.6, 0.3, 0, 0])


def test_constant_is_constant() -> None:
    one = Constant(value=1.0)
    assert set(one.sample(9, rng=np.random.default_rng(0))) == {1.0}
    assert one.cdf([0.9, 1.0]).tolist() == [0, 1]


@pytest.mark.parametrize(
    "content",
    [
        {"family": "cauchy", "x": 1},
        {"family": "lognormal", "mu": {"value": 1}, "sigma": {"value": 0}},
        {"family": "lognormal", "mu": {"value": 1}, "sigma": {"value": 1}, "location": 0},
        {"family": "exponential", "rate": {"value": -1}, "low": 0, "high": None},
        {"family": "uniform", "low": 2, "high": 2},
        {"family": "empirical", "probabilities": [0, 0.5, 1], "values": [1, 3, 2]},
        {"family": "empirical", "probabilities": [0.1, 1], "values": [1, 3]},
        {"family": "categorical", "labels": ["C", "C"], "shares": [{"value": 0.5}, {"value": 0.5}]},
        {"family": "categorical", "labels": ["C"], "shares": [{"value": 0.5}]},
        {"family": "histogram", "edges": [0, 1], "density": [2]},
        {"family": "gamma", "shape": {"value": 1, "low": 2, "high": 1}, "scale": {"value": 1}},
        {"family": "constant", "value": float("nan")},
    ],
)
def test_what_is_no_distribution_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Distribution).validate_python(content)
