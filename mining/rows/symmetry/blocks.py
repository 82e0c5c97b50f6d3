"""The space group of every block, looked up once per distinct way of stating it."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.declared import read_declared
from xtalpriors.crystal.symmetry.resolve import Reading, SymmetryFailure, agreement, first_reading
from xtalpriors.crystal.symmetry.symbols import ANGLE_TOLERANCE_DEGREE, axes_of
from xtalpriors.crystal.symmetry.triplets import TripletError, compose, format_triplet, parse_triplet
from xtalpriors.mining.reading.tokens import TAG_INDEX
from xtalpriors.mining.rows.batch import Batch

__all__ = ["axes_of_cells", "resolve_blocks"]

_Key = tuple[bytes, str | None, str | None, str | None, str | None, str, str | None]
_CACHE: Final[dict[_Key, Reading]] = {}
_CACHE_LIMIT: Final = 20_000
_ORDINARY, _SUPERSPACE, _MAGNETIC, _CENTRING = range(4)
"""Columns of the operator loop, in the order of `tags.SYMOPS`."""
_SYMBOLS: Final = tuple(
    TAG_INDEX[tag] for tag in ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m")
)
"""Tags of one thing, of which many files have both; `_space_group_name_H-M_ref` is another setting."""
_NO_LIST: Final = "a magnetic structure without a list of operators: its family may have another cell"


def resolve_blocks(batch: Batch, axes: list[str], blocks: list[int]) -> dict[int, Reading]:
    """What the blocks named say of their space groups; `axes` of each block's cell, from `axes_of`.

    The key is the raw bytes of the operator list and of the symbols: tens of thousands of files share a few
    hundred, so most operator lists are never split into strings. A modulated structure without a list of
    its average structure's operators is given that part of its superspace operators or symbol, a magnetic
    one the operators of its crystal structure.
    """
    fields = ("hm", "hall", "sg_number", "coordinate_code")
    hm, hall, number, code = (batch.texts(batch.block_tokens(n)).to_pylist() for n in fields)
    superspace, magnetic = (batch.stated(name).tolist() for name in ("superspace", "magnetic"))
    magnetic_list, others = _blocks_with(batch, _MAGNETIC), _other_symbols(batch)
    first, last = (part.tolist() for part in _operator_spans(batch))
    view = batch.tokens.buffer.data
    out: dict[int, Reading] = {}
    for b in blocks:
        if b in magnetic_list:
            out[b] = _of_magnetic(batch, b, axes[b])
            continue
        raw = b""
        if last[b] > 0:
            raw = view[first[b] : last[b]].tobytes()
        elif last[b] < 0:
            raw = "\n".join(batch.text(t) or "?" for t in _operators(batch, b)).encode()
        if magnetic[b] and not raw:
            out[b] = _no_magnetic_group(_NO_LIST)
            continue
        symbol = hm[b]
        if symbol is None and superspace[b] and not raw:
            symbol = (batch.text(int(batch.block_tokens("superspace")[b])) or "").split("(")[0] or None
        other = others.get(b)
        other = None if other == symbol else other
        key = (raw, symbol, hall[b], number[b], code[b], axes[b], other)
        found = _CACHE.get(key)
        if found is None:
            operators = tuple(_average(text) for text in map(batch.text, _operators(batch, b)) if text)
            found = first_reading(operators, hall[b], symbol, number[b], axes[b], code[b])
            if other is not None:
                found = _beside(found, other, code[b])
            if len(_CACHE) < _CACHE_LIMIT:
                _CACHE[key] = found
        out[b] = found
    return out


def _other_symbols(batch: Batch) -> dict[int, str]:
    """The older of two Hermann–Mauguin symbols of a block that has both."""
    first, second = (np.flatnonzero(batch.tokens.tag == tag) for tag in _SYMBOLS)
    block = batch.tokens.block
    second = second[np.isin(block[second], block[first])]
    texts = batch.texts(second.astype(np.int32)).to_pylist()
    return {b: text for b, text in zip(block[second].tolist(), texts, strict=True) if text is not None}


def _beside(reading: Reading, symbol: str, code: str | None) -> Reading:
    """A reading beside a second symbol: another group, or without a list another setting, disagrees."""
    answer = reading.answer
    if isinstance(answer, SymmetryFailure):
        return reading
    second = agreement(answer.group, read_declared(None, symbol, None, reading.declared.axes, code))
    if second == "disagree" or (second == "setting" and not reading.operators):
        return reading._replace(answer=answer._replace(agreement="disagree"))
    return reading


def axes_of_cells(cells: F64) -> list[str]:
    """`axes_of` every cell (b, 6); the commonest answers need no question."""
    angles = cells[:, 3:]
    oblique = ~(np.abs(angles - 90.0) <= ANGLE_TOLERANCE_DEGREE)
    codes = (oblique @ np.array([1, 2, 4])).tolist()
    return [
        ("o", "a", "b")[code] if code < 3 else axes_of(tuple(of))
        for code, of in zip(codes, angles.tolist(), strict=True)
    ]


def _blocks_with(batch: Batch, column: int) -> frozenset[int]:
    """Blocks whose operator loop has a column."""
    rows = np.flatnonzero(batch.symop[:, column] >= 0)
    return frozenset(batch.tokens.block[batch.symop[rows, column]].tolist())


def _column(batch: Batch, block: int, column: int) -> list[int]:
    """Tokens of a column of a block's operator loop, without missing ones at its end."""
    rows = batch.symop[batch.symop_start[block] : batch.symop_start[block + 1], column]
    used = np.flatnonzero(rows >= 0)
    tokens: list[int] = rows[: used[-1] + 1].tolist() if used.size else []
    return tokens


