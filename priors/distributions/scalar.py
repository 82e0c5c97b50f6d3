"""A prior of one real number: its parametric form, its empirical distribution, and how well they agree."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from xtalpriors.arrays import F64
from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import (
    Empirical,
    GoodnessOfFit,
    Histogram,
    Scalar,
    Shrinkage,
)
from xtalpriors.priors.distributions.estimate import Estimate

__all__ = ["Form", "ScalarPrior"]

Form = Literal["parametric", "empirical"]


class ScalarPrior(Frozen):
    """One statistic of a subset, or of a paper.

    `sample` and `log_prob` use the parametric form where there is one, else the empirical one; name the
    form to have the other.
    """

    n: int | None = Field(default=None, description="Values behind the fit; null when published")
    n_clusters: int | None = Field(default=None, description="Clusters of redeterminations behind the fit")
    n_left_out: int | None = Field(
        default=None,
        description="Values outside the range of the parametric form (the empirical one holds them)",
    )
    unit: str = Field(description="Unit of the values; `1` for none")
    convention: str = Field(description="What exactly was measured, on which cell and with which cuts")
    parametric: Scalar | None = None
    empirical: Empirical | Histogram | None = None
    median: Estimate | None = Field(default=None, description="Weighted median of the values")
    mean: Estimate | None = Field(default=None, description="Weighted mean of the values")
    goodness: GoodnessOfFit | None = Field(default=None, description="Null when published or not parametric")
    shrinkage: Shrinkage | None = Field(default=None, description="Null when the subset stood on its own")
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def distribution(self, form: Form | None = None) -> Scalar:
        """The distribution of the form asked for, or of the one there is.

        Raises
        ------
        LookupError
            The prior does not hold that form.
        """
        if form == "parametric" or (form is None and self.parametric is not None):
            if self.parametric is None:
                raise LookupError(
                    f"no parametric form in this prior ({self.convention}); use the empirical one"
                )
            return self.parametric
        if self.empirical is None:
            raise LookupError(
                f"no empirical distribution in this prior ({self.convention}); use the parametric one"
            )
        return self.empirical

    def sample(self, size: int, *, rng: np.random.Generator, form: Form | None = None) -> F64:
        """`size` independent values, in `unit`."""
        return self.distribution(form).sample(size, rng=rng)

    def log_prob(self, x: ArrayLike, *, form: Form | None = None) -> F64:
        """Log density, nats per `unit`."""
        return self.distribution(form).log_prob(x)
