"""The monoclinic angle: β folded to ≥ 90° and the skew |s₃| = tan(β − 90°) (2026 paper, eqs 14–15)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.models import Frozen
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

    def summary(self) -> dict[str, float]:
        """Flat numbers of β and the skew."""
        flat = {"beta_max_degree": self.beta_max_degree}
        if self.share_beyond_beta_max is not None:
            flat["share_beyond_beta_max"] = self.share_beyond_beta_max.value
        flat |= {f"skew.{k}": v for k, v in self.skew.summary().items()}
        if self.beta is not None:
            flat |= {f"beta.{k}": v for k, v in self.beta.summary().items()}
        return flat


class MonoclinicAngle(Frozen):
    """The unique angle of monoclinic cells, as declared and in the least-oblique P2₁/c setting."""

    declared: MonoclinicConvention = Field(
        description="Any setting as declared, any unique axis, |β − 90°| folded"
    )
    least_oblique: MonoclinicConvention | None = Field(
        default=None, description="No. 14 only: the P2₁/c setting with β nearest to 90°"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def summary(self) -> dict[str, float]:
        """Flat numbers under both conventions."""
        flat = {f"declared.{k}": v for k, v in self.declared.summary().items()}
        if self.least_oblique is not None:
            flat |= {f"least_oblique.{k}": v for k, v in self.least_oblique.summary().items()}
        return flat
