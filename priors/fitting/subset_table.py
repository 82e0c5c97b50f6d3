"""A subset in memory: columns of its structures and sites as NumPy arrays, and how its files are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.subsets.files import read_metadata, sites_path

__all__ = ["Coded", "SubsetTable", "occurring", "present", "read_rows", "read_subset", "table_of"]

NUMBERS = (
    *(f"{axis}_angstrom" for axis in "abc"),
    *(f"{angle}_degree" for angle in ("alpha", "beta", "gamma")),
    *(f"niggli_{angle}_degree" for angle in ("alpha", "beta", "gamma")),
    "least_oblique_beta_degree",
    "volume_angstrom3",
    "sg_number",
    "n_operators",
    "n_atoms_non_h_cell",
    "h_fraction",
    "volume_per_non_h_atom_angstrom3",
    "n_special_positions",
    "u_iso_mean_angstrom2",
    "u_iso_sd_angstrom2",
    "u_iso_n",
    "temperature_kelvin",
    "d_min_angstrom",
    "completeness",
)
STRINGS = ("sg_hm", "crystal_system", "hydrogen_origin", "special_letters")
SITE_NUMBERS = ("occupancy", "is_special", "u_iso_angstrom2")
SITE_COLUMNS = (*SITE_NUMBERS, "element", "u_is_evidence")


SPARSE = 16
"""Codes for each row beyond which rows are sorted and codes are not counted."""


def present(codes: I64) -> tuple[I64, I64]:
    """Codes that occur, ascending, and the position of each row's code among them.

    What `np.unique` gives, without a sort where there are about as many rows as codes: there can be tens of
    millions of both. A few rows among many codes are sorted.
    """
    if len(codes) and SPARSE * len(codes) < codes.max():
        found, position = np.unique(codes, return_inverse=True)
        return found, position
    seen = np.bincount(codes) > 0
    return np.flatnonzero(seen), (np.cumsum(seen) - 1)[codes]


def occurring(codes: I64) -> I64:
    """Codes that occur, ascending, as `present` finds them."""
    if len(codes) and SPARSE * len(codes) < codes.max():
        return np.unique(codes)
    return np.flatnonzero(np.bincount(codes))


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

    def where(self, keep: Bool) -> Coded:
        """The values for which `keep` (n,) is true."""
        return replace(self, codes=self.codes[keep])

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
    cluster_ids: pa.Array
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

    def where(self, keep: Bool) -> SubsetTable:
        """The structures for which `keep` (n_entries,) is true, with their sites."""
        of_kept = np.array([], bool) if self.site_entry is None else keep[self.site_entry]
        renumbered = np.cumsum(keep) - 1
        return replace(
            self,
            n_entries=int(keep.sum()),
            cluster=self.cluster[keep],
            entry_numbers={name: x[keep] for name, x in self.entry_numbers.items()},
            entry_strings={name: x.where(keep) for name, x in self.entry_strings.items()},
            site_entry=None if self.site_entry is None else renumbered[self.site_entry[of_kept]],
            site_numbers={name: x[of_kept] for name, x in self.site_numbers.items()},
            site_strings={name: x.where(of_kept) for name, x in self.site_strings.items()},
            site_flags={name: x[of_kept] for name, x in self.site_flags.items()},
        )


def read_subset(subset: Path, *, with_sites: bool = True, best_of_cluster: bool = False) -> SubsetTable:
    """Columns of a subset and of its non-hydrogen sites.

    Parameters
    ----------
    subset
        `NAME.parquet`; the sites are looked for in `NAME.sites.parquet` beside it.
    with_sites
        Read the sites; else the table has none.
    best_of_cluster
        Keep only the best determination of each cluster.

    Raises
    ------
    XtalpriorsError
        A file is missing, unreadable or lacks a column.
    """
    subset = Path(subset)
    metadata = read_metadata(subset)
    entries = read_rows(subset, ["entry_id", "cluster_id", "is_best", *NUMBERS, *STRINGS])
    if best_of_cluster:
        entries = entries.filter(entries["is_best"])
    sites_file = sites_path(subset)
    with_sites = with_sites and sites_file.is_file()
    sites = read_rows(sites_file, ["entry_id", *SITE_COLUMNS]) if with_sites else None
    name = str(metadata.get("definition", {}).get("name", subset.stem))
    return table_of(entries, sites, name=name, metadata=metadata)


def table_of(
    entries: pa.Table, sites: pa.Table | None, *, name: str, metadata: Mapping[str, Any] | None = None
) -> SubsetTable:
    """Columns of Arrow tables: `entries` with a `cluster_id`, and `sites`, as in a subset's two files."""
    metadata = metadata or {}
    cluster, cluster_ids = _ranked(entries["cluster_id"])
    site_entry = None
    if sites is not None:
        site_entry, sites = _non_hydrogen(sites, entries["entry_id"])
    return SubsetTable(
        name=name,
        n_entries=entries.num_rows,
        cluster=cluster,
        cluster_ids=cluster_ids,
        entry_numbers={c: _floats(entries[c]) for c in NUMBERS},
        entry_strings={c: _coded(entries[c]) for c in STRINGS},
        site_entry=site_entry,
        site_numbers={c: _floats(sites[c]) for c in SITE_NUMBERS} if sites is not None else {},
        site_strings={"element": _coded(sites["element"])} if sites is not None else {},
        site_flags={"u_is_evidence": _flags(sites["u_is_evidence"])} if sites is not None else {},
        definition=metadata.get("definition", {}),
        origin=metadata,
    )


def read_rows(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Rows of a Parquet file, of all columns or of some.

    Raises
    ------
    XtalpriorsError
        The file is unreadable or lacks a column.
    """
    try:
        with pq.ParquetFile(path) as file:  # `read_table` would load pandas
            table = file.read(columns)
            return table if columns is None else table.select(columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> XtalpriorsError:
    """Say of a file of a subset that it cannot be read, and the remedy."""
    return XtalpriorsError(
        f"cannot read {path} ({type(error).__name__}: {error}). Write it again with `xtalpriors subset`."
    )


def _non_hydrogen(sites: pa.Table, entry_ids: pa.ChunkedArray) -> tuple[I64, pa.Table]:
    """Row of the structure of each non-hydrogen site, and those sites."""
    sites = sites.filter(pc.not_equal(pc.fill_null(sites["element"], ""), "H"))
    rows = pc.index_in(sites["entry_id"], value_set=entry_ids.combine_chunks())
    known = pc.is_valid(rows)
    return rows.filter(known).to_numpy().astype(np.int64), sites.filter(known)


def _floats(column: pa.ChunkedArray) -> F64:
    return np.asarray(pc.cast(column, pa.float64()).to_numpy(), float)


def _flags(column: pa.ChunkedArray) -> Bool:
    return np.asarray(pc.fill_null(column, False).to_numpy(), bool)


def _coded(column: pa.ChunkedArray) -> Coded:
    codes, labels = _ranked(column)
    return Coded(codes, tuple(labels.to_pylist()))


def _ranked(column: pa.ChunkedArray) -> tuple[I64, pa.Array]:
    """Place (n,) of each string among those that occur, which are sorted; −1 where it is null."""
    encoded = pc.dictionary_encode(column).combine_chunks()
    order = pc.sort_indices(encoded.dictionary)
    rank = np.empty(len(order) + 1, np.int64)
    rank[order.to_numpy()] = np.arange(len(order))
    rank[-1] = -1
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    return rank[codes], encoded.dictionary.take(order)
