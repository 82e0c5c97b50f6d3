"""The process that reads: takes tasks from its parent, gives Arrow tables back, may die at any file.

It ignores Ctrl-C (its parent decides), dies with its parent, prints nothing, and is bounded in memory. The
file it is at stands in shared memory, so that a death names its cause.
"""

from __future__ import annotations

import importlib
import itertools
import mmap
import os
import re
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute  # loaded before memory is limited: its start takes more than is left then

from xtalpriors.compilation import compiling_alone
from xtalpriors.errors import XtalpriorsError
from xtalpriors.lazy import keep_out
from xtalpriors.mining.sources import FingerprintedSource, UnreadableError
from xtalpriors.mining.sources.fingerprint import content_fingerprint, content_hash, header_revision
from xtalpriors.mining.work.ipc import to_ipc
from xtalpriors.mining.work.task import SCHEMAS, Failure, Task, TaskResult, failed_result, storable
from xtalpriors.parent_end import signal_at_parents_end

__all__ = ["EXIT_MEMORY", "POSITION", "Setup", "run_task", "worker_main"]

EXIT_MEMORY = 91
"""Exit status of a worker that ran into its memory limit."""

POSITION = struct.Struct("qq")
"""Shared memory: number of the task, index of the file in it."""


class SourceBrokenError(XtalpriorsError):
    """The source as a whole cannot be read any more: no fault of the file, so the run ends."""


class Setup(NamedTuple):
    """First message to a worker."""

    extract: str
    memory_bytes: int


class Items(list[tuple[str, bytes]]):
    """Files read, which says at which one an iteration is."""

    def __init__(self, report: Callable[[int], None]) -> None:
        super().__init__()
        self.indices: list[int] = []
        self._report = report

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        for index, item in zip(self.indices, super().__iter__(), strict=True):
            self._report(index)
            yield item


