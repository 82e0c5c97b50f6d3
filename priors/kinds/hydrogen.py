"""Mole fraction of hydrogen, x_H (2026 paper, eq. 19): zero-inflated beta."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.estimators import scalar_of
from xtalpriors.priors.fitting.families import zero_inflated_beta
from xtalpriors.priors.fitting.observations import Context, Values, entry_values, observe
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["Hydrogen", "fit"]


class Hydrogen(ScalarPrior):
    """x_H = n_H / (n_H + n_non-H) of the reconciled contents, where the hydrogen count is known."""

    share_zero: Estimate | None = Field(
        default=None, description="Share of structures known to hold no hydrogen"
    )
    share_30_60: Estimate | None = Field(default=None, description="Share within the 2026 paper's 0.3–0.6")
    n_unknown: int | None = Field(
        default=None, description="Structures left out: their hydrogen count is not known"
    )

    @classmethod
    def fit(cls, context: Context) -> Hydrogen:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def summary(self) -> dict[str, float]:
        """Flat numbers, the share without hydrogen included."""
        flat = super().summary()
        if self.share_zero is not None:
            flat["share_zero"] = self.share_zero.value
        if self.share_30_60 is not None:
            flat["share_30_60"] = self.share_30_60.value
        return flat


def _known_fraction(table: SubsetTable) -> Values:
    """x_H of structures whose hydrogen count has a known origin, `none` (no hydrogen anywhere) included."""
    fraction = table.number("h_fraction")
    known = table.string("hydrogen_origin").known & (fraction >= 0) & (fraction < 1)
    return entry_values(table, fraction, known)


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
        n_unknown=int(np.sum(~context.own.string("hydrogen_origin").known)),
    )
