"""Atom counts of many cells written as text: Hill formulae, and lists of element symbols."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.chemistry.formula import hill_formula

__all__ = ["hill_formulas", "symbols"]


_ALPHABETICAL: Final = np.array(sorted(range(1, len(SYMBOLS)), key=lambda z: SYMBOLS[z]))
_HILL_ORDER: Final = np.array([6, 1, *(z for z in _ALPHABETICAL.tolist() if z not in (6, 1))])


def hill_formulas(counts: F64) -> list[str | None]:
    """Hill formulae of counts (n, elements); what is unknown (0) is left out, None where nothing is known."""
    out: list[str | None] = [None] * len(counts)
    with np.errstate(invalid="ignore"):
        carbon, present = counts[:, 6] > 0, counts > 0
    # without carbon hydrogen stands in its alphabetical place
    for entries, order in ((np.flatnonzero(carbon), _HILL_ORDER), (np.flatnonzero(~carbon), _ALPHABETICAL)):
        rows, columns = np.nonzero(present[entries][:, order])
        numbers = order[columns]
        values = counts[entries[rows], numbers].tolist()
        texts = [_part(z, n) for z, n in zip(numbers.tolist(), values, strict=True)]
        bounds = np.searchsorted(rows, np.arange(len(entries) + 1)).tolist()
        for e, (first, last) in zip(entries.tolist(), pairwise(bounds), strict=True):
            out[e] = " ".join(filter(None, texts[first:last])) or None
    return out


def symbols(present: Bool) -> list[str | None]:
    """Symbols of the elements present (n, elements from hydrogen on), sorted, joined by blanks."""
    rows, columns = np.nonzero(present[:, _ALPHABETICAL - 1])
    symbols = [SYMBOLS[z] for z in _ALPHABETICAL[columns].tolist()]
    bounds = np.searchsorted(rows, np.arange(len(present) + 1)).tolist()
    return [" ".join(symbols[first:last]) or None for first, last in pairwise(bounds)]


@lru_cache(maxsize=65536)
def _part(number: int, count: float) -> str:
    return hill_formula({SYMBOLS[number]: count})
