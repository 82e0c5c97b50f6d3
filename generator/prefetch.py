"""Batches of a stream made ahead by threads: what feeds a GPU from one process.

The kernels hold no lock. A batch of 256 structures is 5 MB, which the worker process of a DataLoader must
hand over through shared memory, which takes as long as making it.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from xtalpriors.errors import UsageError
from xtalpriors.generator.stream import StreamBatch, StructureStream

__all__ = ["prefetch"]


def prefetch(stream: StructureStream, *, threads: int = 2, ahead: int = 4) -> Iterator[StreamBatch]:
    """The batches that `iter(stream)` gives, in the same order, made by `threads` threads.

    Parameters
    ----------
    stream
        Where to begin is its state, which is left alone: save `stream.state_dict(after=batch)` with the last
        batch that was used.
    threads
        Threads that make batches.
    ahead
        Batches that may wait, finished or not; each takes its memory.

    Raises
    ------
    UsageError
        `threads` or `ahead` below 1.
    """
    if threads < 1 or ahead < 1:
        raise UsageError(f"prefetch needs at least 1 thread and 1 batch ahead; got {threads} and {ahead}.")
    return _in_order(stream, threads, ahead)


def _in_order(stream: StructureStream, threads: int, ahead: int) -> Iterator[StreamBatch]:
    numbers = stream.batch_numbers()
    waiting: deque[Future[StreamBatch | None]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="stream") as pool:
        try:
            waiting.extend(pool.submit(stream.batch, number) for number in itertools.islice(numbers, ahead))
            while (batch := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(stream.batch, next(numbers)))
                yield batch
        finally:
            for future in waiting:
                future.cancel()
