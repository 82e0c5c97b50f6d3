"""Fits the volume per non-hydrogen atom."""

from __future__ import annotations

from xtalpriors.priors.fitting.context import Context, attempt
from xtalpriors.priors.fitting.maximum_likelihood import gamma, lognormal, truncated_normal
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import weibull
from xtalpriors.priors.fitting.scalars import fit_scalar, scalar_of
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.packing import Packing

__all__ = ["fit"]


def _volume_per_atom(table: SubsetTable) -> Values:
    return entry_values(table, table.positive("volume_per_non_h_atom_angstrom3"))


def fit(context: Context) -> Packing:
    """Truncated normal, gamma or log-normal, whichever predicts held-out structures best."""
    observations = observe(context, "packing", _volume_per_atom)
    scalar = scalar_of(
        context,
        "packing",
        observations,
        unit="Å³",
        convention="volume of the cell over its non-hydrogen atoms, multiplicity × occupancy from the sites",
        families=[truncated_normal(0.0, None), gamma(), lognormal()],
        rivals=[weibull()],
    )
    inside = (observations.x >= 7) & (observations.x <= 22)
    atoms = attempt(
        context,
        "packing.atoms_per_cell",
        lambda: fit_scalar(
            context,
            "packing.atoms_per_cell",
            lambda table: entry_values(table, table.positive("n_atoms_non_h_cell")),
            unit="1",
            convention="non-hydrogen atoms per cell, multiplicity × occupancy",
            pool="bounded",
        ),
    )
    return Packing(
        **dict(scalar),
        atoms_per_cell=atoms,
        share_7_22=fit_share(context, "packing.share_7_22", observations, inside),
    )