def _operators(batch: Batch, block: int) -> list[int]:
    """Tokens of a block's operators, those in superspace where there are no others."""
    return _column(batch, block, _ORDINARY) or _column(batch, block, _SUPERSPACE)


def _of_magnetic(batch: Batch, block: int, axes: str) -> Reading:
    """Group of the crystal structure: the magnetic operators times the centrings, time reversal left out.

    A translation that reverses the moments leaves the atoms what they are, so it is a centring here.
    """
    operators, centrings = (
        [_first_three(batch.text(t) or "?") for t in _column(batch, block, column)]
        for column in (_MAGNETIC, _CENTRING)
    )
    try:
        shifts = [parse_triplet(text) for text in centrings or ["x,y,z"]]
        listed = [format_triplet(compose(s, parse_triplet(text))) for text in operators for s in shifts]
    except TripletError as error:
        return _no_magnetic_group(f"operator of a magnetic structure: {error}")
    found = first_reading(tuple(listed), None, None, None, axes, None)
    if isinstance(found.answer, SymmetryFailure):
        return _no_magnetic_group(f"operators of a magnetic structure: {found.answer.detail}")
    noted = found.answer._replace(notes=(*found.answer.notes, "magnetic-operators"))
    return found._replace(answer=noted)


def _no_magnetic_group(detail: str) -> Reading:
    """A magnetic structure without usable operators."""
    nothing = read_declared(None, None, None, "", None)
    return Reading(SymmetryFailure("magnetic", detail), (), nothing, frozenset())


def _operator_spans(batch: Batch) -> tuple[I64, I64]:
    """(b,) where the text of a block's operators begins and ends; 0 and 0 for none.

    The end is −1 where the first or the last of them is missing, so that there is no such span.
    """
    first, last = np.zeros(batch.n_blocks, dtype=np.int64), np.zeros(batch.n_blocks, dtype=np.int64)
    some = np.flatnonzero(np.diff(batch.symop_start) > 0)
    top, bottom = batch.symop[batch.symop_start[some]], batch.symop[batch.symop_start[some + 1] - 1]
    column = np.where(top[:, _ORDINARY] >= 0, _ORDINARY, _SUPERSPACE)
    lines = np.arange(len(some))
    top, bottom = top[lines, column], bottom[lines, column]
    whole = (top >= 0) & (bottom >= 0)
    first[some] = np.where(whole, batch.tokens.start[top], 0)
    last[some] = np.where(whole, batch.tokens.end[bottom], -1)
    return first, last


def _average(operator: str) -> str:
    """The first three components of a superspace operator (`x1,x2,x3,x4+1/2`); others are left alone."""
    return _first_three(operator) if "x4" in operator or "t" in operator else operator


def _first_three(operator: str) -> str:
    """`x,y+1/2,z` of `x,y+1/2,z,-1` and of `x1,x2+1/2,x3,x4,+1`."""
    parts = operator.split(",")[:3]
    return ",".join(part.replace("x1", "x").replace("x2", "y").replace("x3", "z") for part in parts)
