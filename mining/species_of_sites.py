"""Which element stands on each site of a batch: every distinct symbol is looked at once.

A batch of a few hundred files has 10⁴ sites and some 30 distinct type symbols, so the symbols are packed
into integers, made unique, and only those are parsed. Sites without a usable type symbol are told by
their label, with the elements of the block's formula to decide between readings (`CA1`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.elements import ATOMIC_NUMBER
from xtalpriors.crystal.formula import parse_formula
from xtalpriors.crystal.species import Species, species
from xtalpriors.mining.batch import Batch

__all__ = ["SiteSpecies", "site_species"]

I32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SiteSpecies:
    """Per site (s,): atomic number (0 unknown), isotope (0, 2 for D, 3 for T), implied hydrogens, dummy."""

    number: npt.NDArray[np.int16]
    isotope: npt.NDArray[np.int8]
    implied_hydrogens: npt.NDArray[np.int8]
    dummy: npt.NDArray[np.bool_]


@numba.njit(cache=True)
def _pack(
    buffer: npt.NDArray[np.uint8],
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    null: npt.NDArray[np.bool_],
    tokens: I32,
) -> npt.NDArray[np.uint64]:
    """Up to 8 bytes of each token as one integer; 0 for no token or null, 1 for a longer one."""
    out = np.zeros(tokens.size, dtype=np.uint64)
    for i in range(tokens.size):
        t = tokens[i]
        if t < 0 or null[t]:
            continue
        if end[t] - start[t] > 8:
            out[i] = 1
            continue
        word = np.uint64(0)
        for j in range(start[t], end[t]):
            word = (word << np.uint64(8)) | np.uint64(buffer[j])
        out[i] = word
    return out


def _unpack(word: int) -> str:
    return int(word).to_bytes(8, "big").lstrip(b"\0").decode("utf-8", "replace")


_RECORD = np.dtype([("number", "i2"), ("isotope", "i1"), ("implied", "i1"), ("dummy", "?"), ("told", "?")])


def _record(found: Species) -> tuple[int, int, int, bool, bool]:
    number = ATOMIC_NUMBER.get(found.element or "", 0)
    isotope = {"D": 2, "T": 3}.get(found.isotope or "", 0)
    dummy = found.kind == "dummy"
    return number, isotope, found.implied_hydrogens, dummy, number > 0 or dummy


def site_species(batch: Batch, site_block: I32) -> SiteSpecies:
    """Species of every site; `site_block` (s,) is the block that each belongs to."""
    tokens = batch.tokens
    types = batch.site_tokens("type_symbol")
    words = _pack(tokens.buffer, tokens.start, tokens.end, batch.null, types)
    distinct, inverse = np.unique(words, return_inverse=True)
    table = np.zeros(distinct.size, dtype=_RECORD)
    for i, word in enumerate(distinct):
        if word > 1:
            table[i] = _record(species(_unpack(word), None))
    records = table[inverse]
    _from_labels(batch, site_block, types, records)
    return SiteSpecies(records["number"], records["isotope"], records["implied"], records["dummy"])


def _from_labels(batch: Batch, site_block: I32, types: I32, records: npt.NDArray[np.void]) -> None:
    """Fill the records that the type symbol did not tell."""
    labels = batch.site_tokens("label")
    formulas = batch.block_tokens("formula")
    block, elements = -1, frozenset[str]()
    for i in np.flatnonzero(~records["told"]):
        if site_block[i] != block:
            block = int(site_block[i])
            parsed = parse_formula(batch.text(formulas[block]))
            elements = frozenset(e for e, _ in parsed or ())
        records[i] = _record(species(batch.text(types[i]), batch.text(labels[i]), elements or None))
