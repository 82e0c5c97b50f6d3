"""A batch of blocks as index tables: for every block and field, for every site and field, which token.

The tables hold token numbers, −1 where a block does not state a field; numbers are parsed once for the
whole batch. Of several tokens that could fill a place the first one that is not null wins, and among
those the tag listed first in `tags.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xtalpriors.mining.numbers import MISSING, parse_numbers
from xtalpriors.mining.tags import (
    ANISO,
    BLOCK_NUMBERS,
    BLOCK_TEXTS,
    PRESENCE,
    SITE_NUMBERS,
    SITE_TEXTS,
    SYMOPS,
)
from xtalpriors.mining.tokens import FIELD_INDEX, FIELDS, NUMERIC_TAG, TAG_FIELD, Tokens

__all__ = ["Batch", "index_batch"]

I32 = npt.NDArray[np.int32]
F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_N_BLOCK: Final = len(BLOCK_NUMBERS) + len(BLOCK_TEXTS) + len(PRESENCE)
_N_SITE: Final = len(SITE_NUMBERS) + len(SITE_TEXTS)
_N_ANISO: Final = len(ANISO)
_SYMOP: Final = FIELD_INDEX["symop"]
_N_SYMOP: Final = len(SYMOPS)


@dataclass(frozen=True, slots=True)
class Batch:
    """Index tables and numbers of a batch.

    Attributes
    ----------
    tokens
        The values.
    null
        (t + 1,) the token is `?`, `.` or empty; the last one stands for the token −1, which is none.
    value, su, kind
        (t + 1,) the token read as a number, see `numbers.parse_numbers`.
    block
        (b, block fields) token number or −1.
    site_start, site
        (b + 1,) first site of each block; (s, site fields) token number or −1.
    aniso_start, aniso
        The same of the tensor loop.
    symop_start, symop
        The same of the operator loop: operators, superspace operators.
    """

    tokens: Tokens
    null: Bool
    value: F64
    su: F64
    kind: npt.NDArray[np.uint8]
    block: I32
    site_start: I32
    site: I32
    aniso_start: I32
    aniso: I32
    symop_start: I32
    symop: I32

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self.block)

    def block_tokens(self, name: str) -> I32:
        """Token of a block field, (b,), −1 where there is none."""
        column: I32 = self.block[:, FIELD_INDEX[name]]
        return column

    def site_tokens(self, name: str) -> I32:
        """Token of a site field, (s,)."""
        column: I32 = self.site[:, FIELD_INDEX[name] - _N_BLOCK]
        return column

    def aniso_tokens(self, name: str) -> I32:
        """Token of a field of the tensor loop, (rows,)."""
        column: I32 = self.aniso[:, FIELD_INDEX[name] - _N_BLOCK - _N_SITE]
        return column

    def numbers(self, tokens: I32) -> F64:
        """Numbers of tokens; NaN where there is no token or no number."""
        found: F64 = self.value[tokens]
        return found

    def stated(self, name: str) -> Bool:
        """(b,) the block states a field, and not as a null."""
        found: Bool = ~self.null[self.block_tokens(name)]
        return found

    def texts(self, tokens: I32) -> pa.Array:
        """Arrow strings of tokens, null where there is no token or it is null."""
        wanted = np.where(self.null[tokens], np.int32(-1), tokens)
        offsets, data = _gather(self.tokens.buffer, self.tokens.start, self.tokens.end, wanted)
        mask = np.packbits(wanted >= 0, bitorder="little")
        return pa.StringArray.from_buffers(
            wanted.size,
            pa.py_buffer(offsets),
            pa.py_buffer(data),
            pa.py_buffer(mask),
            int((wanted < 0).sum()),
        )

    def text(self, token: int) -> str | None:
        """String of one token; None for no token or a null one."""
        if self.null[token]:
            return None
        return self.raw(token)

    def raw(self, token: int) -> str:
        """String of one token, null or not."""
        data = self.tokens.buffer[self.tokens.start[token] : self.tokens.end[token]]
        return data.tobytes().decode("utf-8", "replace")


@numba.njit(cache=True)
def _gather(
    buffer: npt.NDArray[np.uint8], start: npt.NDArray[np.int32], end: npt.NDArray[np.int32], tokens: I32
) -> tuple[I32, npt.NDArray[np.uint8]]:
    offsets = np.zeros(tokens.size + 1, dtype=np.int32)
    for i in range(tokens.size):
        size = end[tokens[i]] - start[tokens[i]] if tokens[i] >= 0 else 0
        offsets[i + 1] = offsets[i] + size
    data = np.empty(max(offsets[-1], 1), dtype=np.uint8)
    for i in range(tokens.size):
        first = start[tokens[i]]
        for j in range(offsets[i + 1] - offsets[i]):
            data[offsets[i] + j] = buffer[first + j]
    return offsets, data


@numba.njit(cache=True)
def _nulls(
    buffer: npt.NDArray[np.uint8], start: npt.NDArray[np.int32], end: npt.NDArray[np.int32], quoted: Bool
) -> Bool:
    null = np.ones(start.size + 1, dtype=np.bool_)
    for i in range(start.size):
        null[i] = False
        first, last = start[i], end[i]
        if quoted[i]:  # '  ' and ' ? ' say nothing either
            while first < last and buffer[first] <= 32:
                first += 1
            while last > first and buffer[last - 1] <= 32:
                last -= 1
        if first == last:
            null[i] = True
        elif last == first + 1:
            null[i] = buffer[first] == 63 or buffer[first] == 46
    return null


@numba.njit(cache=True)
def _row_starts(
    block: I32, tag: npt.NDArray[np.int16], row: I32, field: I32, low: int, high: int, n: int
) -> I32:
    """First row of each block in a table of the fields `low` … `high` − 1: (n + 1,)."""
    rows = np.zeros(n + 1, dtype=np.int32)
    for i in range(block.size):
        if low <= field[tag[i]] < high:
            rows[block[i] + 1] = max(rows[block[i] + 1], row[i] + 1)
    for b in range(n):
        rows[b + 1] += rows[b]
    return rows


@numba.njit(cache=True)
def _fill(
    block: I32,
    tag: npt.NDArray[np.int16],
    row: I32,
    null: Bool,
    field: I32,
    low: int,
    high: int,
    starts: I32,
    per_row: bool,
) -> I32:
    """Table of token numbers (rows, high − low)."""
    table = np.full((starts[-1], high - low), -1, dtype=np.int32)
    for i in range(block.size):
        column = field[tag[i]] - low
        if column < 0 or column >= high - low:
            continue
        line = starts[block[i]] + (row[i] if per_row else 0)
        old = table[line, column]
        if old < 0 or (not null[i] and (null[old] or tag[i] < tag[old])):
            table[line, column] = i
    return table


def index_batch(tokens: Tokens, n_blocks: int) -> Batch:
    """Index tables of a batch of `n_blocks` blocks."""
    null = _nulls(tokens.buffer, tokens.start, tokens.end, tokens.quoted)
    value, su, kind = parse_numbers(tokens.buffer, tokens.start, tokens.end, NUMERIC_TAG[tokens.tag])
    value, su = np.append(value, np.nan), np.append(su, np.nan)
    kind = np.append(kind, np.uint8(MISSING))
    kind[null] = MISSING
    tables = []
    for low, high in (
        (_N_BLOCK, _N_BLOCK + _N_SITE),
        (_SYMOP - _N_ANISO, _SYMOP),
        (_SYMOP, _SYMOP + _N_SYMOP),
    ):
        starts = _row_starts(tokens.block, tokens.tag, tokens.row, TAG_FIELD, low, high, n_blocks)
        table = _fill(tokens.block, tokens.tag, tokens.row, null, TAG_FIELD, low, high, starts, True)
        tables += [starts, table]
    one_each = np.arange(n_blocks + 1, dtype=np.int32)
    block = _fill(tokens.block, tokens.tag, tokens.row, null, TAG_FIELD, 0, _N_BLOCK, one_each, False)
    assert len(FIELDS) == _SYMOP + _N_SYMOP
    return Batch(tokens, null, value, su, kind, block, *tables)
