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

import duckdb
import numpy as np
import polars as pl

from xtalpriors.arrays import CELL, I64
from xtalpriors.crystal.cells.cell import cell_volumes, metric_tensors
from xtalpriors.mining.database.views import BEST_FIRST

__all__ = ["build_clusters"]

_COMPOSITION_TOLERANCE = 0.005
_HYDROGEN_TOLERANCE = 0.03
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
       row_number() OVER (ORDER BY {BEST_FIRST}) AS rank
FROM entry ORDER BY entry_id
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
    entries = entries.with_row_index("row")
    n = len(entries)
    edges = np.concatenate([_same_structure(entries), _linked_by_database(entries)])
    label = _components(n, edges)
    clusters = (
        entries.select("entry_id", "rank", pl.Series("label", label))
        .with_columns(
            cluster_id=pl.col("entry_id").min().over("label"),
            cluster_size=pl.len().over("label").cast(pl.Int32),
            is_best=(pl.col("rank") == pl.col("rank").min().over("label")),
        )
        .with_columns(weight=1.0 / pl.col("cluster_size"))
        .sort("entry_id")
        .select("entry_id", "cluster_id", "cluster_size", "weight", "is_best")
    )
    connection.execute("DELETE FROM cluster")
    connection.register("_clusters", clusters.to_arrow())
    try:
        connection.execute("INSERT INTO cluster BY NAME SELECT * FROM _clusters ORDER BY entry_id")
    finally:
        connection.unregister("_clusters")
    return len(np.unique(label))


def _components(n: int, edges: I64) -> I64:
    """Smallest row of the connected component of each row, by spreading the smaller label along the edges."""
    label = np.arange(n)
    while (label[edges[:, 0]] != label[edges[:, 1]]).any():
        smaller = label[edges].min(axis=1)
        for end in (0, 1):
            np.minimum.at(label, label[edges[:, end]], smaller)
            np.minimum.at(label, edges[:, end], smaller)
        label = label[label]
    return label


def _same_structure(entries: pl.DataFrame) -> I64:
    """Pairs (entry, reference), rows of `entries`, by composition, lattice and space group."""
    atoms = _compositions(entries)
    known = (
        entries.filter((pl.col("n_sites") > 0) & pl.all_horizontal(pl.col(_NIGGLI).is_finite()))
        .join(atoms, on="row")
        .with_columns(pl.col("sg_number").replace(_ENANTIOMORPHS))
    )
    known = known.with_columns(
        volume=cell_volumes(known.select(_NIGGLI).to_numpy()),
        bin=(pl.col("fractions").list.first().fill_null(0.0) / _COMPOSITION_TOLERANCE).floor().cast(pl.Int64),
        bucket=pl.struct("sg_number", "key").rank("dense").cast(pl.Int64),
    )
    known = known.filter(pl.col("volume") > 0).filter(pl.len().over("bucket") > 1)
    if known.is_empty():  # nothing to compare: the kernel is not loaded
        return np.empty((0, 2), dtype=np.int64)
    from xtalpriors.crystal.cells.lattice_match import LATTICE_TOLERANCE
    from xtalpriors.mining.database.clusters_kernel import assign_references

    length, angle_degree, volume = LATTICE_TOLERANCE
    tolerances = (
        length,
        math.radians(angle_degree),
        math.log1p(volume),
        _COMPOSITION_TOLERANCE,
        _HYDROGEN_TOLERANCE,
    )
    known = known.sort("bucket", "bin", "volume", "row")
    cells = (
        known.with_row_index("start")
        .group_by("bucket", "bin", maintain_order=True)
        .agg(pl.col("start").first())
    )
    cell_starts = np.append(cells["start"].to_numpy(), len(known)).astype(np.int64)
    reference = assign_references(
        cell_starts,
        cells["bucket"].to_numpy(),
        cells["bin"].to_numpy(),
        np.repeat(np.arange(len(cells)), np.diff(cell_starts)),
        known.with_row_index("place").sort("bucket", "rank")["place"].to_numpy().astype(np.int64),
        np.array([math.log(v) for v in known["volume"].to_list()]),  # NumPy's depends on the processor
        np.ascontiguousarray(metric_tensors(known.select(_NIGGLI).to_numpy())),
        np.concatenate([[0], np.cumsum(known["fractions"].list.len().to_numpy())]).astype(np.int64),
        known["fractions"].explode().drop_nulls().to_numpy(),
        known["h_fraction"].fill_null(math.nan).to_numpy(),
        np.array(tolerances),
    )
    rows = known["row"].to_numpy().astype(np.int64)
    return np.stack([rows, rows[reference]], axis=1)


def _compositions(entries: pl.DataFrame) -> pl.DataFrame:
    """Key of the elements but hydrogen, and their mole fractions in its order, of entries with a formula."""
    pieces = (
        entries.select("row", pl.col("formula_cell").str.split(" ").alias("piece"))
        .drop_nulls()
        .explode("piece")
        .with_columns(
            element=pl.col("piece").str.extract(r"^([A-Z][a-z]?)"),
            count=pl.col("piece").str.extract(r"([0-9.]+)$").cast(pl.Float64).fill_null(1.0),
        )
        .sort("row", "element")
    )
    heavy = pieces.filter(pl.col("element") != "H").with_columns(
        fraction=pl.col("count") / pl.col("count").sum().over("row")
    )
    return (
        pieces.select("row")
        .unique()
        .join(
            heavy.group_by("row", maintain_order=True).agg(
                pl.col("element").str.join(" ").alias("key"), pl.col("fraction").alias("fractions")
            ),
            on="row",
            how="left",
        )
        .with_columns(pl.col("key").fill_null(""), pl.col("fractions").fill_null([]))
    )


def _linked_by_database(entries: pl.DataFrame) -> I64:
    """Pairs of rows that a database calls one structure."""
    by_code = entries.select("cod_code", pl.col("row").alias("target")).drop_nulls()
    marked = [
        entries.select("row", pl.col(mark).str.strip_chars().alias("cod_code"))
        .drop_nulls()
        .join(by_code, on="cod_code")
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
    volume = cell_volumes(entries.select(_NIGGLI).fill_null(math.nan).to_numpy())
    candidates = (
        entries.with_columns(
            volume=pl.coalesce("volume_per_atom", pl.Series(volume)),
            heavy=pl.col("elements").fill_null("").str.replace(r"\bH\b ?", ""),
            doi=pl.col("doi").str.to_lowercase(),
        )
        .filter(pl.col(code).is_not_null() & pl.col("volume").is_finite())
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
