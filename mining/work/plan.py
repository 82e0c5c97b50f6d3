"""What a run has to do: the listing of the files against the files that the database has rows of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from xtalpriors.errors import UsageError
from xtalpriors.mining.database.digest import unset_digest
from xtalpriors.mining.database.store import fetch_row, fetch_table, get_meta, set_meta
from xtalpriors.mining.sources import Source
from xtalpriors.mining.work.pool import Limits
from xtalpriors.mining.work.task import Task

__all__ = ["Plan", "make_plan", "make_tasks", "require_sources", "tidy"]

_TIMES_DIFFER = """(l.size_bytes IS DISTINCT FROM f.size_bytes OR l.mtime_ns IS DISTINCT FROM f.mtime_ns
                    OR l.ctime_ns IS DISTINCT FROM f.ctime_ns)"""

# A file without a hash could not be read the last time, and is tried again in every run.
_COMPARE = f"""
    CREATE OR REPLACE TEMP TABLE todo AS
    SELECT source, file_id, l.size_bytes, l.mtime_ns, l.ctime_ns, f.source IS NOT NULL AS is_known,
           CASE WHEN p.source IS NULL THEN f.content_hash END AS known_hash,
           CASE WHEN l.source IS NULL THEN 'gone'
                WHEN f.source IS NULL THEN 'new'
                WHEN p.source IS NOT NULL THEN 'reread'
                WHEN f.content_hash IS NULL THEN 'retry'
                WHEN l.content_hash <> f.content_hash THEN 'changed'
                WHEN NOT {_TIMES_DIFFER} THEN 'same'
                WHEN l.content_hash = f.content_hash THEN 'touched'
                ELSE 'changed' END AS state
    FROM listing AS l FULL JOIN file AS f USING (source, file_id)
    LEFT JOIN pending AS p USING (source, file_id)
    WHERE state <> 'same' AND (state <> 'gone' OR $everything OR list_contains($scope, source))
"""


@dataclass(frozen=True)
class Plan:
    """Numbers of files by what is to be done with them."""

    n_files: int
    new: int
    changed: int
    reread: int
    retry: int
    touched: int
    deleted: int
    read_bytes: int = 0
    """Size of the files to read, as their source states it."""

    @property
    def n_read(self) -> int:
        """Files to read."""
        return self.new + self.changed + self.reread + self.retry


def require_sources(listing: pa.Table, sources: Sequence[Source]) -> None:
    """Refuse a manifest that lists sources which are not given: their files could not be read.

    Raises
    ------
    UsageError
    """
    missing = sorted(set(listing["source"].unique().to_pylist()) - {source.name for source in sources})
    if missing:
        raise UsageError(
            f"The manifest lists files of the source '{missing[0]}', which is not given. Name the sources "
            "that the manifest was made of, or make it again (`xtalpriors manifest`)."
        )


def make_plan(
    connection: duckdb.DuckDBPyConnection, listing: pa.Table, scope: Sequence[str] | None, version: str
) -> Plan:
    """Compare a listing with the database; leaves the temporary table `todo` of the files that differ.

    Parameters
    ----------
    connection
        The database, open for writing.
    listing
        Columns of `schema.FILE`; a null hash is not known yet.
    scope
        Sources whose unlisted files are deleted; None for all of the database.
    version
        Version of the reader: where another one made the rows, all files are marked to be read again.
    """
    if get_meta(connection, "extractor_version") != version:
        connection.begin()
        connection.execute("DELETE FROM pending")
        connection.execute("INSERT INTO pending SELECT source, file_id FROM file")
        set_meta(connection, "extractor_version", version)
        unset_digest(connection)
        connection.commit()
    connection.register("listing", listing)
    connection.execute(_COMPARE, {"everything": scope is None, "scope": list(scope or [])})
    connection.unregister("listing")
    states = ("new", "changed", "reread", "retry", "touched", "gone")
    counts = ", ".join(f"count(*) FILTER (state = '{state}')" for state in states)
    size = "coalesce(sum(size_bytes) FILTER (state NOT IN ('touched', 'gone')), 0)::BIGINT"
    row = fetch_row(connection, f"SELECT {counts}, {size} FROM todo")
    return Plan(listing.num_rows, *row)


def tidy(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    """Remove the rows of files that are gone, and note the new times of those only touched: no reading."""
    if plan.touched:
        connection.execute(
            """UPDATE file SET size_bytes = l.size_bytes, mtime_ns = l.mtime_ns, ctime_ns = l.ctime_ns
               FROM todo AS l WHERE l.state = 'touched'
               AND l.source = file.source AND l.file_id = file.file_id"""
        )
    if not plan.deleted:
        return
    gone = "(FROM todo WHERE state = 'gone')"
    connection.begin()
    unset_digest(connection)
    remove_rows(connection, gone)
    for table in ("file", "pending"):
        connection.execute(
            f"DELETE FROM {table} WHERE (source, file_id) IN (SELECT (source, file_id) FROM {gone})"
        )
    connection.commit()


def remove_rows(connection: duckdb.DuckDBPyConnection, files: str) -> None:
    """Remove entries, sites and rejections of the files in a table or view with source and file_id."""
    connection.execute(
        "DELETE FROM site WHERE entry_id IN "
        f"(SELECT entry_id FROM entry SEMI JOIN {files} USING (source, file_id))"
    )
    for table in ("entry", "rejection"):
        connection.execute(
            f"DELETE FROM {table} WHERE (source, file_id) IN (SELECT (source, file_id) FROM {files})"
        )


def make_tasks(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[Source], limits: Limits, workers: int
) -> Iterator[Task]:
    """Group the files to read, source by source: at most so many files, so many bytes, in reading order.

    The database is asked before the first task, and not again.
    """
    tables = [
        fetch_table(
            connection,
            """SELECT file_id, known_hash, size_bytes FROM todo
               WHERE source = $source AND state NOT IN ('touched', 'gone') ORDER BY file_id""",
            {"source": source.name},
        )
        for source in sources
    ]
    number = 0
    for source, table in zip(sources, tables, strict=True):
        if source.kind == "archive":  # a compressed tar can only be read forwards
            place = {file.file_id: i for i, file in enumerate(source.files())}
            order = [place.get(file_id, -1) for file_id in table["file_id"].to_pylist()]
            table = table.take(pc.sort_indices(pa.array(order, pa.int64())))
        most = min(limits.task_files, 1 + table.num_rows // (2 * workers))
        for files in _groups(table, most, limits.task_bytes):
            yield Task(number, source, files)
            number += 1


def _groups(table: pa.Table, most: int, most_bytes: int) -> Iterator[tuple[tuple[str, str | None], ...]]:
    group: list[tuple[str, str | None]] = []
    size = 0
    for batch in table.to_batches(max_chunksize=2**14):
        for file_id, known, n_bytes in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if group and (len(group) >= most or size + n_bytes > most_bytes):
                yield tuple(group)
                group, size = [], 0
            group.append((file_id, known))
            size += n_bytes
    if group:
        yield tuple(group)
