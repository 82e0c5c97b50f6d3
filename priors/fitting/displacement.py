"""Fits of U_iso: means of structures, deviations of sites, by band of temperature and by element."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.priors.distributions.distribution import LogNormal
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.context import Context, Unavailable, attempt
from xtalpriors.priors.fitting.maximum_likelihood import Family, centred_normal, gamma, lognormal
from xtalpriors.priors.fitting.observations import Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import laplace, weibull
from xtalpriors.priors.fitting.scalars import fit_scalar, scalar_of
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.displacement import Displacement, ElementDisplacement

__all__ = ["fit"]

TEMPERATURE_BANDS: tuple[tuple[str, float, float], ...] = (
    ("below-130-K", 0.0, 130.0),
    ("130-250-K", 130.0, 250.0),
    ("250-330-K", 250.0, 330.0),
    ("above-330-K", 330.0, np.inf),
)
"""Name, lower and upper end (K): nitrogen-stream data, cooled, room temperature, heated."""
LEAST_SPREAD = 1e-6
"""Å²; a structure whose sites agree this closely has one overall U, which says nothing about single atoms."""
MIN_SITES = 30


def _families() -> list[Family]:
    return [lognormal(), gamma()]


def _evidence(table: SubsetTable) -> Values:
    """U_iso of non-hydrogen sites with evidence."""
    if table.site_entry is None:
        raise Unavailable("the subset has no file of sites")
    keep = table.site_flags["u_is_evidence"]
    return Values(table.site_numbers["u_iso_angstrom2"][keep], table.site_entry[keep])


def _means(table: SubsetTable) -> F64:
    """(n_entries,) mean U_iso, NaN where no site has evidence."""
    return np.where(table.number("u_iso_n") > 0, table.positive("u_iso_mean_angstrom2"), np.nan)


def _with_own_mean(table: SubsetTable) -> tuple[Values, F64, I64]:
    """Sites of structures with two or more different U_iso, mean of the structure of each, element codes."""
    sites = _evidence(table)
    n = np.bincount(sites.entry, minlength=table.n_entries)
    mean = np.bincount(sites.entry, sites.x, table.n_entries) / np.maximum(n, 1)
    largest = np.zeros(table.n_entries)
    np.maximum.at(largest, sites.entry, np.abs(sites.x - mean[sites.entry]))
    keep = ((n >= 2) & (largest > LEAST_SPREAD))[sites.entry]
    codes = table.site_strings["element"].codes[table.site_flags["u_is_evidence"]]
    return sites.where(keep), mean[sites.entry[keep]], codes[keep]


def _deviations(table: SubsetTable) -> Values:
    sites, mean, _ = _with_own_mean(table)
    return Values(sites.x - mean, sites.entry)


def _ratios(table: SubsetTable) -> Values:
    sites, mean, _ = _with_own_mean(table)
    return Values(sites.x / mean, sites.entry)


def _by_temperature(context: Context) -> dict[str, ScalarPrior]:
    found: dict[str, ScalarPrior] = {}
    for band, low, high in (*TEMPERATURE_BANDS, ("unknown", np.nan, np.nan)):

        def extract(table: SubsetTable, low: float = low, high: float = high) -> Values:
            """Mean U_iso in Å² of the structures measured in one band of temperature."""
            t = table.number("temperature_kelvin")
            inside = np.isnan(t) if np.isnan(low) else (t >= low) & (t < high)
            return entry_values(table, _means(table), inside)

        name = f"displacement.by_temperature.{band}"
        one = partial(
            fit_scalar,
            context,
            name,
            extract,
            unit="Å²",
            convention=f"mean U_iso of a structure, temperature {band}",
            families=_families(),
            rivals=[weibull()],
        )
        prior = attempt(context, name, one)
        if prior is not None:
            found[band] = prior
    return found


def _by_element(context: Context) -> dict[str, ElementDisplacement]:
    """Ratio to the mean of the structure, of elements with 30 sites in 20 clusters; never pooled."""
    table = context.own
    sites, mean, codes = _with_own_mean(table)
    alone = replace(context, parent=None, warnings={}, unavailable={})
    found: dict[str, ElementDisplacement] = {}
    for code, element in enumerate(table.site_strings["element"].labels):
        mine = codes == code
        if mine.sum() < MIN_SITES:
            continue

        def ratios(_: SubsetTable, mine: Bool = mine) -> Values:
            """U_iso of the sites of one element over the mean of their structure."""
            return Values(sites.x[mine] / mean[mine], sites.entry[mine])

        try:
            observations = observe(alone, "", ratios)
        except Unavailable:
            continue  # below the number of clusters that the field's description states
        prior = scalar_of(
            alone,
            f"displacement.by_element.{element}",
            observations,
            unit="1",
            convention="",
            families=[lognormal()],
        )
        if isinstance(prior.parametric, LogNormal) and prior.median is not None:
            found[element] = ElementDisplacement(
                n=observations.n,
                n_clusters=observations.n_clusters,
                ratio=prior.median,
                sd_log_ratio=prior.parametric.sigma,
            )
    return found


def fit(context: Context) -> Displacement:
    """Log-normal or gamma means and ratios (whichever predicts better), deviations normal about 0."""
    what = "non-hydrogen sites whose U_iso is evidence (positive, ≤ 0.5 Å², not riding)"
    mean = fit_scalar(
        context,
        "displacement.mean",
        lambda table: entry_values(table, _means(table)),
        unit="Å²",
        convention=f"mean over the {what} of a structure",
        families=_families(),
        rivals=[weibull()],
    )
    deviation = fit_scalar(
        context,
        "displacement.deviation",
        _deviations,
        unit="Å²",
        convention=f"U_iso minus the mean of its structure; {what}; structures with one overall U left out",
        families=[centred_normal()],
        rivals=[laplace()],
    )
    ratio = fit_scalar(
        context,
        "displacement.ratio",
        _ratios,
        unit="1",
        convention=f"U_iso over the mean of its structure; {what}; structures with one overall U left out",
        families=_families(),
        rivals=[weibull()],
    )
    return Displacement(
        mean=mean,
        deviation=deviation,
        ratio=ratio,
        by_temperature=_by_temperature(context),
        by_element=_by_element(context),
    )
