"""Frequencies of space groups and of their settings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from xtalpriors.priors.distributions import Categorical
from xtalpriors.priors.estimate import FrozenModel

__all__ = ["SpaceGroups"]


class SpaceGroups(FrozenModel):
    """Space-group numbers and extended Hermann–Mauguin symbols, as computed from the operators."""

    n: int | None = None
    n_clusters: int | None = None
    convention: str
    numbers: Categorical = Field(description="Labels are numbers 1…230")
    settings: Categorical = Field(
        description="Extended Hermann–Mauguin symbol; `<number>:unnamed` without a name"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def sample(self, size: int, *, rng: np.random.Generator) -> NDArray[np.int64]:
        """`size` independent space-group numbers."""
        return self.numbers.sample(size, rng=rng).astype(np.int64)

    def log_prob(self, numbers: ArrayLike) -> NDArray[np.float64]:
        """Log frequency of each space-group number."""
        return self.numbers.log_prob(np.asarray(numbers).astype(str))

    def summary(self) -> dict[str, float]:
        """Number of groups and the share of no. 14."""
        return {"n_groups": len(self.numbers.labels), "share_p21c": self.numbers.share("14")}
