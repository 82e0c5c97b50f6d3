"""A lock between processes on an open file or folder, where the system and the file system have locks."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform != "win32":
    import fcntl

__all__ = ["take_lock"]


def take_lock(file: IO[str] | int, *, wait: bool = False) -> bool:
    """Whether this process holds the lock now; it is given back when the file is closed.

    Without locks on this system or file system every process is told that it holds the lock.

    Parameters
    ----------
    file
        An open file, or the descriptor of a file or folder.
    wait
        Wait until no other process holds it, instead of returning False.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system
        return True
    return True
