"""Chemical formulae: parsing of formula sums as CIFs and the AMCSD spell them, and the Hill order."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER

__all__ = ["hill_formula", "parse_formula"]

_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:/\d+)?"
_COUNT = rf"\s*({_NUMBER})(?![\d.+-])"
_ELEMENT = re.compile(rf"([A-Z][a-z]?)(?:{_COUNT})?(?:\(\d+\))?(?:\s?\d*[+-](?=$|[\s,)\]]))?(?![a-z])")
_MULTIPLIER = re.compile(rf"\s*({_NUMBER})?")
_CHARGE = re.compile(r"(?:\d*[+-]\d*)(?=$|[\s,)\]])")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_TOKEN = re.compile(rf"([A-Za-z]{{1,2}})({_NUMBER})?")
_CAPITALS = re.compile(r"[A-Z]{2}")
_ANION = re.compile(r"CO3|PO[34]", re.IGNORECASE)
"""In capitals no cobalt and no polonium."""
_LAST_ELEMENT = ATOMIC_NUMBER["Cf"]
_DOT = re.compile(r"\s*[·•∙⋅]\s*|\s\.\s")
_DECIMAL_DOT = re.compile(r"[A-Za-z]0[·•∙⋅]\d")
_REMARK = re.compile(r"\s?(?:\([a-z][a-z -]{2,}\)|\[[a-z][a-z -]{2,}\]|, ?[a-z][a-z -]{2,})$")
"""Behind a formula: `(glycine)`, `[forsterite]`, `, glycine`."""
_MARKUP = re.compile(r"~|</?sub>", re.IGNORECASE)
"""Of journals and HTML: `C~6~ H~6~`, `C<sub>6</sub> H<sub>6</sub>`."""
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_MAX_DEPTH = 6
_MAX_LENGTH = 4000
"""Longer texts are refused, because files are untrusted."""


@lru_cache(maxsize=16384)
def parse_formula(text: str | None) -> tuple[tuple[str, float], ...] | None:
    """Elements and counts of a formula, sorted by symbol; D and T are counted as H.

    Reads `C10 H12 N2 O`, `C10H12N2O`, `Fe0.5 Mg1.5 O4`, `Fe1/3 O`, `C₆ H₆`, `C~6~ H~6~`, brackets with or
    without a factor behind them (`Ca (Al1.94 Fe.06) Si2 O10`, which the AMCSD has), and moieties with a
    factor before them (`C30 B2 F20, 1.5 C7 H8`, `CaSO4·2H2O`). Charges, and words in brackets or behind a
    comma at the end, are passed over. Of a formula in one case the tokens between blanks are elements with
    their counts, if they can be (`TI O2`, `mg2 si o4`).

    Returns
    -------
    tuple of (symbol, count) with count > 0, or None where the text is missing or any of it cannot be read
    (`x`, `n`, words): a formula read in part would be a wrong one.
    """
    if text is None:
        return None
    stripped = " ".join(_MARKUP.sub("", text.translate(_LOWERED)).strip().strip("'\"").split())
    if stripped in ("", "?", ".") or len(stripped) > _MAX_LENGTH:
        return None
    try:
        counts = _sum(_in_title_case(stripped) if _CAPITALS.search(stripped) else stripped, 0)
    except _UnreadableError:
        try:
            counts = _sum(_respelled(stripped), 0)
        except _UnreadableError:
            return None
    found = tuple(sorted((e, n) for e, n in counts.items() if n > 0 and math.isfinite(n)))
    return found or None


class _UnreadableError(ValueError):
    """Raised for a text of which a part cannot be read as a formula."""


def _respelled(text: str) -> str:
    """The text with one sign between moieties, without a remark behind it, and with capitals."""
    if not _DECIMAL_DOT.search(text):
        text = _DOT.sub("*", text)
    return _in_title_case(_REMARK.sub("", text))


def _in_title_case(text: str) -> str:
    """`TI O2` as Ti O2, where all of a text in one case are elements with their counts between blanks."""
    tokens = [_TOKEN.fullmatch(token) for token in text.split()]
    if len(tokens) < 2 or not (text.isupper() or text.islower()) or not all(tokens):
        return text
    return " ".join(_element_of(token[0], token[1], token[2] or "") for token in tokens if token)


def _element_of(token: str, letters: str, count: str) -> str:
    """`TI2` is Ti2, `NH4` and `CO3` are N H4 and C O3; `CO2` could be two things."""
    element = letters.capitalize()
    if token.upper() == "CO2":
        raise _UnreadableError(token)
    if len(letters) == 1 or (
        ATOMIC_NUMBER.get(element, 999) <= _LAST_ELEMENT and not _ANION.fullmatch(token)
    ):
        return element + count
    return f"{letters[0].upper()} {letters[1].upper()}{count}"


def _sum(text: str, depth: int) -> Counter[str]:
    """Counts of moieties separated by commas or asterisks, each with or without a factor before it."""
    total: Counter[str] = Counter()
    moieties = _split(text)
    if depth and len(moieties) > 1:  # `(Fe, Mg)2` is a mixture of unknown proportions
        raise _UnreadableError(text)
    for moiety in moieties:
        leading = _MULTIPLIER.match(moiety)
        factor, start = (_value(leading[1]), leading.end()) if leading else (1.0, 0)
        if _CHARGE.match(moiety.strip()):
            factor, start = 1.0, 0
        for element, count in _moiety(moiety[start:].strip(), depth).items():
            total[element] += factor * count  # type: ignore[assignment]
    return total


def _split(text: str) -> list[str]:
    """The text between commas and asterisks outside brackets."""
    parts, level = [""], 0
    for character in text:
        level += (character in "([{") - (character in ")]}")
        if character in ",*" and level == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in (p.strip() for p in parts) if part]


def _moiety(text: str, depth: int) -> Counter[str]:
    """Counts of elements and bracketed groups one after the other."""
    if depth > _MAX_DEPTH or not text:
        raise _UnreadableError(text)
    total: Counter[str] = Counter()
    position = 0
    while position < len(text):
        character = text[position]
        if character == " ":
            position += 1
        elif character in _CLOSING:
            end = _closing(text, position)
            factor = _MULTIPLIER.match(text, end + 1)
            number, after = (factor[1], factor.end()) if factor else (None, end + 1)
            for element, count in _sum(text[position + 1 : end], depth + 1).items():
                total[element] += _value(number) * count  # type: ignore[assignment]
            position = max(after, end + 1)
        else:
            position = _element(text, position, total)
    return total


def _closing(text: str, start: int) -> int:
    """Index of the bracket that closes the one at `start`."""
    opening, closing, level = text[start], _CLOSING[text[start]], 0
    for index in range(start, len(text)):
        level += (text[index] == opening) - (text[index] == closing)
        if level == 0:
            return index
    raise _UnreadableError(text)


def _element(text: str, position: int, total: Counter[str]) -> int:
    """Add the element at a position, or pass over a charge; the position after it."""
    charge = _CHARGE.match(text, position)
    match = _ELEMENT.match(text, position)
    if match is not None:
        element = {"D": "H", "T": "H"}.get(match[1], match[1].capitalize())
        if element in ATOMIC_NUMBER:
            total[element] += _value(match[2])  # type: ignore[assignment]
            return match.end()
    if charge is None:
        raise _UnreadableError(text[position:])
    return charge.end()


def _value(number: str | None) -> float:
    """A count or factor; 1 where the text has no number."""
    if not number:
        return 1.0
    above, slash, below = number.partition("/")
    if slash and float(below) == 0:
        raise _UnreadableError(number)
    return float(above) / float(below or 1)


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