def worker_main(connection_fd: int, position_fd: int) -> None:
    """Serve tasks until the parent closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _die_with_parent()
    keep_out("pandas")
    connection: Connection[Any, Any] = Connection(connection_fd)
    position = mmap.mmap(position_fd, POSITION.size)
    setup: Setup = connection.recv()
    module, function = setup.extract.split(":")
    reader = importlib.import_module(module)
    extract = getattr(reader, function)
    pa.set_cpu_count(1)
    if hasattr(reader, "warm_up"):
        with compiling_alone(module, waiting=_moving(position)):
            reader.warm_up()
    pa.allocate_buffer(2**16)  # Arrow's pool may reserve a gigabyte of addresses for its first buffer
    _limit_memory(setup.memory_bytes)
    connection.send(("ready", 0, None))
    _silence()
    while True:
        try:
            task: Task = connection.recv()
        except (EOFError, ConnectionError):
            return
        with _Reporting(connection, task.number, position):
            result = run_task(task, extract, partial(POSITION.pack_into, position, 0, task.number))
            connection.send(("done", task.number, result.n_files))
            for table in result[1:5]:
                connection.send_bytes(memoryview(to_ipc(table)))


def run_task(task: Task, extract: Callable[..., Any], report: Callable[[int], None]) -> TaskResult:
    """Read the files of a task and extract them; every file has an entry or a rejection afterwards.

    Parameters
    ----------
    task
        What to read.
    extract
        `xtalpriors.mining.cif.extract`, or a double of it.
    report
        Is told the index of each file before it is read, and again before it is extracted.
    """
    source = task.source
    is_fingerprinted = isinstance(source, FingerprintedSource)  # not for each file: a protocol is slow to ask
    items = Items(report)
    rejections: list[dict[str, str | None]] = []
    files: dict[str, dict[str, Any]] = {}
    for index, (file_id, known) in enumerate(task.files):
        report(index)
        file = {"source": source.name, "file_id": file_id, "content_hash": None, "revision": None}
        files[file_id] = {**file, "is_same": False}
        try:
            data = source.read(file_id)
            files[file_id]["revision"] = header_revision(data)
            if known is not None or task.failure is not None or is_fingerprinted:
                found, _ = content_fingerprint(source, file_id, data)
                files[file_id]["content_hash"] = found
                files[file_id]["is_same"] = task.failure is None and found == known
        except OSError as error:
            rejections.append(_unreadable(source.name, file_id, error))
            continue
        except XtalpriorsError as error:
            raise SourceBrokenError(str(error)) from error
        if not files[file_id]["is_same"]:
            items.append((file_id, data))
            items.indices.append(index)
    if task.failure is not None:
        return failed_result(task, task.failure, files[task.files[0][0]]["content_hash"])
    extracted = extract(source.name, source.database, source.text_origin, items)
    return _result(task, items, extracted, rejections, files)


def _result(
    task: Task,
    items: Items,
    extracted: Any,
    rejections: list[dict[str, str | None]],
    files: dict[str, dict[str, Any]],
) -> TaskResult:
    """Put the tables together, checked: the right columns (the cast refuses a null in them), no file lost."""
    tables = [extracted.entries, extracted.sites, extracted.rejections]
    tables = [table.select(s.names).cast(s) for table, s in zip(tables, SCHEMAS[:3], strict=True)]
    entries, sites, rejected = tables
    hashes = dict(zip(entries["file_id"].to_pylist(), entries["content_hash"].to_pylist(), strict=True))
    accounted = hashes.keys() | set(rejected["file_id"].to_pylist())
    for file_id, data in list.__iter__(items):
        if files[file_id]["content_hash"] is None:
            files[file_id]["content_hash"] = hashes.get(file_id) or content_hash(data)
        if file_id not in accounted:
            detail = "the reader gave neither an entry nor a reason"
            lost = Failure("parse", "nothing", detail)._asdict()
            rejections.append({"source": task.source.name, "file_id": file_id, "block": None, **lost})
    if isinstance(task.source, FingerprintedSource):  # the reader has hashed the texts
        of_source = [files[file_id]["content_hash"] for file_id in entries["file_id"].to_pylist()]
        place = entries.schema.get_field_index("content_hash")
        entries = entries.set_column(place, entries.schema.field(place), [of_source])
    return TaskResult(
        len(task.files),
        entries,
        sites,
        pa.concat_tables([rejected, pa.Table.from_pylist(rejections, SCHEMAS[2])]),
        pa.Table.from_pylist(list(files.values()), SCHEMAS[3]),
    )


def _unreadable(source: str, file_id: str, error: OSError) -> dict[str, str | None]:
    code = error.code if isinstance(error, UnreadableError) else "unreadable"
    detail = storable(error.strerror or str(error) or type(error).__name__)
    return {
        "source": source,
        "file_id": file_id,
        "block": None,
        "stage": "read",
        "code": code,
        "detail": detail,
    }


class _Reporting:
    """Turns an exception of the reader into a message: a fault in one file must not end the run."""

    def __init__(self, connection: Connection[Any, Any], number: int, position: mmap.mmap) -> None:
        self._connection, self._number, self._position = connection, number, position

    def __enter__(self) -> None:
        POSITION.pack_into(self._position, 0, self._number, 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if kind is None or not issubclass(kind, Exception):
            return False
        if issubclass(kind, MemoryError):
            os._exit(EXIT_MEMORY)
        if issubclass(kind, ConnectionError):
            return False
        if issubclass(kind, SourceBrokenError):
            self._connection.send(("broken", self._number, str(error)))
            return True
        text = storable(re.sub(r"0x[0-9a-fA-F]+", "0x…", f"{kind.__name__}: {error}")[:500])
        index = POSITION.unpack_from(self._position, 0)[1]
        self._connection.send(("failed", self._number, (index, text)))
        return True


def _moving(position: mmap.mmap) -> Callable[[], None]:
    """Moves the position while the worker waits for another to compile, as it has no task yet.

    Its parent thereby starts its clock again: the time of the other is not its own.
    """
    count = itertools.count(1)
    return lambda: POSITION.pack_into(position, 0, 0, next(count))


def _die_with_parent() -> None:
    """End when the parent does, also when it is killed and this process is deep in native code."""
    parent = os.getppid()
    signal_at_parents_end(signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os._exit(0)


def _limit_memory(more: int) -> None:
    """Let the data segment grow by so much more, where the system can say its size; leave no core files."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return
    import resource

    used = int(statm.read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = used + more if hard == resource.RLIM_INFINITY else min(used + more, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _silence() -> None:
    """Readers print on bad input; the terminal belongs to the progress bar."""
    void = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        os.dup2(void, descriptor)
