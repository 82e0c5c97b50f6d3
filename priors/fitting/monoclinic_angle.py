"""Fits the monoclinic angle: exponential in the skew |s₃| = tan(β − 90°), cut at β_max."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xtalpriors.priors.fitting.context import Context, Unavailable, attempt
from xtalpriors.priors.fitting.conventions import cell_name
from xtalpriors.priors.fitting.maximum_likelihood import exponential, truncated_normal
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import from_family, uniform
from xtalpriors.priors.fitting.scalars import fit_scalar
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.monoclinic_angle import MonoclinicAngle, MonoclinicConvention

__all__ = ["fit"]


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
        """tan(β − 90°) of each cell."""
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
