"""Muon against PyTorch's own on matrices, and a singular value decomposition."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from training import tiny

from xtalpriors.model.training.muon import Muon, orthogonalised
from xtalpriors.model.training.train import train
from xtalpriors.priors.bundle import published_bundle


@pytest.mark.parametrize("shape", [(24, 48), (16, 432), (384, 96)])
def test_orthogonalised_matrix_has_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    new = orthogonalised(matrix)
    values = torch.linalg.svdvals(new)
    assert values.min() > 0.6
    assert values.max() < 1.25
    polar = left @ right
    assert (new * polar).sum() / (new.norm() * polar.norm()) > 0.98  # the directions are the matrix's own


class _Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.wide, self.narrow = nn.Linear(6, 8), nn.Linear(8, 20), nn.Linear(20, 8)


def _with_gradients(number: int) -> _Layers:
    torch.manual_seed(5)
    model = _Layers()
    generator = torch.Generator().manual_seed(number)
    for p in model.parameters():
        p.grad = torch.randn(p.shape, generator=generator)
    return model


def test_steps_are_those_of_pytorch() -> None:
    """Inner matrices as torch.optim.Muon (which works in bfloat16), all else as torch.optim.AdamW."""
    ours, theirs = _with_gradients(0), _with_gradients(0)
    before = [p.detach().clone() for p in ours.parameters()]
    muon = Muon(ours, (ours.first,), lr=0.02, weight_decay=0.1)
    matrices = [theirs.wide.weight, theirs.narrow.weight]
    others = [p for p in theirs.parameters() if all(p is not m for m in matrices)]
    parts = [
        torch.optim.Muon(matrices, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=0.02, weight_decay=0.1),
    ]
    for number in range(3):
        for model in (ours, theirs):
            gradients = _with_gradients(number)
            for p, g in zip(model.parameters(), gradients.parameters(), strict=True):
                p.grad = g.grad
        muon.step()
        for part in parts:
            part.step()
    for (name, p), q, start in zip(ours.named_parameters(), theirs.parameters(), before, strict=True):
        moved = (p - start).abs().max()
        assert moved > 0.01
        tolerance = 0.03 if name in ("wide.weight", "narrow.weight") else 1e-6
        assert (p - q).abs().max() < tolerance * moved, name


def test_weights_of_a_convolution_step_like_their_matrix() -> None:
    convolution, linear = nn.Conv3d(4, 6, 3, bias=False), nn.Linear(108, 6, bias=False)
    generator = torch.Generator().manual_seed(8)
    gradient = torch.randn(6, 108, generator=generator)
    with torch.no_grad():
        linear.weight.copy_(convolution.weight.flatten(1))
    convolution.weight.grad = gradient.view(6, 4, 3, 3, 3).clone(memory_format=torch.channels_last_3d)
    linear.weight.grad = gradient
    for layer in (convolution, linear):
        Muon(layer, (), lr=0.01, weight_decay=0.0).step()
    assert torch.equal(convolution.weight.flatten(1), linear.weight)


@pytest.mark.parametrize("name", ["rmsprop", "muon"])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(tmp_path: Path, name: str) -> None:
    config, bundle = tiny(optimiser__name=name), published_bundle()
    train(config, bundle, tmp_path / "whole", device="cpu")
    assert train(config, bundle, tmp_path / "cut", device="cpu", stop_after_steps=3) is None
    train(config, bundle, tmp_path / "cut", device="cpu", resume=True)
    files = [f.relative_to(tmp_path / "whole") for f in (tmp_path / "whole").rglob("*.safetensors")]
    assert len(files) >= 2  # the network, and checkpoints with the optimiser's state
    for file in files:
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "cut" / file).read_bytes()
