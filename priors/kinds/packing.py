"""Volume per non-hydrogen atom, Å³ (2026 paper, eq. 18 and Fig. S1)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["Packing"]


class Packing(ScalarPrior):
    """V of the cell over its non-hydrogen atoms (multiplicity × occupancy)."""

    atoms_per_cell: ScalarPrior | None = Field(
        default=None, description="Non-hydrogen atoms per cell, empirical"
    )
    share_7_22: Estimate | None = Field(default=None, description="Share within the 2026 paper's 7–22 Å³")
