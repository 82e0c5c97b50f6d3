"""One process at a time updates a mirror."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xtalpriors.errors import XtalpriorsError
from xtalpriors.file_lock import take_lock

__all__ = ["alone"]


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the lock on the folder of a mirror, where the file system has locks.

    Raises
    ------
    XtalpriorsError
        Another process holds it.
    """
    folder = os.open(root, os.O_RDONLY)
    try:
        if not take_lock(folder):
            raise XtalpriorsError(
                f"Another process is updating the mirror {root}. Run the same command again when it has "
                "ended; what it brings will not come twice."
            )
        yield
    finally:
        os.close(folder)
