"""Which elements occupy general and special positions (2026 paper, section 3.5 and Table S1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from xtalpriors.priors.distributions import Categorical, Estimate, Shrinkage
from xtalpriors.priors.estimate import FrozenModel

__all__ = ["ElementShares", "Elements"]


class ElementShares(FrozenModel):
    """Element shares of non-hydrogen sites on one kind of position."""

    n_sites: int | None = Field(default=None, description="Independent sites counted; null when published")
    n_structures: int | None = Field(default=None, description="Structures they belong to")
    n_clusters: int | None = Field(default=None, description="Clusters they belong to")
    per_site: Categorical = Field(
        description="Each independent site counts once (times its structure's weight)"
    )
    by_occupancy: Categorical | None = Field(
        default=None, description="Each independent site counts by its occupancy"
    )
    share_cno: Estimate = Field(description="Share of C, N and O together, per site")


class Elements(FrozenModel):
    """Element shares on general and on special positions, hydrogen left out; D and T are hydrogen."""

    convention: str
    general: ElementShares
    special: ElementShares | None = Field(
        default=None, description="Null where no special position is occupied"
    )
    shrinkage: Shrinkage | None = Field(default=None, description="Null when the subset stood on its own")
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def _shares(self, special: bool) -> Categorical:
        if not special:
            return self.general.per_site
        if self.special is None:
            raise LookupError(
                "this bundle has no elements of special positions: none was occupied in its subset"
            )
        return self.special.per_site

    def sample(self, size: int, *, rng: np.random.Generator, special: bool = False) -> NDArray[np.str_]:
        """`size` independent element symbols."""
        return self._shares(special).sample(size, rng=rng)

    def log_prob(self, symbols: ArrayLike, *, special: bool = False) -> NDArray[np.float64]:
        """Log share of each element."""
        return self._shares(special).log_prob(symbols)

    def summary(self) -> dict[str, float]:
        """Share of C + N + O and site counts, general and special."""
        flat: dict[str, float] = {}
        for name, shares in (("general", self.general), ("special", self.special)):
            if shares is not None:
                flat[f"{name}.share_cno"] = shares.share_cno.value
                if shares.n_sites is not None:
                    flat[f"{name}.n_sites"] = shares.n_sites
        return flat
