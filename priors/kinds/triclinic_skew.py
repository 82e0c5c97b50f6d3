"""The skews of triclinic cells (2026 paper, eq. 17) and the angles of the reduced cell."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["TriclinicSkew"]


class TriclinicSkew(Frozen):
    """|s₂|, |s₃| (and |s₁|, which eq. 17 leaves out) of the Niggli-reduced cell with a ≤ b ≤ c.

    The basis is written upper triangular, a = (a, 0, 0), b = b₀(s₂, 1, 0), c = c₀(s₃, s₁, 1): s₂ = cot γ, and
    s₁ = 0 gives back eq. 17.
    """

    s2: ScalarPrior = Field(description="|s₂|, at most 1/√3 in a reduced cell")
    s3: ScalarPrior = Field(description="|s₃|, at most 1/√2 in a reduced cell")
    s1: ScalarPrior | None = Field(default=None, description="|s₁|, at most 3/4 in a reduced cell")
    alpha: ScalarPrior | None = Field(default=None, description="α of the reduced cell, empirical, degrees")
    beta: ScalarPrior | None = Field(default=None, description="β of the reduced cell, empirical, degrees")
    gamma: ScalarPrior | None = Field(default=None, description="γ of the reduced cell, empirical, degrees")
    share_acute: Estimate | None = Field(
        default=None, description="Share of type I reduced cells (all angles < 90°)"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
