"""What holds while a run lasts: torch's settings, and a flag for an interrupt."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import torch

from xtalpriors.model.config import TrainConfig

__all__ = ["settings", "stop_flag"]


@contextmanager
def settings(config: TrainConfig) -> Iterator[None]:
    """Torch's threads and choice of convolutions as configured, and as they were afterwards."""
    cudnn = torch.backends.cudnn
    before = torch.get_num_threads(), cudnn.deterministic, cudnn.benchmark
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    cudnn.deterministic, cudnn.benchmark = config.deterministic, not config.deterministic
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cudnn.deterministic, cudnn.benchmark = before[1:]


@contextmanager
def stop_flag() -> Iterator[threading.Event]:
    """A flag that an interrupt or SIGTERM raises, so that the step in progress is finished first."""
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag
        return

    def ask(number: int, frame: FrameType | None) -> None:
        flag.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second one stops at once

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
