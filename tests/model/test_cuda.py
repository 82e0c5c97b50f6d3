"""On a GPU the same numbers as on the CPU: structure factors, networks, charge flipping, training steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from training import tiny

from xtalpriors.crystal.scattering.reciprocal import asymmetric_box
from xtalpriors.crystal.scattering.structure_factors import structure_factors
from xtalpriors.crystal.scattering.structure_factors_torch import TorchStructureFactors
from xtalpriors.generator.generate import generate
from xtalpriors.generator.stream import crystal_arrays
from xtalpriors.model.charge_flipping.flipping import constraint_of, flip, random_start, settings_for
from xtalpriors.model.charge_flipping.known_crystals import artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.charge_flipping.trials import normalised
from xtalpriors.model.dual_space.config import load_config
from xtalpriors.model.dual_space.crystals import pool
from xtalpriors.model.dual_space.inputs import known_of
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.states import noisy_state
from xtalpriors.model.dual_space.training import Trainer
from xtalpriors.model.dual_space.validation import validate
from xtalpriors.model.training.train import train
from xtalpriors.priors.bundle import published_bundle

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
CUDA = torch.device("cuda")


def test_structure_factors_on_cuda() -> None:
    batch = generate(published_bundle(), seed=3, count=4)
    box = asymmetric_box(batch.group, 6)
    ours = structure_factors(batch.group, crystal_arrays(batch), box, 1.0)
    there = TorchStructureFactors(batch.group, box, device=CUDA).structure_factors(crystal_arrays(batch), 1.0)
    scale = np.abs(ours).max()
    np.testing.assert_allclose(there.cpu().numpy() / scale, ours / scale, atol=1e-5)


def test_training_and_resume_on_cuda(tmp_path: Path) -> None:
    train(tiny(), published_bundle(), tmp_path, device="cuda")
    assert train(tiny(), published_bundle(), tmp_path, device="cuda", resume=True) is not None


def test_charge_flipping_on_cuda() -> None:
    """One cycle gives the same phases; a whole search solves as well."""
    made = next(artificial_crystals("P 1 21/c 1", 1, 1.0, (200.0, 400.0), seed=7))
    e = normalised(made.grid, made.amplitudes, made.cell)
    for cycles in (1, 100):
        settings = settings_for(1.0, cycles=cycles)
        known = constraint_of(made.amplitudes, e, settings)
        start = random_start(made.grid, known.moduli, 24, np.random.default_rng(0))
        here = flip(made.grid, known, start, settings).f
        there = flip(made.grid, known.to(CUDA), start.to(CUDA), settings).f.cpu()
        if cycles == 1:
            torch.testing.assert_close(there, here, atol=1e-3, rtol=1e-3)
    solved = [
        float((map_correlation(made.grid, f, made.f, made.amplitudes) > 0.9).double().mean())
        for f in (here, there)
    ]
    assert solved[0] == pytest.approx(solved[1], abs=0.25)


def test_dual_space_step_on_cuda() -> None:
    """Both ways of convolving, on both devices, for an exact box."""
    config = load_config("smoke")
    torch.manual_seed(0)
    model = DualSpaceNetwork(config.size)
    batch = max(pool(published_bundle(), config.crystals, 0, 1), key=len)
    results = []
    for device in (torch.device("cpu"), CUDA):
        known = known_of(batch.grid, batch.cells, batch.amplitudes.to(device))
        true = batch.true.to(device) / batch.true.to(device).abs().clamp(min=1e-9)
        logits = noisy_state(batch.grid, known, true, np.random.default_rng(0))
        model = model.to(device)
        after = model(logits, known, 2)[-1].logits
        model.zero_grad()
        after.abs().square().mean().backward()
        results.append((after.detach().cpu(), model.kernels[0].grad.cpu().clone()))
    torch.testing.assert_close(results[1][0], results[0][0], atol=2e-3, rtol=2e-3)
    scale = results[0][1].abs().max()
    torch.testing.assert_close(results[1][1] / scale, results[0][1] / scale, atol=2e-3, rtol=2e-2)


def test_dual_space_training_on_cuda() -> None:
    trainer = Trainer(load_config("smoke"), published_bundle(), CUDA)
    feed = trainer.feed()
    for _ in range(12):
        values = trainer.step(next(feed))
        assert torch.isfinite(values["loss"])
    assert validate(trainer.average, trainer.config, trainer.bundle, trainer.device)["validated"] > 0
