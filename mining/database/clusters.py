"""Clusters of redeterminations: which entries are one structure, measured or deposited more than once.

Two entries are the same structure when a database says so, or when composition, lattice and space group
agree: mole fractions of the elements without hydrogen within 0.005, that of hydrogen within 0.03 where both
are known; some basis of the one lattice within 3 % in lengths, 2° in angles and 5 % in volume of the Niggli
basis of the other; the same space group number, enantiomorphic pairs counting as one.

Linkage is greedy around references. Entries are taken from the best to the worst; each joins the nearest
reference that it matches or becomes one. Single linkage would chain a temperature or pressure series into
one cluster however far its ends lie apart; here every member is within the tolerances of its reference, and
a long series falls into several. The marks of the databases (`duplicate_of`, `optimal_code`, equal COD or
CSD codes) then join clusters.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import polars as pl

from xtalpriors.arrays import CELL, I64, U8
from xtalpriors.crystal.cells.cell import cell_volumes, metric_tensors
from xtalpriors.mining.database.views import BEST_KEYS

__all__ = ["build_clusters"]

_COMPOSITION_TOLERANCE = 0.005
_HYDROGEN_TOLERANCE = 0.03
_THREADS = 4
"""Entries of other groups or elements are never compared, so that threads can share them out."""
_ENANTIOMORPHS = {
    78: 76,
    95: 91,
    96: 92,
    145: 144,
    153: 151,
    154: 152,
    170: 169,
    172: 171,
    179: 178,
    181: 180,
    213: 212,
}
_NIGGLI = [f"niggli_{name}" for name in CELL]

_QUERY = f"""
SELECT entry_id, sg_number, formula_cell, elements, h_fraction, n_sites, cod_code, csd_code, doi,
       duplicate_of, optimal_code, volume_per_non_h_atom_angstrom3 AS volume_per_atom, {", ".join(_NIGGLI)},
       {", ".join(f"{key} AS key_{i}" for i, key in enumerate(BEST_KEYS))}
