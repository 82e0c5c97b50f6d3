"""Ratios of the sorted cell lengths: exponential in (ratio − 1), cut at r (2026 paper, section 3.3)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["AxisRatio"]


class AxisRatio(Frozen):
    """a₂/a₁ and a₃/a₂ with a₁ ≤ a₂ ≤ a₃, the largest ratio r of a generated cell, and the length bounds."""

    ratio_max: float = Field(gt=1, description="r: no generated ratio exceeds it (before skewing)")
    length_min_angstrom: float = Field(gt=0, description="Shortest length allowed, a_min")
    length_max_angstrom: float = Field(gt=0, description="Longest length allowed, a_max")
    middle_over_shortest: ScalarPrior | None = Field(
        default=None, description="a₂/a₁; null where not published"
    )
    longest_over_middle: ScalarPrior | None = Field(
        default=None, description="a₃/a₂; null where not published"
    )
    longest: ScalarPrior | None = Field(default=None, description="a₃, empirical, Å")
    share_beyond_ratio_max: Estimate | None = Field(
        default=None, description="Share of the structures with either ratio above r"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
