"""The manifest: a line per file of the sources, so that nothing else needs to look at the tree.

A file is hashed again only where size, mtime or ctime differ from the line before (differ, not "is newer":
a restored backup is older). The manifest is the truth about what a database should hold: rows of files
that it does not list are removed from it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xtalpriors.atomic_write import replacing
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import FILE, arrow_schema
from xtalpriors.mining.database.store import fetch_row, fetch_table
from xtalpriors.mining.sources import Source, SourceFile, check_names
from xtalpriors.mining.sources.fingerprint import content_fingerprint
from xtalpriors.outputs import FileKind, check_output, is_not
from xtalpriors.progress import Progress, silent

__all__ = ["ManifestReport", "list_files", "read_manifest", "update_manifest"]

SCHEMA = arrow_schema(FILE)
MANIFEST = FileKind("a manifest", lambda path: pq.read_schema(path).names == SCHEMA.names)
_T = TypeVar("_T")

# o: the lines before; l: the listing; h: what was hashed now; n: the lines now
_TOUCHED = """(l.size_bytes IS DISTINCT FROM o.size_bytes OR l.mtime_ns IS DISTINCT FROM o.mtime_ns
               OR l.ctime_ns IS DISTINCT FROM o.ctime_ns)"""
_TODO = f"""
    SELECT l.source, l.file_id FROM (SELECT *, row_number() OVER () AS place FROM l) AS l
    LEFT JOIN o USING (source, file_id)
    WHERE $verify OR CASE WHEN o.file_id IS NULL THEN $hash_new ELSE {_TOUCHED} END
    ORDER BY l.place
"""
_JOINED = """
    SELECT l.source, l.file_id, l.size_bytes, l.mtime_ns, l.ctime_ns,
           CASE WHEN h.file_id IS NULL THEN o.content_hash ELSE h.content_hash END AS content_hash,
           CASE WHEN h.file_id IS NULL THEN o.revision ELSE h.revision END AS revision
    FROM l LEFT JOIN o USING (source, file_id) LEFT JOIN h USING (source, file_id)
    ORDER BY source, file_id
"""
_COUNTS = f"""
    WITH pair AS (
        SELECT o.file_id IS NULL AS is_new, {_TOUCHED} AS is_touched,
               l.content_hash IS DISTINCT FROM o.content_hash
                   AND (o.content_hash IS NOT NULL OR {_TOUCHED}) AS is_changed
        FROM n AS l LEFT JOIN o USING (source, file_id))
    SELECT count(*), count(*) FILTER (is_new), count(*) FILTER (NOT is_new AND is_changed),
           count(*) FILTER (NOT is_new AND NOT is_changed AND is_touched),
           (SELECT count(*) FROM o ANTI JOIN n USING (source, file_id)),
           (SELECT count(*) FROM h WHERE content_hash IS NULL)
    FROM pair
