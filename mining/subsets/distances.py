"""Interatomic distances of a subset: the reference against which generated structures are compared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xtalpriors.arrays import CELL, I64
from xtalpriors.crystal.cells.distances import DistanceHistograms, StructureArrays, distance_histograms
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, COVALENT_RADIUS_ANGSTROM
from xtalpriors.crystal.symmetry.triplets import operator_arrays, parse_triplet
from xtalpriors.mining.subsets.files import sites_path

__all__ = ["interatomic_distances", "structure_arrays", "structure_batches", "subset_distances"]

_NEEDED = ["x", "y", "z", "element", "multiplicity", "occupancy"]
_SITE_COLUMNS = ["entry_id", "site_index", *_NEEDED, "disorder_assembly", "disorder_group"]
_ENTRY_COLUMNS = ["entry_id", "cluster_id", "operators", "weight", *CELL]


def subset_distances(subset: Path, *, structures: int = 4_096) -> DistanceHistograms:
    """Distances of the structures of a subset's files up to 6 Å, read some structures at a time.

    Raises
    ------
    OSError, pyarrow.ArrowException, KeyError
        A file cannot be read, or lacks a column.
    """

    batches = structure_batches(subset, structures=structures)
    return distance_histograms((arrays, entries["weight"].to_numpy()) for arrays, entries in batches)


def structure_batches(subset: Path, *, structures: int = 4_096) -> Iterator[tuple[StructureArrays, pa.Table]]:
    """Structures of a subset's files that have sites, some at a time, with their rows of `NAME.parquet`.

    Raises
    ------
    OSError, pyarrow.ArrowException, KeyError
        A file cannot be read, or lacks a column.
    """
    for entries, sites in _in_step(subset, sites_path(subset), structures):
        arrays, rows = structure_arrays(entries, sites)
        yield arrays, entries.take(rows)


def _in_step(subset: Path, sites: Path, structures: int) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Rows of entries, so many at a time, each with the rows of its sites: both files are sorted by entry."""
    with pq.ParquetFile(subset) as of_entries, pq.ParquetFile(sites) as of_sites:
        groups = iter(range(of_sites.num_row_groups))
        held = of_sites.schema_arrow.empty_table().select(_SITE_COLUMNS)
        for group in range(of_entries.num_row_groups):
            table = of_entries.read_row_group(group, _ENTRY_COLUMNS)
            for start in range(0, table.num_rows, structures):
                entries = table.slice(start, structures)
                last = entries["entry_id"][-1]
                while not held.num_rows or held["entry_id"][-1].as_py() <= last.as_py():
                    next_group = next(groups, None)
                    if next_group is None:
                        break
                    held = pa.concat_tables([held, of_sites.read_row_group(next_group, _SITE_COLUMNS)])
                mine = pc.less_equal(held["entry_id"], last)
                yield entries, held.filter(mine)
                held = held.filter(pc.invert(mine))


def interatomic_distances(
    entries: pa.Table, sites: pa.Table, *, maximum_angstrom: float = 6.0, bin_angstrom: float = 0.05
) -> DistanceHistograms:
    """Distances of structures in tables, each structure weighted by its column `weight`.

    Parameters
    ----------
    entries
        Rows of `NAME.parquet`; without a column `weight` all count alike.
    sites
        Rows of `NAME.sites.parquet`.
    maximum_angstrom, bin_angstrom
        Range and bin width.

    Returns
    -------
    DistanceHistograms
        Over all pairs, over pairs without hydrogen, and d / (R_A + R_B); see `crystal.distances`.
    """
    structures, rows = structure_arrays(entries, sites)
    weights = entries["weight"].to_numpy()[rows] if "weight" in entries.column_names else None
    return distance_histograms(
        structures, weights=weights, maximum_angstrom=maximum_angstrom, bin_angstrom=bin_angstrom
    )


def structure_arrays(entries: pa.Table, sites: pa.Table) -> tuple[StructureArrays, I64]:
    """Arrays of the structures that have sites, and the rows of `entries` that they are.

    A site without coordinates, element, multiplicity or occupancy is left out: nothing is assumed for it.
    """
    frame = pl.from_arrow(entries.select(["entry_id", "operators", *CELL]))
    listed = pl.from_arrow(sites.select(_SITE_COLUMNS))
    assert isinstance(frame, pl.DataFrame) and isinstance(listed, pl.DataFrame)
    frame = frame.with_row_index("row")
    known = (
        listed.filter(pl.col("element").is_in(list(ATOMIC_NUMBER)))
        .drop_nulls(_NEEDED)
        .join(frame.select("row", "entry_id"), on="entry_id")
        .sort("row", "site_index")
    )
    with_sites = frame.join(known.select("row").unique(), on="row", how="semi").sort("row")
    counts = known.group_by("row", maintain_order=True).len()["len"].to_numpy()
    numbers = known["element"].replace_strict(ATOMIC_NUMBER, return_dtype=pl.Int64).to_numpy()
    radii = np.array([np.nan if r is None else r for r in COVALENT_RADIUS_ANGSTROM])
    texts = with_sites["operators"].unique(maintain_order=True).to_list()
    groups = [operator_arrays([parse_triplet(t) for t in text.split(";")]) for text in texts]
    assembly, alternative = _disorder(known)
    structures = StructureArrays(
        cells=with_sites.select(CELL).to_numpy(),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        fract=known.select("x", "y", "z").to_numpy(),
        atomic_number=numbers,
        occupancy=known["occupancy"].to_numpy(),
        multiplicity=known["multiplicity"].to_numpy(),
        radius_angstrom=radii[numbers],
        group_of=with_sites["operators"]
        .replace_strict(texts, list(range(len(texts))), return_dtype=pl.Int64)
        .to_numpy(),
        group_offsets=np.concatenate([[0], np.cumsum([len(r) for r, _ in groups])]).astype(np.int64),
        rotations=np.concatenate([r for r, _ in groups]) if groups else np.empty((0, 3, 3), dtype=np.int64),
        translations=np.concatenate([t for _, t in groups]) if groups else np.empty((0, 3)),
        assembly=assembly,
        alternative=alternative,
    )
    return structures, with_sites["row"].to_numpy().astype(np.int64)


def _disorder(sites: pl.DataFrame) -> tuple[I64, I64]:
    """Assembly and group as integers: no assembly is 0, no group is 0, a negative number stays negative."""
    assembly = sites["disorder_assembly"].fill_null("").rank("dense").cast(pl.Int64)
    group = sites["disorder_group"].str.strip_chars()
    named = group.fill_null("").rank("dense").cast(pl.Int64) + 1_000
    number = group.cast(pl.Int64, strict=False)
    code = pl.select(pl.when(group.is_null()).then(0).otherwise(pl.coalesce(number, named))).to_series()
    return assembly.to_numpy(), code.to_numpy().astype(np.int64)
