"""One process at a time updates a mirror."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xtalpriors.errors import XtalpriorsError

try:
    import fcntl
except ImportError:  # not a Unix system
    fcntl = None  # type: ignore[assignment]

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
        with suppress(OSError):  # no locks on this file system
            try:
                if fcntl is not None:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise XtalpriorsError(
                    f"Another process is updating the mirror {root}. Run the same command again when it has "
                    "ended; what it brings will not come twice."
                ) from None
        yield
    finally:
        os.close(folder)
