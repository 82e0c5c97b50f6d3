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

from xtalpriors.mining.idle_tensors import TAG_ROLE, pass_over_tensors
from xtalpriors.mining.scan_bytes import (
    HASH_FACTOR,
    HASH_START,
    HEADING,
    LOOP,
    OTHER,
    byte_at,
    is_blank,
    name_end,
    reserved_word,
    skip_blank,
    skip_plain_values,
    uncounted,
    value_end,
)
from xtalpriors.mining.tokens import PRESENCE_ONLY, TAG_INDEX, Tokens, columns_of

__all__ = ["LARGEST_BYTES", "Scanned", "scan"]

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
I8 = npt.NDArray[np.int8]
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
_N_BLOCKS, _PENDING, _WIDTH, _COLUMN, _ROW, _IN_HEADER, _WANTED, _IDLE = range(8)
_STATE_SIZE: Final = 8
"""State of the scan of a file: its blocks, the tag that waits for its value, and the open loop (width −1
when there is none): next column, row, whether tags may still come, whether any of its columns is wanted;
one more than the last block of which tensors were passed over."""
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
    """Hash of a tag in its normal form, as `name_end` makes it."""
    value, text = int(HASH_START), tag.encode()
    for i in range(0, len(text), 8):
        value = (value ^ int.from_bytes(text[i : i + 8], "little")) * int(HASH_FACTOR) % 2**64
        value ^= value >> 32
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


_TABLES: Final = _tables()


@numba.njit(cache=True, forceinline=True)
def _look_up(keys: U64, numbers: I16, key: np.uint64) -> int:
    slot = np.int64(key % np.uint64(_TABLE_SIZE))
    while keys[slot] != 0:
        if keys[slot] == key:
            return int(numbers[slot])
        slot = (slot + 1) % _TABLE_SIZE
    return -1


