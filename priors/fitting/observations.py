"""From columns to weighted observations: one vote per cluster, small subsets pooled to their parent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.counted import counted
from xtalpriors.priors.distributions.estimate import Shrinkage
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.subset_table import SubsetTable, occurring, present

__all__ = ["MIN_ALONE", "MIN_POOLED", "Observations", "Pool", "Values", "entry_values", "observe"]

MIN_POOLED = 50
"""Clusters below which a subset is pooled towards its parent; weight_own = n / 50 reaches 1 there."""
MIN_ALONE = 20
"""Clusters below which a subset without parent gives no prior."""

Pool = Literal["parent", "bounded", "never"]


@dataclass(frozen=True)
class Values:
    """What one statistic sees in a table: `x` (m,) or (m, k), and the structure that each row belongs to."""

    x: F64
    entry: I64

    def where(self, keep: Bool) -> Values:
        """Some of the rows."""
        return Values(self.x[keep], self.entry[keep])


def entry_values(table: SubsetTable, x: F64, keep: Bool | None = None) -> Values:
    """One value for each structure, or for those that are kept."""
    values = Values(x, np.arange(table.n_entries))
    return values if keep is None else values.where(keep)


@dataclass(frozen=True)
class Observations:
    """Weighted values of one statistic, own and (where pooled) parent's.

    `weight` sums to 1. Within a cluster the structures that have a value share its vote; rows of one
    structure each carry the structure's weight. `stratum` is 0 for the subset, 1 for the parent.
    """

    x: F64
    weight: F64
    cluster: I64
    stratum: NDArray[np.int8]
    n: int
    n_clusters: int
    shrinkage: Shrinkage | None

    def times(self, factor: F64) -> Observations:
        """The rows with weights times a factor; the subset and the parent keep their shares of the whole."""
        weight = self.weight * factor
        for side in (0, 1):
            mine = self.stratum == side
            if mine.any() and weight[mine].any():
                weight[mine] *= self.weight[mine].sum() / weight[mine].sum()
        return replace(self, weight=weight / weight.sum())

    def where(self, keep: Bool) -> Observations:
        """Some of the rows, weights scaled to sum to 1 again."""
        weight = self.weight[keep]
        own = keep & (self.stratum == 0)
        return Observations(
            self.x[keep],
            weight / weight.sum() if len(weight) else weight,
            self.cluster[keep],
            self.stratum[keep],
            int(own.sum()),
            len(occurring(self.cluster[own])),
            self.shrinkage,
        )


def _votes(values: Values, table: SubsetTable) -> F64:
    """(m,) weight of each row: 1 / structures of its cluster that have a value."""
    entries, row = present(values.entry)
    _, cluster = present(table.cluster[entries])
    return np.asarray((1.0 / np.bincount(cluster)[cluster])[row], float)


def observe(
    context: Context,
    name: str,
    extract: Callable[[SubsetTable], Values],
    *,
    pool: Pool = "parent",
    minimum: int = MIN_ALONE,
) -> Observations:
    """Weighted values of a statistic, pooled towards the parent below 50 clusters.

    Parameters
    ----------
    pool
        Which structures of the parent may lend their values; `never` where they say nothing about the subset
        (frequencies of its space groups, for one).
    minimum
        Clusters needed without a parent.

    Raises
    ------
    Unavailable
        Too few clusters have a value, the parent's included.
    """
    own = _finite(extract(context.own))
    own_clusters = context.own.cluster[own.entry]
    n_clusters = len(occurring(own_clusters))
    parent = {"parent": context.parent, "bounded": context.parent_within_bounds, "never": None}[pool]
    if n_clusters < MIN_POOLED and parent is not None:
        return _pooled(context.own, parent, own, _finite(extract(parent)), n_clusters)
    if n_clusters < minimum:
        raise Unavailable(_too_few(n_clusters, minimum))
    if n_clusters < MIN_POOLED:
        context.warnings[name] = (
            f"only {counted(n_clusters, 'cluster')}, and not pooled towards a larger subset"
        )
    weight = _votes(own, context.own)
    stratum = np.zeros(len(weight), np.int8)
    return Observations(own.x, weight / weight.sum(), own_clusters, stratum, len(weight), n_clusters, None)


def _too_few(n_clusters: int, minimum: int) -> str:
    if n_clusters == 0:
        return "no structure has a value"
    have = counted(n_clusters, "cluster")
    return f"only {have} with a value; {minimum} are needed, or a larger subset to pool to"


def _finite(values: Values) -> Values:
    finite = np.isfinite(values.x)
    return values.where(finite if values.x.ndim == 1 else np.asarray(finite.all(1), bool))


def _pooled(
    own_table: SubsetTable, parent_table: SubsetTable, own: Values, parent: Values, n_clusters: int
) -> Observations:
    """Mixture n/50 of the own values and the rest of the parent's, whose shared clusters count only once."""
    is_shared = pc.is_in(parent_table.cluster_ids, value_set=own_table.cluster_ids)
    shared = is_shared.to_numpy(zero_copy_only=False)
    parent = parent.where(~shared[parent_table.cluster[parent.entry]])
    parent_clusters = parent_table.cluster[parent.entry]
    n_parent = len(occurring(parent_clusters))
    if n_clusters + n_parent < MIN_ALONE:
        have = f"{counted(n_clusters, 'cluster')} with a value, and {n_parent} more of {parent_table.name}"
        none = f"no structure has a value, and none of {parent_table.name} either"
        raise Unavailable(f"only {have}; {MIN_ALONE} are needed" if n_clusters + n_parent else none)
    share = 1.0 if n_parent == 0 else n_clusters / MIN_POOLED
    weights = [_votes(own, own_table), _votes(parent, parent_table)]
    scaled = [w / w.sum() * s if len(w) else w for w, s in zip(weights, (share, 1.0 - share), strict=True)]
    return Observations(
        np.concatenate([own.x, parent.x]),
        np.concatenate(scaled),
        np.concatenate([own_table.cluster[own.entry], parent_clusters + len(own_table.cluster_ids)]),
        np.repeat(np.array([0, 1], np.int8), [len(own.x), len(parent.x)]),
        len(own.x),
        n_clusters,
        Shrinkage(parent=parent_table.name, n_own=n_clusters, n_parent=n_parent, weight_own=share),
    )
