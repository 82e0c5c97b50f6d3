"""Which elements occupy general and special positions (2026 paper, section 3.5 and Table S1)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from xtalpriors.arrays import F64
from xtalpriors.models import Frozen
from xtalpriors.priors.distributions.distribution import Categorical, Estimate, Shrinkage
from xtalpriors.priors.fitting.observations import Context, Unavailable, Values, attempt, observe
from xtalpriors.priors.fitting.shares import fit_categorical, fit_share
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["ElementShares", "Elements", "fit"]


class ElementShares(Frozen):
    """Element shares of non-hydrogen sites on one kind of position."""

    n_sites: int | None = Field(default=None, description="Independent sites counted; null when published")
    n_clusters: int | None = Field(default=None, description="Clusters they belong to")
    per_site: Categorical = Field(
        description="Each independent site counts once (times its structure's weight)"
    )
    by_occupancy: Categorical | None = Field(
        default=None, description="Each independent site counts by its occupancy"
    )
    share_cno: Estimate = Field(description="Share of C, N and O together, per site")
    shrinkage: Shrinkage | None = Field(default=None, description="Null when the subset stood on its own")


class Elements(Frozen):
    """Element shares on general and on special positions, hydrogen left out; D and T are hydrogen."""

    convention: str
    general: ElementShares
    special: ElementShares | None = Field(
        default=None, description="Null where no special position is occupied"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def _shares(self, special: bool) -> Categorical:
        if not special:
            return self.general.per_site
        if self.special is None:
            raise LookupError(
                "this bundle has no elements of special positions: none was occupied in its subset"
            )
        return self.special.per_site

    @classmethod
    def fit(cls, context: Context) -> Elements:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def sample(self, size: int, *, rng: np.random.Generator, special: bool = False) -> NDArray[np.str_]:
        """`size` independent element symbols."""
        return self._shares(special).sample(size, rng=rng)

    def log_prob(self, symbols: ArrayLike, *, special: bool = False) -> F64:
        """Log share of each element."""
        return self._shares(special).log_prob(symbols)

    def summary(self) -> dict[str, float]:
        """Share of C + N + O and site counts, general and special."""
        flat: dict[str, float] = {}
        for name, shares in (("general", self.general), ("special", self.special)):
            if shares is not None:
                flat[f"{name}.share_cno"] = shares.share_cno.value
                if shares.n_sites is not None:
                    flat[f"{name}.n_sites"] = shares.n_sites
        return flat


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
