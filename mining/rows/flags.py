"""Status flags: what a block is marked as, by the COD, by itself, or by what it contains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from xtalpriors.arrays import Bool
from xtalpriors.mining.reading.tokens import FIELD_INDEX, TAG_FIELD
from xtalpriors.mining.rows.batch import Batch

__all__ = ["status_columns"]


_MARKS: Final = ("error_flag", "issue_severity")
"""Fields whose values mark a block."""
_IS_MARK: Final = np.isin(TAG_FIELD, [FIELD_INDEX[name] for name in _MARKS])
_NO: Final = frozenset(("no", "n", "none", "false", "0"))


def _stated(batch: Batch, name: str) -> Iterator[tuple[int, str]]:
    """Blocks that state a text field, with the text."""
    tokens = batch.block_tokens(name)
    for block in np.flatnonzero(batch.stated(name)):
        yield int(block), batch.raw(int(tokens[block])).strip()


def _where(batch: Batch, name: str, test: Callable[[str], bool]) -> Bool:
    """(b,) the field's text, in lower case, passes the test."""
    out = np.zeros(batch.n_blocks, dtype=np.bool_)
    for block, text in _stated(batch, name):
        out[block] = test(text.lower())
    return out


def _error_marks(batch: Batch) -> tuple[Bool, Bool, Bool]:
    """(b,) retracted, errors, warnings; the severities of all of a block's issues count."""
    marks: tuple[Bool, Bool, Bool] = tuple(np.zeros(batch.n_blocks, dtype=np.bool_) for _ in range(3))  # type: ignore[assignment]
    if not any((batch.block_tokens(name) >= 0).any() for name in _MARKS):
        return marks
    for token in np.flatnonzero(_IS_MARK[batch.tokens.tag]):
        if batch.null[token]:
            continue
        for word in batch.raw(int(token)).lower().replace(",", " ").split():
            for mark, stem in zip(marks, ("retract", "error", "warning"), strict=True):
                mark[batch.tokens.block[token]] |= word.startswith(stem)
    return marks


def status_columns(batch: Batch) -> dict[str, Any]:
    """Status columns of the `entry` table, each of one value per block."""
    retracted, errors, warnings = _error_marks(batch)
    modulated = batch.numbers(batch.block_tokens("modulation_dimension")) > 0
    # The mere presence of a tag that names a better entry says that there is one.
    suboptimal = (batch.block_tokens("optimal_code") >= 0) | _where(
        batch, "suboptimal", lambda t: t not in _NO
    )
    theoretical = (
        _where(batch, "determination_method", lambda t: "theoretical" in t)
        | _where(batch, "exptl_method", lambda t: "theoretical" in t)
        | batch.stated("theoretical")
    )
    return {
        "is_retracted": retracted,
        "has_errors": errors,
        "has_warnings": warnings,
        "is_duplicate": batch.stated("duplicate_of"),
        "duplicate_of": batch.texts(batch.block_tokens("duplicate_of")),
        "is_suboptimal": suboptimal,
        "optimal_code": batch.texts(batch.block_tokens("optimal_code")),
        "on_hold_until": batch.texts(batch.block_tokens("on_hold_until")),
        "is_theoretical": theoretical,
        "is_superspace": modulated | batch.stated("superspace") | _has_superspace_operators(batch),
        "is_macromolecule": batch.stated("macromolecule"),
        "has_structure_factors": batch.stated("fobs_code") | batch.stated("reflections"),
    }


def _has_superspace_operators(batch: Batch) -> Bool:
    found = np.zeros(batch.n_blocks, dtype=np.bool_)
    rows = np.flatnonzero(batch.symop[:, 1] >= 0)
    found[batch.tokens.block[batch.symop[rows, 1]]] = True
    return found
