"""The families a prior can have, told apart in JSON by the field `family`.

Scalars: `sample(size, *, rng)`, `log_prob(x)`, `cdf(x)`, `quantile(p)`. Labels (`Categorical`) have
`sample` and `log_prob` only: they have no order.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from xtalpriors.priors.distributions.continuous import Constant, Exponential, LogNormal, Uniform
from xtalpriors.priors.distributions.estimate import Estimate, GoodnessOfFit, Rival, Shrinkage, fixed
from xtalpriors.priors.distributions.shaped import Gamma, TruncatedNormal, ZeroInflatedBeta
from xtalpriors.priors.distributions.tabulated import Categorical, Counts, Empirical, Histogram

__all__ = [
    "Categorical",
    "Constant",
    "Counts",
    "Distribution",
    "Empirical",
    "Estimate",
    "Exponential",
    "Gamma",
    "GoodnessOfFit",
    "Histogram",
    "LogNormal",
    "Rival",
    "Scalar",
    "Shrinkage",
    "TruncatedNormal",
    "Uniform",
    "ZeroInflatedBeta",
    "fixed",
]

_OfNumbers = (
    Constant
    | Uniform
    | LogNormal
    | Exponential
    | Gamma
    | TruncatedNormal
    | ZeroInflatedBeta
    | Empirical
    | Histogram
)
Scalar = Annotated[_OfNumbers, Field(discriminator="family")]
"""A distribution of real numbers."""

Distribution = Annotated[_OfNumbers | Categorical | Counts, Field(discriminator="family")]
"""Any of the families."""
