"""The element on each site of a batch; `crystal.chemistry.species` reads one symbol, this module all of them.

A batch of a few hundred files has 10⁴ sites and some 30 distinct type symbols, so the symbols are packed
into integers, made unique, and only those are parsed. Sites without a usable type symbol are told by
their label, with the elements of the block's formula to decide between readings (`CA1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import I16, I32, I64, U64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.chemistry.formula import parse_formula
from xtalpriors.crystal.chemistry.mixture import mixture, mixture_of_label
from xtalpriors.crystal.chemistry.species import species
from xtalpriors.mining.reading.characters import (
    LOWER_A,
    LOWER_Z,
    NINE,
    UPPER_A,
    UPPER_Z,
    ZERO,
)
from xtalpriors.mining.reading.tokens import Tokens
from xtalpriors.mining.rows.batch import Batch

__all__ = ["SiteSpecies", "site_species"]


@dataclass(frozen=True, slots=True)
class SiteSpecies:
    """What stands on each site (s,).

    Attributes
    ----------
    number
        Atomic number, 0 unknown; of a mixture that of its largest share.
    isotope
        0, 2 for D, 3 for T.
    implied_hydrogens
        Hydrogens that the symbol names beside the atom.
    dummy, x
        The site is no atom; only its other columns can tell whether it is one.
    other
        Atomic number of another element that the label can mean, 0 where it can mean no other.
    mixtures
        Atomic numbers and shares of the sites whose type symbol or label names several elements, by site.
    """

    number: I16
    isotope: npt.NDArray[np.int8]
    implied_hydrogens: npt.NDArray[np.int8]
    dummy: Bool
    x: Bool
    other: I16
    mixtures: dict[int, tuple[tuple[int, float], ...]]

    def at(self, rows: I64) -> SiteSpecies:
        """Species of the sites (r,) in these places, in order."""
        mixed = enumerate(rows.tolist()) if self.mixtures else ()
        return SiteSpecies(
            self.number[rows],
            self.isotope[rows],
            self.implied_hydrogens[rows],
            self.dummy[rows],
            self.x[rows],
            self.other[rows],
            {place: self.mixtures[i] for place, i in mixed if i in self.mixtures},
        )


@kernel()
def _pack(values: Tokens, null: Bool, tokens: I32) -> U64:
    """Up to 8 bytes of each token as one integer; 0 for no token or null, 1 for a longer one."""
    buffer, start, end = values.buffer, values.start, values.end
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


@kernel()
def _pack_labels(values: Tokens, null: Bool, tokens: I32) -> U64:
    """As `_pack`, but `C12` and `Fe3` lose all but one digit: which digits they are says no element."""
    buffer, start, end = values.buffer, values.start, values.end
    out: U64 = _pack(values, null, tokens)
    for i in range(tokens.size):
        if out[i] == 0:
            continue
        first, last = start[tokens[i]], end[tokens[i]]
        letters = 1 if UPPER_A <= buffer[first] <= UPPER_Z else 0
        if letters and last - first > 1 and LOWER_A <= buffer[first + 1] <= LOWER_Z:
            letters = 2
        digits = letters > 0 and last - first > letters
        for j in range(first + letters, last):
            digits &= ZERO <= buffer[j] <= NINE
        if digits:
            word = np.uint64(0)
            for j in range(first, first + letters):
                word = (word << np.uint64(8)) | np.uint64(buffer[j])
            out[i] = (word << np.uint64(8)) | np.uint64(ZERO)
    return out


@kernel()
def _distinct(words: U64) -> tuple[U64, I32]:
    """Distinct words in the order of their first occurrence, and the place of each word among them."""
    size = 64
    while size < 4 * words.size:
        size *= 2
    size = min(size, 1 << 16)
    table = np.full(size, -1, dtype=np.int32)
    distinct = np.empty(words.size, dtype=np.uint64)
    inverse = np.empty(words.size, dtype=np.int32)
    n = 0
    for i in range(words.size):
        slot = np.int64((words[i] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(48)) % size
        steps = 0
        while table[slot] >= 0 and distinct[table[slot]] != words[i] and steps < size:
            slot = (slot + 1) % size
            steps += 1
        if table[slot] < 0:
            table[slot] = n
            distinct[n] = words[i]
            n += 1
        elif distinct[table[slot]] != words[i]:  # the table is full: what is left stands for itself
            distinct[n] = words[i]
            inverse[i] = n
            n += 1
            continue
        inverse[i] = table[slot]
    return distinct[:n], inverse


def _unpack(word: int) -> str:
    return int(word).to_bytes(8, "big").lstrip(b"\0").decode("utf-8", "replace")


_RECORD = np.dtype(
    [
        ("number", "i2"),
        ("isotope", "i1"),
        ("implied", "i1"),
        ("dummy", "?"),
        ("x", "?"),
        ("other", "i2"),
        ("mixed", "?"),
        ("told", "?"),
    ]
)


@lru_cache(maxsize=65536)
def _record(
    type_symbol: str | None, label: str | None, elements: frozenset[str] | None
) -> tuple[int, int, int, bool, bool, int, bool, bool]:
    found = species(type_symbol, label, elements)
    shares = mixture(type_symbol) if type_symbol else ()
    if label and not shares and found.source == "label":
        shares = mixture_of_label(label)
    if shares:
        largest = max(shares, key=lambda pair: pair[1] or 0.0)
        number = ATOMIC_NUMBER[largest[0]] if largest[1] is not None else 0
        return number, 0, 0, False, False, 0, True, True
    number = ATOMIC_NUMBER.get(found.element or "", 0)
    other = ATOMIC_NUMBER.get(found.other or "", 0)
    isotope = {"D": 2, "T": 3}.get(found.isotope or "", 0)
    dummy, x = found.kind in ("dummy", "vacancy"), found.kind == "x"
    return number, isotope, found.implied_hydrogens, dummy, x, other, False, number > 0 or dummy or x


def site_species(batch: Batch, site_block: I32) -> SiteSpecies:
    """Species of every site; `site_block` (s,) is the block that each belongs to."""
    types = batch.site_tokens("type_symbol")
    words = _pack(batch.tokens, batch.null, types)
    distinct, inverse = _distinct(words)
    table = np.zeros(distinct.size, dtype=_RECORD)
    for i, word in enumerate(distinct):
        if word > 1:
            table[i] = _record(_unpack(word), None, None)
    found = {name: _each(table[name], inverse) for name in _RECORD.names or ()}
    untold = np.flatnonzero(~found["told"])
    if untold.size:
        by_label, case = _from_labels(batch, site_block, types, untold)
        for name, column in found.items():
            column[untold] = by_label[name][case]
    labels = batch.site_tokens("label")
    mixtures = {i: _shares(batch, types[i], labels[i]) for i in np.flatnonzero(found["mixed"]).tolist()}
    return SiteSpecies(
        found["number"],
        found["isotope"],
        found["implied"],
        found["dummy"],
        found["x"],
        found["other"],
        mixtures,
    )


def _shares(batch: Batch, type_symbol: int, label: int) -> tuple[tuple[int, float], ...]:
    """Atomic numbers and shares that a type symbol and a label (tokens) state; empty for unknown shares."""
    found = mixture(batch.raw(type_symbol)) if type_symbol >= 0 else ()
    found = found or mixture_of_label(batch.raw(label))
    return tuple((ATOMIC_NUMBER[symbol], share) for symbol, share in found if share is not None)


def _each(column: npt.NDArray[Any], inverse: I32) -> npt.NDArray[Any]:
    """The values of a column in these places; most columns are zero for every type symbol of a batch."""
    return column[inverse] if column.any() else np.zeros(len(inverse), dtype=column.dtype)


@lru_cache(maxsize=16384)
def _elements(formula: str | None) -> frozenset[str]:
    return frozenset(element for element, _ in parse_formula(formula) or ())


def _block_elements(batch: Batch, blocks: I32) -> tuple[list[frozenset[str]], I32]:
    """Distinct sets of elements of the formulae of blocks, and the place among them of each of `blocks`."""
    begins = np.append(True, blocks[1:] != blocks[:-1])  # the sites of a block stand together
    here, inverse = blocks[begins], np.cumsum(begins) - 1
    formulas = batch.texts(batch.block_tokens("formula")[here]).to_pylist()
    places: dict[frozenset[str], int] = {}
    place = [places.setdefault(_elements(formula), len(places)) for formula in formulas]
    return list(places), np.array(place, dtype=np.int32)[inverse]


def _from_labels(batch: Batch, site_block: I32, types: I32, untold: I64) -> tuple[npt.NDArray[np.void], I32]:
    """Distinct records of the sites `untold`, whose type symbol says nothing, and the place of each site's.

    Sites without a type symbol whose labels begin alike, in blocks of the same elements, are one case.
    """
    labels = batch.site_tokens("label")[untold]
    words = _pack_labels(batch.tokens, batch.null, labels)
    sets, elements = _block_elements(batch, site_block[untold])
    alone = (words <= 1) | (types[untold] >= 0)
    _, word = _distinct(words)
    cases = word.astype(np.uint64) * np.uint64(len(sets)) + elements.astype(np.uint64)
    cases[alone] = np.uint64(2**63) + np.flatnonzero(alone).astype(np.uint64)
    distinct, case = _distinct(cases)
    first = np.empty(distinct.size, dtype=np.int64)
    first[case[::-1]] = np.arange(len(cases) - 1, -1, -1)
    symbols, names = batch.texts(types[untold[first]]).to_pylist(), batch.texts(labels[first]).to_pylist()
    of = [sets[k] or None for k in elements[first].tolist()]
    table = np.array([_record(*texts) for texts in zip(symbols, names, of, strict=True)], dtype=_RECORD)
    return table, case