@numba.njit(cache=True, forceinline=True)
def _is_new(seen: U64, generation: int, key: np.uint64) -> bool:
    """Whether a hash is new in this generation of the set (size, 2); false also when the set is full."""
    slot = np.int64(key % np.uint64(_SEEN_SIZE))
    for _ in range(_SEEN_SIZE // 2):
        if seen[slot, 0] != np.uint64(generation):
            seen[slot, 0], seen[slot, 1] = np.uint64(generation), key
            return True
        if seen[slot, 1] == key:
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


@numba.njit(cache=True)
def _complete(state: I64) -> bool:
    """No tag waits for a value, and the open loop has its tags and whole rows."""
    in_loop = state[_WIDTH] >= 0
    return state[_PENDING] == _NO_TAG and not (in_loop and (state[_IN_HEADER] != 0 or state[_COLUMN] != 0))


@numba.njit(cache=True)
def _word_or_tag(
    base: int,
    i: int,
    hi: int,
    word: int,
    tables: tuple[U64, I16],
    seen: U64,
    state: I64,
    columns: I16,
    names: I64,
    counters: I64,
) -> int:
    """Act on the reserved word or tag at `i`; next position, −1 to give up, −2 when `names` is full."""
    continues_header = word == 0 and state[_IN_HEADER] != 0
    if word == OTHER or state[_PENDING] != _NO_TAG or not (continues_header or _complete(state)):
        return -1
    if not continues_header:
        state[_WIDTH] = -1
    if word == HEADING:
        state[_N_BLOCKS] += 1
        first_block = counters[_N_NAMES] - state[_N_BLOCKS] + 1
        return int(_begin_block(base, i, hi, first_block, names, counters))
    if state[_N_BLOCKS] == 0:
        return -1
    if word == LOOP:
        state[_WIDTH], state[_COLUMN], state[_ROW] = 0, 0, 0
        state[_IN_HEADER], state[_WANTED] = 1, 0
        i += 5
        return i if i >= hi or is_blank(byte_at(base + i)) else -1
    i, key = name_end(base, i, hi, True)
    if key == 0 or state[_WIDTH] >= _MAX_WIDTH or not _is_new(seen, counters[_GENERATION], key):
        return -1
    tag = _look_up(tables[0], tables[1], key)
    if state[_WIDTH] >= 0:
        columns[state[_WIDTH]] = tag
        state[_WIDTH] += 1
        state[_WANTED] |= tag >= 0
    else:
        state[_PENDING] = tag
    return i


@numba.njit(cache=True, error_model="numpy")
def _scan_file(
    base: int,
    lo: int,
    hi: int,
    tables: tuple[U64, I16],
    once: npt.NDArray[np.bool_],
    role: I8,
    seen: U64,
    columns: I16,
    state: I64,
    out: I32,
    names: I64,
    counters: I64,
) -> int:
    """Scan the bytes `lo` … `hi`.

    `out` gets a row (block, tag, row, start, end, quoted) for each value, `names` (start, end, hash) for
    each block.
    """
    state[:] = 0
    state[_PENDING], state[_WIDTH] = _NO_TAG, -1
    n_out, i = counters[_N_OUT], skip_blank(base, lo, hi)
    while i < hi:
        byte = byte_at(base + i)
        word = reserved_word(base, i, hi) if byte >= 68 else 0  # they begin with a letter from D on
        if word > 0 or byte == 95:
            i = _word_or_tag(base, i, hi, word, tables, seen, state, columns, names, counters)
            if i < 0:
                return _GIVEN_UP if i == -1 else _FULL
            i = skip_blank(base, i, hi)
            continue
        at_line_start = i == lo or byte_at(base + i - 1) == 10 or byte_at(base + i - 1) == 13
        start, end, i, quoted = value_end(base, i, hi, at_line_start)
        width, tag, row = state[_WIDTH], state[_PENDING], 0
        if i < 0 or width == 0 or (width < 0 and tag == _NO_TAG):
            return _GIVEN_UP
        state[_PENDING] = _NO_TAG
        if width > 0:
            if state[_IN_HEADER] and state[_WANTED]:
                block = counters[_N_NAMES] - 1
                state[_WANTED], state[_IDLE] = pass_over_tensors(
                    columns, width, role, out, n_out, block, state[_IDLE]
                )
                if state[_IDLE] < 0:
                    return _GIVEN_UP
            state[_IN_HEADER] = 0
            column, row = state[_COLUMN], state[_ROW]
            tag = columns[column] if state[_WANTED] else -1
            if column + 1 == width:
                state[_ROW] += 1
                if row == 0 and state[_WANTED]:
                    state[_WANTED] = _drop_presence(columns, width, once)
            n = 0
            if not state[_WANTED]:
                i, n = skip_plain_values(base, i, hi)
            state[_COLUMN] = column + 1 if column + 1 < width and n == 0 else (column + 1 + n) % width
        if tag >= 0:
            if n_out >= len(out):
                return _FULL
            out[n_out, 0], out[n_out, 1], out[n_out, 2] = counters[_N_NAMES] - 1, tag, row
            out[n_out, 3], out[n_out, 4], out[n_out, 5] = start, end, quoted
            n_out += 1
        i = skip_blank(base, i, hi)
    if state[_N_BLOCKS] == 0 or not _complete(state):
        return _GIVEN_UP
    counters[_N_OUT] = n_out
    return _UNDERSTOOD


@numba.njit(cache=True)
def _scan_files(
    base: int,
    bounds: I64,
    keys: U64,
    numbers: I16,
    once: npt.NDArray[np.bool_],
    role: I8,
    out: I32,
    names: I64,
    counters: I64,
) -> tuple[npt.NDArray[np.uint8], I32, bool]:
    """Scan files between the bounds: status and blocks of each, and whether `out` was large enough."""
    n = bounds.size - 1
    status, blocks = np.ones(n, dtype=np.uint8), np.zeros(n, dtype=np.int32)
    seen = np.zeros((_SEEN_SIZE, 2), dtype=np.uint64)
    columns, state = np.empty(_MAX_WIDTH, dtype=np.int16), np.empty(_STATE_SIZE, dtype=np.int64)
    tables_of = (uncounted(keys), uncounted(numbers))
    views = (uncounted(once), uncounted(role), uncounted(seen), uncounted(columns), uncounted(state))
    views_of_output = (uncounted(out), uncounted(names), uncounted(counters))
    for f in range(n):
        before = counters[_N_NAMES]
        counters[_GENERATION] += 1
        code = _scan_file(base, bounds[f], bounds[f + 1], tables_of, *views, *views_of_output)
        if code == _FULL:
            return status, blocks, False
        status[f] = code
        if code == _UNDERSTOOD:
            blocks[f] = counters[_N_NAMES] - before
        else:
            counters[_N_NAMES] = before
    return status, blocks, True


def scan(buffer: npt.NDArray[np.uint8], bounds: I64, *, idle_tensors: bool = True) -> Scanned:
    """Scan files that lie one after the other in a buffer.

    Parameters
    ----------
    buffer
        Bytes of all files, UTF-8 or ASCII, fewer than `LARGEST_BYTES`.
    bounds
        (files + 1,) where each begins, and where the last one ends.
    idle_tensors
        False lets it leave out displacement tensors that nobody will read.
    """
    role = np.zeros_like(TAG_ROLE) if idle_tensors else TAG_ROLE
    if buffer.size > LARGEST_BYTES or not buffer.flags.c_contiguous or bounds[-1] > buffer.size:
        raise ValueError(f"the scanner takes up to {LARGEST_BYTES} contiguous bytes, not {buffer.size}")
    # a token for every 8 bytes where there is little else than atoms; far fewer in a large file
    capacity = 4096 + min(buffer.size // 8, 1_000_000 + buffer.size // 64)
    while True:
        out, counters = np.empty((capacity, 6), dtype=np.int32), np.zeros(3, dtype=np.int64)
        names = np.empty((len(bounds) + capacity // 16, 3), dtype=np.int64)
        status, blocks, enough = _scan_files(
            buffer.ctypes.data, bounds, *_TABLES, PRESENCE_ONLY, role, out, names, counters
        )
        if enough:
            break
        capacity *= 4
    tokens = Tokens(buffer, *columns_of(out[: counters[_N_OUT]]))
    names = names[: counters[_N_NAMES]]
    return Scanned(tokens, status, blocks, names[:, 0].copy(), names[:, 1].copy())
