"""Which elements occupy general and special positions (2026 paper, section 3.5 and Table S1)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Categorical, Estimate, Shrinkage

__all__ = ["ElementShares", "Elements"]


class ElementShares(Frozen):
    """Element shares of non-hydrogen sites on one kind of position."""

    n_sites: int | None = Field(default=None, description="Independent sites counted; null when published")
    n_clusters: int | None = Field(default=None, description="Clusters they belong to")
    per_site: Categorical = Field(
        description="Each independent site counts once (times its structure's weight)"
    )
    by_occupancy: Categorical | None = Field(
        default=None, description="Each independent site counts by its occupancy"
    )
    share_cno: Estimate = Field(description="Share of C, N and O together, per site")
    shrinkage: Shrinkage | None = Field(default=None, description="Null when the subset stood on its own")


class Elements(Frozen):
    """Element shares on general and on special positions, hydrogen left out; D and T are hydrogen."""

    convention: str
    general: ElementShares
    special: ElementShares | None = Field(
        default=None, description="Null where no special position is occupied"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
