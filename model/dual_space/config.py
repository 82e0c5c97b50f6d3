"""What a dual-space network is trained on, and how."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

from pydantic import Field, model_validator

from xtalpriors.frozen_model import Frozen
from xtalpriors.model.dual_space.network_size import DualSpaceSize
from xtalpriors.preset_files import load_preset_file

__all__ = ["CrystalConfig", "DualSpaceConfig", "StateConfig", "load_config"]

_PRESETS: Final = Path(__file__).resolve().parents[2] / "presets" / "dual-space"

GROUPS = ("P -1", "P 1 21/c 1", "C 1 2/c 1", "P 1 21 1", "P 21 21 21", "P b c a", "P n m a", "P 1")


class CrystalConfig(Frozen):
    """Artificial crystals and the flaws of their data."""

    space_groups: tuple[str, ...] = Field(default=GROUPS, min_length=1, description="Symbols, any setting")
    volumes_angstrom3: tuple[float, float] = Field(
        default=(150.0, 1200.0), description="Range of the volume of the cell"
    )
    d_min_angstrom: tuple[float, float] = Field(default=(1.0, 2.0), description="Range of the resolution")
    completeness: tuple[float, float] = Field(
        default=(0.85, 1.0), description="Range of the share of reflections that are measured"
    )
    noisy_share: float = Field(default=0.5, ge=0, le=1, description="Share of crystals with counting noise")
    log10_counts: tuple[float, float] = Field(
        default=(1.5, 4.0), description="Range of log₁₀ of the counts in a mean reflection"
    )
    pool: int = Field(default=512, ge=1, description="Crystals of a group that are made together")
    points_at_once: int = Field(default=4000, ge=1, description="Grid points (asymmetric units) of a batch")
    least_filled: float = Field(
        default=0.0, ge=0, le=1, description="Batches with less than this share of their size are left out"
    )
    coarse: bool = Field(default=False, description="Few different lengths of grids, for larger batches")

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        for name in ("volumes_angstrom3", "d_min_angstrom", "completeness", "log10_counts"):
            low, high = getattr(self, name)
            if not 0 < low <= high:
                raise ValueError(f"{name}: {low:g} and {high:g} must be positive and ascend")
        return self


class StateConfig(Frozen):
    """Phases that the network is trained to improve."""

    flipping: float = Field(default=0.45, ge=0, le=1, description="Share of batches from charge flipping")
    noisy_truth: float = Field(
        default=0.15, ge=0, le=1, description="Share of batches from noisy true phases"
    )
    flipping_cycles: tuple[int, int] = Field(default=(5, 45), description="Cycles of charge flipping before")
    steps_before: tuple[int, int] = Field(
        default=(0, 20), description="Steps without gradient from a few known phases"
    )
    steps: tuple[int, int] = Field(default=(2, 6), description="Steps with gradient")


class DualSpaceConfig(Frozen):
    """A training run."""

    size: DualSpaceSize = DualSpaceSize()
    crystals: CrystalConfig = CrystalConfig()
    states: StateConfig = StateConfig()
    structures: int = Field(default=100_000, ge=1, description="Crystals to train on")
    minutes: float | None = Field(
        default=None, gt=0, description="End after so long, the learning rate falling until then"
    )
    learning_rate: float = Field(default=0.01, gt=0)
    final_learning_rate: float = Field(default=0.001, gt=0)
    averaging: float = Field(default=0.997, ge=0, lt=1, description="Decay of the averaged weights")
    critic_weight: float = Field(default=0.1, ge=0, description="Weight of the critic's loss")
    in_half: bool = Field(default=True, description="Convolutions in bfloat16")
    workers: int = Field(default=0, ge=0, description="Processes that make crystals; 0: this one")
    streams: int = Field(
        default=8, ge=1, description="Pools in turn, so that groups alternate; with workers each has one"
    )
    log_every_batches: int = Field(default=50, ge=1)
    checkpoint_every_seconds: float = Field(default=60.0, gt=0)
    validation_crystals: int = Field(default=64, ge=0, description="Crystals of a fixed set, of each group")
    seed: int = Field(default=0, ge=0)


def load_config(name: str | Path, overrides: dict[str, Any] | None = None) -> DualSpaceConfig:
    """A configuration from a file of `presets/dual-space/`, by name, or from any YAML file.

    Parameters
    ----------
    name
        `gpu`, for instance, or a path that ends in `.yaml`.
    overrides
        Options by dotted name, over those of the file: `{"size.width": 32}`.

    Raises
    ------
    UsageError
        As `load_preset_file`.
    """
    return load_preset_file(name, _PRESETS, DualSpaceConfig, "dual-space networks", overrides)
