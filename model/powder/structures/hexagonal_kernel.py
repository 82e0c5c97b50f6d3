"""How well hexagonal cells explain the lines of a pattern: one pass over many cells."""

from __future__ import annotations

import math

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel

__all__ = ["explained_and_chance"]


@kernel(nogil=True, error_model="numpy")
def explained_and_chance(
    a: F64,
    c: F64,
    rhombohedral: bool,
    sums: I64,
    largest_l: int,
    bin_of: I64,
    per_square: float,
    lines: F64,
    beside: float,
) -> tuple[F64, F64]:
    """Worth of the observed lines that each cell explains, and the mean worth of a bin.

    Parameters
    ----------
    a, c
        (n,) Å.
    rhombohedral
        Only lines of a rhombohedral lattice, −h + k + l = 3n, are predicted.
    sums, largest_l
        Values of h² + hk + k², ascending, and the largest l.
    bin_of, per_square
        Bin of the line at 1/d² is `bin_of[int(1/d² · per_square)]`; beyond the table no line is looked at.
    lines
        (b,) weights of the observed lines by bin; their sum is what a cell that explains all of them gets.
    beside
        Worth of a line one bin beside the predicted one.
    """
    end = lines.size
    explained, chance = np.empty(a.size), np.empty(a.size)
    worth = np.empty(end)
    limit = bin_of.size / per_square
    for i in range(a.size):
        worth[:] = 0.0
        per_sum, per_l = 4.0 / (3.0 * a[i] * a[i]), 1.0 / (c[i] * c[i])
        for m in sums:
            plane = m * per_sum
            if plane >= limit:
                break
            last = min(largest_l, int(math.sqrt((limit - plane) / per_l)))
            for l in range(last + 1):
                if m + l == 0 or (rhombohedral and (m % 3 == 0) != (l % 3 == 0)):
                    continue
                place = int((plane + l * l * per_l) * per_square)
                if place >= bin_of.size:
                    break
                at = bin_of[place]
                if at >= end:
                    break
                worth[at] = 1.0
                if at > 0:
                    worth[at - 1] = max(worth[at - 1], beside)
                if at + 1 < end:
                    worth[at + 1] = max(worth[at + 1], beside)
        total, own = 0.0, 0.0
        for k in range(end):
            total += worth[k]
            own += worth[k] * lines[k]
        explained[i], chance[i] = own, total / end
    return explained, chance
