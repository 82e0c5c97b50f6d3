"""Ctrl-C and SIGTERM as a wish to stop, so that the step in progress is finished and nothing is lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["stop_flag"]


@contextmanager
def stop_flag() -> Iterator[threading.Event]:
    """A flag that the first Ctrl-C or SIGTERM raises; a second one acts at once.

    Only the main thread can receive signals; in another thread the flag is the caller's to raise.
    """
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        flag.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, ask)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
