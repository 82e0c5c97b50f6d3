"""One worker process as its parent sees it: the line to it, the tasks it holds, its clock and its death."""

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
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from xtalpriors.mining.work.task import Failure, Task
from xtalpriors.mining.work.worker import EXIT_MEMORY, POSITION, Setup

__all__ = ["Limits", "WorkerProcess"]

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from xtalpriors.mining.work.worker import worker_main; worker_main(int(sys.argv[2]), int(sys.argv[3]))"
)

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "ARROW_IO_THREADS",
)


@dataclass(frozen=True)
class Limits:
    """What one worker may use before its file is rejected, and how files are grouped."""

    cpu_seconds: float = 60.0
    """Of computing on one file: what a busy machine cannot bring about."""
    wall_seconds: float = 600.0
    """On one file in any case, as when a network disk does not answer."""
    memory_bytes: int = 2**30
    task_files: int = 512
    task_bytes: int = 64 * 2**20
    start_seconds: float = 600.0
    """Until a worker is ready: it may have to compile the kernels. It may wait longer for one that does."""


class WorkerProcess:
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
        self._start_clock()

    def give(self, task: Task) -> None:
        """Send a task; a worker that has died is noticed when its answer is waited for."""
        if not self.held:
            self._start_clock()
        self.held.append(task)
        try:
            self.connection.send(task)
        except ConnectionError:
            return

    def became_ready(self) -> None:
        """The clock of the first task starts."""
        self.is_ready = True
        self._start_clock()

    def next_task(self) -> Task:
        """The task at hand is done with; the clock of the next one starts."""
        self._start_clock()
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
            self._seen = seen
            self._start_clock()
        wall = time.monotonic() - self._since
        if not self.is_ready:
            return wall > limits.start_seconds
        if not self.held or wall <= min(limits.cpu_seconds, limits.wall_seconds):
            return False
        return wall > limits.wall_seconds or self._cpu_seconds() - self._cpu_since > limits.cpu_seconds

    def _start_clock(self) -> None:
        self._since, self._cpu_since = time.monotonic(), self._cpu_seconds()

    def _cpu_seconds(self) -> float:
        """Computing time of the process so far; where the system does not tell, the time of the clock."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

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
