"""Fits the volume of the cell: log-normal with location 0."""

from __future__ import annotations

from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.conventions import cell_name, length_bounds
from xtalpriors.priors.fitting.maximum_likelihood import gamma, lognormal, truncated_normal
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import from_family, weibull
from xtalpriors.priors.fitting.scalars import scalar_of
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.cell_volume import CellVolume

__all__ = ["fit"]


def _volumes(table: SubsetTable) -> Values:
    return entry_values(table, table.positive("volume_angstrom3"))


def fit(context: Context) -> CellVolume:
    """Log-normal fit of the declared cells' volumes (plain maximum likelihood, location 0)."""
    name, definition = "cell_volume", context.own.definition
    observations = observe(context, name, _volumes, pool="bounded")
    scalar = scalar_of(
        context,
        name,
        observations,
        unit="Å³",
        convention=f"volume of the {cell_name(definition)}; {length_bounds(definition)}",
        families=[lognormal()],
        rivals=[from_family(gamma()), weibull(), from_family(truncated_normal(0.0, None))],
    )
    inside = (observations.x >= 160) & (observations.x <= 1000)
    low, high = scalar.distribution("empirical").quantile([0.01, 0.99])
    return CellVolume(
        **dict(scalar),
        uniform_low_angstrom3=float(low),
        uniform_high_angstrom3=float(high),
        share_160_1000=fit_share(context, f"{name}.share_160_1000", observations, inside),
    )
