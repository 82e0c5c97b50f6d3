"""Resolution and measured completeness of the data behind the structures."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["Diffraction"]


class Diffraction(Frozen):
    """d_min and completeness; either is null where no structure gives it."""

    d_min: ScalarPrior | None = Field(default=None, description="λ / (2 sin θ_max), Å")
    completeness: ScalarPrior | None = Field(
        default=None, description="Measured fraction of unique reflections, 0…1"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
