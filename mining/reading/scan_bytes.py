"""Where words, quoted values and text fields of CIF text end: the lexing that `scan_kernel` calls.

The functions take the address of the bytes (see `addresses.py`) and read nothing at or after `end`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at, trailing_zeros, word_at
from xtalpriors.mining.reading.characters import (
    BLANK,
    COMMENT,
    DELETE,
    DOLLAR,
    DOUBLE_QUOTE,
    LINE_FEED,
    LOWER_A,
    LOWER_Z,
    MINUS,
    PLUS,
    POINT,
    QUOTE,
    RETURN,
    SEMICOLON,
    TAB,
    TO_LOWER,
    UNDERSCORE,
    UPPER_A,
    UPPER_Z,
    ZERO,
)

__all__ = [
    "HASH_FACTOR",
    "HASH_START",
    "is_blank",
    "name_end",
    "reserved_word",
    "skip_blank",
    "skip_plain_values",
    "value_end",
]

HASH_START: Final = np.uint64(0xCBF29CE484222325)
HASH_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
"""Start and factor of the hash of names: `value = (value ^ word) * factor; value ^= value >> 32`."""

_LINE_FEEDS: Final = np.uint64(0x0A0A0A0A0A0A0A0A)
_RETURNS: Final = np.uint64(0x0D0D0D0D0D0D0D0D)
_ONES: Final = np.uint64(0x0101010101010101)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_DOTS: Final = np.uint64(0x2E2E2E2E2E2E2E2E)
_DOT_TO_UNDERSCORE: Final = np.uint64(0x2E ^ 0x5F)
# Added to ASCII bytes these set the high bit of the bytes from some character on.
_UP_FROM_EXCLAMATION_MARK: Final = np.uint64(0x5F5F5F5F5F5F5F5F)
_UP_FROM_A: Final = np.uint64(0x3F3F3F3F3F3F3F3F)
_UP_FROM_AFTER_Z: Final = np.uint64(0x2525252525252525)

_DATA: Final = tuple(map(ord, "data"))
_LOOP: Final = tuple(map(ord, "loop"))
_SAVE: Final = tuple(map(ord, "save"))
_STOP: Final = tuple(map(ord, "stop"))
_GLOBAL: Final = tuple(map(ord, "glob"))
"""Letters that reserved words begin with."""

HEADING, LOOP, OTHER = 1, 2, 3
"""Reserved words: `data_`, `loop_`, and those that only gemmi handles (`save_`, `stop_`, `global_`)."""


@kernel(forceinline=True)
def is_blank(byte: int) -> bool:
    """Blank, tab or end of line."""
    return byte == BLANK or byte == LINE_FEED or byte == RETURN or byte == TAB


@kernel(forceinline=True)
def _holds(word: np.uint64, pattern: np.uint64) -> bool:
    """Whether one of eight bytes is the one that the pattern repeats."""
    differing = word ^ pattern
    return bool(((differing - _ONES) & ~differing & _HIGH_BITS) != 0)


@kernel()
def _comment_end(base: int, i: int, end: int) -> int:
    """Position of the line feed or carriage return that ends the comment at `i`, or `end`."""
    while i + 8 <= end:
        word = word_at(base + i)
        if _holds(word, _LINE_FEEDS) or _holds(word, _RETURNS):
            break
        i += 8
    while i < end and byte_at(base + i) != LINE_FEED and byte_at(base + i) != RETURN:
        i += 1
    return i


@kernel(forceinline=True)
def skip_blank(base: int, i: int, end: int) -> int:
    """Next position that is neither white space nor in a comment."""
    while i < end:
        byte = byte_at(base + i)
        if byte > COMMENT:
            break
        if is_blank(byte):
            i += 1
        elif byte == COMMENT:
            i = _comment_end(base, i, end)
        else:
            break
    return i


@kernel(forceinline=True)
def _ends(word: np.uint64) -> np.uint64:
    """High bits of those of eight bytes that end a word: blanks, control bytes, and all that is not ASCII."""
    low = word & ~_HIGH_BITS
    plain = (low + _UP_FROM_EXCLAMATION_MARK) & ~(low + _ONES) & ~word
    return ~plain & _HIGH_BITS


@kernel(forceinline=True)
def plain_end(base: int, i: int, end: int) -> int:
    """Position of the first byte from `i` that ends a word (see `_ends`), or `end`."""
    while i + 8 <= end:
        stop = _ends(word_at(base + i))
        if stop != 0:
            return int(i + (trailing_zeros(stop) >> 3))
        i += 8
    while i < end and BLANK < byte_at(base + i) < DELETE:
        i += 1
    return i


@kernel(forceinline=True)
def _normal(word: np.uint64, fold_dots: bool) -> np.uint64:
    """Eight bytes of ASCII in lower case, their dots as underscores if asked."""
    upper = (word + _UP_FROM_A) & ~(word + _UP_FROM_AFTER_Z) & _HIGH_BITS
    word |= upper >> np.uint64(2)
    if fold_dots:
        dots = ~((word ^ _DOTS) + ~_HIGH_BITS) & _HIGH_BITS
        word ^= (dots >> np.uint64(7)) * _DOT_TO_UNDERSCORE
    return word


@kernel(forceinline=True)
def _mixed(value: np.uint64, word: np.uint64) -> np.uint64:
    value = (value ^ word) * HASH_FACTOR
    return value ^ (value >> np.uint64(32))


@kernel()
def name_end(base: int, i: int, end: int, fold_dots: bool) -> tuple[int, np.uint64]:
    """End of the tag or block name at `i`, and a hash of it in lower case; hash 0 where a byte is odd.

    With `fold_dots` a dot counts as an underscore, which makes the hash that of the tag's normal form. The
    hash takes eight bytes at a time, the last of them filled up with zeros.
    """
    value = HASH_START
    last = plain_end(base, i, end)
    while i + 8 <= last:
        value = _mixed(value, _normal(word_at(base + i), fold_dots))
        i += 8
    if i < last:
        rest = np.uint64(0)
        for k in range(last - i):
            rest |= np.uint64(byte_at(base + i + k)) << np.uint64(8 * k)
        value = _mixed(value, _normal(rest, fold_dots))
    if last < end and not is_blank(byte_at(base + last)):
        return last, np.uint64(0)
    return last, value


@kernel()
def line_end(base: int, i: int, end: int) -> int:
    """Position of the next line feed from `i`, or `end`; eight bytes at a time."""
    while i + 8 <= end:
        if _holds(word_at(base + i), _LINE_FEEDS):
            break
        i += 8
    while i < end and byte_at(base + i) != LINE_FEED:
        i += 1
    return i


@kernel()
def text_end(base: int, i: int, end: int) -> int:
    """Position of the semicolon that closes the text field opened at `i`; −1 where none does properly."""
    j = i + 1
    while j < end:
        j = line_end(base, j, end)
        if j + 1 < end and byte_at(base + j + 1) == SEMICOLON:
            after = j + 2
            return j + 1 if after >= end or is_blank(byte_at(base + after)) else -1
        j += 1
    return -1


@kernel()
def skip_plain_values(base: int, i: int, end: int) -> tuple[int, int]:
    """Skip unquoted values that nobody wants; returns the position after them and their number.

    Plain is what begins with a digit, a sign, a point, or a letter that begins no reserved word.
    """
    n = 0
    while True:
        while i < end and is_blank(byte_at(base + i)):
            i += 1
        if i >= end:
            return i, n
        byte = byte_at(base + i)
        if byte < ZERO or byte > LOWER_Z or byte == SEMICOLON or UPPER_Z < byte < LOWER_A:
            if byte != MINUS and byte != PLUS and byte != POINT:
                return i, n
        elif byte >= UPPER_A:
            lower = byte | TO_LOWER
            if lower == _DATA[0] or lower == _LOOP[0] or lower == _SAVE[0] or lower == _GLOBAL[0]:
                return i, n
        j = plain_end(base, i, end)
        if j < end and not is_blank(byte_at(base + j)):
            return i, n
        i = j
        n += 1


@kernel()
def quote_end(base: int, i: int, end: int) -> int:
    """Position of the quote that closes the one at `i`; −1 for none on the line, and for triple quotes."""
    quote = byte_at(base + i)
    if i + 2 < end and byte_at(base + i + 1) == quote and not is_blank(byte_at(base + i + 2)):
        return -1
    j = i + 1
    while j < end:
        byte = byte_at(base + j)
        if byte == LINE_FEED or byte == RETURN:
            return -1
        if byte == quote and (j + 1 >= end or is_blank(byte_at(base + j + 1))):
            return j
        j += 1
    return -1


@kernel(forceinline=True)
def value_end(base: int, i: int, end: int, at_line_start: bool) -> tuple[int, int, int, bool]:
    """Value at `i`: (first byte, one past the last, next position, quoted); next is −1 for what is odd."""
    byte = byte_at(base + i)
    if byte == SEMICOLON and at_line_start:
        close = text_end(base, i, end)
        if close < 0:
            return i, i, -1, True
        last = close - 1
        if last > i + 1 and byte_at(base + last - 1) == RETURN:
            last -= 1
        return i + 1, max(last, i + 1), close + 1, True
    if byte == QUOTE or byte == DOUBLE_QUOTE:
        close = quote_end(base, i, end)
        return i + 1, close, close + 1 if close > 0 else -1, True
    if byte == DOLLAR:  # a reference to a save frame
        return i, i, -1, False
    j = plain_end(base, i, end)
    if j < end and not is_blank(byte_at(base + j)):
        return i, i, -1, False
    return i, j, j, False


@kernel()
def _word(base: int, i: int, letters: tuple[int, ...]) -> bool:
    """Whether four letters, in either case, and an underscore stand at `i`."""
    found: bool = (
        byte_at(base + i + 4) == UNDERSCORE
        and (byte_at(base + i) | TO_LOWER) == letters[0]
        and (byte_at(base + i + 1) | TO_LOWER) == letters[1]
        and (byte_at(base + i + 2) | TO_LOWER) == letters[2]
        and (byte_at(base + i + 3) | TO_LOWER) == letters[3]
    )
    return found


@kernel()
def reserved_word(base: int, i: int, end: int) -> int:
    """`HEADING`, `LOOP`, `OTHER`, or 0 for a word that is not reserved."""
    if end - i < 5:
        return 0
    first = byte_at(base + i) | TO_LOWER
    if first == _DATA[0]:
        return HEADING if _word(base, i, _DATA) else 0
    if first == _LOOP[0]:
        return LOOP if _word(base, i, _LOOP) else 0
    if first == _SAVE[0]:
        return OTHER if _word(base, i, _SAVE) or _word(base, i, _STOP) else 0
    if first == _GLOBAL[0]:
        return (
            OTHER
            if end - i >= 7
            and byte_at(base + i + 6) == UNDERSCORE
            and (byte_at(base + i + 1) | TO_LOWER) == _GLOBAL[1]
            else 0
        )
    return 0
