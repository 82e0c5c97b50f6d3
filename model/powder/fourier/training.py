"""Training of `network`: examples of the training crystals once, then epochs over them.

The loss is the mean |Δρ|/ρ̄ on the 25³ grid plus a tenth of the root of the mean square, on maps of the
coefficients up to ±12.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from xtalpriors.arrays import I64
from xtalpriors.counted import counted
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.powder.crystals import PowderCrystals
from xtalpriors.model.powder.fourier.examples import Example, stacked, training_examples
from xtalpriors.model.powder.fourier.network import GRID, FourierNet
from xtalpriors.model.powder.prototypes import System
from xtalpriors.model.powder.structures.candidates import Library

__all__ = ["FourierConfig", "fit", "map_loss", "train_fourier"]

_RMS_WEIGHT: Final = 0.1


class FourierConfig(Frozen):
    """How the network is trained."""

    examples: int = Field(default=300, gt=0, description="Training crystals whose candidates are used")
    held_out_share: float = Field(
        default=0.4, ge=0, le=1, description="Share of them for which the library lacks the structure type"
    )
    epochs: int = Field(default=30, gt=0, description="Passes over the examples")
    batch_size: int = Field(default=32, gt=0, description="Patterns of a step")
    learning_rate: float = Field(default=3e-4, gt=0, description="Of AdamW, falling to zero by a cosine")
    weight_decay: float = Field(default=0.01, ge=0, description="Of AdamW")
    seed: int = Field(default=0, ge=0, description="Of the weights, the order and the library's gaps")


def map_loss(predicted: Tensor, truth: Tensor) -> Tensor:
    """Loss (B,) of coefficients (B, 25, 25, 13) against the true ones."""
    difference = torch.fft.irfftn(predicted - truth, s=(GRID,) * 3, norm="forward").flatten(1)
    return difference.abs().mean(1) + _RMS_WEIGHT * difference.square().mean(1).clamp_min(1e-12).sqrt()


def train_fourier(
    train: PowderCrystals,
    config: FourierConfig,
    say: Callable[[str], None] = lambda text: None,
) -> FourierNet:
    """A network trained on crystals; the epoch with the least loss on the validation set is kept.

    Parameters
    ----------
    train
        Training crystals, which are the library too.
    config
        How.
    say
        Takes a line on each epoch.
    """
    rng = np.random.default_rng([config.seed, 3])
    rows = rng.permutation(len(train))[: config.examples]
    examples, truths = training_examples(train.take(rows), Library(train), config.held_out_share, rng)
    say(f"{counted(len(examples), 'example')} with candidates")
    return fit(examples, torch.from_numpy(truths), config, train.system, say)


def fit(
    examples: list[Example],
    truths: Tensor,
    config: FourierConfig,
    system: System,
    say: Callable[[str], None] = lambda text: None,
) -> FourierNet:
    """A network fitted to examples and their true coefficients (n, 25, 25, 13).

    A fifth of the examples is the validation. The weights of the epoch with the least loss on it are kept;
    before the first epoch the network follows the cost of the candidates.
    """
    torch.manual_seed(config.seed)
    rng = np.random.default_rng([config.seed, 4])
    network = FourierNet(system)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    shuffled = rng.permutation(len(examples))
    validation, train = np.split(shuffled, [max(1, len(examples) // 5)])
    steps = config.epochs * -(-len(train) // config.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    best, kept = _loss_of(network, examples, truths, validation), copy.deepcopy(network.state_dict())
    say(f"before training: validation {best:.5f}")
    for epoch in range(config.epochs):
        losses = []
        order = rng.permutation(train)
        for start in range(0, len(order), config.batch_size):
            chosen = order[start : start + config.batch_size]
            loss = map_loss(network(stacked([examples[i] for i in chosen])), truths[chosen]).mean()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        held = _loss_of(network, examples, truths, validation)
        say(f"epoch {epoch + 1}: loss {np.mean(losses):.5f}, validation {held:.5f}")
        if held < best:
            best, kept = held, copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    network.eval()
    return network


def _loss_of(network: FourierNet, examples: list[Example], truths: Tensor, rows: I64) -> float:
    """Mean loss over some examples."""
    with torch.no_grad():
        losses = [map_loss(network(stacked([examples[i]])), truths[i : i + 1]).item() for i in rows.tolist()]
    return float(np.mean(losses))
