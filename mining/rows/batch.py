"""`Batch`: tables that say which token holds each field of each block, and each field of each site.

The tables hold token numbers, −1 where a block does not state a field. They lie in memory field by field,
because they are asked for one field of all blocks or sites. Numbers are parsed once for the whole batch. Of
several tokens that could fill a place the first one that is not null wins, and among those the tag listed
first in `tags.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import F64, I32, I64, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at
from xtalpriors.mining.reading.characters import (
    BLANK,
    POINT,
    QUESTION_MARK,
)
from xtalpriors.mining.reading.idle_tensors import TAG_ROLE, idle_blocks
from xtalpriors.mining.reading.numbers import MISSING, NUMBER, TEXT, parse_number
from xtalpriors.mining.reading.second_reading import read_again
from xtalpriors.mining.reading.tags import (
    ANISO,
    BLOCK_NUMBERS,
    BLOCK_TEXTS,
    PRESENCE,
    SITE_NUMBERS,
    SITE_TEXTS,
    SYMOPS,
)
from xtalpriors.mining.reading.tokens import FIELD_INDEX, NUMERIC_TAG, TAG_FIELD, TAG_SCALE, Tokens
from xtalpriors.mining.rows.arrow import strings

__all__ = ["Batch", "index_batch"]


_N_BLOCK: Final = len(BLOCK_NUMBERS) + len(BLOCK_TEXTS) + len(PRESENCE)
_N_SITE: Final = len(SITE_NUMBERS) + len(SITE_TEXTS)
_SYMOP: Final = FIELD_INDEX["symop"]
_WIDTHS: Final = (_N_BLOCK, _N_SITE, len(ANISO), len(SYMOPS))
TENSOR_TABLE: Final = 2
IN_OTHER_UNIT: Final = 2
_NUMERIC: Final[U8] = (NUMERIC_TAG * (1 + (TAG_SCALE != (1.0, 0.0)).any(axis=1))).astype(np.uint8)
"""Of each tag: 0 text, 1 number, 2 number in another unit than the field's."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Index tables and numbers of a batch.

    Attributes
    ----------
    tokens
        The values.
    null
        (t + 1,) the token is `?`, `.` or empty; the last one stands for −1, a missing token.
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
    notes
        How numbers of unusual spelling were read, by block.
    """

    tokens: Tokens
    null: Bool
    value: F64
    su: F64
    kind: U8
    block: I32
    site_start: I32
    site: I32
    aniso_start: I32
    aniso: I32
    symop_start: I32
    symop: I32
    notes: dict[int, list[str]]

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

    def with_sites_of(self, blocks: list[int]) -> tuple[Batch, I64]:
        """The batch with the sites of these blocks alone, and the places (r,) of these sites in this one."""
        sizes = np.diff(self.site_start)
        chosen = np.zeros(self.n_blocks, dtype=np.bool_)
        chosen[blocks] = True
        rows = np.flatnonzero(np.repeat(chosen, sizes))
        start = np.concatenate([[0], np.cumsum(np.where(chosen, sizes, 0))]).astype(np.int32)
        return replace(self, site_start=start, site=self.site.T[:, rows].T), rows

    def stated(self, name: str) -> Bool:
        """(b,) the block states a field, and not as a null."""
        found: Bool = ~self.null[self.block_tokens(name)]
        return found

    def texts(self, tokens: I32) -> pa.Array:
        """Arrow strings of tokens, null where there is no token or it is null."""
        return strings(self.tokens.buffer, self.tokens.start, self.tokens.end, self.null, tokens)

    def text(self, token: int) -> str | None:
        """String of one token; None for no token or a null one."""
        if self.null[token]:
            return None
        return self.raw(token)

    def raw(self, token: int) -> str:
        """String of one token, null or not."""
        data = self.tokens.buffer[self.tokens.start[token] : self.tokens.end[token]]
        return data.tobytes().decode("utf-8", "replace")


@kernel()
def _is_null(base: int, first: int, last: int, quoted: bool) -> bool:
    if quoted:  # '  ' and ' ? ' say nothing either
        while first < last and byte_at(base + first) <= BLANK:
            first += 1
        while last > first and byte_at(base + last - 1) <= BLANK:
            last -= 1
    return first == last or (
        last == first + 1 and (byte_at(base + first) == QUESTION_MARK or byte_at(base + first) == POINT)
    )


@kernel()
def _read(
    base: int, tokens: Tokens, numeric: U8, scale: F64, table_of_tag: I32, idle: Bool
) -> tuple[Bool, F64, F64, U8, I32, I32]:
    """Nulls and numbers of the tokens and of the token −1; rows by table (1 …) and block, shifted by one.

    The last are the tokens that should be numbers and are not to their end.
    """
    block, tag, row = tokens.block, tokens.tag, tokens.row
    start, end, quoted = tokens.start, tokens.end, tokens.quoted
    n = block.size
    null, value, su = np.ones(n + 1, dtype=np.bool_), np.full(n + 1, np.nan), np.full(n + 1, np.nan)
    kind = np.full(n + 1, np.uint8(MISSING))
    rows = np.zeros((3, idle.size + 1), dtype=np.int32)
    odd, n_odd = np.empty(n, dtype=np.int32), 0
    for i in range(n):
        table = table_of_tag[tag[i]]
        if table == TENSOR_TABLE and idle[block[i]]:
            continue
        if table > 0 and row[i] >= rows[table - 1, block[i] + 1]:
            rows[table - 1, block[i] + 1] = row[i] + 1
        null[i] = _is_null(base, start[i], end[i], quoted[i])
        if not null[i]:
            kind[i] = TEXT
            if numeric[tag[i]] > 0:
                value[i], su[i], kind[i] = parse_number(base, start[i], end[i])
                if numeric[tag[i]] == IN_OTHER_UNIT:
                    value[i] = value[i] * scale[tag[i], 0] + scale[tag[i], 1]
                    su[i] *= scale[tag[i], 0]
                if kind[i] != NUMBER:
                    odd[n_odd] = i
                    n_odd += 1
    return null, value, su, kind, rows, odd[:n_odd].copy()


@kernel()
def _fill(
    tokens: Tokens,
    null: Bool,
    idle: Bool,
    table_of_tag: I32,
    column_of_tag: I32,
    starts: I32,
    first: I32,
    lines: I32,
    flat: I32,
) -> None:
    """Enter every token into its table; the tables lie one after the other in `flat`, column by column."""
    block, tag, row = tokens.block, tokens.tag, tokens.row
    for i in range(block.size):
        table = table_of_tag[tag[i]]
        if table == TENSOR_TABLE and idle[block[i]]:
            continue
        line = block[i] if table == 0 else starts[table - 1, block[i]] + row[i]
        place = first[table] + column_of_tag[tag[i]] * lines[table] + line
        old = flat[place]
        if old < 0 or (not null[i] and (null[old] or tag[i] < tag[old])):
            flat[place] = i


def _tag_tables() -> tuple[I32, I32]:
    """Table (0 block, 1 site, 2 tensor, 3 operator) and column of each tag."""
    firsts = np.array([0, _N_BLOCK, _N_BLOCK + _N_SITE, _SYMOP], dtype=np.int32)
    table = (np.searchsorted(firsts, TAG_FIELD, side="right") - 1).astype(np.int32)
    column: I32 = TAG_FIELD - firsts[table]
    return table, column


_TABLE_OF_TAG, _COLUMN_OF_TAG = _tag_tables()


def index_batch(tokens: Tokens, n_blocks: int) -> Batch:
    """Index tables of a batch of `n_blocks` blocks; of idle tensors nothing is entered."""
    t = tokens
    if t.block.size and not 0 <= t.block.min() <= t.block.max() < n_blocks:
        raise ValueError("tokens of blocks that are not in the batch")  # the kernels check no bounds
    if t.start.size and (t.start.min() < 0 or t.end.max() > t.buffer.size):
        raise ValueError("tokens outside the buffer")
    idle = idle_blocks(t.buffer.ctypes.data, t, TAG_ROLE, n_blocks)
    null, value, su, kind, rows, odd = _read(
        t.buffer.ctypes.data, t, _NUMERIC, TAG_SCALE, _TABLE_OF_TAG, idle
    )
    notes = read_again(t, odd, value, su, kind)
    starts = np.cumsum(rows, axis=1, dtype=np.int32)
    lines = np.array([n_blocks, *starts[:, -1]], dtype=np.int32)
    first = np.cumsum([0, *(lines * _WIDTHS)], dtype=np.int32)
    flat = np.full(first[-1], -1, dtype=np.int32)
    _fill(t, null, idle, _TABLE_OF_TAG, _COLUMN_OF_TAG, starts, first, lines, flat)
    block, site, aniso, symop = (
        flat[a:b].reshape(width, n).T
        for (a, b), width, n in zip(pairwise(first), _WIDTHS, lines, strict=True)
    )
    return Batch(t, null, value, su, kind, block, starts[0], site, starts[1], aniso, starts[2], symop, notes)