"""


@dataclass(frozen=True)
class ManifestReport:
    """What an update of the manifest found.

    `changed` have another content, `touched` only other times, `hashed` were read for their hash.
    """

    n_files: int
    new: int
    changed: int
    touched: int
    deleted: int
    unreadable: int
    hashed: int
    seconds: float

    @property
    def same(self) -> int:
        """Files as they were."""
        return self.n_files - self.new - self.changed - self.touched

    def __str__(self) -> str:
        """One line for the terminal."""
        return (
            f"manifest: {self.n_files:,} files: {self.new:,} new, {self.changed:,} changed, "
            f"{self.touched:,} touched, {self.same:,} same, {self.deleted:,} deleted; "
            f"{self.hashed:,} hashed, {self.unreadable:,} unreadable ({self.seconds:.1f} s)"
        )


def update_manifest(
    sources: Sequence[Source],
    path: Path,
    *,
    verify: bool = False,
    hash_new: bool = True,
    progress: Progress = silent,
) -> ManifestReport:
    """List the sources and write the manifest, in one step, sorted by source and file.

    Parameters
    ----------
    sources
        All that the manifest shall list; a source that was in it and is not given is left out from now on.
    path
        Parquet file with the columns of `schema.FILE`; the same files give the same bytes.
    verify
        Hash every file, also those that look unchanged.
    hash_new
        With False a new file gets no hash here but when it is mined, so that a first run reads the corpus
        once and not twice. Its content hash is then null in the manifest (the database has it).
    progress
        Opens a progress bar.

    Raises
    ------
    XtalpriorsError
        A source holds no file (its disk may not be mounted), a folder cannot be listed, or `path` is there
        and is no manifest.
    """
    started = time.monotonic()
    check_names(sources)
    check_output(path, MANIFEST)
    is_there = path.exists() and path.stat().st_size > 0
    old = read_manifest(path) if is_there else SCHEMA.empty_table()
    listed = list_files(sources, progress)
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.register("o", old).register("l", listed)
        todo = fetch_table(connection, _TODO, {"verify": verify, "hash_new": hash_new})
        connection.register("h", _hash_all(todo, sources, progress))
        table = fetch_table(connection, _JOINED)
        connection.register("n", table)
        counts = fetch_row(connection, _COUNTS)
    _write(table, Path(path))
    n_files, new, changed, touched, deleted, unreadable = counts
    seconds = time.monotonic() - started
    return ManifestReport(n_files, new, changed, touched, deleted, unreadable, todo.num_rows, seconds)


def read_manifest(path: Path) -> pa.Table:
    """Read a manifest, in the columns of `schema.FILE`.

    Raises
    ------
    XtalpriorsError
        There is none, or the file is something else.
    """
    try:
        table = pq.ParquetFile(path).read()
    except FileNotFoundError as error:
        raise XtalpriorsError(f"There is no manifest {path}: make it with `xtalpriors manifest`.") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise XtalpriorsError(is_not(path, "a manifest", "manifest")) from error
    if table.schema.names != SCHEMA.names:
        raise XtalpriorsError(is_not(path, "a manifest of this version", "manifest"))
    return table.cast(SCHEMA)


def list_files(sources: Sequence[Source], progress: Progress = silent) -> pa.Table:
    """List sources, in the columns of `schema.FILE` with the hashes null.

    Raises
    ------
    XtalpriorsError
        A source holds no file.
    """
    tables = []
    for source in sources:
        batches = []
        with progress(f"list {source.name}", None, "files") as advance:
            for files in _batches(source.files(), 20_000):
                batches.append(_listed(source.name, files))
                advance(len(files))
        if not batches:
            where = getattr(source, "root", None) or getattr(source, "path", None) or source.kind
            raise XtalpriorsError(
                f"The source '{source.name}' ({where}) holds no CIF. Is it the right "
                "place, and is its disk mounted? Nothing was changed."
            )
        tables += batches
    return pa.concat_tables(tables)


def _listed(source: str, files: list[SourceFile]) -> pa.Table:
    ids, sizes, mtimes, ctimes = zip(*files, strict=True)
    nulls = [None] * len(files)
    return pa.table([[source] * len(files), ids, sizes, mtimes, ctimes, nulls, nulls], schema=SCHEMA)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _hash_all(todo: pa.Table, sources: Sequence[Source], progress: Progress) -> pa.Table:
    """Hash and revision of files: in threads for a tree (they wait for the disk), in order for the rest."""
    found: list[tuple[str, str, str | None, int | None]] = []
    with progress("hash", todo.num_rows, "files") as advance:
        for source in sources:
            ids = todo.filter(pc.equal(todo["source"], source.name))["file_id"].to_pylist()
            with ThreadPoolExecutor(8 if source.kind == "cod" else 1) as pool:
                for some in _batches(ids, 2_000):  # a future takes 1 kB
                    hashes = pool.map(partial(_hash, source), some)
                    found += [
                        (source.name, file_id, *pair) for file_id, pair in zip(some, hashes, strict=True)
                    ]
                    advance(len(some))
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    schema = pa.schema([SCHEMA.field(n) for n in ("source", "file_id", "content_hash", "revision")])
    return pa.table(list(map(list, columns)), schema=schema)


def _hash(source: Source, file_id: str) -> tuple[str | None, int | None]:
    try:
        return content_fingerprint(source, file_id)
    except OSError:
        return None, None


def _write(table: pa.Table, path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table.cast(SCHEMA), sink, compression="zstd", row_group_size=2**17)
    data = sink.getvalue().to_pybytes()
    if not path.exists() or path.read_bytes() != data:
        with replacing(path, MANIFEST) as part:
            part.write_bytes(data)
