"""Results into the database, in transactions: the rows of a file and the record that it was read are one."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import duckdb
import pyarrow as pa

from xtalpriors.mining.database.digest import unset_digest
from xtalpriors.mining.database.store import fetch_row
from xtalpriors.mining.work.plan import remove_rows
from xtalpriors.mining.work.task import TaskResult

__all__ = ["Ingest"]


class Ingest:
    """Collects results and stores them together, by a thread of its own: workers must not wait for it.

    DuckDB keeps rows in groups of 122,880. A transaction whose sites just fill whole groups is written once;
    where they do not, a checkpoint takes the groups apart and compresses them again, which costs half as much
    again in time and in the size of the file. So a transaction ends where the next task would begin a third
    group, and the connection should have one thread: each of several would fill groups of its own.

    Use it as a context, at whose end the thread has ended. Between `add` and `flush` the connection is the
    thread's.

    Parameters
    ----------
    connection
        Open for writing, with the temporary table `todo` of `plan.make_plan`.
    most_sites, most_files, most_bytes, most_seconds
        When to commit; what is not committed yet is read again after an interruption.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        most_sites: int = 2 * 122_880,
        most_files: int = 20_000,
        most_bytes: int = 64 * 2**20,
        most_seconds: float = 5.0,
    ) -> None:
        self._connection = connection
        self._most_sites = most_sites
        self._limits = (most_files, most_bytes, most_seconds)
        self._writer = ThreadPoolExecutor(1)
        self._storing: Future[None] | None = None
        self._collect()
        self.n_stored = 0
        """Files in committed transactions."""
        self.n_updated = 0
        """Of these, with rows that are new or may differ from before."""
        self.n_same = 0
        """Of these, with the content they had: only their times were others."""
        self.n_older = 0
        """Of these, with an older revision than they had."""

    def __enter__(self) -> Ingest:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.shutdown()

    def add(self, result: TaskResult) -> None:
        """Take one result; store when there is enough."""
        if self._n_sites + result.sites.num_rows > self._most_sites:
            self._hand_over()
        self._results.append(result)
        self._n_sites += result.sites.num_rows
        self._n_files += result.n_files
        self._n_bytes += result.n_bytes
        held = (self._n_files, self._n_bytes, time.monotonic() - self._since)
        if any(x >= most for x, most in zip(held, self._limits, strict=True)):
            self._hand_over()

    def flush(self) -> None:
        """Store what was collected, and wait until it is stored."""
        self._hand_over()
        self._wait()

    def _collect(self) -> None:
        """Begin with nothing collected."""
        self._results: list[TaskResult] = []
        self._n_sites = self._n_files = self._n_bytes = 0
        self._since = time.monotonic()

    def _hand_over(self) -> None:
        """Let the thread store what was collected, in one transaction, when it is done with the last one."""
        self._wait()
        if self._results:
            tables = [pa.concat_tables(part) for part in zip(*(r[1:5] for r in self._results), strict=True)]
            self._storing = self._writer.submit(self._store, self._n_files, *tables)
        self._collect()

    def _wait(self) -> None:
        """Wait for the thread, and raise what went wrong there."""
        if self._storing is not None:
            self._storing.result()
            self._storing = None

    def _store(
        self, n_files: int, entries: pa.Table, sites: pa.Table, rejections: pa.Table, files: pa.Table
    ) -> None:
        """Store new rows in place of the old ones of the same files."""
        run = self._connection.execute
        given = {"new_entry": entries, "new_site": sites, "new_rejection": rejections, "new_file": files}
        for name, table in given.items():
            self._connection.register(name, table)
        run(_DONE)
        n_done, n_updated, n_replaced = fetch_row(self._connection, _DONE_COUNTS)
        if n_done:
            self._connection.begin()
            try:
                self._replace(n_updated, n_replaced)
                self._connection.commit()
            except duckdb.Error:
                _roll_back(self._connection)
                raise
        for name in given:
            self._connection.unregister(name)
        self.n_updated += n_updated
        self.n_same += n_done - n_updated
        self.n_stored += n_files

    def _replace(self, n_updated: int, n_replaced: int) -> None:
        """The statements of one transaction."""
        run = self._connection.execute
        if n_updated:
            unset_digest(self._connection)
        if n_replaced:
            self.n_older += fetch_row(self._connection, _OLDER)[0]
            remove_rows(self._connection, "(FROM done WHERE is_update AND is_known)")
        for table in ("entry", "rejection"):
            run(f"INSERT INTO {table} BY NAME FROM new_{table} SEMI JOIN updated USING (source, file_id)")
        run("INSERT INTO site BY NAME FROM new_site")
        for table in ("file", "pending"):
            run(
                f"DELETE FROM {table} WHERE (source, file_id) IN "
                "(SELECT (source, file_id) FROM done WHERE is_known)"
            )
        run(f"INSERT INTO file BY NAME SELECT {_FILE_COLUMNS} FROM done")


_DONE_COUNTS = """
    SELECT count(*), count(*) FILTER (is_update), count(*) FILTER (is_update AND is_known) FROM done
"""
_OLDER = """
    SELECT count(*) FROM done JOIN file USING (source, file_id)
    WHERE is_update AND done.revision < file.revision
"""
_FILE_COLUMNS = "source, file_id, size_bytes, mtime_ns, ctime_ns, content_hash, revision"

# A file that still cannot be read, for the same reason, is no update: such a run changes nothing.
_DONE = """
    CREATE OR REPLACE TEMP TABLE done AS
    SELECT n.source, n.file_id, l.size_bytes, l.mtime_ns, l.ctime_ns, n.content_hash, n.revision, l.is_known,
           NOT n.is_same AS is_update
    FROM new_file AS n JOIN todo AS l USING (source, file_id)
    WHERE NOT (l.state = 'retry' AND n.content_hash IS NULL
               AND EXISTS (FROM rejection AS o
                           JOIN new_rejection AS r USING (source, file_id, stage, code, detail)
                           WHERE o.source = n.source AND o.file_id = n.file_id));
    CREATE OR REPLACE TEMP VIEW updated AS FROM done WHERE is_update;
"""


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo; an error here (a database that a full disk has closed) hides nothing: the first one is raised."""
    try:
        connection.rollback()
    except duckdb.Error:
        return
