"""Chemical formulae: parsing of CIF formula sums, and the Hill order."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

from xtalpriors.crystal.elements import ATOMIC_NUMBER

__all__ = ["hill_formula", "parse_formula"]

_TOKEN = re.compile(
    r"([A-Z][a-z]?|[a-z])\s*(\d+\.?\d*|\.\d+)?(?:\(\d+\))?(?:(?:\d*[+-])|[+-]\d*)?(?=$|[\s,A-Z*.])"
)


@lru_cache(maxsize=16384)
def parse_formula(text: str | None) -> tuple[tuple[str, float], ...] | None:
    """Elements and counts of a formula sum, sorted by symbol; D and T are counted as H.

    Reads `C10 H12 N2 O`, `C10H12N2O`, `'Fe0.5 Mg1.5 O4'`, `C2 H3 O2 -`, `Cu2+ O2-`-like charges are ignored.
    Returns None where the text is missing or holds anything that cannot be read (brackets, `x`, `n`): a
    formula read in part would be a wrong one.

    Returns
    -------
    tuple of (symbol, count) with count > 0, or None.
    """
    if text is None:
        return None
    rest = text.strip().strip("'\"").replace("\n", " ").strip()
    if rest in ("", "?", "."):
        return None
    counts: dict[str, float] = {}
    while rest:
        match = _TOKEN.match(rest)
        charge = None if match else re.match(r"(?:\d*[+-]\d*|,)(?=$|\s)", rest)
        if match is None and charge is None:
            return None
        if match is not None:
            element = {"D": "H", "T": "H"}.get(match[1], match[1].capitalize())
            if element not in ATOMIC_NUMBER:
                return None
            counts[element] = counts.get(element, 0.0) + (float(match[2]) if match[2] else 1.0)
        end = match.end() if match else charge.end() if charge else 0
        rest = rest[end:].lstrip(" ,\t")
    found = tuple(sorted((e, n) for e, n in counts.items() if n > 0 and math.isfinite(n)))
    return found or None


def hill_formula(counts: Mapping[str, float]) -> str:
    """Formula in Hill order: C, then H, then the rest by symbol; without C all by symbol.

    Counts are written with up to four decimals (`C10 H12 Fe0.5`), 1 is left out, elements of zero count too.
    """
    present = {e: n for e, n in counts.items() if round(n, 4) > 0}
    first = [e for e in ("C", "H") if e in present] if "C" in present else []
    order = first + sorted(e for e in present if e not in first)
    return " ".join(e + _count(present[e]) for e in order)


def _count(number: float) -> str:
    text = f"{number:.4f}".rstrip("0").rstrip(".")
    return "" if text == "1" else text
