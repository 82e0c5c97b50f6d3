"""One run of mining: what changed in the sources is read by worker processes and stored, and nothing else.

Interrupted at any moment, the database is whole, and the next run goes on from there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from xtalpriors.compilation import is_compiled
from xtalpriors.counted import counted
from xtalpriors.errors import InterruptedRunError, XtalpriorsError
from xtalpriors.interrupts import stop_flag
from xtalpriors.mining.database.digest import DIGEST, Digest, get_digest, set_digest, write_digest
from xtalpriors.mining.database.schema import EXTRACTOR_VERSION, SCHEMA_VERSION
from xtalpriors.mining.database.store import DATABASE, database_error, open_database
from xtalpriors.mining.sources import Source, check_names
from xtalpriors.mining.sources.manifest import list_files, read_manifest
from xtalpriors.mining.work.ingest import Ingest
from xtalpriors.mining.work.plan import Plan, make_plan, make_tasks, require_sources, tidy
from xtalpriors.mining.work.pool import Executor, Limits, LocalPool, default_workers
from xtalpriors.mining.work.task import Reader, Task
from xtalpriors.outputs import check_outputs
from xtalpriors.progress import Progress, silent
from xtalpriors.provenance import versions

__all__ = ["MineReport", "MiningInterruptedError", "Reader", "mine"]


_READ = "xtalpriors.mining.cif"  # imported by the workers alone
_READER = Reader(f"{_READ}:extract", EXTRACTOR_VERSION)
_FILES_A_WORKER, _BYTES_A_WORKER = 10_000, 2**30
"""What one worker reads in about the time that another takes to start: small files, or reflection lists."""
_COMPILES = "the kernels are compiled first, once on this machine: about a minute"


class MiningInterruptedError(InterruptedRunError):
    """Stopped by Ctrl-C or SIGTERM; what was read is stored."""


@dataclass(frozen=True)
class MineReport:
    """What a run did, and what the database holds after it."""

    plan: Plan
    n_read: int
    n_updated: int
    n_entries: int
    n_rejections: int
    digest: str
    seconds: float
    n_same: int = 0
    """Of the files read, those that had changed their times alone."""
    n_older: int = 0
    """Of the files read, those whose header states an older revision than the one that was read before."""
    is_completed: bool = False
    """An earlier version or an interrupted run had left the database without clusters or digest."""

    @property
    def is_noop(self) -> bool:
        """Nothing was to be done."""
        return not (self.n_read or self.plan.deleted or self.plan.touched)

    def __str__(self) -> str:
        """Two lines for the terminal."""
        p = self.plan
        done = (
            f"{self.n_read:,} of {counted(p.n_files, 'file')} read ({p.new:,} new, "
            f"{p.changed - self.n_same:,} changed, {p.reread:,} by another reader version, "
            f"{p.retry:,} unreadable before), {p.touched + self.n_same:,} touched, {p.deleted:,} deleted"
        )
        head = "nothing changed" if self.is_noop else done
        if self.is_completed:
            head += "; clusters and digest made anew, as an earlier version or an interrupted run left them"
        older = (
            f"\n      {counted(self.n_older, 'file')} of an older revision than before: is the source old?"
        )
        return (
            f"mine: {head} ({self.seconds:.1f} s)\n"
            f"      {counted(self.n_entries, 'entry')}, {counted(self.n_rejections, 'rejection')}; "
            f"digest {self.digest}{older if self.n_older else ''}"
        )


def mine(
    sources: Sequence[Source],
    manifest: Path | None,
    database: Path,
    *,
    digest: Path | None = None,
    workers: int | None = None,
    progress: Progress = silent,
    limits: Limits | None = None,
    reader: Reader | None = None,
    executor: Executor | None = None,
) -> MineReport:
    """Bring a database up to date with its sources.

    Parameters
    ----------
    sources
        Where the files come from.
    manifest
        What the database shall hold, exactly: rows of files that it does not list are removed, also of a
        source that is no longer in it. None lists the sources now, and leaves rows of other sources alone.
    database
        DuckDB file, made where there is none.
    digest
        Where to write the digest file; None writes none.
    workers
        Worker processes; None takes one per core that this process may use, and no more than pay for
        their start. The result does not depend on it.
    progress
        Opens a progress bar.
    limits, reader, executor
        Limits of a worker; the reading code; where tasks run (worker processes here, when not given).

    Raises
    ------
    MiningInterruptedError
        By Ctrl-C or SIGTERM; the same call goes on.
    UsageError
        A file that is no database, or no digest of one, would be replaced.
    XtalpriorsError
        An empty source; a database of another program, version, or open elsewhere; a full disk; workers
        that cannot start. What was stored before stays.
    """
    started = time.monotonic()
    check_names(sources)
    check_outputs([(database, DATABASE), *([(digest, DIGEST)] if digest else [])])
    reader, limits = reader or _READER, limits or Limits()
    listing = list_files(sources, progress) if manifest is None else read_manifest(manifest)
    require_sources(listing, sources)
    scope = [source.name for source in sources] if manifest is None else None
    # of one thread: see `Ingest`
    connection = open_database(database, read_only=False, memory_limit="512MB", threads=1)
    try:
        with connection:
            connection.execute("SET checkpoint_threshold = '128MB'")  # one at each commit costs as much again
            plan = make_plan(connection, listing, scope, reader.version)
            run = _Run(connection, reader, plan)
            tidy(connection, plan)
            if plan.n_read:
                n_workers = workers or min(default_workers(), _worthwhile(plan))
                with _pool(executor, reader, limits, n_workers) as pool:
                    run.read(pool, make_tasks(connection, sources, limits, n_workers), progress)
            report = run.finish(digest, started, progress)
            connection.execute("CHECKPOINT")  # closing does it too, but says nothing where the disk is full
            return report
    except (duckdb.Error, OSError) as error:
        raise database_error(error, database) from error


class _Run:
    """The part of a run that has the database open."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, reader: Reader, plan: Plan) -> None:
        self._connection, self._reader, self._plan = connection, reader, plan
        self._started = _now()
        self._is_recorded = False
        self._ingest = Ingest(connection)
        if plan.n_read > plan.retry or plan.deleted:
            self._record()

    def read(self, pool: Executor, tasks: Iterator[Task], progress: Progress) -> None:
        """Run the tasks and store what they give, until all is done or a signal says stop."""
        files = self._plan.n_read
        with stop_flag() as stopped, self._ingest, progress("mine", files, "file") as advance:
            if isinstance(pool, LocalPool) and self._reader is _READER and not is_compiled(_READ):
                advance(0, note=_COMPILES)
            try:
                for result in pool.run(tasks, stopped.is_set):
                    self._ingest.add(result)
                    advance(result.n_files)
            except (XtalpriorsError, KeyboardInterrupt):
                self._ingest.flush()  # what is read is not read again
                raise
            self._ingest.flush()
            if stopped.is_set():
                done = f"{self._ingest.n_stored:,} of {counted(files, 'file')}"
                raise MiningInterruptedError(
                    f"Interrupted: {done} read and stored; the same call goes on from there."
                )

    def finish(self, digest: Path | None, started: float, progress: Progress) -> MineReport:
        """Clusters, digest, and the record of the run."""
        connection, ingest = self._connection, self._ingest
        content = get_digest(connection)
        is_completed = content is None and not (ingest.n_updated or self._plan.deleted)
        if content is None:
            with progress("cluster", None, "entry"):
                content = _complete(connection)
        if digest is not None:
            write_digest(content, digest)
        entries, rejections = (content["tables"][t] for t in ("entry", "rejection"))
        seconds = time.monotonic() - started
        if self._is_recorded or ingest.n_updated:
            self._record()
            connection.execute(
                """UPDATE run SET finished = ?, n_files_read = ?, n_entries = ?, n_rejections = ?, seconds = ?
                   WHERE started = ?""",
                [_now(), ingest.n_stored, entries, rejections, round(seconds, 3), self._started],
            )
        return MineReport(
            self._plan,
            ingest.n_stored,
            ingest.n_updated,
            entries,
            rejections,
            content["digest"],
            seconds,
            ingest.n_same,
            ingest.n_older,
            is_completed,
        )

    def _record(self) -> None:
        """A row in table `run`, once; it says `finished` only at the end."""
        if not self._is_recorded:
            self._connection.execute(
                """INSERT INTO run (started, schema_version, extractor_version, packages, n_files_seen,
                   n_files_read) VALUES (?, ?, ?, ?, ?, 0)""",
                [self._started, SCHEMA_VERSION, self._reader.version, _packages(), self._plan.n_files],
            )
            self._is_recorded = True


def _worthwhile(plan: Plan) -> int:
    """Number of workers that pay for their start."""
    return 1 + max(plan.n_read // _FILES_A_WORKER, plan.read_bytes // _BYTES_A_WORKER)


def _pool(
    executor: Executor | None, reader: Reader, limits: Limits, n_workers: int
) -> AbstractContextManager[Executor]:
    """The executor given, which its owner closes, or worker processes for the time of the run."""
    if executor:
        return nullcontext(executor)
    return LocalPool(reader.extract, n_workers, limits)


def _complete(connection: duckdb.DuckDBPyConnection) -> Digest:
    """Build the clusters and set the digest, in one transaction."""
    from xtalpriors.mining.database.clusters import build_clusters

    connection.execute("SET memory_limit = '384MB'")  # the rest of what a run may take is the clusters'
    connection.execute(f"SET threads = {min(default_workers(), 4)}")  # the workers have ended
    connection.begin()
    build_clusters(connection)
    set_digest(connection)
    connection.commit()
    content = get_digest(connection)
    assert content is not None
    return content


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _packages() -> str:
    names = ("xtalpriors", "gemmi", "PyCifRW", "duckdb", "pyarrow")
    return json.dumps(versions(names), sort_keys=True)
