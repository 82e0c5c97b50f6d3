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

from xtalpriors.mining.tokens import PRESENCE_ONLY, TAG_INDEX, Tokens

__all__ = ["Scanned", "scan"]

Bytes = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
_Columns = tuple[
    npt.NDArray[np.int32], npt.NDArray[np.int16], npt.NDArray[np.int32], I64, I64, npt.NDArray[np.bool_]
]

_FNV_OFFSET: Final = np.uint64(0xCBF29CE484222325)
_FNV_PRIME: Final = np.uint64(0x100000001B3)
_TABLE_SIZE: Final = 2048
_SEEN_SIZE: Final = 8192
_MAX_WIDTH: Final = 512
_PRINTABLE, _BLANK, _ODD = 0, 1, 2


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
    n_blocks: npt.NDArray[np.int32]
    name_start: I64
    name_end: I64


def _hash(tag: str) -> int:
    value = int(_FNV_OFFSET)
    for byte in tag.encode():
        value = ((value ^ byte) * int(_FNV_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value


def _tables() -> tuple[U64, npt.NDArray[np.int16]]:
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


def _byte_classes() -> npt.NDArray[np.uint8]:
    classes = np.full(256, _ODD, dtype=np.uint8)
    classes[33:127] = _PRINTABLE
    classes[[32, 9, 10, 13]] = _BLANK
    return classes


_CLASS: Final = _byte_classes()


@numba.njit(cache=True, forceinline=True)
def _blank(byte: int) -> bool:
    return _CLASS[byte] == _BLANK


@numba.njit(cache=True, forceinline=True)
def _skip_blank(buffer: Bytes, i: int, end: int) -> int:
    """Next position that is neither white space nor in a comment."""
    while i < end:
        byte = buffer[i]
        if _blank(byte):
            i += 1
        elif byte == 35:
            while i < end and buffer[i] != 10 and buffer[i] != 13:
                i += 1
        else:
            break
    return i


@numba.njit(cache=True, forceinline=True)
def _tag_end(buffer: Bytes, i: int, end: int) -> tuple[int, np.uint64]:
    """End of the tag at `i`, and the hash of its normal form; hash 0 for a byte that no tag may have."""
    value = _FNV_OFFSET
    while i < end:
        byte = buffer[i]
        kind = _CLASS[byte]
        if kind != _PRINTABLE:
            if kind == _BLANK:
                break
            return i, np.uint64(0)
        if 65 <= byte <= 90:
            byte |= 32
        elif byte == 46:
            byte = 95
        value = (value ^ np.uint64(byte)) * _FNV_PRIME
        i += 1
    return i, value


@numba.njit(cache=True, forceinline=True)
def _look_up(keys: U64, numbers: npt.NDArray[np.int16], key: np.uint64) -> int:
    slot = np.int64(key % np.uint64(_TABLE_SIZE))
    while keys[slot] != 0:
        if keys[slot] == key:
            return numbers[slot]
        slot = (slot + 1) % _TABLE_SIZE
    return -1


@numba.njit(cache=True, forceinline=True)
def _is_new(seen: U64, stamp: npt.NDArray[np.int64], generation: int, key: np.uint64) -> bool:
    """Whether a hash is new in this generation of the set; also false when the set is full."""
    slot = np.int64(key % np.uint64(_SEEN_SIZE))
    for _ in range(_SEEN_SIZE // 2):
        if stamp[slot] != generation:
            stamp[slot], seen[slot] = generation, key
            return True
        if seen[slot] == key:
            return False
        slot = (slot + 1) % _SEEN_SIZE
    return False


@numba.njit(cache=True, forceinline=True)
def _value_end(buffer: Bytes, i: int, end: int, at_line_start: bool) -> tuple[int, int, int, bool]:
    """Value at `i`: (first byte, one past the last, next position, quoted); next is −1 for what is odd."""
    byte = buffer[i]
    if byte == 59 and at_line_start:
        j = i + 1
        while j < end:
            if buffer[j] == 59 and buffer[j - 1] == 10 and j > i + 1:
                last = j - 1
                if last > i + 1 and buffer[last - 1] == 13:
                    last -= 1
                after = j + 1
                return i + 1, last, after if after >= end or _blank(buffer[after]) else -1, True
            j += 1
        return i, i, -1, True
    if byte == 39 or byte == 34:
        if i + 2 < end and buffer[i + 1] == byte and not _blank(buffer[i + 2]):
            return i, i, -1, True  # triple quotes of CIF 2
        j = i + 1
        while j < end and buffer[j] != 10 and buffer[j] != 13:
            if buffer[j] == byte and (j + 1 >= end or _blank(buffer[j + 1])):
                return i + 1, j, j + 1, True
            j += 1
        return i, i, -1, True
    j = i
    while j < end and _CLASS[buffer[j]] == _PRINTABLE:
        j += 1
    if j < end and _CLASS[buffer[j]] == _ODD:
        return i, i, -1, False
    return i, j, j, False


@numba.njit(cache=True, forceinline=True)
def _word(buffer: Bytes, i: int, end: int, a: int, b: int, c: int, d: int) -> bool:
    """The four letters a b c d, whatever their case, and an underscore at `i`."""
    return (
        end - i >= 5
        and buffer[i + 4] == 95
        and (buffer[i] | 32) == a
        and (buffer[i + 1] | 32) == b
        and (buffer[i + 2] | 32) == c
        and (buffer[i + 3] | 32) == d
    )


@numba.njit(cache=True, forceinline=True)
def _reserved(buffer: Bytes, i: int, end: int) -> int:
    """1 for `data_`, 2 for `loop_`, 3 for a word that the scanner does not handle, else 0."""
    first = buffer[i] | 32
    if first == 100:
        return 1 if _word(buffer, i, end, 100, 97, 116, 97) else 0
    if first == 108:
        return 2 if _word(buffer, i, end, 108, 111, 111, 112) else 0
    if first == 115:
        frame = _word(buffer, i, end, 115, 97, 118, 101) or _word(buffer, i, end, 115, 116, 111, 112)
        return 3 if frame else 0
    if first == 103:  # global_
        return 3 if end - i >= 7 and buffer[i + 6] == 95 and (buffer[i + 1] | 32) == 108 else 0
    return 0


@numba.njit(cache=True)
def _scan_file(
    buffer: Bytes,
    lo: int,
    hi: int,
    keys: U64,
    numbers: npt.NDArray[np.int16],
    once: npt.NDArray[np.bool_],
    seen: U64,
    stamp: npt.NDArray[np.int64],
    generation: int,
    first_block: int,
    out: _Columns,
    n_out: int,
    names: I64,
    n_names: int,
) -> tuple[int, int, int, int]:
    """Scan one file; returns (status, tokens, blocks, generation) after it.

    `out` has the columns of `Tokens`, `names` a row (start, end, hash) per block.
    Status 1 is a file given up, 2 a full `out`.
    """
    columns = np.empty(_MAX_WIDTH, dtype=np.int16)
    block, n_blocks = first_block - 1, 0
    names_generation = generation
    generation += 1
    pending = -2  # tag that waits for its value: −2 none, −1 an unwanted one
    width, n_values = -1, 0  # of the open loop; −1 when there is none
    in_header, wanted = False, False
    i = lo
    while True:
        i = _skip_blank(buffer, i, hi)
        byte = buffer[i] if i < hi else 0
        word = _reserved(buffer, i, hi) if i < hi else 1
        if word == 3:
            return 1, n_out, n_names, generation
        if i >= hi or word > 0 or byte == 95:
            ends_loop = width >= 0 and not (byte == 95 and in_header)
            if ends_loop and (width == 0 or n_values == 0 or n_values % width != 0):
                return 1, n_out, n_names, generation
            if pending != -2:
                return 1, n_out, n_names, generation
            if ends_loop:
                width = -1
            if i >= hi:
                break
        if word == 1:
            start = i + 5
            i = start
            key = _FNV_OFFSET
            while i < hi and not _blank(buffer[i]):
                lower = buffer[i] | 32 if 65 <= buffer[i] <= 90 else buffer[i]
                if lower < 33 or lower > 126:
                    return 1, n_out, n_names, generation
                key = (key ^ np.uint64(lower)) * _FNV_PRIME
                i += 1
            generation += 1
            if i == start or n_names >= names.shape[0]:
                return 1 if i == start else 2, n_out, n_names, generation
            for earlier in range(n_names - n_blocks, n_names):  # a block of the same name: gemmi refuses it
                same = names[earlier, 2] == np.int64(key)
                if same:
                    return 1, n_out, n_names, generation
            names[n_names, 0], names[n_names, 1], names[n_names, 2] = start, i, np.int64(key)
            n_names += 1
            n_blocks += 1
            block += 1
            continue
        if block < first_block:
            return 1, n_out, n_names, generation
        if word == 2:
            if i + 5 < hi and not _blank(buffer[i + 5]):
                return 1, n_out, n_names, generation
            i += 5
            width, n_values, in_header, wanted = 0, 0, True, False
            continue
        if byte == 95:
            i, key = _tag_end(buffer, i, hi)
            if key == 0 or not _is_new(seen, stamp, generation, key):
                return 1, n_out, n_names, generation
            tag = _look_up(keys, numbers, key)
            if width >= 0:
                if width >= _MAX_WIDTH:
                    return 1, n_out, n_names, generation
                columns[width] = tag
                width += 1
                wanted |= tag >= 0
            else:
                pending = tag
            continue
        at_line_start = i == lo or buffer[i - 1] == 10 or buffer[i - 1] == 13
        start, end, i, quoted = _value_end(buffer, i, hi, at_line_start)
        if i < 0:
            return 1, n_out, n_names, generation
        if width >= 0:
            in_header = False
            if width == 0:
                return 1, n_out, n_names, generation
            if not wanted:
                n_values += 1
                continue
            row = n_values // width
            tag = columns[n_values - row * width]
            n_values += 1
            if n_values == width:
                wanted = False
                for k in range(width):
                    wanted |= columns[k] >= 0 and not once[columns[k]]
            if tag >= 0 and row > 0 and once[tag]:
                tag = -1
        elif pending != -2:
            tag, row, pending = pending, 0, -2
        else:
            return 1, n_out, n_names, generation
        if tag >= 0:
            if n_out >= out[0].size:
                return 2, n_out, n_names, generation
            out[0][n_out], out[1][n_out], out[2][n_out] = block, tag, row
            out[3][n_out], out[4][n_out], out[5][n_out] = start, end, quoted
            n_out += 1
    return 0 if n_blocks > 0 and names_generation >= 0 else 1, n_out, n_names, generation


@numba.njit(cache=True)
def _scan_files(
    buffer: Bytes,
    bounds: I64,
    skip: npt.NDArray[np.bool_],
    keys: U64,
    numbers: npt.NDArray[np.int16],
    once: npt.NDArray[np.bool_],
    out: _Columns,
    names: I64,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32], int, int, bool]:
    """Scan files between the bounds; (status, blocks, tokens, names, whether `out` was large enough)."""
    n = bounds.size - 1
    status, blocks = np.ones(n, dtype=np.uint8), np.zeros(n, dtype=np.int32)
    seen, stamp = np.zeros(_SEEN_SIZE, dtype=np.uint64), np.zeros(_SEEN_SIZE, dtype=np.int64)
    n_out, n_names, generation = 0, 0, 1
    for f in range(n):
        if skip[f]:
            continue
        code, n_out_after, n_names_after, generation = _scan_file(
            buffer, bounds[f], bounds[f + 1], keys, numbers, once, seen, stamp, generation + 1,
            n_names, out, n_out, names, n_names,
        )  # fmt: skip
        if code == 2:
            return status, blocks, n_out, n_names, False
        status[f] = code
        if code == 0:
            blocks[f] = n_names_after - n_names
            n_out, n_names = n_out_after, n_names_after
    return status, blocks, n_out, n_names, True


def scan(buffer: Bytes, bounds: I64, skip: npt.NDArray[np.bool_]) -> Scanned:
    """Scan files that lie one after the other in a buffer.

    Parameters
    ----------
    buffer
        Bytes of all files, UTF-8 or ASCII.
    bounds
        (files + 1,) where each begins, and where the last one ends.
    skip
        (files,) not to be looked at; their status is 1.
    """
    capacity = 4096 + buffer.size // 8
    while True:
        out = (
            np.empty(capacity, dtype=np.int32),
            np.empty(capacity, dtype=np.int16),
            np.empty(capacity, dtype=np.int32),
            np.empty(capacity, dtype=np.int64),
            np.empty(capacity, dtype=np.int64),
            np.empty(capacity, dtype=np.bool_),
        )
        names = np.empty((64 + capacity // 8, 3), dtype=np.int64)
        status, blocks, n_out, n_names, enough = _scan_files(
            buffer, bounds, skip, _KEYS, _NUMBERS, PRESENCE_ONLY, out, names
        )
        if enough:
            break
        capacity *= 4
    tokens = Tokens(buffer, *(column[:n_out] for column in out))
    return Scanned(tokens, status, blocks, names[:n_names, 0].copy(), names[:n_names, 1].copy())
