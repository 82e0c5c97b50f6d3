"""CrystalNet of Guo et al. 2024: its size, FiLM once a crystal, what a step sees, its schedule, resume."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from powder_crystals import cubic_crystals

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.powder.crystalnet.config import PRESETS, WHAT, CrystalNetConfig
from xtalpriors.model.powder.crystalnet.draws import predicted_maps
from xtalpriors.model.powder.crystalnet.network import CrystalNet, CrystalNetOptions, kl_divergence
from xtalpriors.model.powder.crystalnet.sampling import augment, formula_inputs, sample_voxels
from xtalpriors.model.powder.crystalnet.train import train_crystalnet
from xtalpriors.model.powder.crystalnet.weights import FILE_NAME, load_crystalnet
from xtalpriors.preset_files import load_preset_file

BLOCKS = {
    "position": 395_264,
    "pattern_mean": 416_457,
    "pattern_std": 416_457,
    "formula_mean": 589_824,
    "formula_std": 589_824,
    "gamma": 3_680_768,
    "beta": 3_680_768,
    "first": 1_054_720,
    "middle": 3_950_592,
    "last": 513,
}
"""Trainable parameters, counted on the published code."""


def inputs(crystals: int, points: int, width: int) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(3)
    shapes = ((crystals, 1024), (crystals, 119), (crystals, points, 3), (crystals, 2 * width))
    return tuple(torch.from_numpy(rng.random(shape)) for shape in shapes)


def small(**options: object) -> CrystalNet:
    torch.manual_seed(1)
    return CrystalNet(CrystalNetOptions.model_validate({"width": 16, **options}))


def test_every_block_has_the_published_parameters() -> None:
    with torch.device("meta"):
        network = CrystalNet()
    counted = {
        name: sum(p.numel() for p in part.parameters() if p.requires_grad)
        for name, part in network.named_children()
    }
    assert {name: n for name, n in counted.items() if n} == BLOCKS
    assert network.n_parameters == 14_775_187
    frozen = [p for p in network.parameters() if not p.requires_grad]
    assert sum(p.numel() for p in frozen) == 512 and "frequencies.weight" in network.state_dict()
    assert network.flop_per_point == pytest.approx(10.75e6, rel=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_film_once_a_crystal_is_film_at_every_point(training: bool) -> None:
    """The published code repeats the latents for every point before FiLM; the function is the same."""
    network = small().double().train(training)
    patterns, compositions, points, noise = inputs(6, 20, 16)
    z = network.draw(network.encode(patterns, compositions), noise)
    once = network.densities(z, points)
    each = network.densities(z, points, per_point=True)
    assert (once - each).abs().max() < 1e-5 * once.std()


def test_integer_frequencies_make_the_density_periodic() -> None:
    patterns, compositions, points, noise = inputs(2, 12, 16)
    shift = torch.tensor([1.0, -2.0, 0.0], dtype=torch.float64)
    for integer in (True, False):
        network = small(integer_frequencies=integer).double().eval()
        there = network(patterns, compositions, points, noise)
        moved = network(patterns, compositions, points + shift, noise)
        assert torch.allclose(there, moved, atol=1e-9) == integer


def test_flags_of_the_oddities_change_what_they_name() -> None:
    patterns, compositions, _, _ = inputs(8, 1, 16)
    published, mended = small(), small(positive_std=True, film_relu=False)
    for network, free in ((published, True), (mended, False)):
        network.double()
        latents = network.encode(patterns, compositions)
        assert bool((latents.pattern_std < 0).any()) == free
        gamma = network.gamma(network.draw(latents, torch.zeros(8, 32, dtype=torch.float64)))
        assert bool((gamma >= 0).all()) == free


def test_divergence_by_hand() -> None:
    """m = 1, s = 2: 1 + 4 − 1 − ln(4.0001); the term of N(0, 1) is −ln(1.0001)."""
    mean, std = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, -1.0]])
    expected = ((1 + 4 - 1 - np.log(4.0001)) + (0 + 1 - 1 - np.log(1.0001))) / 2
    assert kl_divergence(mean, std).item() == pytest.approx(expected, abs=1e-6)


def test_points_are_one_in_each_bin_and_every_voxel_is_drawn() -> None:
    rng = np.random.default_rng(0)
    voxels = sample_voxels(rng, 400, 10)
    assert voxels.shape == (400, 1000, 3)
    bins, counts = np.unique(voxels[0] // 5, axis=0, return_counts=True)
    assert len(bins) == 1000 and (counts == 1).all()
    assert np.array_equal(np.unique(voxels), np.arange(50))
    tilted = sample_voxels(rng, 500, 4)  # bins of 12.5 voxels: a voxel in the middle belongs to two
    assert np.bincount(tilted[..., 0].ravel(), minlength=50).min() > 400


def test_shift_moves_whole_bins_and_lets_zeros_in() -> None:
    rng = np.random.default_rng(5)
    patterns = np.arange(1, 1025, dtype=np.float32)[None].repeat(200, axis=0)
    moved, _ = augment(rng, patterns, np.zeros((200, 119), np.float32), 3, 0.0)
    seen = set()
    for row in moved:
        shift = int(np.flatnonzero(row)[0] - np.flatnonzero(row[::-1])[0])
        seen.add(shift)
        expected = np.zeros(1024, np.float32)
        expected[max(0, shift) : 1024 + min(0, shift)] = patterns[0][max(0, -shift) : 1024 - max(0, shift)]
        assert np.array_equal(row, expected)
    assert seen == set(range(-3, 4))


def test_noise_leaves_a_mean_on_empty_bins() -> None:
    """The mean of max(0, x) is σ/√(2π): 4·10⁻⁴ for the noise of the paper, absent at test."""
    empty = np.zeros((50, 1024), np.float32)
    noisy, _ = augment(np.random.default_rng(1), empty, np.zeros((50, 119), np.float32), 0, 1e-3)
    assert noisy.min() == 0.0 and noisy.mean() == pytest.approx(1e-3 / np.sqrt(2 * np.pi), rel=0.02)


def test_what_is_told_of_the_composition() -> None:
    compositions = np.zeros((2, 119), np.float32)
    compositions[0, [11, 17]] = 0.25, 0.75
    compositions[1, 14] = 1.0
    assert formula_inputs(compositions, "ratios") is compositions
    assert formula_inputs(compositions, "elements").sum(axis=1).tolist() == [2.0, 1.0]
    dropped = formula_inputs(compositions, "one-dropped", seed=4)
    assert dropped.sum(axis=1).tolist() == [1.0, 1.0], "a crystal of one element keeps it"
    assert np.array_equal(dropped, formula_inputs(compositions, "one-dropped", seed=4))
    assert not formula_inputs(compositions, "none").any()


def test_rate_is_that_of_cosine_warm_restarts() -> None:
    config = CrystalNetConfig()
    optimiser = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimiser, 100, 2, 1e-6)
    for epoch in range(400):
        assert config.rate(epoch) == pytest.approx(schedule.get_last_lr()[0], rel=1e-9)
        optimiser.step()
        schedule.step()


def test_the_gpu_preset_says_its_arithmetic() -> None:
    """5.3·10¹⁶ operations: the first cycle of 100 epochs on the paper's 16,378 crystals."""
    config = load_preset_file("crystalnet-2024", PRESETS, CrystalNetConfig, WHAT)
    assert config == CrystalNetConfig(epochs=100, data=config.data)
    assert config.arithmetic(16_378).endswith("= 5.3e+16 FLOP")


