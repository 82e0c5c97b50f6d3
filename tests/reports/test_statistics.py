"""Intervals, bins and distances against scipy, published numbers and hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from xtalpriors.reports.statistics import (
    kolmogorov_distance,
    kolmogorov_fit,
    nice_edges,
    total_variation,
    wasserstein,
    weighted_quantile,
    wilson,
)


@pytest.mark.parametrize(("count", "n"), [(0, 10), (10, 10), (7, 41), (2268, 3086)])
def test_wilson_is_scipys(count: int, n: int) -> None:
    expected = stats.binomtest(count, n).proportion_ci(0.95, method="wilson")
    got = wilson(count, n)
    assert got == pytest.approx((count / n, expected.low, expected.high), abs=1e-12)


def test_wilson_of_nothing_is_everything() -> None:
    value, low, high = wilson(0, 0)
    assert np.isnan(value) and (low, high) == (0, 1)


@settings(max_examples=100, deadline=None)
@given(
    values=st.lists(st.floats(-50, 900), min_size=0, max_size=300),
    high=st.floats(10, 1000),
    bins=st.tuples(st.integers(3, 10), st.integers(20, 60)),
)
def test_bins_cover_the_range_and_are_neither_few_nor_many(
    values: list[float], high: float, bins: tuple[int, int]
) -> None:
    edges = nice_edges(values, 0.0, high, bins=bins)
    widths = np.diff(edges)
    assert edges[0] <= 0 and edges[-1] >= high * (1 - 1e-9)
    assert np.allclose(widths, widths[0])
    # The width is rounded up by less than 2.5 times, and the ends may add a bin.
    assert bins[0] / 2.5 - 1 <= len(widths) <= bins[1] + 2
    digits = f"{widths[0]:.3e}".split("e")[0]
    assert digits in {"1.000", "2.000", "2.500", "5.000"}


def test_distances_are_scipys_without_weights() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=400), rng.normal(0.3, 1.2, size=250)
    assert kolmogorov_distance(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)
    assert wasserstein(a, b) == pytest.approx(stats.wasserstein_distance(a, b))
    assert kolmogorov_fit(a, stats.norm.cdf) == pytest.approx(stats.kstest(a, "norm").statistic)


def test_a_weight_of_two_is_the_value_twice() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=60), rng.normal(0.5, 1, size=80)
    weights = rng.integers(1, 4, size=60)
    repeated = np.repeat(a, weights)
    assert kolmogorov_distance(a, b, weights) == pytest.approx(kolmogorov_distance(repeated, b))
    assert wasserstein(a, b, weights) == pytest.approx(stats.wasserstein_distance(a, b, weights))
    assert kolmogorov_fit(a, stats.norm.cdf, weights) == pytest.approx(
        kolmogorov_fit(repeated, stats.norm.cdf)
    )
    assert weighted_quantile(a, 0.3, weights) == np.sort(repeated)[int(np.ceil(0.3 * len(repeated))) - 1]


def test_nothing_to_compare_is_nan_not_zero() -> None:
    assert np.isnan(kolmogorov_distance([], [1.0]))
    assert np.isnan(wasserstein([1.0], []))
    assert np.isnan(kolmogorov_fit([], stats.norm.cdf))
    assert np.isnan(weighted_quantile([], 0.5))


def test_total_variation_by_hand() -> None:
    # The paper's database against its own sampling: 8.0 points leave `none`, 2.9 and 5.1 arrive.
    assert total_variation([0.735, 0.201, 0.064], [0.815, 0.172, 0.013]) == pytest.approx(0.08)


@pytest.mark.parametrize("n", [3, 6, 7, 10, 49])
def test_a_quantile_between_two_values_does_not_hang_on_rounding(n: int) -> None:
    """k of n equal weights reach the share k/n, however their sum rounds."""
    values = np.arange(1.0, n + 1.0)
    for k in range(1, n + 1):
        assert weighted_quantile(values, k / n, np.full(n, 1 / n)) == k
    assert weighted_quantile([5.0, 1.0], 0.0) == 1.0
