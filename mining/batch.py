"""A batch of blocks as index tables: for every block and field, for every site and field, which token.

The tables hold token numbers, −1 where a block does not state a field; numbers are parsed once for the
whole batch. Of several tokens that could fill a place the first one that is not null wins, and among
those the tag listed first in `tags.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
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
from xtalpriors.mining.tokens import FIELD_INDEX, NUMERIC_TAG, TAG_FIELD, Tokens

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
    block: I32, tag: npt.NDArray[np.int16], row: I32, table_of_tag: I32, n_tables: int, n_blocks: int
) -> I32:
    """First row of each block in each table with rows: (n_tables, n_blocks + 1)."""
    rows = np.zeros((n_tables, n_blocks + 1), dtype=np.int32)
    for i in range(block.size):
        table = table_of_tag[tag[i]]
        if table > 0 and row[i] >= rows[table - 1, block[i] + 1]:
            rows[table - 1, block[i] + 1] = row[i] + 1
    for table in range(n_tables):
        for b in range(n_blocks):
            rows[table, b + 1] += rows[table, b]
    return rows


@numba.njit(cache=True)
def _fill(
    block: I32,
    tag: npt.NDArray[np.int16],
    row: I32,
    null: Bool,
    table_of_tag: I32,
    column_of_tag: I32,
    starts: I32,
    first: I32,
    width: I32,
    flat: I32,
) -> None:
    """Enter every token into its table; the tables lie one after the other in `flat`."""
    for i in range(block.size):
        table = table_of_tag[tag[i]]
        line = block[i] if table == 0 else starts[table - 1, block[i]] + row[i]
        place = first[table] + line * width[table] + column_of_tag[tag[i]]
        old = flat[place]
        if old < 0 or (not null[i] and (null[old] or tag[i] < tag[old])):
            flat[place] = i


@numba.njit(cache=True)
def _needed(
    block: I32,
    tag: npt.NDArray[np.int16],
    row: I32,
    start: I32,
    end: I32,
    role: npt.NDArray[np.int8],
    n_blocks: int,
) -> I32:
    """Tokens but for the tensors (role 3) of blocks where each site (1) has a U (2) with a value."""
    sites, displacements = np.zeros(n_blocks, dtype=np.int32), np.zeros(n_blocks, dtype=np.int32)
    for i in range(block.size):
        if role[tag[i]] == 1:
            sites[block[i]] = max(sites[block[i]], row[i] + 1)
        elif role[tag[i]] == 2 and end[i] - start[i] > 1:  # longer than `?`
            displacements[block[i]] += 1
    keep = np.empty(block.size, dtype=np.int32)
    n = 0
    for i in range(block.size):
        if role[tag[i]] != 3 or displacements[block[i]] < sites[block[i]]:
            keep[n] = i
            n += 1
    return keep[:n]


def without_idle_tensors(tokens: Tokens, n_blocks: int) -> Tokens:
    """The tokens without the tensors of blocks in which every site has an isotropic value.

    Tensors are read for U_eq alone, so in most files they are half of the tokens, and of no use.
    """
    t = tokens
    keep = _needed(t.block, t.tag, t.row, t.start, t.end, _ROLE_OF_TAG, n_blocks)
    columns = (t.block, t.tag, t.row, t.start, t.end, t.quoted)
    return t if len(keep) == len(t.tag) else Tokens(t.buffer, *(column.take(keep) for column in columns))


def _roles() -> npt.NDArray[np.int8]:
    """Of each tag: 1 label of a site, 2 its U, 3 tensor, 0 anything else."""
    role = np.zeros(len(TAG_FIELD), dtype=np.int8)
    for number, fields in ((1, ("label", "x")), (2, ("u_iso",)), (3, tuple(ANISO))):
        role[np.isin(TAG_FIELD, [FIELD_INDEX[name] for name in fields])] = number
    return role


_ROLE_OF_TAG: Final = _roles()


def _tag_tables() -> tuple[I32, I32]:
    """Table (0 block, 1 site, 2 tensor, 3 operator) and column of each tag."""
    firsts = np.array([0, _N_BLOCK, _N_BLOCK + _N_SITE, _SYMOP], dtype=np.int32)
    table = (np.searchsorted(firsts, TAG_FIELD, side="right") - 1).astype(np.int32)
    column: I32 = TAG_FIELD - firsts[table]
    return table, column


_TABLE_OF_TAG, _COLUMN_OF_TAG = _tag_tables()


def index_batch(tokens: Tokens, n_blocks: int) -> Batch:
    """Index tables of a batch of `n_blocks` blocks."""
    if tokens.block.size and not 0 <= tokens.block.min() <= tokens.block.max() < n_blocks:
        raise ValueError("tokens of blocks that are not in the batch")  # the kernels check no bounds
    t = without_idle_tensors(tokens, n_blocks)
    null = _nulls(t.buffer, t.start, t.end, t.quoted)
    value, su, kind = parse_numbers(t.buffer, t.start, t.end, NUMERIC_TAG[t.tag])
    value, su = np.append(value, np.nan), np.append(su, np.nan)
    kind = np.append(kind, np.uint8(MISSING))
    kind[null] = MISSING
    starts = _row_starts(t.block, t.tag, t.row, _TABLE_OF_TAG, 3, n_blocks)
    shapes = [(n_blocks, _N_BLOCK)]
    shapes += [(int(s[-1]), w) for s, w in zip(starts, (_N_SITE, _N_ANISO, _N_SYMOP), strict=True)]
    first = np.cumsum([0, *(rows * width for rows, width in shapes)]).astype(np.int32)
    width = np.array([width for _, width in shapes], dtype=np.int32)
    flat = np.full(first[-1], -1, dtype=np.int32)
    _fill(t.block, t.tag, t.row, null, _TABLE_OF_TAG, _COLUMN_OF_TAG, starts, first, width, flat)
    block, site, aniso, symop = (
        flat[a:b].reshape(shape) for (a, b), shape in zip(pairwise(first), shapes, strict=True)
    )
    return Batch(t, null, value, su, kind, block, starts[0], site, starts[1], aniso, starts[2], symop)
