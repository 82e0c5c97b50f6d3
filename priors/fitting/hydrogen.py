"""Fits the mole fraction of hydrogen: a share of exact zeros, and a beta distribution of the rest."""

from __future__ import annotations

import numpy as np

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.fitting.context import Context
from xtalpriors.priors.fitting.maximum_likelihood import zero_inflated_beta
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.scalars import scalar_of
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.hydrogen import Hydrogen

__all__ = ["fit"]


def _known_fraction(table: SubsetTable) -> Values:
    """x_H of structures whose hydrogen count has a known origin, `none` (no hydrogen anywhere) included."""
    fraction = table.number("h_fraction")
    known = table.string("hydrogen_origin").known & (fraction >= 0) & (fraction < 1)
    return entry_values(table, fraction, known)


def _share_unknown(context: Context) -> Estimate:
    """Share of structures, with atoms or without, of whose hydrogen nothing is known."""
    unknown = observe(context, "hydrogen.h_unknown", _is_unknown, minimum=1)
    return fit_share(context, "hydrogen.h_unknown", unknown, unknown.x == 1)


def _is_unknown(table: SubsetTable) -> Values:
    return entry_values(table, (~table.string("hydrogen_origin").known).astype(float))


def fit(context: Context) -> Hydrogen:
    """Share of structures without hydrogen, and a beta distribution of the others."""
    observations = observe(context, "hydrogen", _known_fraction)
    scalar = scalar_of(
        context,
        "hydrogen",
        observations,
        unit="1",
        convention="mole fraction of hydrogen in the reconciled contents, where the hydrogen count is known",
        families=[zero_inflated_beta()],
    )
    inside = (observations.x >= 0.3) & (observations.x <= 0.6)
    return Hydrogen(
        **dict(scalar),
        share_zero=fit_share(context, "hydrogen.share_zero", observations, observations.x == 0),
        share_30_60=fit_share(context, "hydrogen.share_30_60", observations, inside),
        h_unknown=_share_unknown(context),
        n_unknown=int(np.sum(~context.own.string("hydrogen_origin").known)),
    )
