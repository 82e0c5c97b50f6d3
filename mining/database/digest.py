"""The digest of a database: one short name for what was read, the same on every machine.

It covers the versions of the tables and of the reading code, and for every file its source, name, content
hash and outcome: how many entries it gave, and why it or blocks of it were rejected. All other columns follow
from these. They are left out because their last bits may differ between processors (sines and cosines do).
The times of the files are left out too: the same files on another machine, or touched, are the same content.

The digest stands in the database (table `meta`) and in a file beside it. It is taken out of the database
before the first change of a run and set again at the end, so that a database with a digest is complete.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TypedDict

import duckdb

from xtalpriors.atomic_write import write_text
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import SCHEMA_VERSION
from xtalpriors.mining.database.store import CONTENT_TABLES, fetch_row, get_meta, remove_meta, set_meta
from xtalpriors.outputs import FileKind, json_with

__all__ = [
    "DIGEST",
    "Digest",
    "digest_file",
    "get_digest",
    "read_digest",
    "set_digest",
    "unset_digest",
    "write_digest",
]

DIGEST = FileKind("the digest of a database", json_with("digest", "schema_version", "tables"))

_KEY = "digest_of_outcomes"
_EARLIER_KEY = "content_digest"  # of databases whose digest was that of other lines: it counts as none

_OUTCOMES = """
    SELECT concat(
        chr(10), strlen(source), ' ', source, ' ', strlen(file_id), ' ', file_id, ' ',
        coalesce(content_hash, '-'), ' ', coalesce(n_entries, 0), ' ', reasons)
    FROM file
    LEFT JOIN (SELECT source, file_id, count(*) AS n_entries FROM entry GROUP BY ALL) USING (source, file_id)
    LEFT JOIN (SELECT source, file_id, string_agg(stage || ':' || code, ' ' ORDER BY stage, code) AS reasons
               FROM rejection GROUP BY ALL) USING (source, file_id)
    ORDER BY source, file_id
"""
"""A line for each file. Names may hold any character: their lengths stand before them."""


class Digest(TypedDict):
    """What the digest file holds: the digest, what it is of, and numbers of rows by table and source."""

    digest: str
    schema_version: int
    extractor_version: str | None
    tables: dict[str, int]
    sources: dict[str, dict[str, int]]


def digest_file(database: Path) -> Path:
    """File of a database's digest: `digest.json` beside `crystals.duckdb`, else `NAME.digest.json`."""
    if database.name == "crystals.duckdb":
        return database.with_name("digest.json")
    return database.with_suffix(".digest.json")


def set_digest(connection: duckdb.DuckDBPyConnection) -> None:
    """Compute the digest of a database and store it there, which says that the database is complete."""
    versions = [SCHEMA_VERSION, get_meta(connection, "extractor_version")]
    digest = hashlib.blake2b(json.dumps(versions).encode(), digest_size=16)
    for batch in connection.sql(_OUTCOMES).to_arrow_reader(100_000):
        digest.update("".join(batch.column(0).to_pylist()).encode())
    remove_meta(connection, _EARLIER_KEY)
    set_meta(connection, _KEY, digest.hexdigest())


def unset_digest(connection: duckdb.DuckDBPyConnection) -> None:
    """Say that the database is being changed: part of the transaction that changes it."""
    for key in (_KEY, _EARLIER_KEY):
        remove_meta(connection, key)


def get_digest(connection: duckdb.DuckDBPyConnection) -> Digest | None:
    """Digest and row counts of a database; None where the last run that changed it did not finish."""
    digest = get_meta(connection, _KEY)
    if digest is None:
        return None
    return {
        "digest": digest,
        "schema_version": SCHEMA_VERSION,
        "extractor_version": get_meta(connection, "extractor_version"),
        "tables": {t: int(fetch_row(connection, f"SELECT count(*) FROM {t}")[0]) for t in CONTENT_TABLES},
        "sources": _counts_by_source(connection),
    }


def read_digest(connection: duckdb.DuckDBPyConnection, database: Path) -> Digest:
    """Digest of a database, which must be complete and the one that the digest file beside it names.

    Raises
    ------
    XtalpriorsError
        The last run did not finish, an earlier version of xtalpriors made the database, or the digest file
        beside it is of another database.
    """
    digest = get_digest(connection)
    if digest is None:
        raise XtalpriorsError(
            f"The last run that mined {database} did not finish, or it was mined by an earlier version of "
            "xtalpriors. Run `xtalpriors mine` again with the same sources: it reads what is "
            "missing and keeps the rest, or reads all again where the way of reading has changed."
        )
    file = digest_file(database)
    if file.exists() and (named := _named(file)) != digest["digest"]:
        raise XtalpriorsError(
            f"{file} {f'names the database {named}' if named else 'cannot be read'}, but {database} is "
            f"{digest['digest']}: one was replaced. "
            "Run `xtalpriors mine` again with the same sources, which brings the database up to date and "
            "writes its digest."
        )
    return digest


def write_digest(digest: Digest, path: Path) -> None:
    """Write the digest file: sorted keys, the same bytes for the same content."""
    write_text(path, json.dumps(digest, indent=2, sort_keys=True) + "\n", DIGEST)


def _named(file: Path) -> str | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return str(found["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _counts_by_source(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for name, table in (("files", "file"), ("entries", "entry"), ("rejections", "rejection")):
        for source, n in connection.execute(
            f"SELECT source, count(*) FROM {table} GROUP BY source ORDER BY source"
        ).fetchall():
            counts.setdefault(source, {"files": 0, "entries": 0, "rejections": 0})[name] = int(n)
    return counts
