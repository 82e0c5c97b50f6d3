"""A sample of the structures of a large subset, for what is read from their sites.

A subset of a million structures has some eighty million sites. Shares of elements, distances and bonds have
converged long before: the standard error of a share falls with the root of the number of structures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xtalpriors.mining.subsets.files import SITES, SUBSET, sites_path
from xtalpriors.write_tables import write_parquet

__all__ = ["MOST_STRUCTURES", "Sample", "sample_of"]

MOST_STRUCTURES: Final = 20_000
"""Structures whose sites are read; of a larger subset it is a sample of that size."""
_SITE_COLUMNS = (
    "entry_id", "site_index", "element", "x", "y", "z", "occupancy", "multiplicity", "is_special",
    "u_iso_angstrom2", "u_is_evidence", "disorder_assembly", "disorder_group",
)  # fmt: skip
"""What the fits read of a site."""


class Sample(NamedTuple):
    """Where a sample lies, as a subset with its sites beside it, and of how many structures it is."""

    subset: Path
    n_structures: int
    n_whole: int


def sample_of(subset: Path, folder: Path, most: int) -> Sample | None:
    """Write a sample of a subset into a folder; None where the subset is no larger than that.

    Chosen are whole clusters of redeterminations, those whose names have the lowest hashes: the weights of
    the structures stay right, the same subset gives the same sample everywhere, and an update of the database
    exchanges few of its structures.

    Raises
    ------
    OSError, pyarrow.ArrowException, KeyError
        A file cannot be read, or lacks a column.
    """
    with pq.ParquetFile(subset) as file:
        if file.metadata.num_rows <= most:
            return None
        names = file.read(["entry_id", "cluster_id"])
        keep = pc.is_in(names["cluster_id"], value_set=_lowest_hashes(names["cluster_id"], most))
        chosen = names["entry_id"].filter(keep)
        rows = _entries(file, keep.to_numpy())
        written = folder / subset.name
        write_parquet(rows, file.schema_arrow, written, file.schema_arrow.metadata, SUBSET)
    if sites_path(subset).is_file():
        rows, metadata = _sites(sites_path(subset), chosen)
        write_parquet(rows, rows.schema, sites_path(written), metadata, SITES)
    return Sample(written, len(chosen), len(keep))


def _lowest_hashes(clusters: pa.ChunkedArray, most: int) -> pa.Array:
    """Clusters in the order of their hashes, as long as they have no more than so many structures."""
    counted = pc.value_counts(clusters)
    names, sizes = counted.field("values"), counted.field("counts").to_numpy()
    hashes = np.array(
        [hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names.to_pylist()], dtype="V8"
    ).view(">u8")
    order = np.argsort(hashes, kind="stable")
    return names.take(order[np.cumsum(sizes[order]) <= most])


def _entries(file: pq.ParquetFile, keep: np.ndarray) -> pa.RecordBatchReader:
    """The rows that are kept, one row group at a time."""

    def batches() -> Iterator[pa.RecordBatch]:
        """Rows that are kept, of one row group after another."""
        start = 0
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            yield from table.filter(pa.array(keep[start : start + table.num_rows])).to_batches()
            start += table.num_rows

    return pa.RecordBatchReader.from_batches(file.schema_arrow, batches())


def _sites(path: Path, chosen: pa.ChunkedArray) -> tuple[pa.Table, dict[bytes, bytes]]:
    """The sites of the chosen entries, and the metadata of their file.

    Polars reads the other columns of the rows that it keeps, and decodes no others.
    """
    whole = pq.read_schema(path)
    schema = pa.schema([whole.field(name) for name in _SITE_COLUMNS])
    entries = pl.Series(chosen.to_pylist(), dtype=pl.String)
    try:
        rows = pl.scan_parquet(path).select(_SITE_COLUMNS).filter(pl.col("entry_id").is_in(entries.implode()))
        return rows.collect().to_arrow().cast(schema), whole.metadata
    except pl.exceptions.PolarsError as error:
        raise OSError(str(error)) from error
