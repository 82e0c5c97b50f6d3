"""Numbers of a subset that several places of the page state, each computed in one way.

The bundle's estimate stands wherever it is the subset's own. The number is computed from the structures where
there is no bundle, and where the bundle's value was pooled with a larger subset and describes that one too.
"""

from __future__ import annotations

import pandas as pd

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.statistics import weighted_quantile, wilson
from xtalpriors.reports.subset_data import with_value

__all__ = ["RANGES", "own_median", "own_share", "share_within"]

RANGES: dict[str, tuple[float, float]] = {
    "volume_angstrom3": (160, 1000),
    "volume_per_non_h_atom_angstrom3": (7, 22),
    "h_fraction": (0.3, 0.6),
    "u_iso_mean_angstrom2": (0.01, 0.1),
}
"""By column, the range that Melgalvis & Reķis 2026 sample from: sections 3.2 and 3.5, headers of Table 1."""


def own_median(prior: ScalarPrior | None, sample: Weighted) -> Estimate | None:
    """Median of a subset, with its interval where the bundle has it; None without values.

    >>> own_median(None, Weighted(np.array([1.0, 2.0, 9.0]), np.ones(3)))
    Estimate(value=2.0, low=None, high=None)
    """
    if prior is not None and prior.median is not None and prior.shrinkage is None:
        return prior.median
    if not len(sample.values):
        return None
    return Estimate(value=weighted_quantile(sample.values, 0.5, sample.weights))


def own_share(column: str, bundle: PriorBundle | None, entries: pd.DataFrame) -> Estimate | None:
    """Share of a subset's structures within the range of `RANGES` that the paper samples `column` from."""
    if bundle is not None:
        priors = bundle.priors
        fitted: tuple[ScalarPrior | None, Estimate | None] = (None, None)
        if column == "volume_angstrom3" and priors.cell_volume is not None:
            fitted = priors.cell_volume, priors.cell_volume.share_160_1000
        elif column == "volume_per_non_h_atom_angstrom3" and priors.packing is not None:
            fitted = priors.packing, priors.packing.share_7_22
        elif column == "h_fraction" and priors.hydrogen is not None:
            fitted = priors.hydrogen, priors.hydrogen.share_30_60
        prior, share = fitted
        if prior is not None and prior.shrinkage is None and share is not None:
            return share
    return share_within(column, RANGES[column], entries)


def share_within(column: str, within: tuple[float, float], entries: pd.DataFrame) -> Estimate | None:
    """Share of the structures with a value that lie within a range, over clusters, with Wilson's interval.

    None where no structure has a value.
    """
    known = with_value(entries, column)
    if known.empty:
        return None
    inside = known[column].between(*within)
    found = wilson(float(known.loc[inside, "weight"].sum()), float(known["weight"].sum()))
    return Estimate(value=found.value, low=found.low, high=found.high)
