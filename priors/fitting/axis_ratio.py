"""Fits the ratios of the sorted cell lengths: exponential in (ratio − 1), cut at r."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.conventions import cell_name, length_bounds, longest_allowed
from xtalpriors.priors.fitting.maximum_likelihood import exponential, truncated_normal
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import from_family, uniform
from xtalpriors.priors.fitting.scalars import fit_scalar
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.axis_ratio import AxisRatio

__all__ = ["fit"]


def _sorted_lengths(table: SubsetTable) -> F64:
    """(n_entries, 3) declared lengths, ascending."""
    return np.sort(np.column_stack([table.positive(f"{axis}_angstrom") for axis in "abc"]), axis=1)


def _ratio(table: SubsetTable, upper: int) -> F64:
    """(n_entries,) a₂/a₁ for `upper` 1, a₃/a₂ for `upper` 2."""
    lengths = _sorted_lengths(table)
    return np.asarray(lengths[:, upper] / lengths[:, upper - 1], float)


def _both_ratios(table: SubsetTable) -> Values:
    return entry_values(table, np.column_stack([_ratio(table, 1), _ratio(table, 2)]))


def fit(context: Context) -> AxisRatio:
    """Exponential fits of both ratios, each on its values up to r (exact truncated likelihood)."""
    r, definition = context.ratio_max, context.own.definition
    cell, bounds = cell_name(definition), length_bounds(definition)
    rivals = [uniform(1.0, r), from_family(truncated_normal(1.0, r))]

    def ratio(name: str, upper: int, what: str) -> ScalarPrior:
        """Prior of a₂/a₁ (`upper` 1) or a₃/a₂ (`upper` 2)."""
        return fit_scalar(
            context,
            f"axis_ratio.{name}",
            lambda table: entry_values(table, _ratio(table, upper)),
            unit="1",
            convention=f"{what} of the sorted lengths of the {cell}, fitted up to r = {r:g}; {bounds}",
            families=[exponential(1.0, r)],
            rivals=rivals,
            pool="bounded",
        )

    both = observe(context, "axis_ratio.share_beyond_ratio_max", _both_ratios, pool="bounded")
    own = _sorted_lengths(context.own)
    if not np.isfinite(own).any():
        raise Unavailable("no structure of the subset has cell lengths")
    return AxisRatio(
        ratio_max=r,
        length_min_angstrom=float(definition.get("length_min_angstrom") or np.nanmin(own)),
        length_max_angstrom=float(longest_allowed(definition) or np.nanmax(own)),
        middle_over_shortest=ratio("middle_over_shortest", 1, "a₂/a₁"),
        longest_over_middle=ratio("longest_over_middle", 2, "a₃/a₂"),
        longest=fit_scalar(
            context,
            "axis_ratio.longest",
            lambda table: entry_values(table, _sorted_lengths(table)[:, 2]),
            unit="Å",
            convention=f"longest length of the {cell}; {bounds}",
            pool="bounded",
        ),
        share_beyond_ratio_max=fit_share(
            context, "axis_ratio.share_beyond_ratio_max", both, np.any(both.x > r, axis=1)
        ),
    )
