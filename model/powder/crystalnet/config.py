"""What CrystalNet is trained on, and how: the schedule of Guo et al. 2024 and smaller ones, as presets."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, Literal

import torch
from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.model.powder.crystalnet.network import CrystalNet, CrystalNetOptions
from xtalpriors.model.powder.crystalnet.sampling import FormulaInput
from xtalpriors.model.powder.data_config import DataConfig

__all__ = ["CrystalNetConfig", "ValidationConfig"]

PRESETS: Final = Path(__file__).resolve().parents[3] / "presets" / "powder"
WHAT: Final = "networks for powder patterns"
"""What the presets are of, in messages."""


class ValidationConfig(Frozen):
    """How the weights to keep are chosen."""

    every_epochs: int = Field(default=1, ge=1)
    crystals: int | None = Field(default=None, ge=1, description="At most so many; empty: all")
    points: int = Field(default=25, ge=7, description="Points of an edge of the maps")
    draws: int = Field(default=2, ge=0, description="Draws of the latents, the best counts; 0: their mean")


class CrystalNetConfig(Frozen):
    """A training run; the defaults are those of the paper."""

    kind: Literal["crystalnet-2024"] = "crystalnet-2024"
    network: CrystalNetOptions = CrystalNetOptions()
    data: DataConfig = DataConfig()
    validation: ValidationConfig = ValidationConfig()
    epochs: int = Field(default=1500, ge=1, description="1,500 are four cycles: 100 + 200 + 400 + 800")
    batch_size: int = Field(default=128, ge=2, description="Crystals of a step")
    points_per_edge: int = Field(
        default=10, ge=1, le=50, description="Cubed: points of a crystal in a step, one in each bin"
    )
    learning_rate: float = Field(default=1e-3, gt=0)
    final_learning_rate: float = Field(default=1e-6, gt=0, description="At the end of a cycle")
    first_cycle: int = Field(default=100, ge=1, description="Epochs of the first cycle of the learning rate")
    cycle_factor: int = Field(default=2, ge=1, description="Each cycle is so many times as long")
    kl_weight: float = Field(default=0.05, ge=0)
    formula: FormulaInput = Field(
        default="ratios",
        description="What is told: atomic fractions, elements as 0 and 1, these with one dropped, nothing",
    )
    shift_bins: int = Field(default=3, ge=0, description="Patterns are shifted by up to so many bins")
    noise: float = Field(default=1e-3, ge=0, description="Noise on patterns and compositions, then a ReLU")
    log_every_steps: int = Field(default=20, ge=1)
    checkpoint_every_seconds: float = Field(default=120.0, gt=0)
    seed: int = Field(default=0, ge=0)

    def rate(self, epoch: int) -> float:
        """Learning rate of an epoch: cosine with warm restarts (Loshchilov & Hutter 2017)."""
        length = self.first_cycle
        while epoch >= length:
            epoch, length = epoch - length, length * self.cycle_factor
        high, low = self.learning_rate, self.final_learning_rate
        return low + 0.5 * (high - low) * (1.0 + math.cos(math.pi * epoch / length))

    def arithmetic(self, crystals: int) -> str:
        """Operations of the training, as a sentence: three passes of every point of every epoch.

        Parameters
        ----------
        crystals
            Training crystals.
        """
        with torch.device("meta"):  # counts what it would be
            per_point = CrystalNet(self.network).flop_per_point
        points = self.points_per_edge**3
        total = 3.0 * per_point * points * crystals * self.epochs
        return (
            f"{self.epochs:,} epochs × {crystals:,} crystals × {points:,} points × "
            f"{per_point / 1e6:.2f} MFLOP × 3 (forwards, and twice that backwards) = {total:.1e} FLOP"
        )
