"""Mole fraction of hydrogen, x_H (2026 paper, eq. 19): zero-inflated beta."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["Hydrogen"]


class Hydrogen(ScalarPrior):
    """x_H = n_H / (n_H + n_non-H) of the reconciled contents, where the hydrogen count is known."""

    share_zero: Estimate | None = Field(
        default=None, description="Share of structures known to hold no hydrogen"
    )
    share_30_60: Estimate | None = Field(default=None, description="Share within the 2026 paper's 0.3–0.6")
    h_unknown: Estimate | None = Field(
        default=None,
        exclude_if=lambda share: share is None,  # came later: bundles made before keep their digest
        description="Share of structures whose hydrogen count is not known; the prior describes the others",
    )
    n_unknown: int | None = Field(
        default=None, description="Structures left out: their hydrogen count is not known"
    )
