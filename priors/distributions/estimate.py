"""The small frozen models that every prior is made of: an estimate with its interval, and goodness of fit."""

from __future__ import annotations

import math
from typing import Final, Self

from pydantic import Field, model_validator

from xtalpriors.frozen_model import Frozen

__all__ = ["POOR_FIT", "Estimate", "GoodnessOfFit", "Rival", "Shrinkage", "fixed", "wilson_interval"]


class Estimate(Frozen):
    """A number with its 95 % interval; `low` and `high` are null where the source gives none."""

    value: float
    low: float | None = Field(default=None, description="Lower end of the 95 % interval")
    high: float | None = Field(default=None, description="Upper end of the 95 % interval")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has both ends or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval [{self.low}, {self.high}] is upside down")
        return self

    @property
    def half_width(self) -> float | None:
        """Half the width of the interval, null without one."""
        return None if self.low is None or self.high is None else 0.5 * (self.high - self.low)


def fixed(value: float) -> Estimate:
    """An estimate without interval: a published or chosen number."""
    return Estimate(value=value)


def wilson_interval(count: float, n: float) -> tuple[float, float]:
    """95 % interval of the share `count` of `n` (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    Both may be sums of cluster weights, which `scipy.stats.binomtest` does not take; n is then the number of
    independent clusters. Where `n` is 0 nothing is known of the share: (0, 1).
    """
    if n <= 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share = count / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


POOR_FIT: Final = 0.3
"""KS distance above which a parametric form does not describe the values: 0.2 is plain in a figure."""


class Rival(Frozen):
    """How one family of distributions describes the same values."""

    family: str
    held_out_log_likelihood: float = Field(
        description="Mean log density per value, nats, of values the fit did not see (5 folds of clusters)"
    )
    ks_d: float = Field(description="Kolmogorov–Smirnov distance of the fit to all values")
    wasserstein: float = Field(description="Wasserstein-1 distance of the fit to all values, in their unit")


class GoodnessOfFit(Frozen):
    """Effect sizes of the parametric form in use; no p-values (they measure n, not the misfit)."""

    ks_d: float = Field(
        description="Kolmogorov–Smirnov distance between the fit and the empirical distribution"
    )
    wasserstein: float = Field(description="Wasserstein-1 distance, in the unit of the statistic")
    held_out_log_likelihood: float = Field(
        description="Mean log density per value, nats, over 5 folds of clusters"
    )
    best_family: str = Field(
        description="The family with the largest held-out log-likelihood, rivals included"
    )
    rivals: tuple[Rival, ...] = Field(description="Every family tried, the one in use included, best first")

    @property
    def poor(self) -> bool:
        """Whether the form is so far from the values (D > 0.3) that it does not describe them."""
        return self.ks_d > POOR_FIT

    @property
    def closest(self) -> Rival:
        """The family whose KS distance is smallest."""
        return min(self.rivals, key=lambda rival: rival.ks_d)


class Shrinkage(Frozen):
    """How a subset with few structures was pooled towards its parent: weight·own + (1 − weight)·parent."""

    parent: str = Field(description="The subset pooled towards")
    n_own: int = Field(description="Clusters of the subset itself")
    n_parent: int = Field(description="Clusters of the parent")
    weight_own: float = Field(ge=0, le=1, description="Share of the subset's own values in the pooled fit")
