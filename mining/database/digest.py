"""One short name for what a database holds: equal content gives an equal digest, whatever way it came there.

Each table is hashed as a set of rows (number of rows, sum and exclusive or of the rows' 64-bit hashes), so
nothing is sorted and 25 million sites take seconds. Left out are table `run` and the times of the files:
the same files on another machine, or touched, are the same content.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TypedDict

import duckdb

from xtalpriors.atomic import write_text
from xtalpriors.mining.database.schema import SCHEMA_VERSION
from xtalpriors.mining.database.store import CONTENT_TABLES, TABLES, fetch_row, get_meta

__all__ = ["Digest", "compute_digest", "write_digest"]

_NOT_CONTENT = {"mtime_ns", "ctime_ns"}


class TableDigest(TypedDict):
    """One table: its number of rows and the hash of their set."""

    rows: int
    hash: str


class Digest(TypedDict):
    """What `digest.json` holds."""

    digest: str
    schema_version: int
    extractor_version: str | None
    tables: dict[str, TableDigest]
    sources: dict[str, dict[str, int]]


def compute_digest(connection: duckdb.DuckDBPyConnection) -> Digest:
    """Digest of the content of an open database."""
    tables = {name: _table_digest(connection, name) for name in CONTENT_TABLES}
    text = json.dumps([SCHEMA_VERSION, tables], sort_keys=True)
    return {
        "digest": hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),
        "schema_version": SCHEMA_VERSION,
        "extractor_version": get_meta(connection, "extractor_version"),
        "tables": tables,
        "sources": _counts_by_source(connection),
    }


def write_digest(digest: Digest, path: Path) -> None:
    """Write `digest.json`: sorted keys, the same bytes for the same content."""
    write_text(path, json.dumps(digest, indent=2, sort_keys=True) + "\n")


def _table_digest(connection: duckdb.DuckDBPyConnection, table: str) -> TableDigest:
    columns = ", ".join(f'"{c.name}"' for c in TABLES[table][1] if c.name not in _NOT_CONTENT)
    row = fetch_row(
        connection,
        "SELECT count(*), coalesce(sum(h), 0), coalesce(bit_xor(h), 0) "
        f"FROM (SELECT hash({columns}) AS h FROM {table})",
    )
    return {"rows": int(row[0]), "hash": f"{int(row[1]) % 2**64:016x}{int(row[2]):016x}"}


def _counts_by_source(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for name, table in (("files", "file"), ("entries", "entry"), ("rejections", "rejection")):
        for source, n in connection.execute(
            f"SELECT source, count(*) FROM {table} GROUP BY source ORDER BY source"
        ).fetchall():
            counts.setdefault(source, {"files": 0, "entries": 0, "rejections": 0})[name] = int(n)
    return counts
