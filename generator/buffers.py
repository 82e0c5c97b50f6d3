"""Output arrays that are used again once nobody holds them.

Fresh memory costs more than the numbers that go into it: the kernel of the operating system clears every page
first, some 4 µs a structure for amplitudes and phases of 20 kB.
"""

from __future__ import annotations

import weakref

import numpy as np

from xtalpriors.arrays import F32

__all__ = ["BufferPool"]


class BufferPool:
    """Hands out float32 arrays, and takes each back when the last view of it (or tensor of it) is gone."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, ...], list[F32]] = {}

    def __reduce__(self) -> tuple[type[BufferPool], tuple[()]]:
        return BufferPool, ()

    def take(self, shape: tuple[int, ...]) -> F32:
        """An array of this shape with anything in it."""
        free = self._free.setdefault(shape, [])
        try:
            owner = free.pop()
        except IndexError:
            owner = np.empty(shape, dtype=np.float32)
        lent = owner.view()
        # whatever shares the memory keeps `lent` alive; when it dies, the owner is free again
        weakref.finalize(lent, free.append, owner).atexit = False
        return lent
