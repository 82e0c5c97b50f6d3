"""Numbers of CIF, in bulk: `5.123(4)` is a value and its standard uncertainty.

gemmi's `as_number` gives one float per call and drops the uncertainty; a batch of a few hundred files
has 10⁵ numbers, so they are parsed where they lie in the byte buffer.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["MISSING", "NUMBER", "PARTLY", "TEXT", "parse_numbers"]

MISSING, NUMBER, PARTLY, TEXT = 0, 1, 2, 3
"""What was found: `?` or `.`; a number; a number with more text after it (`293 K`); no number."""

Bytes = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]


@numba.njit(cache=True, inline="always")
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@numba.njit(cache=True)
def _digits(buffer: Bytes, i: int, end: int) -> tuple[float, int, int]:
    """Digits with at most one point from `i`: (all digits as one integer, decimals, next position)."""
    mantissa = 0.0
    decimals = -1
    n = 0
    while i < end:
        byte = buffer[i]
        if _is_digit(byte):
            mantissa = mantissa * 10.0 + (byte - 48)
            n += 1
            if decimals >= 0:
                decimals += 1
        elif byte == 46 and decimals < 0:
            decimals = 0
        else:
            break
        i += 1
    if n == 0:
        return np.nan, 0, i
    return mantissa, max(decimals, 0), i


@numba.njit(cache=True)
def _exponent(buffer: Bytes, i: int, end: int) -> tuple[int, int]:
    """Exponent `e-3` at `i`, and the next position; 0 and `i` when there is none."""
    if i >= end or (buffer[i] | 32) != 101:
        return 0, i
    j = i + 1
    sign = 1
    if j < end and (buffer[j] == 45 or buffer[j] == 43):
        sign = -1 if buffer[j] == 45 else 1
        j += 1
    if j >= end or not _is_digit(buffer[j]):
        return 0, i
    power = 0
    while j < end and _is_digit(buffer[j]):
        power = min(power * 10 + (buffer[j] - 48), 400)
        j += 1
    return sign * power, j


@numba.njit(cache=True)
def _scaled(mantissa: float, power: int) -> float:
    """mantissa × 10^power, by one correctly rounded division or product where 10^|power| is exact."""
    if power == 0:
        return mantissa
    if -22 <= power < 0:
        return float(mantissa / 10.0 ** (-power))
    if 0 < power <= 22:
        return float(mantissa * 10.0**power)
    return float(mantissa * 10.0 ** float(power))


@numba.njit(cache=True)
def _parse(buffer: Bytes, start: int, end: int) -> tuple[float, float, int]:
    """Value, standard uncertainty (NaN when none) and kind of one token."""
    while start < end and buffer[start] <= 32:
        start += 1
    while end > start and buffer[end - 1] <= 32:
        end -= 1
    if start == end or (end == start + 1 and (buffer[start] == 63 or buffer[start] == 46)):
        return np.nan, np.nan, MISSING
    i = start
    sign = 1.0
    if buffer[i] == 45 or buffer[i] == 43:
        sign = -1.0 if buffer[i] == 45 else 1.0
        i += 1
    mantissa, decimals, i = _digits(buffer, i, end)
    if np.isnan(mantissa):
        return np.nan, np.nan, TEXT
    power, i = _exponent(buffer, i, end)
    value = sign * _scaled(mantissa, power - decimals)
    su = np.nan
    if i < end and buffer[i] == 47:  # a fraction, 1/3
        denominator, shift, j = _digits(buffer, i + 1, end)
        if j == end and denominator > 0.0:
            return value / _scaled(denominator, -shift), np.nan, NUMBER
    if i < end and buffer[i] == 40:
        digits, su_decimals, j = _digits(buffer, i + 1, end)
        if not np.isnan(digits) and j < end and buffer[j] == 41:
            su = _scaled(digits, -su_decimals if su_decimals else power - decimals)
            i = j + 1
            if power == 0:
                power, i = _exponent(buffer, i, end)  # 1.2(3)e-4
                value = _scaled(value, power)
                su = _scaled(su, power)
        elif (j == end and i + 1 == end) or j == end:
            i = end  # `5.123(` and `5.123(4`: the value is whole, the uncertainty is cut off
    return value, su, NUMBER if i == end else PARTLY


@numba.njit(cache=True)
def parse_numbers(
    buffer: Bytes, start: npt.NDArray[np.int32], end: npt.NDArray[np.int32]
) -> tuple[F64, F64, Bytes]:
    """Parse many tokens.

    Parameters
    ----------
    buffer
        Bytes of the batch.
    start, end
        (n,) positions of the tokens, quotes left out.

    Returns
    -------
    value, su, kind
        (n,) each: the number or NaN; its standard uncertainty in the same unit or NaN; one of
        `MISSING`, `NUMBER`, `PARTLY`, `TEXT`.
    """
    n = start.size
    value, su = np.empty(n), np.empty(n)
    kind = np.empty(n, dtype=np.uint8)
    for i in range(n):
        value[i], su[i], kind[i] = _parse(buffer, start[i], end[i])
    return value, su, kind
