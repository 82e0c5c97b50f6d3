"""Frequencies of space groups and of their settings."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Categorical

__all__ = ["SpaceGroups"]


class SpaceGroups(Frozen):
    """Space-group numbers and extended Hermann–Mauguin symbols, as computed from the operators."""

    n: int | None = None
    n_clusters: int | None = None
    convention: str
    numbers: Categorical = Field(description="Labels are numbers 1…230")
    settings: Categorical = Field(
        description="Extended Hermann–Mauguin symbol; `<number>:unnamed` without a name"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
