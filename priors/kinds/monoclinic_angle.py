"""The monoclinic angle: β folded to ≥ 90° and the skew |s₃| = tan(β − 90°) (2026 paper, eqs 14–15)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydantic import Field

from xtalpriors.arrays import F64
from xtalpriors.models import Frozen
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import Form, ScalarPrior
from xtalpriors.priors.fitting.conventions import cell_name
from xtalpriors.priors.fitting.estimators import fit_scalar
from xtalpriors.priors.fitting.families import exponential, truncated_normal
from xtalpriors.priors.fitting.observations import (
    Context,
    Unavailable,
    Values,
    attempt,
    entry_values,
    observe,
)
from xtalpriors.priors.fitting.rivals import from_family, uniform
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["MonoclinicAngle", "MonoclinicConvention", "fit"]


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

    def _convention(self, name: str) -> MonoclinicConvention:
        if name == "declared":
            return self.declared
        if name == "least_oblique" and self.least_oblique is not None:
            return self.least_oblique
        raise LookupError(f"this bundle has no monoclinic angle under the convention {name!r}")

    @classmethod
    def fit(cls, context: Context) -> MonoclinicAngle:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def sample(
        self, size: int, *, rng: np.random.Generator, convention: str = "declared", form: Form | None = None
    ) -> F64:
        """`size` values of β ≥ 90°, degrees."""
        skew = self._convention(convention).skew.sample(size, rng=rng, form=form)
        return np.asarray(90.0 + np.degrees(np.arctan(skew)), float)

    def log_prob(self, beta_degree: F64, *, convention: str = "declared") -> F64:
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


def _declared(table: SubsetTable) -> Values:
    """β ≥ 90° of monoclinic cells as declared: the angle farthest from 90°, folded; any unique axis."""
    angles = np.column_stack([table.angle(f"{angle}_degree") for angle in ("alpha", "beta", "gamma")])
    turn = np.abs(angles - 90.0).max(axis=1)
    return entry_values(table, 90.0 + turn, table.string("crystal_system").equals("monoclinic"))


def _least_oblique(table: SubsetTable) -> Values:
    """β ≥ 90° of the least-oblique P2₁/c cell; no. 14 only."""
    beta = table.angle("least_oblique_beta_degree")
    return entry_values(table, 90.0 + np.abs(beta - 90.0), np.isfinite(beta))


def _fit_convention(
    context: Context, name: str, extract: Callable[[SubsetTable], Values], what: str
) -> MonoclinicConvention:
    limit = context.beta_max_degree
    largest = float(np.tan(np.radians(limit - 90.0)))

    def skew(table: SubsetTable) -> Values:
        beta = extract(table)
        # tan of a right angle and beyond is no skew of a cell
        return Values(np.tan(np.radians(np.minimum(beta.x, 179.0) - 90.0)), beta.entry)

    observed = observe(context, f"{name}.share_beyond_beta_max", extract)
    return MonoclinicConvention(
        beta_max_degree=limit,
        skew=fit_scalar(
            context,
            f"{name}.skew",
            skew,
            unit="1",
            convention=f"|s₃| = tan(β − 90°) of {what}, fitted up to β_max = {limit:g}°",
            families=[exponential(0.0, largest)],
            rivals=[uniform(0.0, largest), from_family(truncated_normal(0.0, largest))],
        ),
        beta=fit_scalar(context, f"{name}.beta", extract, unit="°", convention=f"β of {what}"),
        share_beyond_beta_max=fit_share(
            context, f"{name}.share_beyond_beta_max", observed, observed.x > limit
        ),
    )


def fit(context: Context) -> MonoclinicAngle:
    """Exponential fits of the skew under both conventions; the least-oblique one needs no. 14."""
    if not context.own.string("crystal_system").equals("monoclinic").any():
        raise Unavailable("the subset holds no monoclinic structure")
    declared = _fit_convention(
        context,
        "monoclinic_angle.declared",
        _declared,
        f"the {cell_name(context.own.definition)}, any setting and unique axis, folded to ≥ 90°",
    )
    name = "monoclinic_angle.least_oblique"
    least_oblique = attempt(
        context,
        name,
        lambda: _fit_convention(context, name, _least_oblique, "the least-oblique P2₁/c cell of no. 14"),
    )
    return MonoclinicAngle(declared=declared, least_oblique=least_oblique)
