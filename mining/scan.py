"""One pass over the bytes of many CIFs that finds the wanted values and skips all else.

Four fifths of a crystal database's bytes are reflection lists, bond tables and publication text. The
scanner tokenises everything, so that it knows where it is, but keeps only positions of wanted values.
It is stricter than gemmi, not cleverer: what it does not understand, or finds wrong, in a file makes it
give that file up (`status` ≠ 0), and the file is read by gemmi. What it accepts gemmi accepts, with the
same values: `tests/mining/test_reader_scan.py` holds it to that.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from xtalpriors.mining.scan_bytes import (
    FNV_OFFSET,
    FNV_PRIME,
    HEADING,
    LOOP,
    OTHER,
    byte_at,
    is_blank,
    name_end,
    reserved_word,
    skip_blank,
    skip_plain_values,
    value_end,
)
from xtalpriors.mining.tokens import PRESENCE_ONLY, TAG_INDEX, Tokens

__all__ = ["LARGEST_BYTES", "Scanned", "scan"]

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
U64 = npt.NDArray[np.uint64]

LARGEST_BYTES: Final = 2**31 - 1
"""Positions are 32-bit numbers."""

_TABLE_SIZE: Final = 2048
_SEEN_SIZE: Final = 8192
_MAX_WIDTH: Final = 512
_MAX_BLOCKS: Final = 4096
"""Names are compared with each other, so a file of more blocks is left to gemmi."""

_UNDERSTOOD, _GIVEN_UP, _FULL = 0, 1, 2
_N_OUT, _N_NAMES, _GENERATION = 0, 1, 2
_NO_TAG: Final = -2
"""No tag waits for its value; −1 is one that nobody wants."""


class Scanned(NamedTuple):
    """Outcome of a scan.

    Attributes
    ----------
    tokens
        Wanted values of the files that were understood.
    status
        (files,) 0 where a file was understood.
    n_blocks
        (files,) number of data blocks, 0 for a file given up.
    name_start, name_end
        (blocks,) where the names of the blocks are.
    """

    tokens: Tokens
    status: npt.NDArray[np.uint8]
    n_blocks: I32
    name_start: I64
    name_end: I64


def _hash(tag: str) -> int:
    value = int(FNV_OFFSET)
    for byte in tag.encode():
        value = ((value ^ byte) * int(FNV_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value


def _tables() -> tuple[U64, I16]:
    """Open-addressing table of the hashes of wanted tags, and their numbers."""
    keys, values = np.zeros(_TABLE_SIZE, dtype=np.uint64), np.full(_TABLE_SIZE, -1, dtype=np.int16)
    for tag, number in TAG_INDEX.items():
        spellings = [tag, "_[local]" + tag] if tag.startswith("_cod_") else [tag]
        for spelling in spellings:
            key = _hash(spelling)
            slot = key % _TABLE_SIZE
            while keys[slot]:
                slot = (slot + 1) % _TABLE_SIZE
            keys[slot], values[slot] = key, number
    return keys, values


_KEYS, _NUMBERS = _tables()


@numba.njit(cache=True)
def _look_up(keys: U64, numbers: I16, key: np.uint64) -> int:
    slot = np.int64(key % np.uint64(_TABLE_SIZE))
    while keys[slot] != 0:
        if keys[slot] == key:
            return int(numbers[slot])
        slot = (slot + 1) % _TABLE_SIZE
    return -1


@numba.njit(cache=True)
def _is_new(seen: U64, generation: int, key: np.uint64) -> bool:
    """Whether a hash is new in this generation of the set (2, size); false also when the set is full."""
    slot = np.int64(key % np.uint64(_SEEN_SIZE))
    for _ in range(_SEEN_SIZE // 2):
        if seen[0, slot] != np.uint64(generation):
            seen[0, slot], seen[1, slot] = np.uint64(generation), key
            return True
        if seen[1, slot] == key:
            return False
        slot = (slot + 1) % _SEEN_SIZE
    return False


@numba.njit(cache=True)
def _begin_block(base: int, i: int, hi: int, first_block: int, names: I64, counters: I64) -> int:
    """Note the block whose heading is at `i`; next position, −1 to give up, or −2 when `names` is full."""
    start = i + 5
    i, key = name_end(base, start, hi, False)
    if i == start or key == 0:
        return -1
    n = counters[_N_NAMES]
    if n >= len(names):
        return -2
    if n - first_block >= _MAX_BLOCKS:
        return -1
    for earlier in range(first_block, n):
        if names[earlier, 2] == np.int64(key):  # gemmi refuses two blocks of one name
            return -1
    names[n, 0], names[n, 1], names[n, 2] = start, i, np.int64(key)
    counters[_N_NAMES] += 1
    counters[_GENERATION] += 1
    return i


@numba.njit(cache=True)
def _drop_presence(columns: I16, width: int, once: npt.NDArray[np.bool_]) -> bool:
    """After a first row leave out the columns whose presence is all that matters; whether any is left."""
    left = False
    for k in range(width):
        if columns[k] >= 0 and once[columns[k]]:
            columns[k] = -1
        left |= columns[k] >= 0
    return left


@numba.njit(cache=True, error_model="numpy")
def _scan_file(
    base: int,
    lo: int,
    hi: int,
    keys: U64,
    numbers: I16,
    once: npt.NDArray[np.bool_],
    seen: U64,
    out: I32,
    names: I64,
    counters: I64,
) -> int:
    """Scan the bytes `lo` … `hi`.

    `out` gets a row (block, tag, row, start, end, quoted) for each value, `names` (start, end, hash) for
    each block.
    """
    columns = np.empty(_MAX_WIDTH, dtype=np.int16)
    first_block, n_out = counters[_N_NAMES], counters[_N_OUT]
    block, pending = first_block - 1, _NO_TAG
    in_loop, in_header, wanted = False, False, False
    width, column, row = 0, 0, 0
    i = lo
    while True:
        i = skip_blank(base, i, hi)
        byte = byte_at(base + i) if i < hi else 95
        word = 0
        if byte >= 68 and i < hi:  # a reserved word begins with a letter from D on
            word = reserved_word(base, i, hi)
        if word > 0 or byte == 95:
            if pending != _NO_TAG or word == OTHER:
                return _GIVEN_UP
            if in_loop and (word > 0 or i >= hi or not in_header):
                if in_header or column != 0:
                    return _GIVEN_UP
                in_loop = False
            if i >= hi:
                break
            if word == HEADING:
                i = _begin_block(base, i, hi, first_block, names, counters)
                if i < 0:
                    return _GIVEN_UP if i == -1 else _FULL
                block += 1
                continue
            if block < first_block:
                return _GIVEN_UP
            if word == LOOP:
                i += 5
                if i < hi and not is_blank(byte_at(base + i)):
                    return _GIVEN_UP
                in_loop, in_header, wanted, width, column, row = True, True, False, 0, 0, 0
                continue
            i, key = name_end(base, i, hi, True)
            if key == 0 or width >= _MAX_WIDTH or not _is_new(seen, counters[_GENERATION], key):
                return _GIVEN_UP
            tag = _look_up(keys, numbers, key)
            if in_loop:
                columns[width] = tag
                width += 1
                wanted |= tag >= 0
            else:
                pending = tag
            continue
        at_line_start = i == lo or byte_at(base + i - 1) == 10 or byte_at(base + i - 1) == 13
        start, end, i, quoted = value_end(base, i, hi, at_line_start)
        if i < 0:
            return _GIVEN_UP
        if in_loop:
            if width == 0:
                return _GIVEN_UP
            in_header = False
            tag = columns[column] if wanted else -1
            value_row = row
            column += 1
            if column == width:
                column = 0
                if row == 0 and wanted:
                    wanted = _drop_presence(columns, width, once)
                row += 1
            if not wanted:
                i, n = skip_plain_values(base, i, hi)
                column = (column + n) % width
                row = max(row, 1)
        else:
            if pending == _NO_TAG:
                return _GIVEN_UP
            tag, value_row, pending = pending, 0, _NO_TAG
        if tag >= 0:
            if n_out >= len(out):
                return _FULL
            out[n_out, 0], out[n_out, 1], out[n_out, 2] = block, tag, value_row
            out[n_out, 3], out[n_out, 4], out[n_out, 5] = start, end, quoted
            n_out += 1
    counters[_N_OUT] = n_out
    return _UNDERSTOOD if block >= first_block else _GIVEN_UP


@numba.njit(cache=True)
def _scan_files(
    base: int,
    bounds: I64,
    keys: U64,
    numbers: I16,
    once: npt.NDArray[np.bool_],
    out: I32,
    names: I64,
    counters: I64,
) -> tuple[npt.NDArray[np.uint8], I32, bool]:
    """Scan files between the bounds: status and blocks of each, and whether `out` was large enough."""
    n = bounds.size - 1
    status, blocks = np.ones(n, dtype=np.uint8), np.zeros(n, dtype=np.int32)
    seen = np.zeros((2, _SEEN_SIZE), dtype=np.uint64)
    for f in range(n):
        before = counters[_N_NAMES]
        counters[_GENERATION] += 1
        code = _scan_file(base, bounds[f], bounds[f + 1], keys, numbers, once, seen, out, names, counters)
        if code == _FULL:
            return status, blocks, False
        status[f] = code
        if code == _UNDERSTOOD:
            blocks[f] = counters[_N_NAMES] - before
        else:
            counters[_N_NAMES] = before
    return status, blocks, True


def scan(buffer: npt.NDArray[np.uint8], bounds: I64) -> Scanned:
    """Scan files that lie one after the other in a buffer.

    Parameters
    ----------
    buffer
        Bytes of all files, UTF-8 or ASCII, fewer than `LARGEST_BYTES`.
    bounds
        (files + 1,) where each begins, and where the last one ends.
    """
    if buffer.size > LARGEST_BYTES or not buffer.flags.c_contiguous or bounds[-1] > buffer.size:
        raise ValueError(f"the scanner takes up to {LARGEST_BYTES} contiguous bytes, not {buffer.size}")
    # a token for every 8 bytes where there is little else than atoms; far fewer in a large file
    capacity = 4096 + min(buffer.size // 8, 1_000_000 + buffer.size // 64)
    while True:
        out, counters = np.empty((capacity, 6), dtype=np.int32), np.zeros(3, dtype=np.int64)
        names = np.empty((len(bounds) + capacity // 16, 3), dtype=np.int64)
        status, blocks, enough = _scan_files(
            buffer.ctypes.data, bounds, _KEYS, _NUMBERS, PRESENCE_ONLY, out, names, counters
        )
        if enough:
            break
        capacity *= 4
    columns = out[: counters[_N_OUT]].T
    block, row, start, end = (columns[k].copy() for k in (0, 2, 3, 4))
    tokens = Tokens(buffer, block, columns[1].astype(np.int16), row, start, end, columns[5].astype(np.bool_))
    names = names[: counters[_N_NAMES]]
    return Scanned(tokens, status, blocks, names[:, 0].copy(), names[:, 1].copy())
