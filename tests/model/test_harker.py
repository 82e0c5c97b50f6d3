"""Harker maps as coefficients of reflections, by hand, and a network that is trained with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from phasing_crystals import write_cif
from training import tiny

from xtalpriors.errors import UsageError
from xtalpriors.generator.config import space_group_of
from xtalpriors.model.network.harker import HarkerMaps
from xtalpriors.model.network.inputs import InputScaling
from xtalpriors.model.network.phai import SIZES, NetworkSize
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.weights import load_model
from xtalpriors.model.prediction.predict import predict
from xtalpriors.model.prediction.prediction_input import prediction_input
from xtalpriors.model.prediction.read_crystal import read_crystal
from xtalpriors.model.scoring.runs import Protocol
from xtalpriors.model.training.train import train
from xtalpriors.priors.bundle import published_bundle

FIVE = Reflections(space_group_of("P 1 21/c 1"), 5)


def test_one_reflection_by_hand() -> None:
    """|E(1 1 2)| = 2, so |E|² − 1 = 3 for it and for 1 −1 2.

    −x −y −z: x − Sx = (2x, 2y, 2z), so 3 goes to 2 2 4. 2₁: (2x, ½, 2z + ½), so 1 ±1 2 both go to 2 0 4,
    with the sign (−1)^(k + l) = −1. c: (0, 2y + ½, ½), so 1 1 2 and −1 1 −2 go to 0 2 0, with that sign.
    The mean is over three operators, and 5 is the largest index.
    """
    listed = FIVE.hkl.tolist()
    e = torch.zeros(1, len(listed))
    e[0, listed.index([1, 1, 2])] = 2.0
    _, mean = HarkerMaps(FIVE)(e)[0]
    by_hand = {(2, 2, 4): 3 / 15, (2, 0, 4): -6 / 15, (0, 2, 0): -6 / 15}
    expected = [by_hand.get(tuple(h), 0.0) for h in listed]
    torch.testing.assert_close(mean, torch.tensor(expected), rtol=0, atol=1e-5)


def test_what_goes_beyond_the_list_falls_on_no_reflection() -> None:
    """5 0 0 says something of 10 0 0 alone."""
    listed = FIVE.hkl.tolist()
    e = torch.zeros(1, len(listed))
    e[0, listed.index([5, 0, 0])] = 2.0
    assert HarkerMaps(FIVE)(e)[0, 1].abs().max() < 1e-5


def test_one_atom() -> None:
    """F = 4 cos 2π(hx + lz + (k + l)/4) cos 2π(ky − (k + l)/4) (International Tables, P2₁/c), ⟨F²⟩ = 4ε.

    Σ₁ says signs: of the coefficients above half of the largest nearly all have that of F.
    """
    h, k, l = FIVE.hkl.T
    x, y, z = np.random.default_rng(0).random((3, 100, 1))
    f = 4 * np.cos(2 * np.pi * (h * x + l * z + (k + l) / 4)) * np.cos(2 * np.pi * (k * y - (k + l) / 4))
    epsilon = np.where((k == 0) | ((h == 0) & (l == 0)), 2, 1)
    e = torch.from_numpy(np.where(FIVE.absent, 0.0, np.abs(f) / np.sqrt(4 * epsilon))).float()
    coefficients = HarkerMaps(FIVE)(e).numpy()
    strong = np.abs(coefficients) > 0.5 * np.abs(coefficients).max(axis=2, keepdims=True)
    right = np.sign(coefficients) == np.sign(f)[:, None]
    for which in (0, 1):
        assert right[:, which][strong[:, which]].mean() > 0.95


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P -1", "P n m a", "R -3 :R"])
def test_only_phases_that_no_origin_changes(symbol: str) -> None:
    reflections = Reflections(space_group_of(symbol), 4)
    rng = np.random.default_rng(1)
    by_orbit = rng.rayleigh(0.8, (3, 1 + int(reflections.orbit.max())))
    e = torch.from_numpy(by_orbit[:, reflections.orbit] * ~reflections.absent).float()
    coefficients = HarkerMaps(reflections)(e)
    fixed = (reflections.origin_signs == 1).all(axis=0)
    assert coefficients[..., ~fixed].abs().max() < 1e-4
    assert (coefficients[..., fixed & reflections.counted].abs() > 1e-3).float().mean() > 0.9


def test_without_them_nothing_changes() -> None:
    """Cards and configurations of one map say nothing of maps, so that their bytes stay as they were."""
    assert "maps" not in NetworkSize().model_dump(mode="json")
    assert SIZES["phai"] == NetworkSize.model_validate(NetworkSize().model_dump())
    assert NetworkSize(maps=3).model_dump()["maps"] == 3
    with pytest.raises(UsageError, match="network: unknown maps"):
        tiny(network={"maps": 3})


def test_a_network_with_harker_maps(tmp_path: Path) -> None:
    train(tiny(scaling="normalised-E-harker", data__max_index=5), published_bundle(), tmp_path / "run")
    network, card = load_model(tmp_path / "run")
    assert network.amplitudes[0].weight.shape[1] == 3 and card.size.maps == 3
    given = prediction_input(read_crystal(write_cif(tmp_path)), FIVE)
    found = predict(network, card, given, Protocol(cycles=2, random_starts=1))
    assert found.positive.shape == (len(FIVE.hkl),)
    amplitudes = torch.from_numpy(given.data.amplitudes)[None].float()
    inputs = InputScaling(FIVE, card.scaling)(FIVE.scatter(amplitudes), torch.tensor([given.cell.parameters]))
    assert inputs.shape == (1, 3, *FIVE.box.shape)
    # the maps reach the output
    zero = torch.zeros(1, *FIVE.box.shape)
    without = inputs * torch.tensor([1.0, 0.0, 0.0])[:, None, None, None]
    assert not torch.allclose(network(inputs, zero), network(without, zero))
