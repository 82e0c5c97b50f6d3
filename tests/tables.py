"""Small databases made row by row, for tests that need a database and no CIF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.niggli import niggli_reduce
from xtalpriors.crystal.symmetry.primitive import primitive_basis
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.mining.database.clusters import build_clusters
from xtalpriors.mining.database.digest import set_digest
from xtalpriors.mining.database.schema import ENTRY, FILE, REJECTION, SITE, Column, arrow_schema
from xtalpriors.mining.database.store import CONTENT_TABLES, TABLES, open_database

CELL_NAMES = ("a_angstrom", "b_angstrom", "c_angstrom", "alpha_degree", "beta_degree", "gamma_degree")

_DEFAULTS: dict[Any, Any] = {pa.bool_(): False, pa.string(): "", pa.int32(): 0, pa.int64(): 0}


def _blank(columns: Sequence[Column]) -> dict[str, Any]:
    """Null where a column may be null, else false, zero or empty."""
    return {c.name: None if c.nullable else _DEFAULTS.get(c.type, 0.0) for c in columns}


def entry(
    entry_id: str,
    cell: Sequence[float] = (5.0, 6.0, 7.0, 90.0, 95.0, 90.0),
    hm: str = "P 1 21/c 1",
    formula: str | None = "C4 H8 O4",
    **columns: Any,
) -> dict[str, Any]:
    """A row of `entry` with a consistent cell and group; `columns` overrides."""
    group = SpaceGroup.from_hm(hm)
    reduced = niggli_reduce(np.array([cell]), primitive_basis(group)[None]).cells[0]
    source, _, rest = entry_id.partition(":")
    row = _blank(ENTRY) | {
        "entry_id": entry_id,
        "source": source,
        "file_id": rest.partition("#")[0],
        "block": rest.partition("#")[2],
        "volume_angstrom3": UnitCell(*cell).volume,
        "sg_number": group.number,
        "sg_hm": group.hm,
        "operators": ";".join(group.operators),
        "n_operators": group.order,
        "crystal_system": group.crystal_system,
        "centrosymmetric": group.centrosymmetric,
        "formula_cell": formula,
        "elements": None
        if formula is None
        else " ".join(sorted(p.rstrip("0123456789.") for p in formula.split())),
        "composition_agreement": "agree",
        "n_sites": 1,
    }
    row |= dict(zip(CELL_NAMES, cell, strict=True))
    row |= {f"niggli_{name}": float(x) for name, x in zip(CELL_NAMES, reduced, strict=True)}
    if group.number == 14:
        row |= {f"least_oblique_{name}": x for name, x in zip(CELL_NAMES, cell, strict=True)}
    return row | columns


def site(entry_id: str, site_index: int = 0, element: str = "C", **columns: Any) -> dict[str, Any]:
    """A row of `site` on a general position of a group of order 4."""
    row = _blank(SITE) | {
        "entry_id": entry_id,
        "site_index": site_index,
        "label": f"{element}{site_index + 1}",
        "element": element,
        **dict(zip("xyz", (0.1, 0.2, 0.3), strict=True)),
        "occupancy": 1.0,
        "multiplicity": 4,
        "site_symmetry_order": 1,
    }
    return row | columns


def rejection(file_id: str, stage: str, code: str, block: str | None = None) -> dict[str, Any]:
    """A row of `rejection` of source `cod`."""
    return {
        "source": "cod",
        "file_id": file_id,
        "block": block,
        "stage": stage,
        "code": code,
        "detail": "as told",
    }


def make_database(
    path: Path,
    entries: Iterable[dict[str, Any]],
    sites: Iterable[dict[str, Any]] | None = None,
    rejections: Iterable[dict[str, Any]] = (),
) -> Path:
    """A finished database: given rows, one site an entry where none are given, files, clusters."""
    entries, rejections = list(entries), list(rejections)
    sites = [site(e["entry_id"]) for e in entries] if sites is None else list(sites)
    seen = sorted({(r["source"], r["file_id"]) for r in [*entries, *rejections]})
    files = [_blank(FILE) | {"source": s, "file_id": f} for s, f in seen]
    with open_database(path, read_only=False) as connection:
        for name, columns, rows in (
            ("entry", ENTRY, entries),
            ("site", SITE, sites),
            ("rejection", REJECTION, rejections),
            ("file", FILE, files),
        ):
            _insert(connection, name, pa.Table.from_pylist(rows, schema=arrow_schema(columns)))
        build_clusters(connection)
        set_digest(connection)
    return path


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every value of every content table, in sorted rows; the times of the files are left out."""
    columns = dict.fromkeys(CONTENT_TABLES, "*") | {"file": "* EXCLUDE (mtime_ns, ctime_ns)"}
    with open_database(path) as connection:
        return {
            name: connection.execute(f"SELECT {which} FROM {name} ORDER BY ALL").fetchall()
            for name, which in columns.items()
        }


def clusters(path: Path) -> dict[str, tuple[str, int, float, bool]]:
    """Table `cluster` by entry: cluster, size, weight, whether it is the best."""
    with open_database(path) as connection:
        rows = connection.execute(
            "SELECT entry_id, cluster_id, cluster_size, weight, is_best FROM cluster"
        ).fetchall()
    return {row[0]: tuple(row[1:]) for row in rows}


def _insert(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    assert name in TABLES
    connection.register("rows_to_insert", rows)
    connection.execute(f"INSERT INTO {name} BY NAME SELECT * FROM rows_to_insert")
    connection.unregister("rows_to_insert")
