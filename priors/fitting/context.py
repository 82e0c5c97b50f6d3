"""What one run of the fit knows: its tables, its settings, and why a prior is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from xtalpriors.errors import UsageError
from xtalpriors.priors.fitting.subset_table import Coded, SubsetTable

__all__ = ["Context", "Unavailable", "attempt", "context_of"]

T = TypeVar("T")


@dataclass
class Context:
    """One run of the fit: the tables, the seed, and what could not be fitted.

    `parent_within_bounds` holds the parent's structures that meet the subset's bounds on the cell lengths:
    what depends on the size of the cell is pooled towards those.
    """

    own: SubsetTable
    parent: SubsetTable | None
    parent_within_bounds: SubsetTable | None
    seed: int
    bootstrap: int
    ratio_max: float = 1.8
    beta_max_degree: float = 125.0
    unavailable: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, str] = field(default_factory=dict)
    places: dict[str, float] = field(default_factory=dict)
    """Place of each set of elements in the prior `contents`, once that is fitted: 0 … 1."""
    compositions: dict[int, list[str]] = field(default_factory=dict)
    """Set of elements of each structure of a table, by its identity: each crystal family asks."""


class Unavailable(Exception):
    """A prior, or a part of one, cannot be fitted; the message is the reason that the bundle states."""


def attempt(context: Context, name: str, fit: Callable[[], T]) -> T | None:
    """Part of a prior, or null with the reason in `unavailable`."""
    try:
        return fit()
    except Unavailable as reason:
        context.unavailable[name] = str(reason)
        return None


def context_of(
    *,
    clusters: Sequence[str] | None = None,
    strings: Mapping[str, Sequence[str | None]] | None = None,
    seed: int = 0,
    bootstrap: int = 1000,
    **numbers: ArrayLike,
) -> Context:
    """Context of plain columns in memory, for fits outside the pipeline.

    Parameters
    ----------
    clusters
        Cluster of each structure; without it each is its own.
    strings, numbers
        Columns of `mining.database.schema.ENTRY` by name, all of one length; null is None, and NaN.

    Examples
    --------
    `cell_volume.fit(context_of(volume_angstrom3=volumes))`, with `cell_volume` of this folder.
    """
    columns = {name: np.asarray(values, float) for name, values in numbers.items()}
    texts = {name: Coded.of(list(values)) for name, values in (strings or {}).items()}
    lengths = {len(c) for c in columns.values()} | {len(t.codes) for t in texts.values()}
    lengths |= {len(clusters)} if clusters is not None else set()
    if len(lengths) != 1:
        raise UsageError(f"columns of different lengths, or none: {sorted(lengths)}")
    (n,) = lengths
    names = clusters if clusters is not None else [f"{i:09d}" for i in range(n)]
    ids, cluster = np.unique(np.array(names, dtype=str), return_inverse=True)
    table = SubsetTable("columns", n, cluster.astype(np.int64), pa.array(ids), columns, texts)
    return Context(table, None, None, seed, bootstrap)
