"""Resolution and measured completeness of the data behind the structures."""

from __future__ import annotations

from functools import partial

import numpy as np
from pydantic import Field

from xtalpriors.arrays import F64
from xtalpriors.models import Frozen
from xtalpriors.priors.distributions.scalar import Form, ScalarPrior
from xtalpriors.priors.fitting.estimators import fit_scalar
from xtalpriors.priors.fitting.observations import Context, Unavailable, Values, attempt, entry_values
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["Diffraction", "fit"]


class Diffraction(Frozen):
    """d_min and completeness; either is null where no structure gives it."""

    d_min: ScalarPrior | None = Field(default=None, description="λ / (2 sin θ_max), Å")
    completeness: ScalarPrior | None = Field(
        default=None, description="Measured fraction of unique reflections, 0…1"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    @classmethod
    def fit(cls, context: Context) -> Diffraction:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def sample(self, size: int, *, rng: np.random.Generator, form: Form | None = None) -> F64:
        """`size` values of d_min, Å."""
        return self._d_min().sample(size, rng=rng, form=form)

    def log_prob(self, d_min_angstrom: F64) -> F64:
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


def _d_min(table: SubsetTable) -> Values:
    return entry_values(table, table.positive("d_min_angstrom"))


def _completeness(table: SubsetTable) -> Values:
    share = table.number("completeness")
    return entry_values(table, share, (share > 0) & (share <= 1))


def fit(context: Context) -> Diffraction:
    """Empirical distributions of resolution and completeness, each where structures state it."""
    parts = []
    for part, extract, unit, convention in (
        ("d_min", _d_min, "Å", "λ / (2 sin θ_max), or as given"),
        ("completeness", _completeness, "1", "measured share of the unique reflections to θ_max, within 0…1"),
    ):
        name = f"diffraction.{part}"
        one = partial(fit_scalar, context, name, extract, unit=unit, convention=convention)
        parts.append(attempt(context, name, one))
    d_min, completeness = parts
    if d_min is None and completeness is None:
        raise Unavailable(context.unavailable["diffraction.d_min"])
    return Diffraction(d_min=d_min, completeness=completeness)
