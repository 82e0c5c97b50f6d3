"""Ctrl-C and SIGTERM: as a wish to stop after the step in progress, and as an exception that is not lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["interruptible", "stop_flag"]


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM raise KeyboardInterrupt, and the flag says that one of them came.

    A library that is called from Python may turn KeyboardInterrupt into an error of its own (a query of
    DuckDB does, and an import that is under way); by the flag the caller knows what it was.
    """
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        """Handler of both signals: raise the flag, so that the caller knows, and interrupt."""
        flag.set()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stop_flag(says: str = "") -> Iterator[threading.Event]:
    """A flag that the first Ctrl-C or SIGTERM raises; a second one acts at once.

    Work that may not look at the flag for a while `says` on standard error what it does first.

    Only the main thread can receive signals; in another thread the flag is the caller's to raise.
    """
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        """Handler of the first signal: raise the flag, and leave a second one to the handler of before."""
        flag.set()
        signal.signal(number, before[signal.Signals(number)])
        if says:
            os.write(2, f"\n{says}; once more stops at once.\n".encode())  # print may be what was interrupted

    for number in before:
        signal.signal(number, ask)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