FROM entry
"""


def build_clusters(connection: duckdb.DuckDBPyConnection) -> int:
    """Fill table `cluster` anew from table `entry`.

    The best of a cluster is ordered, then has the lowest R1, the highest resolution, the first name; an
    entry that is retracted, erroneous, computed or without sites is best only among its like, and one that
    its database calls a duplicate or suboptimal comes after those that are not.

    Parameters
    ----------
    connection
        Open for writing; the caller commits.

    Returns
    -------
    int
        Number of clusters.
    """
    entries = pl.from_arrow(connection.sql(_QUERY).to_arrow_table())
    assert isinstance(entries, pl.DataFrame)
    entries = entries.sort("entry_id").with_row_index("row")
    keys = [f"key_{i}" for i in range(len(BEST_KEYS))]
    by_rank = entries.select("row", *keys).sort(keys, nulls_last=True)["row"].to_numpy()
    rank = np.empty(len(entries), dtype=np.int64)
    rank[by_rank] = np.arange(len(entries))
    entries = entries.drop(keys).with_columns(rank=pl.Series(rank))
    label = _components(
        len(entries), np.concatenate([_same_structure(entries), _linked_by_database(entries)])
    )
    best = np.full(len(entries), len(entries))
    np.minimum.at(best, label, rank)
    size = np.bincount(label, minlength=len(entries))
    clusters = entries.select(
        "entry_id",
        cluster_id=pl.col("entry_id").gather(label),
        cluster_size=pl.Series(size[label], dtype=pl.Int32),
        weight=pl.Series(1.0 / size[label]),
        is_best=pl.Series(rank == best[label]),
    )
    _store(connection, clusters)
    return int(np.count_nonzero(size))


def _store(connection: duckdb.DuckDBPyConnection, clusters: pl.DataFrame) -> None:
    """Bring table `cluster` to these rows; those that are in it already stay where they are."""
    connection.register("_clusters", clusters.to_arrow())
    try:
        connection.execute(
            """DELETE FROM cluster WHERE entry_id IN (
                   SELECT entry_id FROM cluster ANTI JOIN _clusters
                   USING (entry_id, cluster_id, cluster_size, is_best))"""
        )
        connection.execute("INSERT INTO cluster BY NAME FROM _clusters ANTI JOIN cluster USING (entry_id)")
    finally:
        connection.unregister("_clusters")


def _components(n: int, edges: I64) -> I64:
    """Smallest row of the connected component of each row, by spreading the smaller label along the edges."""
    label = np.arange(n)
    edges = edges[edges[:, 0] != edges[:, 1]]
    while (label[edges[:, 0]] != label[edges[:, 1]]).any():
        smaller = label[edges].min(axis=1)
        for end in (0, 1):
            np.minimum.at(label, label[edges[:, end]], smaller)
            np.minimum.at(label, edges[:, end], smaller)
        label = label[label]
    return label


def _same_structure(entries: pl.DataFrame) -> I64:
    """Pairs (entry, reference), rows of `entries`, by composition, lattice and space group."""
    known = entries.filter(
        (pl.col("n_sites") > 0)
        & pl.all_horizontal(pl.col(_NIGGLI).is_finite())
        & pl.col("formula_cell").is_not_null()
    )
    if known.is_empty():  # nothing to compare: the kernels are not loaded
        return np.empty((0, 2), dtype=np.int64)
    from xtalpriors.crystal.cells.lattice_match import LATTICE_TOLERANCE
    from xtalpriors.mining.database.clusters_kernel import assign_references, read_compositions

    starts, elements, fractions, key = read_compositions(*_bytes_of(known["formula_cell"]))
    first = np.where(np.diff(starts) > 0, np.append(fractions, 0.0)[starts[:-1]], 0.0)
    known = known.select(
        "row",
        "rank",
        "h_fraction",
        *_NIGGLI,
        group=pl.col("sg_number").replace(_ENANTIOMORPHS),
        key=pl.Series(key),
        bin=pl.Series(np.floor(first / _COMPOSITION_TOLERANCE).astype(np.int64)),
        start=pl.Series(starts[:-1]),
        end=pl.Series(starts[1:]),
        volume=pl.Series(cell_volumes(known.select(_NIGGLI).to_numpy())),
    )
    known = known.filter(pl.col("volume") > 0).filter(pl.len().over("group", "key") > 1)
    known = known.sort("group", "key", "bin", "volume", "row")
    bucket = _runs(known, "group", "key")
    cell = _runs(known, "group", "key", "bin")
    cell_starts = np.append(np.flatnonzero(np.diff(cell, prepend=-1)), len(known))
    length, angle_degree, volume = LATTICE_TOLERANCE
    tolerances = (
        length,
        math.radians(angle_degree),
        1.0 + volume,
        _COMPOSITION_TOLERANCE,
        _HYDROGEN_TOLERANCE,
    )
    volume_of = known["volume"].to_numpy()
    metric = np.ascontiguousarray(metric_tensors(known.select(_NIGGLI).to_numpy()))
    compositions = known["start"].to_numpy(), known["end"].to_numpy(), elements, fractions
    h_fraction = known["h_fraction"].fill_null(math.nan).to_numpy()

    def references(by_rank: I64) -> I64:
        """Reference of each entry of whole buckets, −1 for other entries."""
        found: I64 = assign_references(
            cell_starts,
            bucket[cell_starts[:-1]],
            known["bin"].to_numpy()[cell_starts[:-1]],
            cell,
            by_rank,
            volume_of,
            metric,
            *compositions,
            h_fraction,
            np.array(tolerances),
        )
        return found

    with ThreadPoolExecutor(_THREADS) as pool:
        shares = pool.map(references, _shares(bucket, known["rank"].to_numpy()))
        reference = np.maximum.reduce(list(shares))
    rows = known["row"].to_numpy().astype(np.int64)
    return np.stack([rows, rows[reference]], axis=1)


def _shares(bucket: I64, rank: I64) -> list[I64]:
    """Entries of each bucket from the best to the worst, in shares of whole buckets; `bucket` ascends."""
    ends = np.append(np.flatnonzero(np.diff(bucket)), len(bucket) - 1) + 1
    cuts = ends[np.searchsorted(ends, len(bucket) * np.arange(1, _THREADS) // _THREADS)]
    return np.split(np.lexsort((rank, bucket)), cuts)


def _bytes_of(texts: pl.Series) -> tuple[U8, I64]:
    """Strings (n,) one behind the other, and where each begins (n + 1,); none of them is null."""
    data = np.frombuffer("".join(texts.to_list()).encode(), dtype=np.uint8)
    return data, np.concatenate([[0], np.cumsum(texts.str.len_bytes().to_numpy(), dtype=np.int64)])


def _runs(frame: pl.DataFrame, *columns: str) -> I64:
    """(n,) number of the run of rows with the same values that each row belongs to, from 0."""
    begins = np.zeros(len(frame), dtype=bool)
    for column in columns:
        values = frame[column].to_numpy()
        begins[1:] |= values[1:] != values[:-1]
    return np.cumsum(begins)


def _linked_by_database(entries: pl.DataFrame) -> I64:
    """Pairs of rows that a database calls one structure."""
    marked = [
        entries.select("row", pl.col(mark).str.strip_chars().alias("cod_code"))
        .drop_nulls()
        .join(entries.select("cod_code", pl.col("row").alias("target")), on="cod_code")
        .select("row", "target")
        for mark in ("duplicate_of", "optimal_code")
    ]
    shared = [_sharing(entries, code) for code in ("cod_code", "csd_code")]
    return pl.concat([*marked, *shared]).to_numpy().astype(np.int64).reshape(-1, 2)


def _sharing(entries: pl.DataFrame, code: str) -> pl.DataFrame:
    """Neighbours of one code, elements, publication and volume per atom (5 %): one deposition in two sources.

    A file may hold several structures under one code, so the code alone is not enough. A publication that
    is not stated is the one that the others of the code state, where they state one; without atoms the
    volumes of the reduced cells are compared.
    """
    of_code = (code, "heavy")
    entries = entries.filter(pl.col(code).is_not_null()).filter(pl.col(code).is_duplicated())
    volume = cell_volumes(entries.select(_NIGGLI).fill_null(math.nan).to_numpy())
    candidates = (
        entries.with_columns(
            volume=pl.coalesce("volume_per_atom", pl.Series(volume)),
            heavy=pl.col("elements").fill_null("").str.replace(r"\bH\b ?", ""),
            doi=pl.col("doi").str.to_lowercase(),
        )
        .filter(pl.col("volume").is_finite())
        .with_columns(n_publications=pl.col("doi").drop_nulls().n_unique().over(of_code))
        .with_columns(
            publication=pl.when(pl.col("n_publications") > 1)
            .then(pl.col("doi").fill_null(""))
            .otherwise(pl.lit(""))
        )
        .sort(*of_code, "publication", "volume", "row")
    )
    if candidates.is_empty():
        return pl.DataFrame(schema={"row": pl.UInt32, "target": pl.UInt32})
    from xtalpriors.crystal.cells.lattice_match import LATTICE_TOLERANCE

    group = pl.struct(*of_code, "publication")
    near = pl.col("volume") <= pl.col("volume").shift() * (1 + LATTICE_TOLERANCE[2])
    return (
        candidates.select("row", target=pl.col("row").shift(), kept=(group == group.shift()) & near)
        .filter("kept")
        .select("row", "target")
    )
