"""Batches on the device, made and copied ahead, with the time that the loop waited for them."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from xtalpriors.generator.prefetch import prefetch
from xtalpriors.generator.stream import StreamBatch, StructureStream

__all__ = ["DeviceBatch", "Feed"]


class DeviceBatch(NamedTuple):
    """What a step needs of a batch.

    Attributes
    ----------
    amplitudes, phases
        (B, H, K, L) on the device: |F| over its maximum, and radians.
    cells
        (B, 6), left on the CPU.
    first
        Index of the first structure.
    source
        The batch of the stream.
    """

    amplitudes: Tensor
    phases: Tensor
    cells: Tensor
    first: int
    source: StreamBatch


class Feed:
    """Iterates over the batches of a stream.

    Parameters
    ----------
    stream
        Where to begin is its state.
    device
        Where the tensors go. A CUDA device gets them from pinned memory, one batch ahead of the computation.
    threads
        Threads that make batches.
    """

    def __init__(self, stream: StructureStream, device: torch.device, threads: int) -> None:
        self.stream, self.device, self.threads = stream, device, threads
        self.waited_seconds = 0.0

    def __iter__(self) -> Iterator[DeviceBatch]:
        """Batches in the order of the stream."""
        ahead: deque[DeviceBatch] = deque()
        batches = prefetch(self.stream, threads=self.threads, ahead=self.threads + 2)
        depth = 1 if self.device.type == "cuda" else 0
        ahead.extend(map(self._put, itertools.islice(batches, depth)))
        while True:
            start = time.monotonic()
            batch = next(batches, None)
            self.waited_seconds += time.monotonic() - start
            if batch is not None:
                ahead.append(self._put(batch))
            if not ahead:
                return
            yield ahead.popleft()

    def _put(self, batch: StreamBatch) -> DeviceBatch:
        amplitudes, phases = batch.amplitudes, batch.phases
        if self.device.type == "cuda":
            amplitudes, phases = (
                tensor.pin_memory().to(self.device, non_blocking=True) for tensor in (amplitudes, phases)
            )
        return DeviceBatch(amplitudes, phases, batch.cell, int(batch.index[0]), batch)
