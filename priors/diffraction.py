"""Resolution and measured completeness of the data behind the structures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xtalpriors.priors.estimate import FrozenModel
from xtalpriors.priors.scalar import Form, ScalarPrior

__all__ = ["Diffraction"]


class Diffraction(FrozenModel):
    """d_min and completeness; either is null where no structure gives it."""

    d_min: ScalarPrior | None = Field(default=None, description="λ / (2 sin θ_max), Å")
    completeness: ScalarPrior | None = Field(
        default=None, description="Measured fraction of unique reflections, 0…1"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def sample(self, size: int, *, rng: np.random.Generator, form: Form | None = None) -> NDArray[np.float64]:
        """`size` values of d_min, Å."""
        return self._d_min().sample(size, rng=rng, form=form)

    def log_prob(self, d_min_angstrom: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density of d_min, per Å."""
        return self._d_min().log_prob(d_min_angstrom)

    def _d_min(self) -> ScalarPrior:
        if self.d_min is None:
            raise LookupError(
                "this bundle has no resolution: no structure of its subset states θ_max or d_min"
            )
        return self.d_min

    def summary(self) -> dict[str, float]:
        """Medians."""
        pairs = (("d_min", self.d_min), ("completeness", self.completeness))
        return {
            f"{name}.{k}": v for name, prior in pairs if prior is not None for k, v in prior.summary().items()
        }
