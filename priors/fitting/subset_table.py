"""A subset in memory: columns of its structures and sites as NumPy arrays, whatever file they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xtalpriors.arrays import F64, I64, Bool

__all__ = ["Coded", "SubsetTable", "present"]


def present(codes: I64) -> tuple[I64, I64]:
    """Codes that occur, ascending, and the position of each row's code among them.

    What `np.unique` gives, without a sort: codes are small integers, rows can be tens of millions.
    """
    seen = np.bincount(codes) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[codes]


@dataclass(frozen=True)
class Coded:
    """A column of strings: `codes` (n,) into `labels`, −1 where it is null."""

    codes: I64
    labels: tuple[str, ...]

    @classmethod
    def of(cls, values: list[str | None]) -> Coded:
        """Column of the values, labels sorted."""
        labels = tuple(sorted({v for v in values if v is not None}))
        position = {label: i for i, label in enumerate(labels)}
        return cls(np.array([-1 if v is None else position[v] for v in values], np.int64), labels)

    def equals(self, *labels: str) -> Bool:
        """(n,) True where the value is one of `labels`."""
        wanted = [i for i, label in enumerate(self.labels) if label in labels]
        return np.isin(self.codes, wanted)

    @property
    def known(self) -> Bool:
        """(n,) True where the value is not null."""
        return self.codes >= 0


LARGEST = 1e9
"""No length (Å), volume (Å³) or count of atoms of a crystal's cell comes near."""


@dataclass(frozen=True)
class SubsetTable:
    """Columns of a subset, null as NaN (numbers), False (flags) or code −1 (strings).

    Attributes
    ----------
    entry_numbers, entry_strings
        (n_entries,) columns of `mining.database.schema.ENTRY` by name.
    cluster : (n_entries,) int
        Index into `cluster_ids`.
    site_entry : (n_sites,) int
        Index of the structure that each site belongs to; null without sites.
    site_numbers, site_strings, site_flags
        (n_sites,) columns of `mining.database.schema.SITE` by name, hydrogen left out.
    definition, origin
        The subset's definition, and what is known about the corpus.
    """

    name: str
    n_entries: int
    cluster: I64
    cluster_ids: NDArray[np.str_]
    entry_numbers: Mapping[str, F64]
    entry_strings: Mapping[str, Coded]
    site_entry: I64 | None = None
    site_numbers: Mapping[str, F64] = field(default_factory=dict)
    site_strings: Mapping[str, Coded] = field(default_factory=dict)
    site_flags: Mapping[str, Bool] = field(default_factory=dict)
    definition: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    def number(self, column: str) -> F64:
        """(n_entries,) numbers, NaN where null; a column that is not there is null everywhere."""
        return self.entry_numbers.get(column, np.full(self.n_entries, np.nan))

    def positive(self, column: str) -> F64:
        """(n_entries,) numbers, NaN where null or no number that a length or a volume can be."""
        x = self.number(column)
        return np.where((x > 0) & (x < LARGEST), x, np.nan)

    def angle(self, column: str) -> F64:
        """(n_entries,) angles, NaN where null or outside 0–180°."""
        x = self.number(column)
        return np.where((x > 0) & (x < 180), x, np.nan)

    def string(self, column: str) -> Coded:
        """(n_entries,) coded strings."""
        return self.entry_strings.get(column, Coded(np.full(self.n_entries, -1), ()))