def smoke(**options: object) -> CrystalNetConfig:
    return load_preset_file(
        "smoke",
        PRESETS,
        CrystalNetConfig,
        WHAT,
        {
            "network.width": 8,
            "epochs": 2,
            "batch_size": 8,
            "points_per_edge": 2,
            "validation.crystals": 2,
            "validation.every_epochs": 1,
            "validation.points": 9,
            **options,
        },
    )


@pytest.fixture
def few_crystals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of a test are on the same crystals, which are made once."""
    made = cubic_crystals(16)
    monkeypatch.setattr("xtalpriors.model.powder.data_config.powder_crystals", lambda *_: made)


@pytest.mark.slow
@pytest.mark.usefixtures("few_crystals")
def test_a_stopped_run_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole = train_crystalnet(smoke(), tmp_path / "whole", device="cpu")
    assert whole is not None
    for stop in (1, 3):
        assert train_crystalnet(smoke(), tmp_path / "parts", device="cpu", stop_after_steps=stop) is None
    parts = train_crystalnet(smoke(), tmp_path / "parts", device="cpu")
    assert parts is not None and parts.card.epochs == 2
    state = load_crystalnet(tmp_path / "whole")[0].state_dict()
    for name, value in load_crystalnet(tmp_path / "parts")[0].state_dict().items():
        assert torch.equal(value, state[name]), name
    log = [json.loads(line) for line in (tmp_path / "whole" / "log.jsonl").read_text().splitlines()]
    scores = {one["epoch"]: one["ssim"] for one in log if "ssim" in one}
    assert whole.card.validation_ssim == pytest.approx(max(scores.values()), abs=1e-6)
    with pytest.raises(UsageError, match="another epochs"):
        train_crystalnet(smoke(epochs=3), tmp_path / "whole", device="cpu")


@pytest.mark.usefixtures("few_crystals")
def test_weights_that_are_not_of_their_card_are_refused(tmp_path: Path) -> None:
    train_crystalnet(smoke(epochs=1), tmp_path, device="cpu")
    with pytest.raises(XtalpriorsError, match="There is no CrystalNet"):
        load_crystalnet(tmp_path / "elsewhere")
    file = tmp_path / FILE_NAME
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(XtalpriorsError, match="one of the two was changed"):
        load_crystalnet(tmp_path)
    file.write_bytes(bytes(content[:200]))
    with pytest.raises(XtalpriorsError, match="cut short"):
        load_crystalnet(tmp_path)


def test_fewer_draws_are_the_first_of_more() -> None:
    network = small().eval()
    rng = np.random.default_rng(2)
    pattern, composition = rng.random(1024, dtype=np.float32), rng.random(119, dtype=np.float32)
    drawn = {
        n: predicted_maps(network, pattern, composition, draws=n, points=8, seed=(1, 2)) for n in (0, 2, 5)
    }
    assert [len(maps) for maps in drawn.values()] == [1, 2, 5]
    assert np.allclose(drawn[2][1], drawn[5][1], rtol=0.0, atol=1e-6)
    assert np.abs(drawn[2][0] - drawn[2][1]).max() > 1e-6
