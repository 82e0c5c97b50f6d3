"""Amplitudes and phases of structure factors: masked, cut at the smallest amplitude, scaled."""

from __future__ import annotations

from typing import Any

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.crystal.scattering.lane_functions import constant
from xtalpriors.crystal.scattering.lanes import (
    LANES,
    at_least,
    inlined,
    largest_lane,
    load,
    store,
    where_within,
)


@kernel(nogil=True, fastmath=True, error_model="numpy")
def take_amplitudes(
    re: Any,
    im: Any,
    mask: Any,
    kept: Any,
    smallest: float,
    mode: int,
    amplitudes: Any,
    phases: Any,
    scales: Any,
) -> None:
    """Amplitudes and phases of F = re + i·im, each (c, box) float32 and changed in place.

    Parameters
    ----------
    re, im
        F in electrons; `im` is (c, 0) where F is real.
    mask
        1 for a reflection that is wanted, else 0, float32 (box,).
    kept
        Reflections that were measured, bool (c, box), or (0, 0): all.
    smallest
        Amplitudes below are 0.
    mode
        Divide by the largest (0), the root mean square of the amplitudes above 0 (1), or nothing (2).
    amplitudes, phases
        Output (c, box) float32.
    scales
        Output (c,) float32: what was divided by.
    """
    for i in range(len(re)):
        if kept.shape[0]:
            for p in range(mask.size):
                re[i, p] *= kept[i, p]
            for p in range(im.shape[1]):
                im[i, p] *= kept[i, p]
        if im.shape[1]:
            _polar(re[i], im[i], mask, smallest, amplitudes[i], phases[i])
            scales[i] = _scale(amplitudes[i], mask, smallest, mode)
            factor = np.float32(1.0) / scales[i]
            for p in range(mask.size):
                amplitudes[i, p] *= factor
        else:
            # the scale first, while F is in the cache: the outputs are written once
            scales[i] = _scale(re[i], mask, smallest, mode)
            _sign(re[i], mask, smallest, np.float32(1.0) / scales[i], amplitudes[i], phases[i])


@inlined
def _sign(f: Any, mask: Any, smallest: float, factor: float, amplitude: Any, phase: Any) -> None:
    """factor·|f|, and 0 or π."""
    whole = f.size // LANES * LANES
    for p in range(0, whole, LANES):
        value = load(f, p) * load(mask, p)
        size = at_least(value, constant(0.0) - value)
        store(amplitude, p, where_within(constant(smallest), size, size * constant(factor)))
        store(phase, p, where_within(value, constant(-smallest), constant(np.pi)))
    for p in range(whole, f.size):
        number = f[p] * mask[p]
        amplitude[p] = abs(number) * factor if abs(number) >= smallest else np.float32(0.0)
        phase[p] = np.float32(np.pi) if number <= -smallest else np.float32(0.0)


@inlined
def _polar(re: Any, im: Any, mask: Any, smallest: float, amplitude: Any, phase: Any) -> None:
    """|F| and its argument."""
    for p in range(re.size):
        size = np.sqrt(re[p] * re[p] + im[p] * im[p]) * mask[p]
        seen = size >= smallest
        amplitude[p] = size if seen else np.float32(0.0)
        phase[p] = np.arctan2(im[p], re[p]) if seen else np.float32(0.0)


@inlined
def _scale(f: Any, mask: Any, smallest: float, mode: int) -> Any:
    """What to divide by: the largest, or the root mean square of those ≥ `smallest`; 1 if all are smaller."""
    scale = np.float32(0.0)
    if mode == 0:
        scale = _largest(f, mask)
    elif mode == 1:
        total, count = np.float32(0.0), 0
        for p in range(f.size):
            size = abs(f[p] * mask[p])
            if size >= smallest:
                total += size * size
                count += 1
        scale = np.sqrt(total / np.float32(max(count, 1)))
    return scale if scale >= smallest else np.float32(1.0)


@inlined
def _largest(row: Any, mask: Any) -> Any:
    """Largest absolute value: a reduction that LLVM leaves scalar, in lanes."""
    whole = row.size // LANES * LANES
    best = constant(0.0)
    for p in range(0, whole, LANES):
        value = load(row, p) * load(mask, p)
        best = at_least(best, at_least(value, constant(0.0) - value))
    largest = largest_lane(best)
    for p in range(whole, row.size):
        largest = max(largest, abs(row[p] * mask[p]))
    return largest
