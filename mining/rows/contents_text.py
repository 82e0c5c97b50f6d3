"""Atom counts of many cells written as text: Hill formulae, and lists of element symbols."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.chemistry.formula import hill_formula

__all__ = ["hill_formulas", "symbols"]


_ALPHABETICAL: Final = np.array(sorted(range(1, len(SYMBOLS)), key=lambda z: SYMBOLS[z]))
_CARBON: Final = 6
_HILL_ORDER: Final = np.array([_CARBON, 1, *(z for z in _ALPHABETICAL.tolist() if z not in (_CARBON, 1))])
"""Without carbon hydrogen stands in its alphabetical place."""


def hill_formulas(counts: F64) -> list[str | None]:
    """Hill formulae of counts (n, elements); what is unknown (0) is left out, None where nothing is known."""
    with np.errstate(invalid="ignore"):
        numbers, bounds = _listed(counts > 0, _HILL_ORDER, _ALPHABETICAL)
    values = counts[np.repeat(np.arange(len(counts)), np.diff(bounds)), numbers]
    texts = list(map(_part, numbers.tolist(), values.tolist()))
    return [" ".join(filter(None, texts[first:last])) or None for first, last in pairwise(bounds.tolist())]


def symbols(present: Bool) -> list[str | None]:
    """Symbols of the elements present (n, elements by atomic number), sorted, joined by blanks."""
    numbers, bounds = _listed(present, _ALPHABETICAL, _ALPHABETICAL)
    symbols = [SYMBOLS[z] for z in numbers.tolist()]
    return [" ".join(symbols[first:last]) or None for first, last in pairwise(bounds.tolist())]


@kernel()
def _listed(present: Bool, with_carbon: I64, without_carbon: I64) -> tuple[I64, I64]:
    """Atomic numbers of the elements present (n, elements) in these orders; bounds (n + 1,) of the rows."""
    numbers, bounds = np.empty(present.sum(), np.int64), np.zeros(len(present) + 1, np.int64)
    n = 0
    for e in range(len(present)):
        order = with_carbon if present[e, _CARBON] else without_carbon
        for z in order:
            if present[e, z]:
                numbers[n] = z
                n += 1
        bounds[e + 1] = n
    return numbers[:n], bounds


@lru_cache(maxsize=65536)
def _part(number: int, count: float) -> str:
    return hill_formula({SYMBOLS[number]: count})
