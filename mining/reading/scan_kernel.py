"""The compiled loop of `scan`: follows tags, loops and blocks of a file, and notes its wanted values.

Kernels that call each other for every value stay in this module: from another one numba inlines less, and
the scan takes twice as long.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import I16, I32, I64, U8, U64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at, uncounted
from xtalpriors.mining.reading.characters import (
    LINE_FEED,
    RETURN,
    UNDERSCORE,
    UPPER_D,
)
from xtalpriors.mining.reading.idle_tensors import pass_over_tensors
from xtalpriors.mining.reading.scan_bytes import (
    HEADING,
    LOOP,
    OTHER,
    holds_other_bytes,
    is_blank,
    name_end,
    reserved_word,
    skip_blank,
    skip_plain_values,
    value_end,
)
from xtalpriors.mining.reading.scan_tags import SEEN_SIZE, is_new, look_up
from xtalpriors.mining.reading.tokens import Tokens, uncounted_tokens

__all__ = ["N_NAMES", "N_OUT", "scan_files", "scratch"]

I8 = npt.NDArray[np.int8]

_MAX_WIDTH: Final = 512
_MAX_BLOCKS: Final = 4096
"""Names are compared with each other, so a file of more blocks is left to gemmi."""

_UNDERSTOOD, _GIVEN_UP, _FULL = 0, 1, 2
N_OUT, N_NAMES, _GENERATION = 0, 1, 2
_N_BLOCKS, _PENDING, _WIDTH, _COLUMN, _ROW, _IN_HEADER, _WANTED, _IDLE = range(8)
_STATE_SIZE: Final = 8
"""State of the scan of a file: its blocks, the tag that waits for its value, and the open loop (width −1
when there is none): next column, row, whether tags may still come, whether any of its columns is wanted;
one more than the last block of which tensors were passed over."""
_NO_TAG: Final = -2
"""No tag waits for its value; −1 is one that nobody wants."""


@kernel()
def _begin_block(base: int, i: int, hi: int, first_block: int, names: I64, counters: I64) -> int:
    """Note the block whose heading is at `i`; next position, −1 to give up, or −2 when `names` is full."""
    start = i + 5
    i, key = name_end(base, start, hi, False)
    if i == start or key == 0:
        return -1
    n = counters[N_NAMES]
    if n >= len(names):
        return -2
    if n - first_block >= _MAX_BLOCKS:
        return -1
    for earlier in range(first_block, n):
        if names[earlier, 2] == np.int64(key):  # gemmi refuses two blocks of one name
            return -1
    names[n, 0], names[n, 1], names[n, 2] = start, i, np.int64(key)
    counters[N_NAMES] += 1
    counters[_GENERATION] += 1
    return i


@kernel()
def _drop_presence(columns: I16, width: int, once: Bool) -> bool:
    """After the first row, drop columns of which only the presence matters; whether any column is left."""
    left = False
    for k in range(width):
        if columns[k] >= 0 and once[columns[k]]:
            columns[k] = -1
        left |= columns[k] >= 0
    return left


@kernel()
def _complete(state: I64) -> bool:
    """Whether nothing is left open: no tag waits for its value, and the loop has tags and only whole rows."""
    in_loop = state[_WIDTH] >= 0
    return state[_PENDING] == _NO_TAG and not (in_loop and (state[_IN_HEADER] != 0 or state[_COLUMN] != 0))


@kernel()
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
        first_block = counters[N_NAMES] - state[_N_BLOCKS] + 1
        return int(_begin_block(base, i, hi, first_block, names, counters))
    if state[_N_BLOCKS] == 0:
        return -1
    if word == LOOP:
        state[_WIDTH], state[_COLUMN], state[_ROW] = 0, 0, 0
        state[_IN_HEADER], state[_WANTED] = 1, 0
        i += 5
        return i if i >= hi or is_blank(byte_at(base + i)) else -1
    i, key = name_end(base, i, hi, True)
    if key == 0 or state[_WIDTH] >= _MAX_WIDTH or not is_new(seen, counters[_GENERATION], key):
        return -1
    tag = look_up(tables[0], tables[1], key)
    if state[_WIDTH] >= 0:
        columns[state[_WIDTH]] = tag
        state[_WIDTH] += 1
        state[_WANTED] |= tag >= 0
    else:
        state[_PENDING] = tag
    return i


@kernel(error_model="numpy")
def _scan_file(
    base: int,
    lo: int,
    hi: int,
    tables: tuple[U64, I16],
    once: Bool,
    role: I8,
    seen: U64,
    columns: I16,
    state: I64,
    out: Tokens,
    names: I64,
    counters: I64,
) -> int:
    """Scan the bytes `lo` … `hi`: `_UNDERSTOOD`, `_GIVEN_UP`, or `_FULL` where `out` or `names` is too small.

    `out` has room for the tokens, `names` gets (start, end, hash) for each block.
    """
    state[:] = 0
    state[_PENDING], state[_WIDTH] = _NO_TAG, -1
    n_out, i = counters[N_OUT], skip_blank(base, lo, hi)
    while i < hi:
        byte = byte_at(base + i)
        word = reserved_word(base, i, hi) if byte >= UPPER_D else 0  # they begin with a letter from D on
        if word > 0 or byte == UNDERSCORE:
            i = _word_or_tag(base, i, hi, word, tables, seen, state, columns, names, counters)
            if i < 0:
                return _GIVEN_UP if i == -1 else _FULL
            i = skip_blank(base, i, hi)
            continue
        at_line_start = i == lo or byte_at(base + i - 1) == LINE_FEED or byte_at(base + i - 1) == RETURN
        start, end, i, quoted = value_end(base, i, hi, at_line_start)
        width, tag, row = state[_WIDTH], state[_PENDING], 0
        if i < 0 or width == 0 or (width < 0 and tag == _NO_TAG):
            return _GIVEN_UP
        state[_PENDING] = _NO_TAG
        if width > 0:
            if state[_IN_HEADER] and state[_WANTED]:
                block = counters[N_NAMES] - 1
                state[_WANTED], state[_IDLE] = pass_over_tensors(
                    base, columns, width, role, out, n_out, block, state[_IDLE]
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
                if i < 0:
                    return _GIVEN_UP
            state[_COLUMN] = column + 1 if column + 1 < width and n == 0 else (column + 1 + n) % width
        if tag >= 0:
            if n_out >= len(out.tag):
                return _FULL
            out.block[n_out], out.tag[n_out], out.row[n_out] = counters[N_NAMES] - 1, tag, row
            out.start[n_out], out.end[n_out], out.quoted[n_out] = start, end, quoted
            n_out += 1
        i = skip_blank(base, i, hi)
    if state[_N_BLOCKS] == 0 or not _complete(state):
        return _GIVEN_UP
    counters[N_OUT] = n_out
    return _UNDERSTOOD


def scratch() -> tuple[U64, I16, I64]:
    """Working memory of `scan_files`: the names a block has had, columns of a loop, state of a file."""
    seen = np.zeros((SEEN_SIZE, 2), dtype=np.uint64)
    return seen, np.empty(_MAX_WIDTH, dtype=np.int16), np.empty(_STATE_SIZE, dtype=np.int64)


@kernel()
def scan_files(
    addresses: I64,
    sizes: I64,
    only_ascii: bool,
    keys: U64,
    numbers: I16,
    once: Bool,
    role: I8,
    out: Tokens,
    names: I64,
    counters: I64,
    seen: U64,
    columns: I16,
    state: I64,
) -> tuple[U8, I32, I64, bool]:
    """Scan files at addresses; a negative size is that of a file to give up.

    Returns status and blocks of each, its first token (files + 1,), and whether `out` was large enough. The
    last three arguments are `scratch`, made by the caller: `uncounted` keeps no array of this function alive.
    """
    n = sizes.size
    status, blocks = np.ones(n, dtype=np.uint8), np.zeros(n, dtype=np.int32)
    first = np.zeros(n + 1, dtype=np.int64)
    tables_of = (uncounted(keys), uncounted(numbers))
    views = (uncounted(once), uncounted(role), uncounted(seen), uncounted(columns), uncounted(state))
    views_of_output = (uncounted_tokens(out), uncounted(names), uncounted(counters))
    for f in range(n):
        before = counters[N_NAMES]
        counters[_GENERATION] += 1
        code = _GIVEN_UP
        if sizes[f] >= 0 and not (only_ascii and holds_other_bytes(addresses[f], sizes[f])):
            code = _scan_file(addresses[f], 0, sizes[f], tables_of, *views, *views_of_output)
        if code == _FULL:
            return status, blocks, first, False
        status[f] = code
        if code == _UNDERSTOOD:
            blocks[f] = counters[N_NAMES] - before
        else:
            counters[N_NAMES] = before
        first[f + 1] = counters[N_OUT]
    return status, blocks, first, True
