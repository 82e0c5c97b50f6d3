"""Where words, quoted values and text fields of CIF text end: the lexing that `scan_kernel` calls.

The functions take the address of the bytes (see `addresses.py`) and read nothing at or after `end`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import (
    BLOCK_BYTES,
    byte_at,
    byte_mask,
    number_of_ones,
    trailing_zeros,
    word_at,
)
from xtalpriors.mining.reading.characters import (
    BLANK,
    COMMENT,
    DELETE,
    DOLLAR,
    DOUBLE_QUOTE,
    LINE_FEED,
    QUOTE,
    RETURN,
    SEMICOLON,
    TAB,
    TO_LOWER,
    UNDERSCORE,
)

__all__ = [
    "HASH_FACTOR",
    "HASH_START",
    "holds_other_bytes",
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
_WORD_REACH: Final = len("global")
"""How far behind the start of a reserved word its underscore is at most; in the others it is 4 bytes."""

_other_bytes_in = byte_mask((0, 0), (DELETE + 1, 255))
_blanks_in = byte_mask((TAB, LINE_FEED), (RETURN, RETURN), (BLANK, BLANK))
_line_ends_in = byte_mask((LINE_FEED, LINE_FEED), (RETURN, RETURN))
_line_feeds_in = byte_mask((LINE_FEED, LINE_FEED))
_semicolons_in = byte_mask((SEMICOLON, SEMICOLON))
_underscores_in = byte_mask((UNDERSCORE, UNDERSCORE))
_printable_in = byte_mask((BLANK + 1, DELETE - 1))
_openings_in = byte_mask(
    (DOUBLE_QUOTE, DOLLAR), (QUOTE, QUOTE), (SEMICOLON, SEMICOLON), (UNDERSCORE, UNDERSCORE)
)
"""What a value that is not plain, a comment (`#` is between `"` and `$`) or a tag begins with."""

HEADING, LOOP, OTHER = 1, 2, 3
"""Reserved words: `data_`, `loop_`, and those that only gemmi handles (`save_`, `stop_`, `global_`)."""


@kernel(forceinline=True)
def is_blank(byte: int) -> bool:
    """Blank, tab or end of line."""
    return byte == BLANK or byte == LINE_FEED or byte == RETURN or byte == TAB


@kernel()
def holds_other_bytes(base: int, size: int) -> bool:
    """Whether one of the bytes is zero or no ASCII."""
    i = 0
    while i + BLOCK_BYTES <= size:
        if _other_bytes_in(base + i) != 0:
            return True
        i += BLOCK_BYTES
    while i < size:
        if not 0 < byte_at(base + i) <= DELETE:
            return True
        i += 1
    return False


@kernel()
def _comment_end(base: int, i: int, end: int) -> int:
    """Position of the line feed or carriage return that ends the comment at `i`, or `end`."""
    while i + BLOCK_BYTES <= end:
        found = _line_ends_in(base + i)
        if found != 0:
            return int(i + trailing_zeros(found))
        i += BLOCK_BYTES
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
def text_end(base: int, i: int, end: int) -> int:
    """Position of the semicolon that closes the text field opened at `i`; −1 where none does properly."""
    i += 1
    while i + BLOCK_BYTES < end:
        found = _line_feeds_in(base + i) & _semicolons_in(base + i + 1)
        if found != 0:
            i += trailing_zeros(found)
            break
        i += BLOCK_BYTES
    while i + 1 < end and not (byte_at(base + i) == LINE_FEED and byte_at(base + i + 1) == SEMICOLON):
        i += 1
    close = i + 1
    if close >= end or not (close + 1 == end or is_blank(byte_at(base + close + 1))):
        return -1
    return close


@kernel()
def skip_plain_values(base: int, i: int, end: int) -> tuple[int, int]:
    """Skip unquoted values that nobody wants, from the end of one; the position after them, and their number.

    It goes by blocks and stops at what begins no plain value: a tag, a quote, a comment, a semicolon or a
    reserved word. The position is −1 where a value holds a byte that none may hold.
    """
    n, after_blank = 0, np.uint64(0)
    while i + BLOCK_BYTES + _WORD_REACH <= end:
        block = base + i
        blank = _blanks_in(block)
        starts = ~blank & (blank << np.uint64(1) | after_blank)
        suspects = starts & (_underscores_in(block + len(_DATA)) | _underscores_in(block + _WORD_REACH))
        while suspects != 0 and reserved_word(base, i + trailing_zeros(suspects), end) == 0:
            suspects &= suspects - np.uint64(1)
        stops = suspects | (starts & _openings_in(block)) | ~(blank | _printable_in(block))
        if stops != 0:
            before = ~stops & (stops - np.uint64(1))
            i += trailing_zeros(stops)
            is_start = (starts >> np.uint64(trailing_zeros(stops))) & np.uint64(1) != 0
            return i if is_start else -1, n + number_of_ones(starts & before)
        n += number_of_ones(starts)
        after_blank = blank >> np.uint64(BLOCK_BYTES - 1)
        i += BLOCK_BYTES
    if after_blank == 0:
        i = plain_end(base, i, end)
        if i < end and not is_blank(byte_at(base + i)):
            return -1, n
    return i, n


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
