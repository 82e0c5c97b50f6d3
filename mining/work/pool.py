"""A pool of worker processes in which a death costs one file.

A pool of the standard library is broken by the death of one worker; this one starts another, splits the
files that the dead one held around the file it was at, and goes on until the guilty file is alone.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from types import TracebackType
from typing import Protocol

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.work.ipc import from_ipc
from xtalpriors.mining.work.process import Limits, WorkerProcess
from xtalpriors.mining.work.task import Failure, Task, TaskResult, failed_result
from xtalpriors.mining.work.worker import Setup

__all__ = ["Executor", "Limits", "LocalPool", "default_workers"]

_AHEAD = 2  # tasks a worker holds: one it is at, one so that it need not wait


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
        self._workers: list[WorkerProcess] = []
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
            Worker processes cannot start, or a source as a whole fails.
        """
        again: deque[Task] = deque()
        while not stop():
            self._deal(tasks, again)
            if not self._workers:
                return
            connections = [worker.connection for worker in self._workers]
            ready = set(wait(connections, timeout=0.2))
            for worker in list(self._workers):
                if stop():  # the signal may have ended workers too: that is no fault of theirs
                    return
                if worker.connection in ready:
                    yield from self._serve(worker, again)
                elif worker.is_stuck(self._limits):
                    worker.end(grace_seconds=0.0)
                    limits = f"{self._limits.cpu_seconds:g} s of computing or {self._limits.wall_seconds:g} s"
                    failure = Failure("timeout", "timeout", f"took more than {limits}")
                    yield from self._bury(worker, again, failure)

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
                    idle = [WorkerProcess(self._setup)]
                    self._workers += idle
                idle[0].give(task)

    def _serve(self, worker: WorkerProcess, again: deque[Task]) -> Iterator[TaskResult]:
        """One message of a worker; or its death."""
        try:
            kind, _number, what = worker.connection.recv()
            if kind == "ready":
                worker.became_ready()
            elif kind == "done":
                parts = [worker.connection.recv_bytes() for _ in range(4)]
                worker.next_task()
                entries, sites, rejections, files = map(from_ipc, parts)
                yield TaskResult(what, entries, sites, rejections, files, sum(map(len, parts)))
            elif kind == "broken":
                raise XtalpriorsError(what)
            else:
                index, text = what
                yield from self._split(worker.next_task(), index, Failure("crash", "exception", text), again)
        except (EOFError, ConnectionError):
            worker.end(grace_seconds=10.0)
            yield from self._bury(worker, again, worker.cause_of_death())

    def _bury(self, worker: WorkerProcess, again: deque[Task], failure: Failure) -> Iterator[TaskResult]:
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
