"""The monoclinic angle: β folded to ≥ 90° and the skew |s₃| = tan(β − 90°) (2026 paper, eqs 14–15)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["MonoclinicAngle", "MonoclinicConvention"]


class MonoclinicConvention(Frozen):
    """β and its skew in one convention of the setting."""

    beta_max_degree: float = Field(gt=90, lt=180, description="Largest β of a generated cell")
    skew: ScalarPrior = Field(description="|s₃| = tan(β − 90°), within [0, tan(β_max − 90°)]")
    beta: ScalarPrior | None = Field(default=None, description="β folded to ≥ 90°, empirical, degrees")
    share_beyond_beta_max: Estimate | None = Field(
        default=None, description="Share of the structures with β > β_max"
    )


class MonoclinicAngle(Frozen):
    """The unique angle of monoclinic cells, as declared and in the least-oblique P2₁/c setting."""

    declared: MonoclinicConvention = Field(
        description="Any setting as declared, any unique axis, |β − 90°| folded"
    )
    least_oblique: MonoclinicConvention | None = Field(
        default=None, description="No. 14 only: the P2₁/c setting with β nearest to 90°"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")
