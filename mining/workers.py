"""A pool of worker processes in which a death costs one file.

A pool of the standard library is broken by the death of one worker; this one starts another, splits the
files that the dead one held around the file it was at, and goes on until the guilty file is alone.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.task import Failure, Task, TaskResult, failed_result
from xtalpriors.mining.worker import EXIT_MEMORY, POSITION, Setup

__all__ = ["Executor", "Limits", "LocalPool", "default_workers"]

_AHEAD = 2  # tasks a worker holds: one it is at, one so that it need not wait
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from xtalpriors.mining.worker import worker_main; worker_main(int(sys.argv[2]), int(sys.argv[3]))"
)


@dataclass(frozen=True)
class Limits:
    """What one worker may use before its file is rejected, and how files are grouped."""

    file_seconds: float = 120.0
    memory_bytes: int = 2**30
    task_files: int = 256
    task_bytes: int = 16 * 2**20
    start_seconds: float = 180.0


class Executor(Protocol):
    """Runs tasks somewhere; every task gives results that together have all of its files."""

    def run(self, tasks: Iterator[Task], stop: Callable[[], bool]) -> Iterator[TaskResult]:
        """Yield results as they come, in any order; end early when `stop()` says so."""


def default_workers() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class LocalPool:
    """Worker processes on this machine. A context manager: no worker outlives it.

    Parameters
    ----------
    extract
        `module:function` that reads files, as `xtalpriors.mining.cif:extract` does.
    workers
        Number of processes; one still is a process, so that a crash stays in it.
    limits
        See `Limits`.
    """

    def __init__(self, extract: str, workers: int, limits: Limits | None = None) -> None:
        self._setup = Setup(extract, (limits or Limits()).memory_bytes)
        self._limits = limits or Limits()
        self._n = max(1, workers)
        self._workers: list[_Worker] = []
        self._n_parts = 0

    def __enter__(self) -> LocalPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, tasks: Iterator[Task], stop: Callable[[], bool]) -> Iterator[TaskResult]:
        """Yield results as they come; memory holds `workers` × 2 tasks, however many there are.

        Raises
        ------
        XtalpriorsError
            Worker processes cannot start.
        """
        again: deque[Task] = deque()
        while not stop():
            self._deal(tasks, again)
            if not self._workers:
                return
            connections = [worker.connection for worker in self._workers]
            ready = set(wait(connections, timeout=0.2))
            for worker in list(self._workers):
                if worker.connection in ready:
                    yield from self._serve(worker, again)
                elif worker.is_stuck(self._limits):
                    worker.end(grace_seconds=0.0)
                    seconds = f"no answer within {self._limits.file_seconds:g} s"
                    yield from self._bury(worker, again, Failure("timeout", "timeout", seconds))

    def _deal(self, tasks: Iterator[Task], again: deque[Task]) -> None:
        """Hand out tasks, those of dead workers first; start a worker where there is work for it."""
        for level in range(_AHEAD):
            while True:
                idle = [worker for worker in self._workers if len(worker.held) <= level]
                if not idle and (level > 0 or len(self._workers) >= self._n):
                    break
                task = again.popleft() if again else next(tasks, None)
                if task is None:
                    for worker in [worker for worker in self._workers if not worker.held]:
                        worker.end()
                        self._workers.remove(worker)
                    return
                if not idle:
                    idle = [_Worker(self._setup)]
                    self._workers += idle
                idle[0].give(task)

    def _serve(self, worker: _Worker, again: deque[Task]) -> Iterator[TaskResult]:
        """One message of a worker; or its death."""
        try:
            kind, _number, what = worker.connection.recv()
            if kind == "ready":
                worker.became_ready()
            elif kind == "done":
                tables = [_from_ipc(worker.connection.recv_bytes()) for _ in range(4)]
                worker.next_task()
                yield TaskResult(what, *tables)
            else:
                index, text = what
                yield from self._split(worker.next_task(), index, Failure("crash", "exception", text), again)
        except (EOFError, ConnectionError):
            worker.end(grace_seconds=10.0)
            yield from self._bury(worker, again, worker.cause_of_death())

    def _bury(self, worker: _Worker, again: deque[Task], failure: Failure) -> Iterator[TaskResult]:
        self._workers.remove(worker)
        if not worker.is_ready:
            raise XtalpriorsError(
                f"The worker processes cannot start: {worker.last_words() or failure.detail}. "
                "Is the installation complete (`make setup`)?"
            )
        index = worker.position()
        again.extendleft(reversed([*worker.held][1:]))
        yield from self._split(worker.held[0], index, failure, again)

    def _split(self, task: Task, index: int, failure: Failure, again: deque[Task]) -> Iterator[TaskResult]:
        """Put the files of a failed task back in parts around the suspect; a file alone is the guilty one."""
        files = task.files
        if task.failure is not None:  # even its bytes cannot be had
            yield failed_result(task, task.failure)
            return
        if len(files) == 1:
            self._renumber(again, task._replace(failure=failure, files=((files[0][0], None),)))
            return
        # at the last file a reader may have been at all of them: halves find the guilty one in few steps
        middle = index // 2 if index == len(files) - 1 else 0
        parts = (files[index : index + 1], files[:middle], files[middle:index], files[index + 1 :])
        for part in reversed(parts):
            if part:
                self._renumber(again, task._replace(files=part))

    def _renumber(self, again: deque[Task], task: Task) -> None:
        """Put a part first in the queue, with a number that no other task has."""
        self._n_parts += 1
        again.appendleft(task._replace(number=-self._n_parts))


class _Worker:
    """A process, the line to it, and the tasks it holds."""

    def __init__(self, setup: Setup) -> None:
        ours, theirs = socket.socketpair()
        self._shared = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the worker)
        self._shared.truncate(POSITION.size)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._position = mmap.mmap(self._shared.fileno(), POSITION.size)
        fds = (theirs.fileno(), self._shared.fileno())
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps([*sys.path]), *map(str, fds)],
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._stderr,
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
        )
        theirs.close()
        self.connection: Connection[Any, Any] = Connection(ours.detach())
        self.connection.send(setup)
        self.held: deque[Task] = deque()
        self.is_ready = False
        self._seen = (0, 0)
        self._since = time.monotonic()

    def give(self, task: Task) -> None:
        """Send a task; a worker that has died is noticed when its answer is waited for."""
        if not self.held:
            self._since = time.monotonic()
        self.held.append(task)
        try:
            self.connection.send(task)
        except ConnectionError:
            return

    def became_ready(self) -> None:
        """The clock of the first task starts."""
        self.is_ready, self._since = True, time.monotonic()

    def next_task(self) -> Task:
        """The task at hand is done with; the clock of the next one starts."""
        self._since = time.monotonic()
        return self.held.popleft()

    def position(self) -> int:
        """Index of the file that the worker is at in the task at hand."""
        number, index = POSITION.unpack_from(self._position, 0)
        task = self.held[0]
        return index if number == task.number and index < len(task.files) else 0

    def is_stuck(self, limits: Limits) -> bool:
        """Whether it has been at one file, or at starting, for longer than it may."""
        seen = POSITION.unpack_from(self._position, 0)
        if seen != self._seen:
            self._seen, self._since = seen, time.monotonic()
        allowed = limits.file_seconds if self.is_ready else limits.start_seconds
        return bool(self.held) and time.monotonic() - self._since > allowed

    def end(self, grace_seconds: float = 0.1) -> None:
        """Kill it (it holds nothing of its own to put in order) and leave no zombie."""
        self.connection.close()
        try:  # one that ends by itself keeps its own exit status
            self._process.wait(timeout=grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def cause_of_death(self) -> Failure:
        """What the exit status says."""
        status = self._process.returncode
        if status == EXIT_MEMORY:
            return Failure("memory", "limit", "more memory than a worker may use")
        if status == -signal.SIGKILL:
            return Failure(
                "memory", "killed", "the reader was killed, as the system does when memory is short"
            )
        if status < 0:
            return Failure("crash", "signal", f"the reader died of {signal.Signals(-status).name}")
        return Failure("crash", "exit", f"the reader ended with status {status}")

    def last_words(self) -> str:
        """Last line that it wrote to standard error."""
        self._stderr.seek(0)
        lines = self._stderr.read()[-4000:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""


_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ARROW_IO_THREADS",
)


def _from_ipc(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()
