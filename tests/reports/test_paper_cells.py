"""The distributions of eqs 1–15 against other ways to the same numbers (doi 10.1107/S2053273325009428)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.signal import fftconvolve
from scipy.stats import ks_2samp, kstest, lognorm

from xtalpriors.errors import UsageError
from xtalpriors.generator.config import GeneratorConfig
from xtalpriors.generator.generate import Generator
from xtalpriors.priors.bundle import published_bundle
from xtalpriors.reports.paper_cells import (
    CellBounds,
    expected_cells,
    monoclinic_angle_density,
    uniform_length_volume_cdf,
    uniform_length_volume_density,
)


@pytest.mark.parametrize("limits", [(4.0, 10.0), (4.0, 50.0)])
def test_density_is_the_convolution_of_equation_5(limits: tuple[float, float]) -> None:
    low, high = limits
    step = 1e-4
    b = np.arange(np.log(low) + step / 2, np.log(high), step)
    f_b = np.exp(b) / (high - low)
    f_c = fftconvolve(fftconvolve(f_b, f_b), f_b) * step**2
    c = 3 * b[0] + step * np.arange(len(f_c))
    # Compared in C = ln V, where the convolution lives; its own error is of the order of the step.
    got = uniform_length_volume_density(np.exp(c), low, high) * np.exp(c)
    assert np.max(np.abs(got - f_c)) < 1e-3 * f_c.max()


@pytest.mark.parametrize("limits", [(4.0, 10.0), (4.0, 50.0)])
def test_distribution_of_a_million_products(limits: tuple[float, float]) -> None:
    rng = np.random.default_rng(20260101)
    volumes = rng.uniform(*limits, size=(1_000_000, 3)).prod(axis=1)
    # D of n = 10⁶ exceeds 1.95e-3 once in a thousand samples of the right distribution.
    assert kstest(volumes, lambda v: uniform_length_volume_cdf(v, *limits)).statistic < 1.95e-3


@settings(max_examples=30, deadline=None)
@given(low=st.floats(1.0, 20.0), factor=st.floats(1.2, 20.0))
def test_normalised_and_of_the_right_moments(low: float, factor: float) -> None:
    high = low * factor
    knots = [low**3, low**2 * high, low * high**2, high**3]

    def moment(power: int) -> float:
        def integrand(c: float) -> float:
            v = np.exp(c)
            return float(uniform_length_volume_density(v, low, high)) * v ** (power + 1)

        return sum(quad(integrand, *np.log(pair), epsabs=0, epsrel=1e-10)[0] for pair in pairwise(knots))

    assert moment(0) == pytest.approx(1, rel=1e-8)
    # Lengths are independent: the mean volume is the cube of the mean length.
    assert moment(1) == pytest.approx(((low + high) / 2) ** 3, rel=1e-8)
    assert moment(2) == pytest.approx(((high**3 - low**3) / (3 * (high - low))) ** 3, rel=1e-8)


def test_hand_values() -> None:
    # At v = a_min² a_max two of the B-spline's pieces meet in N₃(1) = 1/2: f = (ln 2.5)² / (2·6³).
    assert uniform_length_volume_density(160.0, 4, 10) == pytest.approx(np.log(2.5) ** 2 / (2 * 216))
    assert uniform_length_volume_density([63.9, 1000.1, 0.0, -5.0], 4, 10).tolist() == [0, 0, 0, 0]
    assert uniform_length_volume_cdf([64.0, 1000.0], 4, 10) == pytest.approx([0, 1], abs=1e-12)
    with pytest.raises(UsageError, match="10 Å to 4 Å"):
        uniform_length_volume_density(100.0, 10, 4)


def test_expected_cells_keep_every_bound() -> None:
    bounds = CellBounds(4, 10)
    cells = expected_cells(6.04, 0.394, bounds)
    first, second, third = cells.sorted_lengths_angstrom.T
    slack = 1e-9
    assert len(first) == 200_000
    assert first.min() >= 4 - slack and third.max() <= 10 + slack
    assert np.all(first <= second + slack) and np.all(second <= third + slack)
    assert max((second / first).max(), (third / second).max()) <= 1.8 + slack
    assert np.allclose(first * second * third, cells.volume_angstrom3)
    # The volumes are those of the truncated log-normal (the lattice's D is far below a sample's 0.004).
    law = lognorm(0.394, scale=np.exp(6.04))
    inside = law.cdf(1000) - law.cdf(64)
    assert kstest(cells.volume_angstrom3, lambda v: (law.cdf(v) - law.cdf(64)) / inside).statistic < 1e-4


def test_angle_of_a_uniform_skew() -> None:
    rng = np.random.default_rng(7)
    cells = expected_cells(6.04, 0.394, CellBounds(4, 10), n=100_000)
    limit = np.tan(np.radians(35))
    own = np.minimum(limit, np.sqrt(100 / cells.c_angstrom**2 - 1))
    beta = np.linspace(90, 125, 35_001)
    for c, skew in [(None, rng.uniform(0, limit, 100_000)), (cells.c_angstrom / 10, rng.uniform(0, own))]:
        density = monoclinic_angle_density(beta, 125, c)
        cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(beta))])
        assert cdf[-1] == pytest.approx(1, abs=1e-3)
        drawn = 90 + np.degrees(np.arctan(skew))
        # 1e5 draws: D exceeds 0.0062 once in a thousand.
        assert kstest(drawn, lambda x, cdf=cdf: np.interp(x, beta, cdf)).statistic < 0.0062
    # The length bound takes from the large angles, as the paper's Fig. 3 shows.
    assert monoclinic_angle_density(95, 125, cells.c_angstrom / 10) > monoclinic_angle_density(95, 125)
    assert monoclinic_angle_density(124, 125, cells.c_angstrom / 10) < monoclinic_angle_density(124, 125)


def test_the_lattice_rule_is_what_the_generator_draws() -> None:
    """Two implementations of eqs 6–15, a lattice and random numbers, describe the same cells."""
    generator = Generator(published_bundle(), GeneratorConfig(cell="volume-lognormal", filling="random"), 5)
    drawn = generator.batch(0, 20_000).cell
    # The skew of eq. 14 keeps a, b and the height of c over a: c sin β is the length before it.
    orthogonal = np.sort(
        np.column_stack([drawn[:, :2], drawn[:, 2] * np.sin(np.radians(drawn[:, 4]))]), axis=1
    )
    nodes = expected_cells(6.04, 0.394, CellBounds(4, 10))
    rule = nodes.sorted_lengths_angstrom
    # D of 20,000 draws exceeds 0.0138 once in a thousand.
    for k in range(3):
        assert ks_2samp(orthogonal[:, k], rule[:, k]).statistic < 0.0138
    for k in (1, 2):
        got, expected = orthogonal[:, k] / orthogonal[:, k - 1], rule[:, k] / rule[:, k - 1]
        assert ks_2samp(got, expected).statistic < 0.0138
    beta = np.linspace(90, 125, 7001)
    density = monoclinic_angle_density(beta, 125, nodes.c_angstrom / 10)
    cdf = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(beta))])
    assert kstest(drawn[:, 4], lambda x: np.interp(x, beta, cdf)).statistic < 0.0138
