"""The space group of every block, looked up once per distinct way of stating it."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.crystal.symbols import axes_of
from xtalpriors.crystal.symmetry import Resolution, SymmetryFailure, resolve_space_group
from xtalpriors.mining.batch import Batch
from xtalpriors.mining.block_cells import BlockCells

__all__ = ["resolve_blocks"]

_Key = tuple[bytes, str | None, str | None, str | None, str]
_CACHE: Final[dict[_Key, Resolution | SymmetryFailure]] = {}
_CACHE_LIMIT: Final = 20_000


def resolve_blocks(
    batch: Batch, cells: BlockCells, blocks: list[int]
) -> dict[int, Resolution | SymmetryFailure]:
    """Space groups of the blocks named.

    The key is the raw bytes of the operator list and of the symbols: tens of thousands of files share a few
    hundred, so most operator lists are never split into strings.
    """
    tokens = batch.tokens
    buffer, hm, hall, number = tokens.buffer, *(batch.block_tokens(n) for n in ("hm", "hall", "sg_number"))
    out: dict[int, Resolution | SymmetryFailure] = {}
    for b in blocks:
        first, last = batch.symop_start[b], batch.symop_start[b + 1]
        rows = batch.symop[first:last, 0]
        raw = b""
        if last > first and rows[0] >= 0 and rows[-1] >= 0:
            raw = buffer[tokens.start[rows[0]] : tokens.end[rows[-1]]].tobytes()
        angles = cells.cells[b, 3:]
        axes = axes_of((float(angles[0]), float(angles[1]), float(angles[2])))
        key = (raw, batch.text(hm[b]), batch.text(hall[b]), batch.text(number[b]), axes)
        found = _CACHE.get(key)
        if found is None:
            found = _resolve(batch, rows, key, angles)
            if len(_CACHE) < _CACHE_LIMIT:
                _CACHE[key] = found
        out[b] = found
    return out


def _resolve(batch: Batch, rows: np.ndarray, key: _Key, angles: np.ndarray) -> Resolution | SymmetryFailure:  # type: ignore[type-arg]
    operators = tuple(text for text in (batch.text(int(t)) for t in rows) if text is not None)
    return resolve_space_group(operators, key[2], key[1], key[3], tuple(float(x) for x in angles))  # type: ignore[arg-type]
