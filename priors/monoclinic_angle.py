"""The monoclinic angle: β folded to ≥ 90° and the skew |s₃| = tan(β − 90°) (2026 paper, eqs 14–15)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from xtalpriors.priors.estimate import Estimate, FrozenModel
from xtalpriors.priors.scalar import Form, ScalarPrior

__all__ = ["MonoclinicAngle", "MonoclinicConvention"]


class MonoclinicConvention(FrozenModel):
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


class MonoclinicAngle(FrozenModel):
    """The unique angle of monoclinic cells, as declared and in the least-oblique P2₁/c setting."""

    declared: MonoclinicConvention = Field(
        description="Any setting as declared, any unique axis, |β − 90°| folded"
    )
    least_oblique: MonoclinicConvention | None = Field(
        default=None, description="No. 14 only: the P2₁/c setting with β nearest to 90°"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def _convention(self, name: str) -> MonoclinicConvention:
        if name == "declared":
            return self.declared
        if name == "least_oblique" and self.least_oblique is not None:
            return self.least_oblique
        raise LookupError(f"this bundle has no monoclinic angle under the convention {name!r}")

    def sample(
        self, size: int, *, rng: np.random.Generator, convention: str = "declared", form: Form | None = None
    ) -> NDArray[np.float64]:
        """`size` values of β ≥ 90°, degrees."""
        skew = self._convention(convention).skew.sample(size, rng=rng, form=form)
        return np.asarray(90.0 + np.degrees(np.arctan(skew)), float)

    def log_prob(
        self, beta_degree: NDArray[np.float64], *, convention: str = "declared"
    ) -> NDArray[np.float64]:
        """Log density of β ≥ 90°, per degree: that of the skew times ds₃/dβ = 1/cos²(β − 90°)."""
        turn = np.radians(beta_degree - 90.0)
        jacobian = np.log(np.radians(1.0)) - 2 * np.log(np.cos(turn))
        return np.asarray(self._convention(convention).skew.log_prob(np.tan(turn)) + jacobian, float)

    def summary(self) -> dict[str, float]:
        """Flat numbers under both conventions."""
        flat = {f"declared.{k}": v for k, v in self.declared.summary().items()}
        if self.least_oblique is not None:
            flat |= {f"least_oblique.{k}": v for k, v in self.least_oblique.summary().items()}
        return flat
