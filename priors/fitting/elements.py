"""Counts which elements occupy general and special positions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xtalpriors.priors.fitting.context import Context, Unavailable, attempt
from xtalpriors.priors.fitting.observations import Values, observe
from xtalpriors.priors.fitting.shares import fit_categorical, fit_share
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.kinds.elements import Elements, ElementShares

__all__ = ["fit"]


def _site_elements(table: SubsetTable, labels: tuple[str, ...], special: bool) -> Values:
    """(m, 3) sites of one kind of position, those of one element in one structure together.

    Columns: index into `labels`, number of sites, sum of their occupancies (cut to 0…1; null adds nothing).
    """
    if table.site_entry is None:
        raise Unavailable("the subset has no file of sites")
    column = table.site_strings["element"]
    keep = column.known & (table.site_numbers["is_special"] == float(special))
    index = np.array([labels.index(label) for label in column.labels], np.int64)
    occupancy = np.clip(np.nan_to_num(table.site_numbers["occupancy"][keep], nan=0.0), 0.0, 1.0)
    key, position = np.unique(
        table.site_entry[keep] * len(labels) + index[column.codes[keep]], return_inverse=True
    )
    sites, occupied = np.bincount(position, minlength=len(key)), np.bincount(position, occupancy, len(key))
    return Values(np.column_stack([key % len(labels), sites, occupied]), key // len(labels))


def _fit_kind(context: Context, special: bool) -> ElementShares:
    name = f"elements.{'special' if special else 'general'}"
    tables = [t for t in (context.own, context.parent) if t is not None and t.site_entry is not None]
    labels = tuple(sorted({e for t in tables for e in t.site_strings["element"].labels}))
    seen = observe(context, name, lambda table: _site_elements(table, labels, special))
    code, sites, occupied = seen.x.T
    seen = replace(seen, x=code)
    elements = seen.times(sites)
    by_occupancy = None
    if occupied.any():
        by_occupancy = fit_categorical(context, f"{name}.by_occupancy", seen.times(occupied), labels)
    is_cno = np.isin(code, [i for i, label in enumerate(labels) if label in ("C", "N", "O")])
    return ElementShares(
        n_sites=int(sites[seen.stratum == 0].sum()),
        n_clusters=seen.n_clusters,
        per_site=fit_categorical(context, name, elements, labels),
        by_occupancy=by_occupancy,
        share_cno=fit_share(context, f"{name}.share_cno", elements, is_cno),
        shrinkage=seen.shrinkage,
    )


def fit(context: Context) -> Elements:
    """Shares of elements on general and special positions, with intervals over clusters."""
    general = _fit_kind(context, special=False)
    special = attempt(context, "elements.special", lambda: _fit_kind(context, special=True))
    return Elements(
        convention=(
            "independent non-hydrogen sites of the asymmetric unit, each with its structure's share of the "
            "vote of its cluster; general and special by multiplicity recomputed from the operators"
        ),
        general=general,
        special=special,
    )
