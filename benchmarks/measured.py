"""What a command of `xtalpriors` takes, all its processes together, for `replica.py`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Measured", "run"]


class Memory(threading.Thread):
    """Watches the resident memory of a process and all its children."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.running = pid, 0, True

    def run(self) -> None:
        """Look five times a second."""
        while self.running:
            self.peak = max(self.peak, sum(map(self._resident, self._family())))
            time.sleep(0.2)

    def _family(self) -> list[int]:
        family, new = [self.pid], [self.pid]
        while new:
            new = [child for pid in new for child in self._children(pid)]
            family += new
        return family

    @staticmethod
    def _children(pid: int) -> list[int]:
        try:
            lists = [f.read_text() for f in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            return []
        return [int(child) for text in lists for child in text.split()]

    @staticmethod
    def _resident(pid: int) -> int:
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except (OSError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    """What a command took."""

    wall: float
    cpu: float
    peak_bytes: int


def run(title: str, *arguments: str, program: str = "xtalpriors", folder: Path | None = None) -> Measured:
    """Run a command, in a folder, and print what it took and what it said of itself."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with subprocess.Popen(
        [sys.executable, "-m", program, *arguments], cwd=folder, env=os.environ | {"PATH": paths},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        memory = Memory(process.pid)
        memory.start()
        output, _ = process.communicate()
        memory.running = False
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{program} {arguments[0]} ended with status {process.returncode}: {output}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = next((line for line in output.splitlines() if line.startswith(f"{arguments[0]}:")), "")
    print(
        f"  {title:26s}{wall:8.1f} s wall{cpu:9.1f} s CPU{memory.peak / 2**20:7.0f} MiB   {said}", flush=True
    )
    return Measured(wall, cpu, memory.peak)
