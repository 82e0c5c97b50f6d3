"""Maps against the plain Fourier sum, figures of merit by hand, input scales, and the summary."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from crystals import summed_structure_factors
from phasing_crystals import P21C, Oracle, cif_text, structures

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.generator.generate import generate
from xtalpriors.generator.stream import crystal_arrays
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.density import DensityMaps, spread
from xtalpriors.model.scoring.diffraction import ROBUST_FACTOR, calculate, network_input
from xtalpriors.model.scoring.evaluate import evaluate
from xtalpriors.model.scoring.figure_of_merit import agreement, expected_r, positivity, skewness
from xtalpriors.model.scoring.runs import Protocol
from xtalpriors.model.scoring.summary import score, summarise
from xtalpriors.priors.bundle import published_bundle

FIVE = Reflections(P21C, 5)


@pytest.mark.parametrize("number", [2, 14, 61, 15])
def test_spread_covers_the_sphere_once(number: int) -> None:
    reflections = Reflections(SpaceGroup.from_number(number), 4)
    every = spread(reflections)
    assert len(np.unique(every.hkl, axis=0)) == len(every.hkl)
    assert len(every.hkl) == (reflections.multiplicity * reflections.counted).sum()


def test_map_is_the_fourier_sum() -> None:
    """Against Σ F(h) cos 2πh·x over a sphere of calculated F, without symmetry."""
    crystals = structures(cif_text()).crystals
    everything = Reflections(SpaceGroup.from_number(2), 5)  # P-1: F of every h k l by itself
    d = calculate(FIVE, crystals)
    density = DensityMaps(FIVE)(torch.from_numpy(np.where(d.positive, d.magnitudes, -d.magnitudes)))[0]
    points = np.array([[0, 0, 0], [3, 1, 7], [8, 15, 4], [11, 2, 9]])
    p1 = summed_structure_factors(P21C, crystals, 0, everything.hkl).real
    hkl = np.concatenate([everything.hkl[everything.unique], -everything.hkl[everything.unique]])
    f = np.concatenate([p1[everything.unique]] * 2)
    for point in points:
        x = point / np.array(DensityMaps(FIVE).shape)
        expected = (f * np.cos(2 * np.pi * hkl @ x)).sum()
        assert float(density[tuple(point)]) == pytest.approx(expected, rel=1e-3, abs=0.5)


def test_true_map_peaks_at_the_heaviest_atom() -> None:
    crystals = structures(cif_text()).crystals
    d = calculate(FIVE, crystals)
    maps = DensityMaps(FIVE)
    density = maps(torch.from_numpy(np.where(d.positive, d.magnitudes, -d.magnitudes)))[0]
    peak = np.array(np.unravel_index(int(density.argmax()), maps.shape)) / np.array(maps.shape)
    iron = np.array([[0.5, 0, 0.5], [0.5, 0.5, 0.0]])
    assert np.abs((peak - iron + 0.5) % 1 - 0.5).max(axis=1).min() < 0.04


def test_expected_r_and_agreement_by_hand() -> None:
    """p = 3/4 and certainty: (9·½ + 16·1)/25; of |F|² 9 and 16 the first changed its phase: (16 − 9)/25."""
    logits = torch.tensor([[[0.0, 50.0, 0.0], [np.log(3.0), 0.0, 9.0]]])
    amplitudes, counts = torch.tensor([[3.0, 4.0, 7.0]]), torch.tensor([1.0, 1.0, 0.0])
    assert expected_r(logits, amplitudes, counts).item() == pytest.approx((4.5 + 16) / 25)
    before, after = torch.tensor([[True, True, True]]), torch.tensor([[False, True, False]])
    assert agreement(before, after, amplitudes, counts).item() == pytest.approx(7 / 25)


def test_moments_by_hand() -> None:
    """Densities 3, −1, −1, −1: ⟨ρ²⟩ = 3, ⟨ρ³⟩ = 6, and 9 of 12 of the squares are positive."""
    density = torch.tensor([[3.0, -1.0, -1.0, -1.0]], dtype=torch.float64)
    assert skewness(density).item() == pytest.approx(6 / 3**1.5)
    assert positivity(density).item() == pytest.approx(0.75)
    assert torch.isnan(positivity(torch.zeros(1, 4))).all()


def test_density_tells_true_phases_from_random_ones_but_not_from_zero() -> None:
    batch = generate(published_bundle(), None, seed=5, count=40)
    ten = Reflections(P21C, 10)
    d = calculate(ten, crystal_arrays(batch))
    maps = DensityMaps(ten)
    amplitudes, true = torch.from_numpy(d.amplitudes), torch.from_numpy(d.positive)
    flips = torch.from_numpy(np.random.default_rng(1).random(true.shape) < 0.5)
    at_truth, at_random, at_zero = (
        maps(torch.where(phases, amplitudes, -amplitudes)) for phases in (true, flips, torch.ones_like(true))
    )
    for figure in (skewness, positivity):
        assert (figure(at_truth) > figure(at_random)).double().mean() > 0.95
    more = (skewness(at_zero) > skewness(at_truth)).double().mean()
    assert 0.2 < more < 0.8, "what the module says of its weakness"


def test_robust_scale_hardly_moves_without_the_strongest() -> None:
    """The scale of 10, 8, 6, 5, 4, 3, 1 is 1.5 × mean(8, 6, 5, 4, 3) = 7.8; without the 10 it is
    1.5 × mean(6, 5, 4, 3, 1) = 5.7. What is above is cut at 1."""
    values = torch.zeros(1, len(FIVE.hkl))
    places = np.flatnonzero(FIVE.counted)[10:17]
    values[0, places] = torch.tensor([10.0, 8, 6, 5, 4, 3, 1])
    given = FIVE.gather(network_input(FIVE, values, robust=True))[0, places]
    assert ROBUST_FACTOR == 1.5
    by_hand = [1, 1, 6 / 7.8, 5 / 7.8, 4 / 7.8, 3 / 7.8, 1 / 7.8]
    np.testing.assert_allclose(given, by_hand, rtol=1e-6)
    values[0, places[0]] = 0.0
    without = FIVE.gather(network_input(FIVE, values, robust=True))[0, places]
    np.testing.assert_allclose(without, [0, 1, 1, 5 / 5.7, 4 / 5.7, 3 / 5.7, 1 / 5.7], rtol=1e-6)
    values[0, places[0]] = 10.0
    plain = FIVE.gather(network_input(FIVE, values))[0, places]
    np.testing.assert_allclose(plain, np.array([10, 8, 6, 5, 4, 3, 1]) / 10, rtol=1e-6)
    with pytest.raises(UsageError, match="robust scale"):
        network_input(FIVE, values, scaling="rms", robust=True)


def test_score_of_ten() -> None:
    """8 of 10: Wilson's 95 % interval is 0.490 to 0.943 (Wilson 1927; Brown, Cai & DasGupta 2001)."""
    r = np.array([0.8, 0.9, 0.95, 0.96, 1, 1, 0.85, 0.81, 0.3, 0.79])
    found = score(r)
    assert (found.n, found.solved, found.solved_95) == (10, 0.8, 0.3)
    assert found.solved_low == pytest.approx(0.490, abs=5e-4)
    assert found.solved_high == pytest.approx(0.943, abs=5e-4)
    assert found.median == pytest.approx(0.875)
    assert found.median_low is not None and found.median_low <= 0.875 <= (found.median_high or 0)
    assert score(np.array([0.9, np.nan])).solved == 0.5, "what could not be phased is not solved"
    assert score(np.array([])).solved is None


def test_summary_counts_every_structure() -> None:
    made = structures(cif_text(), cif_text().replace(" Fe ", " Ca "))
    true = calculate(FIVE, made.crystals).positive[0]
    whole = summarise(evaluate(Oracle(FIVE, true), FIVE, made, Protocol(cycles=1, random_starts=0)))
    assert whole.n == 2 == sum(part["best"].n for part in whole.by_class.values())
    assert set(whole.by_class) == {"d-block", "s-block"}
    assert whole.by_class["d-block"]["best"].median == pytest.approx(1.0)
    assert whole.n_u_assumed == 2
