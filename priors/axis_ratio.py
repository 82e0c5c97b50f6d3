"""Ratios of the sorted cell lengths: exponential in (ratio − 1), cut at r (2026 paper, section 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xtalpriors.priors.estimate import Estimate, FrozenModel
from xtalpriors.priors.scalar import Form, ScalarPrior

__all__ = ["AxisRatio"]


class AxisRatio(FrozenModel):
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

    def sample(self, size: int, *, rng: np.random.Generator, form: Form | None = None) -> NDArray[np.float64]:
        """(size, 2) independent a₂/a₁ and a₃/a₂.

        Raises
        ------
        LookupError
            The bundle has no distribution of the ratios (the published one has only their bound).
        """
        if self.middle_over_shortest is None or self.longest_over_middle is None:
            raise LookupError(
                "this bundle has no distribution of the axis ratios, only their bound; "
                "sample the lengths uniformly or use a fitted bundle"
            )
        pair = [
            p.sample(size, rng=rng, form=form) for p in (self.middle_over_shortest, self.longest_over_middle)
        ]
        return np.column_stack(pair)

    def log_prob(self, ratios: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log density of (n, 2) ratios, the two taken as independent."""
        if self.middle_over_shortest is None or self.longest_over_middle is None:
            raise LookupError("this bundle has no distribution of the axis ratios, only their bound")
        return self.middle_over_shortest.log_prob(ratios[:, 0]) + self.longest_over_middle.log_prob(
            ratios[:, 1]
        )

    def summary(self) -> dict[str, float]:
        """Flat numbers of both ratios."""
        flat = {"ratio_max": self.ratio_max}
        if self.share_beyond_ratio_max is not None:
            flat["share_beyond_ratio_max"] = self.share_beyond_ratio_max.value
        for name in ("middle_over_shortest", "longest_over_middle", "longest"):
            prior: ScalarPrior | None = getattr(self, name)
            if prior is not None:
                flat |= {f"{name}.{k}": v for k, v in prior.summary().items()}
        return flat
