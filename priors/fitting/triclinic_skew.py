"""Fits the skews of triclinic cells: exponential, cut where the Niggli reduction ends."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.maximum_likelihood import exponential, truncated_normal
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import from_family, uniform
from xtalpriors.priors.fitting.scalars import fit_scalar
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.triclinic_skew import TriclinicSkew

__all__ = ["LARGEST_SKEW", "fit", "skews"]

LARGEST_SKEW = {"s1": 3 / 4, "s2": 1 / np.sqrt(3), "s3": 1 / np.sqrt(2)}
"""Bounds of |s| in a Niggli-reduced cell, met where a = b = c with the angles (α, β, γ) at (120°, arccos −¼,
arccos −¼), γ = 60°, and (60°, 60°, 90°)."""


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
        """Prior of one of s₁, s₂ and s₃, within what reduction allows."""
        column, high = ("s1", "s2", "s3").index(name), float(LARGEST_SKEW[name]) * (1 + 1e-6)

        def extract(table: SubsetTable) -> Values:
            """One skew of each reduced cell."""
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
        """Median and quantiles of one angle of the reduced cell."""

        def extract(table: SubsetTable) -> Values:
            """One angle of each reduced cell in degrees."""
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
