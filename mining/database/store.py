"""The DuckDB file: its tables with their meanings inside it, opened with errors that say what to do.

Besides the tables of `schema.py` there are two of its own: `meta` (versions and the digest of the content)
and `pending` (files whose rows another version of the reader made, empty after a finished run).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import (
    CLUSTER,
    ENTRY,
    FILE,
    REJECTION,
    RUN,
    SCHEMA_VERSION,
    SITE,
    Column,
)
from xtalpriors.mining.database.views import VIEWS
from xtalpriors.outputs import FileKind, check_output, content_of, is_not

__all__ = [
    "CONTENT_TABLES",
    "DATABASE",
    "TABLES",
    "database_error",
    "fetch_row",
    "fetch_table",
    "get_meta",
    "open_database",
    "reading",
    "remove_meta",
    "set_meta",
    "sql_type",
]

TABLES: dict[str, tuple[str, tuple[Column, ...]]] = {
    "entry": ("One row per structure: whatever was readable, nothing filtered", ENTRY),
    "site": ("One row per site of an entry's asymmetric unit, in the order of the file", SITE),
    "rejection": ("One row per file or block that gave no entry, with the reason", REJECTION),
    "file": ("One row per file that was read, as it was seen then", FILE),
    "cluster": ("Which entries are redeterminations of one structure, with weights", CLUSTER),
    "run": ("One row per run that had something to do", RUN),
}
"""Name, meaning and columns of every table."""

DATABASE = FileKind("a database", lambda path: content_of(path) == "a DuckDB database")
"""Whose database it is, `open_database` says."""

CONTENT_TABLES = ("entry", "site", "rejection", "file", "cluster")
"""The tables whose content the digest covers: what was found, not when."""

_SQL_TYPES = {
    pa.string(): "VARCHAR",
    pa.float64(): "DOUBLE",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.bool_(): "BOOLEAN",
}


def sql_type(column: Column) -> str:
    """Type of a column in DuckDB."""
    return _SQL_TYPES[column.type]


def open_database(
    path: Path, read_only: bool = True, *, memory_limit: str = "1GB", threads: int | None = None
) -> duckdb.DuckDBPyConnection:
    """Connection to a mined database; with `read_only=False` it is made where there is none.

    Parameters
    ----------
    path
        The DuckDB file.
    read_only
        Several processes can read at one time; one that writes is alone.
    memory_limit, threads
        Handed to DuckDB; beyond the limit it works on disk, in `<path>.tmp`.

    Raises
    ------
    XtalpriorsError
        There is no such file, it is no DuckDB file or none of xtalpriors, it is of another schema version,
        another process has it open, it is shorter than what it holds, or the folder cannot be written. The
        file is left as it is.
    """
    path = Path(path)
    if read_only and not path.is_file():
        raise XtalpriorsError(f"There is no database {path}. Make it: `xtalpriors mine --database {path} …`.")
    if read_only and not path.stat().st_size:
        raise XtalpriorsError(
            f"The file {path} is empty. Make it a database: `xtalpriors mine --database {path} …`."
        )
    if not read_only:
        place = check_output(path, DATABASE)
        if place.exists() and not place.stat().st_size:  # DuckDB takes no empty file for a new one
            place.unlink()
    elif not DATABASE.is_own(path):
        raise XtalpriorsError(is_not(path, "a database", "mine"))
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": memory_limit}
    if threads is not None:
        config["threads"] = threads
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(path), read_only=read_only, config=config)
    except (duckdb.Error, OSError) as error:
        raise database_error(error, path) from error
    try:
        _check(connection, path, read_only)
    except duckdb.Error as error:
        connection.close()
        raise database_error(error, path) from error
    except XtalpriorsError:
        connection.close()
        raise
    return connection


@contextmanager
def reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A mined database, opened to be read; an error of DuckDB on the way says what it means for the user.

    Raises
    ------
    XtalpriorsError
        As by `open_database`; or the file is damaged.
    """
    with open_database(path) as connection:
        try:
            yield connection
        except duckdb.ProgrammingError:  # a statement that is wrong: a bug
            raise
        except duckdb.Error as error:
            raise database_error(error, path) from error


_DAMAGED = ("Could not read enough bytes", "Corrupt database file", "Failed to deserialize")


def database_error(error: Exception, path: Path) -> XtalpriorsError:
    """Say what an error of DuckDB or the system means for the user, and the remedy."""
    text = str(error)
    if "lock on file" in text:
        holder = text[text.find("(PID") :].split(")")[0].strip("( ") if "(PID" in text else "another process"
        return XtalpriorsError(
            f"The database {path} is open in another process ({holder}). If it is a run of xtalpriors, wait "
            "until that ends: while a run writes, nobody can read. Else close it there. Then run again."
        )
    too_large = "File too large" in text
    if too_large or "No space left" in text or "out of disk" in text.lower():
        limit = ", or the file as large as the system allows (`ulimit -f`)" if too_large else ""
        return XtalpriorsError(
            f"The disk of {path} is full{limit}. What was stored before is kept and complete: free some "
            "space and run the same command again, it goes on from there."
        )
    if isinstance(error, duckdb.InternalException) or any(words in text for words in _DAMAGED):
        return _damaged(path, text.splitlines()[0])
    if "Cannot open file" in text or isinstance(error, OSError):
        return XtalpriorsError(
            f"The database {path} cannot be opened for writing ({text}). Is its folder there and writable? "
            "Name another place with `--database`."
        )
    return XtalpriorsError(f"The database {path} failed: {text}")


