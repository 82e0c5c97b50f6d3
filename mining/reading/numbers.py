"""Numbers of CIF, in bulk: `5.123(4)` is a value and its standard uncertainty.

gemmi's `as_number` gives one float per call and drops the uncertainty; a batch of a few hundred files
has 10⁵ numbers, so they are parsed where they lie in the byte buffer.
"""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64, I32, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at

__all__ = ["MISSING", "NUMBER", "PARTLY", "TEXT", "parse_number", "parse_numbers"]

MISSING, NUMBER, PARTLY, TEXT = 0, 1, 2, 3
"""What was found: `?` or `.`; a number; a number with more text after it (`293 K`); no number."""


_POWERS = 10.0 ** np.arange(23)
"""Powers of ten that are exact in double precision."""


@kernel(forceinline=True)
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@kernel(forceinline=True)
def _digits(base: int, i: int, end: int) -> tuple[float, int, int]:
    """Digits with at most one point from `i`: (all digits as one integer, decimals, next position)."""
    mantissa = 0.0
    decimals = -1
    n = 0
    while i < end:
        byte = byte_at(base + i)
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


@kernel()
def _exponent(base: int, i: int, end: int) -> tuple[int, int]:
    """Exponent `e-3` at `i`, and the next position; 0 and `i` when there is none."""
    if i >= end or (byte_at(base + i) | 32) != 101:
        return 0, i
    j = i + 1
    sign = 1
    if j < end and (byte_at(base + j) == 45 or byte_at(base + j) == 43):
        sign = -1 if byte_at(base + j) == 45 else 1
        j += 1
    if j >= end or not _is_digit(byte_at(base + j)):
        return 0, i
    power = 0
    while j < end and _is_digit(byte_at(base + j)):
        power = min(power * 10 + (byte_at(base + j) - 48), 400)
        j += 1
    return sign * power, j


@kernel(forceinline=True)
def _scaled(mantissa: float, power: int) -> float:
    """mantissa × 10^power, by one correctly rounded division or product where 10^|power| is exact."""
    if power == 0:
        return mantissa
    if -22 <= power < 0:
        return float(mantissa / _POWERS[-power])
    if 0 < power <= 22:
        return float(mantissa * _POWERS[power])
    return float(mantissa * 10.0 ** float(power))


@kernel()
def _uncertainty(
    base: int, i: int, end: int, value: float, power: int, decimals: int
) -> tuple[float, float, int]:
    """What follows the `(` at `i`: (value, standard uncertainty, next position)."""
    digits, su_decimals, j = _digits(base, i + 1, end)
    if np.isnan(digits) or (j < end and byte_at(base + j) != 41):
        return value, np.nan, end if i + 1 == end else i
    if j >= end:
        return value, np.nan, end  # `5.123(4`: the value is whole, the uncertainty is cut off
    su = _scaled(digits, -su_decimals if su_decimals else power - decimals)
    i = j + 1
    if power == 0:
        late, i = _exponent(base, i, end)  # 1.2(3)e-4
        return _scaled(value, late), _scaled(su, late), i
    return value, su, i


@kernel(forceinline=True)
def parse_number(base: int, start: int, end: int) -> tuple[float, float, int]:
    """Value, standard uncertainty (NaN when none) and kind of one token."""
    while start < end and byte_at(base + start) <= 32:
        start += 1
    while end > start and byte_at(base + end - 1) <= 32:
        end -= 1
    if start == end:
        return np.nan, np.nan, MISSING
    first = byte_at(base + start)
    if end == start + 1 and (first == 63 or first == 46):
        return np.nan, np.nan, MISSING
    i = start
    sign = 1.0
    if first == 45 or first == 43:
        sign = -1.0 if first == 45 else 1.0
        i += 1
    mantissa, decimals, i = _digits(base, i, end)
    if np.isnan(mantissa):
        return np.nan, np.nan, TEXT
    power, i = _exponent(base, i, end)
    value = sign * _scaled(mantissa, power - decimals)
    su = np.nan
    if i < end and byte_at(base + i) == 40:
        value, su, i = _uncertainty(base, i, end, value, power, decimals)
    elif i < end and byte_at(base + i) == 47:  # a fraction, 1/3
        denominator, shift, j = _digits(base, i + 1, end)
        if j == end and denominator > 0.0:
            return value / _scaled(denominator, -shift), np.nan, NUMBER
    elif i < end and byte_at(base + i) == 44:  # 1,5418 is neither 1 nor surely 1.5418
        return np.nan, np.nan, TEXT
    return value, su, NUMBER if i == end else PARTLY


@kernel()
def _parse_all(base: int, start: I32, end: I32, wanted: Bool) -> tuple[F64, F64, U8]:
    n = start.size
    value, su = np.empty(n), np.empty(n)
    kind = np.empty(n, dtype=np.uint8)
    for i in range(n):
        if wanted[i]:
            value[i], su[i], kind[i] = parse_number(base, start[i], end[i])
        else:
            value[i], su[i], kind[i] = np.nan, np.nan, TEXT
    return value, su, kind


def parse_numbers(buffer: U8, start: I32, end: I32, wanted: Bool | None = None) -> tuple[F64, F64, U8]:
    """Parse many tokens.

    Parameters
    ----------
    buffer
        Bytes of the batch.
    start, end
        (n,) positions of the tokens, quotes left out.
    wanted
        (n,) tokens to parse; the others come back as `TEXT`. All by default.

    Returns
    -------
    value, su, kind
        (n,) each: the number or NaN; its standard uncertainty in the same unit or NaN; one of
        `MISSING`, `NUMBER`, `PARTLY`, `TEXT`.
    """
    if start.size and (start.min() < 0 or end.max() > buffer.size):
        raise ValueError("tokens outside the buffer")
    if wanted is None:
        wanted = np.ones(start.size, dtype=np.bool_)
    parsed: tuple[F64, F64, U8] = _parse_all(buffer.ctypes.data, start, end, wanted)
    return parsed
