"""Tabulates the resolution and the measured completeness, where structures state them."""

from __future__ import annotations

from functools import partial

from xtalpriors.priors.fitting.context import Context, Unavailable, attempt
from xtalpriors.priors.fitting.observations import Values, entry_values
from xtalpriors.priors.fitting.scalars import fit_scalar
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.diffraction import Diffraction

__all__ = ["fit"]


def _d_min(table: SubsetTable) -> Values:
    return entry_values(table, table.positive("d_min_angstrom"))


def _completeness(table: SubsetTable) -> Values:
    share = table.number("completeness")
    return entry_values(table, share, (share > 0) & (share <= 1))


def fit(context: Context) -> Diffraction:
    """Empirical distributions of resolution and completeness, each where structures state it."""
    parts = []
    for part, extract, unit, convention in (
        ("d_min", _d_min, "Å", "λ / (2 sin θ_max), or as given"),
        ("completeness", _completeness, "1", "measured share of the unique reflections to θ_max, within 0…1"),
    ):
        name = f"diffraction.{part}"
        one = partial(fit_scalar, context, name, extract, unit=unit, convention=convention)
        parts.append(attempt(context, name, one))
    d_min, completeness = parts
    if d_min is None and completeness is None:
        raise Unavailable(context.unavailable["diffraction.d_min"])
    return Diffraction(d_min=d_min, completeness=completeness)
