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

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from xtalpriors.arrays import I64, Bool
from xtalpriors.atomic_write import replacing
from xtalpriors.counted import counted
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import FILE, arrow_schema
from xtalpriors.mining.sources import Source, SourceFile, check_names
from xtalpriors.mining.sources.fingerprint import content_fingerprint
from xtalpriors.outputs import FileKind, check_output, is_not
from xtalpriors.progress import Progress, silent

__all__ = ["ManifestReport", "list_files", "read_manifest", "update_manifest"]

SCHEMA = arrow_schema(FILE)
MANIFEST = FileKind("a manifest", lambda path: pq.read_schema(path).names == SCHEMA.names)
_HASHED = ("content_hash", "revision")
"""What hashing a file tells."""
_NO_TIME = np.iinfo(np.int64).min
"""Stands for null where times and sizes are compared."""
_T = TypeVar("_T")


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
            f"manifest: {counted(self.n_files, 'file')}: {self.new:,} new, {self.changed:,} changed, "
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
    place = _places(listed, old)
    is_known = place >= 0
    is_touched = is_known & _differ(listed, old, place)
    todo = np.full(len(place), verify) | np.where(is_known, is_touched, hash_new)
    hashed = _hash_all(listed.filter(pa.array(todo)), sources, progress)
    before = old.select(_HASHED).take(pa.array(place, mask=~is_known))
    table = _with_hashes(listed, before, todo, hashed)
    is_other = pc.not_equal(*(t["content_hash"].fill_null("") for t in (before, table))).to_numpy()
    is_changed = is_known & is_other & (before["content_hash"].is_valid().to_numpy() | is_touched)
    _write(table, old, Path(path))
    return ManifestReport(
        n_files=len(place),
        new=int((~is_known).sum()),
        changed=int(is_changed.sum()),
        touched=int((is_touched & ~is_changed).sum()),
        deleted=old.num_rows - int(is_known.sum()),
        unreadable=hashed["content_hash"].null_count,
        hashed=hashed.num_rows,
        seconds=time.monotonic() - started,
    )


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
        with progress(f"list {source.name}", None, "file") as advance:
            for files in _batches(source.files(), 1_000):
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
    names, *nulls = (
        pa.repeat(pa.scalar(v, SCHEMA.field(c).type), len(files))
        for c, v in (("source", source), ("content_hash", None), ("revision", None))
    )
    return pa.table([names, ids, sizes, mtimes, ctimes, *nulls], schema=SCHEMA)


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _keys(files: pa.Table) -> pa.Array:
    """Source and name of each file as one text, which sorts as the two do: neither holds a NUL."""
    return pc.binary_join_element_wise(files["source"], files["file_id"], "\0").combine_chunks()


def _places(files: pa.Table, among: pa.Table) -> I64:
    """Row of each file (n,) in another table; −1 where it is not there."""
    found = pc.index_in(_keys(files), value_set=_keys(among)).fill_null(-1)
    return np.asarray(found.to_numpy(), np.int64)


def _differ(files: pa.Table, old: pa.Table, place: I64) -> Bool:
    """(n,) whether size or times are others than in the row `place` of the lines before."""
    differ = np.zeros(len(place), bool)
    for name in ("size_bytes", "mtime_ns", "ctime_ns"):
        now, then = (t[name].fill_null(_NO_TIME).to_numpy() for t in (files, old))
        differ |= now != np.append(then, _NO_TIME)[place]
    return differ


def _with_hashes(listed: pa.Table, before: pa.Table, todo: Bool, hashed: pa.Table) -> pa.Table:
    """The lines of a manifest: hashes and revisions of rows `todo` as found now, of the others as before."""
    for name in _HASHED:
        column = pc.replace_with_mask(
            before[name].combine_chunks(), pa.array(todo), hashed[name].combine_chunks()
        )
        listed = listed.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
    return listed


def _hash_all(todo: pa.Table, sources: Sequence[Source], progress: Progress) -> pa.Table:
    """Hash and revision of each of the files, which are listed source by source.

    A tree's files are hashed in threads (they wait for the disk), those of other sources in order.
    """
    found: list[tuple[str | None, int | None]] = []
    with progress("hash", todo.num_rows, "file") as advance:
        for source in sources:
            ids = todo.filter(pc.equal(todo["source"], source.name))["file_id"].to_pylist()
            with ThreadPoolExecutor(8 if source.kind == "cod" else 1) as pool:
                for some in _batches(ids, 2_000):  # a future takes 1 kB
                    found += pool.map(partial(_hash, source), some)
                    advance(len(some))
    schema = pa.schema([SCHEMA.field(name) for name in _HASHED])
    return pa.table([pa.array([pair[i] for pair in found], schema.types[i]) for i in (0, 1)], schema=schema)


def _hash(source: Source, file_id: str) -> tuple[str | None, int | None]:
    try:
        return content_fingerprint(source, file_id)
    except OSError:
        return None, None


def _write(table: pa.Table, old: pa.Table, path: Path) -> None:
    """Write the lines sorted by source and file, where they are not those of before."""
    keys = _keys(table)
    if not pc.all(pc.less(keys[:-1], keys[1:])).as_py():
        table = table.take(pc.sort_indices(keys))
    if not table.equals(old):
        with replacing(path, MANIFEST) as part:
            pq.write_table(table, part, compression="zstd", row_group_size=2**17)
