"""Volume of the cell: log-normal with location 0 (2026 paper, section 3.2 and Fig. 1)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["CellVolume"]


class CellVolume(ScalarPrior):
    """V of the declared cell, Å³; parametric form `LogNormal`."""

    uniform_low_angstrom3: float = Field(
        gt=0, description="Lower end of the strategy `volume-uniform`: the 1 % quantile of a fitted bundle"
    )
    uniform_high_angstrom3: float = Field(
        gt=0, description="Upper end of the strategy `volume-uniform`: the 99 % quantile of a fitted bundle"
    )
    share_160_1000: Estimate | None = Field(
        default=None, description="Share of the volumes within the 2026 paper's 160–1000 Å³"
    )
