"""Isotropic displacement: mean of a structure, deviation of its atoms (2026 paper, after eq. 19)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["Displacement", "ElementDisplacement"]


class ElementDisplacement(Frozen):
    """U_iso of one element over the mean of its structure."""

    n: int
    n_clusters: int
    ratio: Estimate = Field(description="Median of U_iso / mean U_iso of the structure")
    sd_log_ratio: Estimate = Field(description="Standard deviation of ln(U_iso / mean)")


class Displacement(Frozen):
    """U_iso of non-hydrogen sites with evidence: positive, ≤ 0.5 Å², not riding."""

    mean: ScalarPrior = Field(description="Mean U_iso of a structure, Å²")
    deviation: ScalarPrior = Field(description="U_iso of a site minus the mean of its structure, Å²")
    ratio: ScalarPrior | None = Field(
        default=None, description="U_iso of a site over the mean of its structure"
    )
    by_temperature: dict[str, ScalarPrior] = Field(
        default_factory=dict, description="Mean U_iso by band of temperature; `unknown` where it is not given"
    )
    by_element: dict[str, ElementDisplacement] = Field(
        default_factory=dict, description="By element, 30 sites in 20 clusters or more"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
