"""Numbers of CIF: `5.123(4)` is the value 5.123 with the standard uncertainty 0.004.

`parse_numbers` reads many tokens of one buffer:

>>> import numpy as np
>>> text = np.frombuffer(b"5.123(4) 1/3 293K ?", np.uint8)
>>> start, end = np.array([[0, 9, 13, 18], [8, 12, 17, 19]], np.int32)
>>> value, su, kind = parse_numbers(text, start, end)
>>> value.round(4).tolist(), su.tolist(), kind.tolist()
([5.123, 0.3333, 293.0, nan], [0.004, nan, nan, nan], [1, 1, 2, 0])

gemmi's `as_number` gives one float per call and drops the uncertainty; a batch of a few hundred files
has 10⁵ numbers, so they are parsed where they lie in the byte buffer.
"""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64, I32, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at
from xtalpriors.mining.reading.characters import (
    BLANK,
    CLOSE,
    COMMA,
    LOWER_D,
    LOWER_E,
    MINUS,
    NINE,
    OPEN,
    PLUS,
    POINT,
    QUESTION_MARK,
    SLASH,
    TO_LOWER,
    ZERO,
)

__all__ = ["MISSING", "NUMBER", "PARTLY", "TEXT", "parse_number", "parse_numbers"]

MISSING, NUMBER, PARTLY, TEXT = 0, 1, 2, 3
"""What was found: `?` or `.`; a number; a number with more text after it (`293 K`); no number."""


_POWERS = 10.0 ** np.arange(23)
"""Powers of ten that are exact in double precision."""


@kernel(forceinline=True)
def _is_digit(byte: int) -> bool:
    return ZERO <= byte <= NINE


@kernel(forceinline=True)
def _digits(base: int, i: int, end: int) -> tuple[float, int, int]:
    """Digits from `i` with at most one point: `5.123` gives (5123, 3 decimals, next position).

    Without any digit the first is NaN.
    """
    mantissa = 0.0
    decimals = -1
    n = 0
    while i < end:
        byte = byte_at(base + i)
        if _is_digit(byte):
            mantissa = mantissa * 10.0 + (byte - ZERO)
            n += 1
            if decimals >= 0:
                decimals += 1
        elif byte == POINT and decimals < 0:
            decimals = 0
        else:
            break
        i += 1
    if n == 0:
        return np.nan, 0, i
    return mantissa, max(decimals, 0), i


@kernel()
def _exponent(base: int, i: int, end: int) -> tuple[int, int]:
    """Exponent at `i` and the next position: `e-3`, and FORTRAN's `d-3`, give −3; without one 0 and `i`."""
    if i >= end:
        return 0, i
    letter = byte_at(base + i) | TO_LOWER
    if letter != LOWER_E and letter != LOWER_D:
        return 0, i
    j = i + 1
    sign = 1
    if j < end and (byte_at(base + j) == MINUS or byte_at(base + j) == PLUS):
        sign = -1 if byte_at(base + j) == MINUS else 1
        j += 1
    if j >= end or not _is_digit(byte_at(base + j)):
        return 0, i
    power = 0
    while j < end and _is_digit(byte_at(base + j)):
        power = min(power * 10 + (byte_at(base + j) - ZERO), 400)
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
    if np.isnan(digits) or (j < end and byte_at(base + j) != CLOSE):
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
    """Value, standard uncertainty (NaN where none is given) and kind of the token from `start` to `end`.

    `5.123(4)` gives (5.123, 0.004, NUMBER), `1.2(3)e-4` gives (0.00012, 0.00003, NUMBER), `293K` gives
    (293, NaN, PARTLY), `?` gives (NaN, NaN, MISSING).
    """
    while start < end and byte_at(base + start) <= BLANK:
        start += 1
    while end > start and byte_at(base + end - 1) <= BLANK:
        end -= 1
    if start == end:
        return np.nan, np.nan, MISSING
    first = byte_at(base + start)
    if end == start + 1 and (first == QUESTION_MARK or first == POINT):
        return np.nan, np.nan, MISSING
    i = start
    sign = 1.0
    if first == MINUS or first == PLUS:
        sign = -1.0 if first == MINUS else 1.0
        i += 1
    mantissa, decimals, i = _digits(base, i, end)
    if np.isnan(mantissa):
        return np.nan, np.nan, TEXT
    power, i = _exponent(base, i, end)
    value = sign * _scaled(mantissa, power - decimals)
    su = np.nan
    if i < end and byte_at(base + i) == OPEN:
        value, su, i = _uncertainty(base, i, end, value, power, decimals)
    elif i < end and byte_at(base + i) == SLASH:  # a fraction, 1/3
        denominator, shift, j = _digits(base, i + 1, end)
        if j == end and denominator > 0.0 and decimals == 0 and shift == 0:  # 1.54056/1.54439 is a pair
            return value / denominator, np.nan, NUMBER
    elif i < end and byte_at(base + i) == COMMA:  # 1,5418 is not 1: see `unusual_numbers`
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
