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
_UPRIGHT: Final = axes_of((90.0, 90.0, 90.0))


def resolve_blocks(
    batch: Batch, cells: BlockCells, blocks: list[int]
) -> dict[int, Resolution | SymmetryFailure]:
    """Space groups of the blocks named.

    The key is the raw bytes of the operator list and of the symbols: tens of thousands of files share a few
    hundred, so most operator lists are never split into strings. A modulated structure without a list of
    its average structure's operators is given that part of its superspace operators or symbol.
    """
    tokens = batch.tokens
    hm, hall, number = (batch.texts(batch.block_tokens(n)).to_pylist() for n in ("hm", "hall", "sg_number"))
    starts, angles = batch.symop_start.tolist(), cells.cells[:, 3:].tolist()
    superspace = batch.stated("superspace")
    out: dict[int, Resolution | SymmetryFailure] = {}
    for b in blocks:
        rows = batch.symop[starts[b] : starts[b + 1]]
        operators = rows[:, 0] if len(rows) == 0 or rows[0, 0] >= 0 else rows[:, 1]
        raw = b""
        if len(operators) and operators[0] >= 0 and operators[-1] >= 0:
            raw = tokens.buffer[tokens.start[operators[0]] : tokens.end[operators[-1]]].tobytes()
        elif len(operators):
            raw = "\n".join(batch.text(t) or "?" for t in operators.tolist()).encode()
        symbol = hm[b]
        if symbol is None and superspace[b] and not raw:
            symbol = (batch.text(int(batch.block_tokens("superspace")[b])) or "").split("(")[0] or None
        alpha, beta, gamma = angles[b]
        upright = alpha == beta == gamma == 90.0  # the commonest answer, which needs no question
        key = (raw, symbol, hall[b], number[b], _UPRIGHT if upright else axes_of((alpha, beta, gamma)))
        found = _CACHE.get(key)
        if found is None:
            found = _resolve(batch, operators.tolist(), key, (alpha, beta, gamma))
            if len(_CACHE) < _CACHE_LIMIT:
                _CACHE[key] = found
        out[b] = found
    return out


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
