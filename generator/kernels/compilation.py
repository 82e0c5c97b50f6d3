"""How the kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["kernel"]


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: numba in nopython mode, cached, without fast maths and without reference counting.

    Numba counts the references to every array at every call it is given to, atomically; one count costs as
    much as testing thirty distances. A kernel allocates nothing, its caller holds what it works on, and so it
    counts nothing. Functions that allocate an array are compiled by `njit` instead.
    """
    compiled: Callable[[Callable[..., Any]], Any] = njit(cache=True, _nrt=False, **options)
    return compiled
