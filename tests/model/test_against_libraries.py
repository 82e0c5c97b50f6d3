"""Score, loss and absences against independent libraries: gemmi and PyTorch's own cross-entropy."""

from __future__ import annotations

import itertools

import gemmi
import numpy as np
import numpy.typing as npt
import pytest
import torch
from phasing_crystals import P21C, cif_text, structures

from xtalpriors.model.network.loss import origin_free_cross_entropy
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.score import map_correlation
from xtalpriors.model.scoring.diffraction import calculate

GROUP = gemmi.SpaceGroup("P 1 21/c 1")
CELL = gemmi.UnitCell(5.91, 7.23, 8.64, 90, 98.7, 90)
FIVE, TEN = Reflections(P21C, 5), Reflections(P21C, 10)
ORIGINS = [np.array(t) / 2 for t in itertools.product((0, 1), repeat=3)]


def _density(signed: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Map of signed |F| of the unique reflections: gemmi's symmetry expansion and FFT."""
    hkl = FIVE.hkl[FIVE.counted].astype(np.int32)
    data = gemmi.ComplexAsuData(CELL, GROUP, hkl, signed[FIVE.counted].astype(np.complex64))
    return np.array(data.transform_f_phi_to_map(exact_size=[24, 24, 24]).array, dtype=np.float64)


def test_r_by_multiplicity_is_the_correlation_of_two_maps_of_gemmi() -> None:
    """Pearson's coefficient of the predicted and the true density, moved to each of the eight origins."""
    d = calculate(FIVE, structures(cif_text()).crystals)
    f, true = d.magnitudes[0], d.positive[0]
    predicted = true ^ (np.random.default_rng(3).random(len(f)) < 0.25)
    counts = FIVE.counted.astype(float)
    often, once = (
        float(
            map_correlation(
                torch.from_numpy(predicted)[None],
                torch.from_numpy(true)[None],
                torch.from_numpy(f)[None],
                torch.from_numpy(FIVE.origin_signs),
                torch.from_numpy(weights),
            )
        )
        for weights in (counts * FIVE.multiplicity, counts)
    )
    one, other = (_density(np.where(phases, f, -f)) for phases in (predicted, true))
    moved = [np.roll(other, (24 * t).astype(int), axis=(0, 1, 2)) for t in ORIGINS]
    by_gemmi = [np.corrcoef(one.ravel(), density.ravel())[0, 1] for density in moved]
    assert often == pytest.approx(max(by_gemmi), abs=1e-5)
    assert max(by_gemmi) > 0.2 and sorted(by_gemmi)[-2] < 0.95 * max(by_gemmi)
    assert once != pytest.approx(often, abs=1e-3), "the two forms differ"


def test_loss_is_torchs_cross_entropy_at_the_best_of_gemmis_phase_shifts() -> None:
    """Phases moved to each origin by gemmi, weighted cross-entropy by PyTorch, the least of each one."""
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(3, 2, len(TEN.hkl), generator=generator, dtype=torch.float64)
    positive = torch.rand(3, len(TEN.hkl), generator=generator) < 0.5
    weights = torch.rand(len(TEN.hkl), generator=generator) * torch.from_numpy(~TEN.absent)
    least = []
    for one, phases in zip(logits, positive.numpy(), strict=True):
        losses = []
        for t in ORIGINS:
            shift = gemmi.Op("x,y,z").translated([round(gemmi.Op.DEN * x) for x in t])
            turned = [abs(np.cos(shift.phase_shift(h)) + 1) < 1e-9 for h in TEN.hkl.tolist()]
            target = torch.from_numpy((phases ^ turned).astype(np.int64))
            entropy = torch.nn.functional.cross_entropy(one.T, target, reduction="none")
            losses.append(float((entropy * weights).sum() / weights.sum()))
        least.append(min(losses))
        assert max(losses) > min(losses) + 1e-3
    signs = torch.from_numpy(TEN.origin_signs)
    ours = origin_free_cross_entropy(logits, positive, weights.double(), signs)
    assert float(ours) == pytest.approx(float(np.mean(least)), rel=1e-5)


def test_absences_of_the_published_list_are_gemmis() -> None:
    operations = GROUP.operations()
    absent = [operations.is_systematically_absent(h) for h in TEN.hkl.tolist()]
    np.testing.assert_array_equal(TEN.absent, absent)
    assert sum(absent) == 84
