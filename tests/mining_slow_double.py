"""`mining_double` as a reader that computes for a second before it is ready, as one that compiles."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mining_double import extract

from xtalpriors.mining.work.task import Reader

__all__ = ["SLOW", "extract", "warm_up"]

SLOW = Reader("mining_slow_double:extract", "double-1")


def warm_up() -> None:
    """Compute, and leave a line with the times of start and end if a file is named for it."""
    started = time.time()
    while time.process_time() < 1.0:
        pass
    if name := os.environ.get("WARM_UP_LOG"):
        with Path(name).open("a") as stream:
            stream.write(f"{started} {time.time()}\n")
