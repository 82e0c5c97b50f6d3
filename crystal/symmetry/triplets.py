"""Symmetry operators as coordinate triplets: `-x,y+1/2,-z+1/2` and every way files spell them.

An operator is a pair of integer tuples: the rotation, nine numbers row by row, and the translation, three
numbers in units of 1/`DENOMINATOR`, reduced to [0, 1). Integers make group arithmetic exact.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np

from xtalpriors.arrays import F64, I64

__all__ = [
    "DENOMINATOR",
    "IDENTITY",
    "Operator",
    "TripletError",
    "compose",
    "format_triplet",
    "operator_arrays",
    "parse_triplet",
]

DENOMINATOR = 5040
"""Translations are multiples of 1/5040: halves to tenths, 1/16, 1/24 and 1/48 are exact."""

Operator = tuple[tuple[int, ...], tuple[int, int, int]]
"""Rotation (9 integers, row by row) and translation (3 integers in units of 1/`DENOMINATOR`, in [0, 1))."""

IDENTITY: Operator = ((1, 0, 0, 0, 1, 0, 0, 0, 1), (0, 0, 0))

_TYPESET = str.maketrans(
    {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅙": "1/6", "⅚": "5/6"}
    | dict.fromkeys("\u2044\u2215", "/")
)
_TERM = re.compile(r"([+-]?)(?:(\d*\.?\d*)(?:/(\d+\.?\d*))?\*?([xyz])?)(?:/(\d+))?")
_ROUNDED_DIGITS = 0.0034
"""1/3 written with two digits is off by 0.0033; the nearest two multiples of 1/24 are 0.0417 apart."""


class TripletError(ValueError):
    """Raised for a text that cannot be a symmetry operator; `code` is `unreadable` or `not-integer`."""

    def __init__(self, text: str, code: str) -> None:
        super().__init__(f"{text!r}: {code}")
        self.code = code


@lru_cache(maxsize=16384)
def parse_triplet(text: str) -> Operator:
    """Operator of a triplet: `x,y,z`, `-X, 1/2+Y, z`, `+0.6667-y, .3333+x-y, z`, `½+x,y,z`.

    Quotes and blanks are passed over. A decimal within 0.0034 of a multiple of 1/24 is taken for it, and so
    are `0.66` and `0.16`, which were cut off; others are rounded to 1/5040.

    Raises
    ------
    TripletError
        Where the text cannot be read as an operator (`unreadable`), or a coordinate has a fraction as its
        factor (`not-integer`): such a rotation does not map the lattice of the axes onto itself.
    """
    parts = re.sub(r"[\s'\"_]", "", text.translate(_TYPESET)).lower().split(",")
    if len(parts) != 3 or len(text) > 200:
        raise TripletError(text, "unreadable")
    rotation: list[int] = []
    translation: list[int] = []
    for part in parts:
        row, shift = _parse_component(part, text)
        rotation += row
        translation.append(shift % DENOMINATOR)
    return tuple(rotation), (translation[0], translation[1], translation[2])


def _parse_component(part: str, text: str) -> tuple[list[int], int]:
    """One coordinate's integer factors of x, y, z and its translation."""
    row, shift, position = [0, 0, 0], 0.0, 0
    if not part:
        raise TripletError(text, "unreadable")
    while position < len(part):
        match = _TERM.match(part, position)
        if match is None or match.end() == position or (position and not match[1]):
            raise TripletError(text, "unreadable")
        value = _number(match, text)
        if match[4]:
            if value != int(value):
                raise TripletError(text, "not-integer")
            row["xyz".index(match[4])] += int(value)
        else:
            shift += value
        position = match.end()
    return row, _snap(shift)


def _number(match: re.Match[str], text: str) -> float:
    """Signed number of a term; a coordinate without a factor counts 1."""
    sign, digits, divisor, letter, late_divisor = match.groups()
    if digits in ("", ".") and (divisor or not letter):
        raise TripletError(text, "unreadable")
    below = float(divisor or 1) * float(late_divisor or 1)
    if below == 0 or digits == ".":
        raise TripletError(text, "unreadable")
    value = float(digits or 1) / below
    return -value if sign == "-" else value


def _snap(shift: float) -> int:
    """A translation in units of 1/`DENOMINATOR`; decimals such as 0.33 or 0.1667 are the fraction meant."""
    if abs(shift) > 1000:
        return 0
    nearest = round(shift * 24)
    is_near = abs(shift - nearest / 24) < _ROUNDED_DIGITS or _is_cut_off(shift, nearest)
    if is_near and not _is_exact(shift):
        return nearest * (DENOMINATOR // 24)
    return round(shift * DENOMINATOR)


def _is_cut_off(shift: float, nearest: int) -> bool:
    """The translation is a multiple of 1/6 with its digits after the second left out: 0.66, 0.16."""
    return nearest % 4 == 0 and abs(shift * 100 - math.trunc(nearest / 24 * 100)) < 1e-9


def _is_exact(shift: float) -> bool:
    return abs(shift * DENOMINATOR - round(shift * DENOMINATOR)) < 1e-9


def format_triplet(operator: Operator) -> str:
    """Triplet of an operator, spelt as gemmi does: `-x,y+1/2,-z+1/2`."""
    rotation, translation = operator
    parts = []
    for i in range(3):
        text = ""
        for factor, letter in zip(rotation[3 * i : 3 * i + 3], "xyz", strict=True):
            if factor:
                size = "" if abs(factor) == 1 else f"{abs(factor)}*"
                text += ("-" if factor < 0 else "+" if text else "") + size + letter
        if translation[i] or not text:
            shift = Fraction(translation[i], DENOMINATOR)
            text += ("+" if text and shift >= 0 else "") + str(shift)
        parts.append(text)
    return ",".join(parts)


def operator_arrays(operators: Sequence[Operator]) -> tuple[I64, F64]:
    """Rotations (n, 3, 3) and translations (n, 3) in fractions of the cell of a list of operators."""
    rotations = np.array([op[0] for op in operators], dtype=np.int64).reshape(-1, 3, 3)
    translations = np.array([op[1] for op in operators], dtype=np.float64).reshape(-1, 3) / DENOMINATOR
    return rotations, translations


def compose(first: Operator, second: Operator) -> Operator:
    """The operator that applies `second` and then `first`, translation reduced to [0, 1)."""
    (r, t), (s, u) = first, second
    rows, columns = (r[0:3], r[3:6], r[6:9]), (s[0::3], s[1::3], s[2::3])
    rotation = tuple(a * x + b * y + c * z for a, b, c in rows for x, y, z in columns)
    (u0, u1, u2), (t0, t1, t2) = u, t
    x, y, z = (a * u0 + b * u1 + c * u2 for a, b, c in rows)
    return rotation, ((x + t0) % DENOMINATOR, (y + t1) % DENOMINATOR, (z + t2) % DENOMINATOR)
