"""The space group of every block, looked up once per distinct way of stating it."""

from __future__ import annotations

from typing import Final

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
    buffer = tokens.buffer
    hm, hall, number = (batch.texts(batch.block_tokens(n)).to_pylist() for n in ("hm", "hall", "sg_number"))
    starts, angles = batch.symop_start.tolist(), cells.cells[:, 3:].tolist()
    symops = batch.symop[:, 0]
    first_byte, last_byte = tokens.start, tokens.end
    out: dict[int, Resolution | SymmetryFailure] = {}
    for b in blocks:
        first, last = starts[b], starts[b + 1]
        raw = b""
        if last > first and symops[first] >= 0 and symops[last - 1] >= 0:
            raw = buffer[first_byte[symops[first]] : last_byte[symops[last - 1]]].tobytes()
        alpha, beta, gamma = angles[b]
        key = (raw, hm[b], hall[b], number[b], axes_of((alpha, beta, gamma)))
        found = _CACHE.get(key)
        if found is None:
            found = _resolve(batch, symops[first:last].tolist(), key, (alpha, beta, gamma))
            if len(_CACHE) < _CACHE_LIMIT:
                _CACHE[key] = found
        out[b] = found
    return out


def _resolve(
    batch: Batch, rows: list[int], key: _Key, angles: tuple[float, float, float]
) -> Resolution | SymmetryFailure:
    operators = tuple(text for text in map(batch.text, rows) if text is not None)
    return resolve_space_group(operators, key[2], key[1], key[3], angles)
