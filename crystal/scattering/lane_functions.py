"""exp, cos and sin of sixteen float32 lanes, and the phase tables built from them.

Polynomials, interpolated at Chebyshev nodes, of degrees that make rounding the larger error: cos and sin are
right to 6e-7, exp(x) to 6e-7 of its value for |x| < 5 and 1e-5 at -87 (see tests/crystal/test_lanes.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xtalpriors.crystal.scattering.lanes import (
    LANES,
    at_least,
    inlined,
    lane_numbers,
    nearest_whole,
    power_of_two,
    splat,
    store,
)

_SPLIT = 4096.0
"""A fraction rounded to 1/4096 times an index below 2**12 is exact in float32."""


@inlined
def constant(number: float) -> Any:
    """The number, rounded to float32, in every lane."""
    return splat(np.float32(number))


@inlined
def exp(x: Any) -> Any:
    """exp(x) for x <= 88; 0 to float32 accuracy where x < -87."""
    t = at_least(x * constant(1.4426950408889634), constant(-126.0))
    n = nearest_whole(t)
    r = t - n
    p = constant(0.00134004282) + r * constant(0.000154614447)
    p = constant(0.00961805668) + r * p
    p = constant(0.0555032723) + r * p
    p = constant(0.240226509) + r * p
    p = constant(0.693147207) + r * p
    return power_of_two(n) * (constant(1.0) + r * p)


@inlined
def cos_turns(x: Any) -> Any:
    """cos(2πx) for -½ <= x <= ½."""
    y = x * x
    p = constant(-26.4046306) + y * (constant(7.80002217) + y * constant(-1.45298749))
    p = constant(-85.4566578) + y * (constant(60.2421249) + y * p)
    p = constant(-19.7392087) + y * (constant(64.9393891) + y * p)
    return constant(1.0) + y * p


@inlined
def sin_turns(x: Any) -> Any:
    """sin(2πx) for -½ <= x <= ½."""
    y = x * x
    p = constant(42.0258515) + y * (constant(-14.8995784) + y * constant(3.2377801))
    p = constant(81.6051308) + y * (constant(-76.7030056) + y * p)
    p = constant(6.2831853) + y * (constant(-41.3417004) + y * p)
    return x * p


@inlined
def fill_phases(
    fraction: float, first: int, width: int, cosines: Any, cos_start: int, sines: Any, sin_start: int
) -> None:
    """cos and sin of 2π·h·fraction for `width` indices h from `first`, to float32 rows.

    The fraction is split in two, so that h times the coarse half is reduced to ±½ turn without rounding:
    the error does not grow with h. `width` is a multiple of 16; |h| < 4,096.
    """
    fraction -= np.rint(fraction)
    coarse = np.rint(fraction * _SPLIT) / _SPLIT
    fine = constant(fraction - coarse)
    high = constant(coarse)
    for block in range(0, width, LANES):
        h = lane_numbers() + constant(float(first + block))
        turns = h * high
        turns = (turns - nearest_whole(turns)) + h * fine
        store(cosines, cos_start + block, cos_turns(turns))
        store(sines, sin_start + block, sin_turns(turns))
