"""Type symbols and labels that name several elements on one site, with or without their shares."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER

__all__ = ["mixture", "mixture_of_label"]

Parts = tuple[tuple[str, float | None], ...]

_NUMBER: Final = r"(?:\d*\.\d+|1/\d|\d+)"
_SHARE: Final = rf"[(\[]?({_NUMBER})(%?)[)\]]?"
_ELEMENT: Final = r"[A-Z][a-z]?"
_BETWEEN: Final = r"[+,;/&_-]*"
_SHARE_FIRST: Final = re.compile(rf"{_SHARE}\*?({_ELEMENT})(?:\d[+-])?")
_SHARE_LAST: Final = re.compile(rf"({_ELEMENT})(?:\d[+-])?[:=]?{_SHARE}")
_FIRST: Final = re.compile(rf"{_SHARE_FIRST.pattern}(?:{_BETWEEN}{_SHARE_FIRST.pattern})+")
_LAST: Final = re.compile(rf"{_SHARE_LAST.pattern}(?:{_BETWEEN}{_SHARE_LAST.pattern})+")
_OF_LABEL: Final = re.compile(
    rf"\(?{_ELEMENT}(?:[/,+]{_ELEMENT})+\)?\d*|{_ELEMENT}\d+(?:[/,+]{_ELEMENT}\d+)+"
)
_DECIMAL_COMMA: Final = re.compile(r"(?<=\d),(?=\d)")
_OXIDATION_STATE: Final = re.compile(r"(?<=[a-z])[IV]+(?=\d*$)")
_WORD: Final = re.compile(r"[^\W\d_]+")
_CONJUNCTIONS: Final = frozenset(("or", "and", "with"))
_CARRY_HYDROGEN: Final = ({"O"}, {"N"}, {"C"})
"""`O-H`, `NH3`: groups of one element and its hydrogen."""
_WHOLE_PERCENT: Final = (99.0, 101.0)
_LONGEST: Final = 200
"""Characters; a longer text is no symbol. Files are untrusted, and the patterns go back and forth."""


@lru_cache(maxsize=4096)
def mixture(text: str) -> Parts:
    """Elements and shares of a type symbol such as `0.8Nb + 0.2Zr`, `Fe0.5Mg0.5` or `Mg90%Fe10%`; else empty.

    Shares are fractions, or per cent where a sign says so or where they add up to 100. Those that add up to
    more than one are brought to one. Without readable shares (`Al/Si`, `NaK`, `Na or K`, `Na:K 1:1`) all are
    None.
    D and T count as H; groups (`H2O`), two capitals (`CN`) and oxidation states (`CuI`) are no mixture.

    >>> mixture("0.8Nb + 0.2Zr"), mixture("(Al,Si)"), mixture("Fe3+")
    ((('Nb', 0.8), ('Zr', 0.2)), (('Al', None), ('Si', None)), ())
    """
    if len(text) > _LONGEST:
        return ()
    plain = text.strip().strip("'\" ")
    dense = _DECIMAL_COMMA.sub(".", "".join(plain.split()))
    for spelling in (dense, dense.strip("()[]{}")):
        shares: list[tuple[str, str, str]] = []
        if _FIRST.fullmatch(spelling):
            shares = [(element, *share) for *share, element in _SHARE_FIRST.findall(spelling)]
        elif _LAST.fullmatch(spelling):
            shares = _SHARE_LAST.findall(spelling)
        if parts := _with_shares(shares):
            return parts
    return tuple((element, None) for element in _named_elements(plain))


@lru_cache(maxsize=4096)
def mixture_of_label(label: str) -> Parts:
    """As `mixture`, for a label: only `Na/K`, `(Na,K)1`, `Na+K` and decimal shares (`Na0.5K0.5`) count.

    >>> mixture_of_label("(Mg,Fe)1"), mixture_of_label("NaK1"), mixture_of_label("C1A/B")
    ((('Mg', None), ('Fe', None)), (), ())
    """
    plain = label.strip().strip("'\" ")
    if len(plain) > _LONGEST or not (_OF_LABEL.fullmatch(plain) or re.search(r"[a-zA-Z]0?[.,]\d", plain)):
        return ()
    found = mixture(plain)
    return found if _OF_LABEL.fullmatch(plain) or all(share is not None for _, share in found) else ()


def _with_shares(parts: list[tuple[str, str, str]]) -> Parts:
    """Elements, numbers and signs for per cent as shares; empty where the numbers are no shares."""
    symbols = [_of_isotope(element) for element, _, _ in parts]
    if not _are_several(symbols):
        return ()
    numbers = [_number(number) for _, number, _ in parts]
    total = sum(numbers)
    if any(sign for *_, sign in parts) or _WHOLE_PERCENT[0] <= total <= _WHOLE_PERCENT[1]:
        numbers = [number / 100.0 for number in numbers]
    elif all(number.isdigit() for _, number, _ in parts):
        return ()
    total = max(1.0, sum(numbers))
    return tuple((symbol, number / total) for symbol, number in zip(symbols, numbers, strict=True))


def _named_elements(text: str) -> list[str]:
    """The elements of a text in which every word is one of them or several; empty for fewer than two."""
    words = [word for word in _WORD.findall(_OXIDATION_STATE.sub("", text)) if word not in _CONJUNCTIONS]
    symbols: list[str] = []
    for word in words:
        here = ["O"] if word == "OH" else re.findall(_ELEMENT, word)
        if "".join(here) != word.removesuffix("H" if word == "OH" else ""):
            return []
        if len(here) > 1 and (word.isupper() or not {"D", "T"}.isdisjoint(here)):  # places: `CN`, `AlT`
            return []
        symbols += [_of_isotope(symbol) for symbol in here]
    if not _are_several(symbols) or set(symbols) - {"H"} in _CARRY_HYDROGEN:
        return []
    return list(dict.fromkeys(symbols))


def _are_several(symbols: list[str]) -> bool:
    return len(set(symbols)) > 1 and all(symbol in ATOMIC_NUMBER for symbol in symbols)


def _of_isotope(symbol: str) -> str:
    return "H" if symbol in ("D", "T") else symbol


def _number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)