def _damaged(path: Path, why: str) -> XtalpriorsError:
    return XtalpriorsError(
        f"The database {path} is damaged ({why}). Remove it and run `xtalpriors mine` again with the same "
        "sources; all is read anew."
    )


def fetch_table(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, Any] | None = None
) -> pa.Table:
    """Rows of a query, as an Arrow table."""
    return connection.sql(query, params=parameters or None).to_arrow_table()


def fetch_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    """The one row of a query (all of it is fetched: DuckDB does nothing else before)."""
    (row,) = connection.execute(query).fetchall()
    return tuple(row)


def get_meta(connection: duckdb.DuckDBPyConnection, key: str) -> str | None:
    """Value of a key of table `meta`."""
    rows = connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
    return rows[0][0] if rows else None


def set_meta(connection: duckdb.DuckDBPyConnection, key: str, value: str) -> None:
    """Set a key of table `meta`."""
    remove_meta(connection, key)
    connection.execute("INSERT INTO meta VALUES (?, ?)", [key, value])


def remove_meta(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Remove a key of table `meta`."""
    connection.execute("DELETE FROM meta WHERE key = ?", [key])


def _check(connection: duckdb.DuckDBPyConnection, path: Path, read_only: bool) -> None:
    """Refuse a database cut off, of somebody else or another version; fill an empty one; renew the views."""
    _check_length(connection, path)
    tables = {row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not tables and not read_only:
        _create(connection)
    elif not {"meta", "entry", "file"} <= tables:
        raise XtalpriorsError(
            f"{path} is a DuckDB database, but not one that xtalpriors mined. It is left alone: name another "
            "file with `--database`."
        )
    version = get_meta(connection, "schema_version")
    if version != str(SCHEMA_VERSION):
        raise XtalpriorsError(
            f"The database {path} has schema version {version}; this xtalpriors writes and reads version "
            f"{SCHEMA_VERSION}. Nothing was changed. Mine into a new file (`--database`), or move this one "
            "away and mine again; the xtalpriors that made it can still read it."
        )
    if not read_only and get_meta(connection, "views") != _views_digest():
        _create_views(connection)


_HEADERS = 3 * 4096
"""Bytes before the first block of a DuckDB file."""


def _check_length(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file that ends before the last block of its tables.

    DuckDB cuts off free blocks at the end after it has noted their number, so a file may be shorter than
    that number says: only then are the blocks in use looked up.
    """
    block_size, n_blocks = fetch_row(
        connection, "SELECT block_size, total_blocks FROM pragma_database_size()"
    )
    n_there = (path.stat().st_size - _HEADERS) // block_size
    if n_there >= n_blocks:
        return
    for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        (last,) = fetch_row(
            connection,
            "SELECT max(greatest(block_id, list_max(additional_block_ids))) "
            f"FROM pragma_storage_info({_quoted(table)})",
        )
        if last is not None and last >= n_there:
            raise _damaged(path, "it has been cut off")


def _create(connection: duckdb.DuckDBPyConnection) -> None:
    """All tables in one transaction: a database is either empty or whole."""
    connection.begin()
    for name, (meaning, columns) in TABLES.items():
        body = ", ".join(f'"{c.name}" {sql_type(c)}{"" if c.nullable else " NOT NULL"}' for c in columns)
        connection.execute(f"CREATE TABLE {name} ({body})")
        connection.execute(f"COMMENT ON TABLE {name} IS {_quoted(meaning)}")
        for column in columns:
            connection.execute(f'COMMENT ON COLUMN {name}."{column.name}" IS {_quoted(column.meaning)}')
    connection.execute("CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL)")
    connection.execute("CREATE TABLE pending (source VARCHAR NOT NULL, file_id VARCHAR NOT NULL)")
    connection.execute("COMMENT ON TABLE meta IS 'Versions and state of this database'")
    connection.execute("COMMENT ON TABLE pending IS 'Files whose rows an older reader made'")
    set_meta(connection, "schema_version", str(SCHEMA_VERSION))
    connection.commit()


def _create_views(connection: duckdb.DuckDBPyConnection) -> None:
    connection.begin()
    for name, (meaning, query) in VIEWS.items():
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")
        connection.execute(f"COMMENT ON VIEW {name} IS {_quoted(meaning)}")
    set_meta(connection, "views", _views_digest())
    connection.commit()


def _views_digest() -> str:
    return hashlib.blake2b(repr(sorted(VIEWS.items())).encode(), digest_size=8).hexdigest()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
