"""Lengths of fractional vectors inside numba kernels; g is the metric tensor in Å²."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.compilation import kernel

__all__ = ["distance2", "square"]


@kernel(forceinline=True)
def square(g: F64, u: float, v: float, w: float) -> float:
    """Squared length in Å² of a fractional vector."""
    cross = u * v * g[0, 1] + u * w * g[0, 2] + v * w * g[1, 2]
    return float(u * u * g[0, 0] + v * v * g[1, 1] + w * w * g[2, 2] + 2.0 * cross)


@kernel(forceinline=True)
def distance2(g: F64, x: F64, y: F64) -> float:
    """Squared distance in Å² of the nearest images along the axes of two points."""
    u, v, w = x[0] - y[0], x[1] - y[1], x[2] - y[2]
    u -= np.floor(u + 0.5)  # np.rint is a call here, np.floor an instruction
    v -= np.floor(v + 0.5)
    w -= np.floor(w + 0.5)
    return float(square(g, u, v, w))
