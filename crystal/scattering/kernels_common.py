"""What the structure-factor kernels share: their inputs as named tuples that numba understands."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.crystal.scattering.lanes import LANES, inner

TWO_PI_SQUARED = 2.0 * np.pi**2


class Atoms(NamedTuple):
    """The atoms of a batch of asymmetric units, ragged."""

    offsets: Any  # (n + 1,) int64: structure i has atoms offsets[i] … offsets[i + 1] - 1
    numbers: Any  # (m,) uint8, atomic numbers
    fract: Any  # (m, 3) float64
    u_iso: Any  # (m,) float32, Å²
    weights: Any  # (m,) float64, occupancy × site multiplicity / order of the group


@kernel()
def whole_blocks(count: int) -> int:
    """`count` rounded up to whole blocks of lanes."""
    return (count + LANES - 1) // LANES * LANES


def aligned_row(count: int) -> Any:
    """`count` float32 zeros that begin at a cache line: a load across two lines costs twice as much."""
    line = 4 * LANES
    raw = np.zeros(4 * count + line, dtype=np.uint8)
    start = -raw.ctypes.data % line
    return raw[start : start + 4 * count].view(np.float32)


@inner
def group_by_element(numbers: Any, first: int, last: int, order: Any, starts: Any) -> int:
    """Order the atoms first … last - 1 by element; element e has order[starts[e] : starts[e + 1]].

    Returns the number of elements, in the order of their first atoms.
    """
    elements = 0
    placed = 0
    for i in range(first, last):
        number = numbers[i]
        fresh = True
        for e in range(elements):
            if numbers[order[starts[e]]] == number:
                fresh = False
        if fresh:
            starts[elements] = placed
            for j in range(i, last):
                if numbers[j] == number:
                    order[placed] = j
                    placed += 1
            elements += 1
    starts[elements] = placed
    return elements
