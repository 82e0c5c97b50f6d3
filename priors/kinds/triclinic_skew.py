"""The skews of triclinic cells (2026 paper, eq. 17) and the angles of the reduced cell."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from xtalpriors.arrays import F64
from xtalpriors.models import Frozen
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import Form, ScalarPrior
from xtalpriors.priors.fitting.estimators import fit_scalar
from xtalpriors.priors.fitting.families import exponential, truncated_normal
from xtalpriors.priors.fitting.observations import Context, Unavailable, Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import from_family, uniform
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["TriclinicSkew", "fit", "skews"]

LARGEST_SKEW = {"s1": 3 / 4, "s2": 1 / np.sqrt(3), "s3": 1 / np.sqrt(2)}
"""Bounds of |s| in a Niggli-reduced cell, met where a = b = c with the angles (α, β, γ) at (120°, arccos −¼,
arccos −¼), γ = 60°, and (60°, 60°, 90°)."""


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

    @classmethod
    def fit(cls, context: Context) -> TriclinicSkew:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def sample(self, size: int, *, rng: np.random.Generator, form: Form | None = None) -> F64:
        """(size, 2) independent |s₂|, |s₃|."""
        return np.column_stack([p.sample(size, rng=rng, form=form) for p in (self.s2, self.s3)])

    def log_prob(self, skews: F64) -> F64:
        """Log density of (n, 2) skews, the two taken as independent."""
        return self.s2.log_prob(skews[:, 0]) + self.s3.log_prob(skews[:, 1])

    def summary(self) -> dict[str, float]:
        """Flat numbers of the skews and angles."""
        flat: dict[str, float] = {}
        if self.share_acute is not None:
            flat["share_acute"] = self.share_acute.value
        for name in ("s1", "s2", "s3", "alpha", "beta", "gamma"):
            prior: ScalarPrior | None = getattr(self, name)
            if prior is not None:
                flat |= {f"{name}.{k}": v for k, v in prior.summary().items()}
        return flat


def skews(angles_degree: F64) -> F64:
    """(n, 3) |s₁|, |s₂|, |s₃| of (n, 3) angles α, β, γ: the upper triangular basis over its diagonal."""
    cos, sin = np.cos(np.radians(angles_degree)), np.sin(np.radians(angles_degree))
    bc = (cos[:, 0] - cos[:, 1] * cos[:, 2]) / sin[:, 2]
    with np.errstate(invalid="ignore", divide="ignore"):
        height = np.sqrt(1 - cos[:, 1] ** 2 - bc**2)
        s = np.column_stack([bc / height, cos[:, 2] / sin[:, 2], cos[:, 1] / height])
    return np.asarray(np.abs(s), float)


def _reduced_angles(table: SubsetTable) -> Values:
    angles = [table.angle(f"niggli_{angle}_degree") for angle in ("alpha", "beta", "gamma")]
    return entry_values(table, np.column_stack(angles), table.string("crystal_system").equals("triclinic"))


def fit(context: Context) -> TriclinicSkew:
    """Exponential fits of the skews of reduced triclinic cells, within the bounds that reduction sets."""
    if not context.own.string("crystal_system").equals("triclinic").any():
        raise Unavailable("the subset holds no triclinic structure")
    reduced = observe(context, "triclinic_skew.share_acute", _reduced_angles)

    def skew(name: str) -> ScalarPrior:
        column, high = ("s1", "s2", "s3").index(name), float(LARGEST_SKEW[name]) * (1 + 1e-6)

        def extract(table: SubsetTable) -> Values:
            angles = _reduced_angles(table)
            return Values(skews(angles.x)[:, column], angles.entry)

        return fit_scalar(
            context,
            f"triclinic_skew.{name}",
            extract,
            unit="1",
            convention=f"|{name}| of the Niggli-reduced cell, a ≤ b ≤ c, upper triangular basis",
            families=[exponential(0.0, high)],
            rivals=[uniform(0.0, high), from_family(truncated_normal(0.0, high))],
        )

    def angle(name: str, column: int) -> ScalarPrior:
        def extract(table: SubsetTable) -> Values:
            angles = _reduced_angles(table)
            return Values(angles.x[:, column], angles.entry)

        return fit_scalar(
            context,
            f"triclinic_skew.{name}",
            extract,
            unit="°",
            convention=f"{name} of the Niggli-reduced cell, a ≤ b ≤ c",
        )

    return TriclinicSkew(
        s1=skew("s1"),
        s2=skew("s2"),
        s3=skew("s3"),
        alpha=angle("alpha", 0),
        beta=angle("beta", 1),
        gamma=angle("gamma", 2),
        share_acute=fit_share(
            context, "triclinic_skew.share_acute", reduced, np.all(reduced.x < 90.0 - 1e-6, axis=1)
        ),
    )
