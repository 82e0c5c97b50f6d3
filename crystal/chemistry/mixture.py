"""Type symbols that name several elements on one site, with or without their shares."""

from __future__ import annotations

import re
from functools import lru_cache

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER

__all__ = ["mixture"]

_SHARE = r"(?:\d*\.\d+|1/\d)"
_SYMBOL = r"[A-Z][a-z]?"
_BETWEEN = r"[\s+,/&]*"
_SHARE_FIRST = re.compile(rf"({_SHARE})\s*\*?\s*({_SYMBOL})")
_SHARE_LAST = re.compile(rf"({_SYMBOL})\s*[:=]?\s*({_SHARE})")
_FIRST = re.compile(rf"{_SHARE_FIRST.pattern}(?:{_BETWEEN}{_SHARE_FIRST.pattern})+")
_LAST = re.compile(rf"{_SHARE_LAST.pattern}(?:{_BETWEEN}{_SHARE_LAST.pattern})+")
_NAMES = re.compile(rf"{_SYMBOL}(?:\s*[/,&+]\s*{_SYMBOL})+")
_LONGEST = 200


@lru_cache(maxsize=4096)
def mixture(text: str) -> tuple[tuple[str, float | None], ...]:
    """Elements and shares of a type symbol such as `0.8Nb + 0.2Zr` or `Fe0.5Mg0.5`; empty for any other.

    Without numbers (`Al/Si`) the shares are None. D and T count as H. Shares that add up to more than one are
    brought to one.

    >>> mixture("0.8Nb + 0.2Zr"), mixture("(Al,Si)"), mixture("Fe3+")
    ((('Nb', 0.8), ('Zr', 0.2)), (('Al', None), ('Si', None)), ())
    """
    if len(text) > _LONGEST:
        return ()
    plain = text.strip().strip("'\"()[]{} ")
    pairs: list[tuple[str, float | None]] = []
    if _FIRST.fullmatch(plain):
        pairs = [(symbol, _number(share)) for share, symbol in _SHARE_FIRST.findall(plain)]
    elif _LAST.fullmatch(plain):
        pairs = [(symbol, _number(share)) for symbol, share in _SHARE_LAST.findall(plain)]
    elif _NAMES.fullmatch(plain):
        pairs = [(symbol, None) for symbol in re.findall(_SYMBOL, plain)]
    pairs = [({"D": "H", "T": "H"}.get(symbol, symbol), share) for symbol, share in pairs]
    if len({symbol for symbol, _ in pairs}) < 2 or any(symbol not in ATOMIC_NUMBER for symbol, _ in pairs):
        return ()
    total = max(1.0, sum(share or 0.0 for _, share in pairs))
    return tuple((symbol, None if share is None else share / total) for symbol, share in pairs)


def _number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)
