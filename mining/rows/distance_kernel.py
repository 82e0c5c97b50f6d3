"""Distance between two fractional coordinates inside numba kernels."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.compilation import kernel

__all__ = ["distance2"]


@kernel(forceinline=True)
def distance2(g: F64, x: F64, y: F64) -> float:
    """Squared distance in Å² of the nearest images along the axes; g is the metric tensor."""
    u, v, w = x[0] - y[0], x[1] - y[1], x[2] - y[2]
    u -= np.floor(u + 0.5)  # np.rint is a call here, np.floor an instruction
    v -= np.floor(v + 0.5)
    w -= np.floor(w + 0.5)
    cross = u * v * g[0, 1] + u * w * g[0, 2] + v * w * g[1, 2]
    return float(u * u * g[0, 0] + v * v * g[1, 1] + w * w * g[2, 2] + 2.0 * cross)
