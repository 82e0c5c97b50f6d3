"""Cells: a million per strategy within the bounds, and the distributions that they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from generator_bundles import SKEW_RATE, full_bundle
from scipy import stats

from xtalpriors.crystal.cells.cell import cell_volumes
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.config import CELL_STRATEGIES, configure
from xtalpriors.generator.generate import Generator
from xtalpriors.generator.kernels.cell import cells
from xtalpriors.generator.kernels.random import new_stream
from xtalpriors.generator.reference.cells import draw_cell, second_length_range
from xtalpriors.generator.reference.reference import Reference
from xtalpriors.priors.bundle import published_bundle

LOW, HIGH, RATIO = 4.0, 10.0, 1.8


def _cells(n: int, seed: int = 3, **options: object) -> np.ndarray:
    generator = Generator(full_bundle(), configure(**options), seed)
    return cells(generator.specification.spec.cell, new_stream(generator.key), 0, n)


@pytest.mark.parametrize("strategy", [c for c in CELL_STRATEGIES if c != "fitted"])
def test_a_million_cells_stay_within_the_bounds(strategy: str) -> None:
    drawn = _cells(1_000_000, cell=strategy)
    lengths, beta = drawn[:, :3], drawn[:, 4]
    assert lengths.min() >= LOW
    assert lengths.max() <= HIGH
    assert beta.min() >= 90.0
    assert beta.max() <= 125.0 + 1e-9
    assert (drawn[:, [3, 5]] == 90.0).all()
    # there was something to violate: cells come within a thousandth of each bound
    assert lengths.min() < LOW + 0.01
    assert lengths.max() > HIGH - 0.01
    assert beta.max() > 124.0


@pytest.mark.parametrize("ratios", ["uniform", "exponential"])
def test_ratios_before_skewing_stay_below_r(ratios: str) -> None:
    drawn = _cells(300_000, space_group="P 2 2 2", cell="volume-lognormal", ratios=ratios)
    ordered = np.sort(drawn[:, :3], axis=1)
    for upper, lower in ((1, 0), (2, 1)):
        ratio = ordered[:, upper] / ordered[:, lower]
        assert ratio.max() <= RATIO + 1e-12
        assert ratio.max() > RATIO - 0.01
        assert ratio.min() >= 1.0
    # a permutation: every axis is the longest equally often
    counts = np.bincount(np.argmax(drawn[:, :3], axis=1), minlength=3)
    assert abs(counts - 100_000).max() < 1500


def test_equation_13_as_printed_breaks_the_order() -> None:
    rng = np.random.default_rng(1)
    rules = Reference(published_bundle(), configure(space_group="P 2 2 2")).rules.cell
    shorter = below = 0
    n = 20_000
    for _ in range(n):
        volume = rng.lognormal(6.04, 0.394)
        if not 64.0 < volume < 1000.0:
            continue
        root = volume ** (1 / 3)
        a1 = rng.uniform(max(LOW, volume / HIGH**2, root / RATIO, np.sqrt(volume / (RATIO * HIGH))), root)
        low, corrected = second_length_range(volume, a1, rules)
        a2 = rng.uniform(low, min(HIGH, RATIO * a1))  # eq. 13 as printed
        shorter += volume / (a1 * a2) < a2
        below += volume / (a1 * a2) < LOW
        assert volume / (a1 * corrected) >= corrected - 1e-9
    assert 0.5 < shorter / n < 0.6  # the design's 55 %
    assert 0.001 < below / n < 0.008  # and 0.35 %


def test_volumes_follow_the_log_normal_cut_to_the_bounds() -> None:
    volumes = cell_volumes(_cells(100_000, cell="volume-lognormal"))
    whole = stats.lognorm(0.394, scale=np.exp(6.04))
    low, high = whole.cdf([LOW**3, HIGH**3])
    assert stats.kstest(volumes, lambda v: (whole.cdf(v) - low) / (high - low)).statistic < 1.95 / np.sqrt(
        1e5
    )


def test_volumes_and_lengths_are_uniform_where_they_should_be() -> None:
    volumes = cell_volumes(_cells(100_000, cell="volume-uniform"))
    assert stats.kstest(volumes, stats.uniform(160, 840).cdf).statistic < 1.95 / np.sqrt(1e5)
    lengths = _cells(100_000, cell="axes-uniform")[:, :3]  # lengths kept (eq. 16)
    for column in lengths.T:
        assert stats.kstest(column, stats.uniform(4, 6).cdf).statistic < 1.95 / np.sqrt(1e5)


def test_the_empirical_table_of_volumes_is_followed() -> None:
    volumes = cell_volumes(_cells(100_000, cell="volume-empirical"))
    shares = np.linspace(0, 1, 33)  # the table of `full_bundle`, linear between its points
    distance = stats.kstest(volumes, lambda v: np.interp(v, 100 + 900 * shares**2, shares)).statistic
    assert distance < 1.95 / np.sqrt(1e5)


def test_an_exponential_skew_follows_its_rate_where_the_length_leaves_room() -> None:
    drawn = _cells(200_000, cell="axes-uniform", skew="exponential")  # lengths kept: only β_max cuts
    skew = np.tan(np.radians(drawn[:, 4] - 90.0))
    top = np.tan(np.radians(35))
    expected = stats.truncexpon(b=SKEW_RATE * top, scale=1 / SKEW_RATE)
    assert stats.kstest(skew, expected.cdf).statistic < 1.95 / np.sqrt(2e5)


def test_equation_16_keeps_lengths_and_equation_14_keeps_the_volume() -> None:
    options = {"cell": "volume-uniform", "volume_min_angstrom3": 300.0, "volume_max_angstrom3": 300.0001}
    kept = cell_volumes(_cells(1000, keep="volume", **options))
    assert np.allclose(kept, 300.0, rtol=1e-5)
    lengths = _cells(1000, keep="lengths", **options)
    assert np.allclose(lengths[:, :3].prod(axis=1), 300.0, rtol=1e-5)
    assert cell_volumes(lengths).max() < 300.0001


def test_triclinic_angles_of_equation_17_and_its_extension() -> None:
    drawn = _cells(50_000, space_group="P -1")
    assert drawn[:, 3].max() <= 90.0  # eq. 17 cannot give an obtuse α
    assert drawn[:, 4:].min() >= 90.0
    extended = _cells(50_000, space_group="P -1", skew_b_against_c=True, skew="exponential")
    assert (extended[:, 3] > 90.0).mean() > 0.5
    assert extended[:, :3].max() <= HIGH
    assert np.isfinite(cell_volumes(extended)).all()


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "volume-lognormal"},
        {"cell": "axes-uniform"},
        {"cell": "volume-lognormal", "ratios": "exponential", "skew": "exponential"},
        {"cell": "volume-uniform", "space_group": "P -1", "skew_b_against_c": True},
        {"cell": "volume-lognormal", "space_group": "P 6/m m m"},
        {"cell": "volume-lognormal", "space_group": "I 4/m", "ratios": "exponential"},
        {"cell": "volume-lognormal", "space_group": "R -3:R"},
        {"cell": "volume-uniform", "space_group": "P m -3"},
    ],
    ids=str,
)
def test_kernels_and_reference_draw_the_same_cells(options: dict[str, object]) -> None:
    fast = _cells(20_000, **options)
    reference = Reference(full_bundle(), configure(**options))
    rng = np.random.default_rng(11)
    slow = np.array([draw_cell(reference.rules.cell, rng).parameters for _ in range(3000)])
    for name, a, b in [
        *((f"column {k}", fast[:, k], slow[:, k]) for k in range(6)),
        ("volume", cell_volumes(fast), cell_volumes(slow)),
    ]:
        if np.ptp(a) == 0:
            assert np.allclose(b, a[0], atol=1e-9), name
            continue
        # 8 cases × at most 7 columns: 1e-4 each keeps the whole test below 0.6 %
        assert stats.ks_2samp(a, b).pvalue > 1e-4, name


def test_a_strategy_without_its_prior_says_so() -> None:
    for options, word in (
        ({"ratios": "exponential"}, "axis_ratio.middle_over_shortest"),
        ({"skew": "exponential"}, "exponential"),
        ({"cell": "volume-empirical"}, "empirical"),
        ({"space_group": "P 1", "skew": "exponential"}, "triclinic_skew"),
        ({"skew_convention": "least_oblique"}, "least_oblique"),
    ):
        with pytest.raises(XtalpriorsError, match=word):
            Generator(published_bundle(), configure(**options), 1)
