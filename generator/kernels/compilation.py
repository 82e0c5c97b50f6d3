"""How the kernels of the generator are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xtalpriors import compilation

__all__ = ["kernel"]


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Decorator: numba in nopython mode, cached, without fast maths and without reference counting.

    Numba counts the references to every array at every call it is given to, atomically; one count costs as
    much as testing thirty distances. A kernel allocates nothing, its caller holds what it works on, and so it
    counts nothing. Functions that allocate an array use `xtalpriors.compilation.kernel` itself.
    """
    return compilation.kernel(_nrt=False, **options)
