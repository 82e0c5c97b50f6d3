"""Isotropic displacement: mean of a structure, deviation of its atoms (2026 paper, after eq. 19)."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from xtalpriors.arrays import F64
from xtalpriors.models import Frozen
from xtalpriors.priors.distributions.distribution import Estimate
from xtalpriors.priors.distributions.scalar import Form, ScalarPrior
from xtalpriors.priors.fitting.observations import Context

__all__ = ["TEMPERATURE_BANDS", "Displacement", "ElementDisplacement"]

TEMPERATURE_BANDS: tuple[tuple[str, float, float], ...] = (
    ("below-130-K", 0.0, 130.0),
    ("130-250-K", 130.0, 250.0),
    ("250-330-K", 250.0, 330.0),
    ("above-330-K", 330.0, np.inf),
)
"""Name, lower and upper end (K): nitrogen-stream data, cooled, room temperature, heated."""


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

    @classmethod
    def fit(cls, context: Context) -> Displacement:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        # imported here: that module imports this one
        from xtalpriors.priors.fitting.displacement import fit

        return fit(context)

    def sample(self, size: int, *, rng: np.random.Generator, form: Form | None = None) -> F64:
        """`size` means of structures, Å²."""
        return self.mean.sample(size, rng=rng, form=form)

    def log_prob(self, mean_angstrom2: F64) -> F64:
        """Log density of the mean U_iso of a structure, per Å²."""
        return self.mean.log_prob(mean_angstrom2)

    def summary(self) -> dict[str, float]:
        """Flat numbers of the mean and the deviation."""
        flat = {f"mean.{k}": v for k, v in self.mean.summary().items()}
        flat |= {f"deviation.{k}": v for k, v in self.deviation.summary().items()}
        return flat
