"""The space group of every block, looked up once per distinct way of stating it."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.resolve import Resolution, SymmetryFailure, resolve_space_group
from xtalpriors.crystal.symmetry.symbols import ANGLE_TOLERANCE_DEGREE, axes_of
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.block_cells import BlockCells

__all__ = ["resolve_blocks"]

_Key = tuple[bytes, str | None, str | None, str | None, str]
_CACHE: Final[dict[_Key, Resolution | SymmetryFailure]] = {}
_CACHE_LIMIT: Final = 20_000


def resolve_blocks(
    batch: Batch, cells: BlockCells, blocks: list[int]
) -> dict[int, Resolution | SymmetryFailure]:
    """Space groups of the blocks named.

    The key is the raw bytes of the operator list and of the symbols: tens of thousands of files share a few
    hundred, so most operator lists are never split into strings. A modulated structure without a list of
    its average structure's operators is given that part of its superspace operators or symbol.
    """
    hm, hall, number = (batch.texts(batch.block_tokens(n)).to_pylist() for n in ("hm", "hall", "sg_number"))
    angles = cells.cells[:, 3:]
    axes, angles_of = _axes(angles), angles.tolist()
    superspace = batch.stated("superspace")
    first, last = (part.tolist() for part in _operator_spans(batch))
    view = batch.tokens.buffer.data
    out: dict[int, Resolution | SymmetryFailure] = {}
    for b in blocks:
        raw = b""
        if last[b] > 0:
            raw = view[first[b] : last[b]].tobytes()
        elif last[b] < 0:
            raw = "\n".join(batch.text(t) or "?" for t in _operators(batch, b)).encode()
        symbol = hm[b]
        if symbol is None and superspace[b] and not raw:
            symbol = (batch.text(int(batch.block_tokens("superspace")[b])) or "").split("(")[0] or None
        key = (raw, symbol, hall[b], number[b], axes[b])
        found = _CACHE.get(key)
        if found is None:
            found = _resolve(batch, _operators(batch, b), key, tuple(angles_of[b]))
            if len(_CACHE) < _CACHE_LIMIT:
                _CACHE[key] = found
        out[b] = found
    return out


def _axes(angles: F64) -> list[str]:
    """`axes_of` every cell; the commonest answers need no question."""
    oblique = ~(np.abs(angles - 90.0) <= ANGLE_TOLERANCE_DEGREE)
    codes = (oblique @ np.array([1, 2, 4])).tolist()
    return [
        ("", "a", "b")[code] if code < 3 else axes_of(tuple(of))
        for code, of in zip(codes, angles.tolist(), strict=True)
    ]


def _operators(batch: Batch, block: int) -> list[int]:
    """Tokens of a block's operators, those in superspace where there are no others."""
    rows = batch.symop[batch.symop_start[block] : batch.symop_start[block + 1]]
    column: list[int] = (rows[:, 0] if len(rows) == 0 or rows[0, 0] >= 0 else rows[:, 1]).tolist()
    return column


def _operator_spans(batch: Batch) -> tuple[I64, I64]:
    """(b,) where the text of a block's operators begins and ends; 0 and 0 for none.

    The end is −1 where the first or the last of them is missing, so that there is no such span.
    """
    first, last = np.zeros(batch.n_blocks, dtype=np.int64), np.zeros(batch.n_blocks, dtype=np.int64)
    some = np.flatnonzero(np.diff(batch.symop_start) > 0)
    top, bottom = batch.symop[batch.symop_start[some]], batch.symop[batch.symop_start[some + 1] - 1]
    column = np.where(top[:, 0] >= 0, 0, 1)
    lines = np.arange(len(some))
    top, bottom = top[lines, column], bottom[lines, column]
    whole = (top >= 0) & (bottom >= 0)
    first[some] = np.where(whole, batch.tokens.start[top], 0)
    last[some] = np.where(whole, batch.tokens.end[bottom], -1)
    return first, last


def _resolve(
    batch: Batch, rows: list[int], key: _Key, angles: tuple[float, float, float]
) -> Resolution | SymmetryFailure:
    operators = tuple(_average(text) for text in map(batch.text, rows) if text is not None)
    return resolve_space_group(operators, key[2], key[1], key[3], angles)


def _average(operator: str) -> str:
    """The first three components of a superspace operator (`x1,x2,x3,x4+1/2`); others are left alone."""
    if "x4" not in operator and "t" not in operator:
        return operator
    parts = operator.split(",")[:3]
    return ",".join(part.replace("x1", "x").replace("x2", "y").replace("x3", "z") for part in parts)
