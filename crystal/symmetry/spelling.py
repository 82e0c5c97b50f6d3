"""Markup, brackets and remarks in symbols of space groups: what belongs to the symbol, and what does not.

A bracket can be an index (`P2[1]/n`), a bar (`F m [-3] m`) or a remark (`P 21/n (No. 14)`). What is left out
as a remark must be prose or the number of the group, with nothing of a symbol in it or behind it: half a
symbol names a smaller group.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

__all__ = ["TYPESET", "readings_of", "without_markup"]

TYPESET: Final = str.maketrans("₀₁₂₃₄₅₆₇₈₉\u2212\u2013\u2010\u2011\u2215\u2044‘’“”", "0123456789----//''\"\"")
"""Indices, minus signs, slashes and quotes of typesetters, in ASCII."""
_OVERLINED: Final = re.compile(
    r"(?:\\|(?<!\d)(?<!\d\s))(?:bar|overline)\s*\{?\s*(\d)\s*\}?|(\d)\s*bar\b|(\d)\s?bar(?=[a-z\d])|\\=\s*(\d)"
    r"|[\u00af\u203e]\s*(\d)|(\d)[\u0304\u0305]|(?<!\d)([1346])(?:-(?=\s*[a-z/]|\s*$)|\*(?=\s*[a-z]))"
    r"|<(?:ovl|overline|bar|span[^<>]*overline[^<>]*)>\s*(\d)\s*</\w+>",
    re.IGNORECASE,
)
_BRACKETED_BAR: Final = re.compile(r"(?<=\d)\s*[(\[{]\s*(bar|-)\s*[)\]}]", re.IGNORECASE)
_INDEX: Final = re.compile(r"(?<=[2346])[\[{](\d)[\]}]")
_MARKUP: Final = re.compile(
    r"</?(?:sub|sup|i|em|it|b|span|font)\b[^<>]*>|[~$^]|\s*sub\s*(?=\d)"
    r"|\\(?:rm|it|math\w+)\b|\\[,;! ]|\\(?=_)",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(r"^\s*['\"]?\s*(?:space\s*group|s\.\s*g\.|sg)\b\s*[:=]?\s*", re.IGNORECASE)
_LEADING_NUMBER: Final = re.compile(
    r"^\s*(?:no\.?|nr\.?|#)?\s*(\d{1,3})[\s:.,]+(?=[PABCIFRH])", re.IGNORECASE
)
_SCHOENFLIES: Final = re.compile(r"[\s-]+(?:[CD]\d[hvd]|[CTDOSV][hdis])\d{1,2}\s*$")
_PROSE: Final = (
    r"(?!(?i:[PABCIFRH]?[abcdemn]+)\b)(?!\w*(?i:bar|over|sub|sup|minus|slash|prime|line))[A-Za-z]{3,}"
)
"""A word that is no part of a symbol (`amd`, `Pmmm`) and does not say how one is written (`bar`)."""
_LAST_WORDS: Final = re.compile(rf"(?:[\s:-]+{_PROSE}\.?)+\s*$")
_DOUBTS: Final = re.compile(r"(?<=[abcdemn])(\s+1)?\s*[?*]+\s*$")
"""Behind a digit they may be the rest of an index or of a bar that was lost."""
_SEPARATOR: Final = re.compile(r"[,;#(\[{]|\b(?:no|nr|num|number|n°|nº)\b\.?(?=\s*\d)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?:(?:no|nr|num|number|n°|nº)\b\.?\s*)?(\d+)", re.IGNORECASE)
_REMARK: Final = re.compile(rf"Z\s*=\s*\d+|{_PROSE}.*")
_FOOTNOTE: Final = re.compile(r"[(\[{]\s*[a-z]\s*[)\]}]")
_BAR_OR_INDEX: Final = re.compile(r"\W*[A-Z]\s*[~^]\s*\d", re.IGNORECASE)
"""`P~1`: a lattice letter has no index, so that it may be a bar."""


@lru_cache(maxsize=4096)
def without_markup(symbol: str) -> str:
    """A symbol in ASCII, without the markup of journals, TeX, HTML and Unicode.

    >>> [without_markup(s) for s in ("P2~1~/c", "P2₁/c", r"Fm\\bar{3}m", r"P\\=1", "P2<sub>1</sub>/c")]
    ['P21/c', 'P21/c', 'Fm-3m', 'P-1', 'P21/c']
    """
    if _BAR_OR_INDEX.match(symbol):
        return symbol
    plain = html.unescape(symbol[:200]).translate(TYPESET).replace("\\~", "~")
    plain = _BRACKETED_BAR.sub("bar ", plain)
    plain = _OVERLINED.sub(lambda match: f"-{next(filter(None, match.groups()))}", plain)
    return _INDEX.sub(r"\1", _MARKUP.sub("", plain))


def readings_of(plain: str) -> Iterator[tuple[str, list[int]]]:
    """What a symbol without markup can be, with the numbers of the group that stand beside it.

    A text with brackets or commas is first the text before them, if what follows is a remark, and then the
    text without them: `P 2 (3)` may be no. 3, and P 2 3.

    >>> list(readings_of("P 21/n (No. 14)"))[0], list(readings_of("C2[/c]")), list(readings_of("P 2 (3)"))
    (('P 21/n', [14]), [('C2/c', [])], [('P 2', [3]), ('P 2 3', [])])
    """
    text, numbers = _HEADING.sub("", plain), []
    if match := _LEADING_NUMBER.match(text):
        text, numbers = text[match.end() :], [int(match[1])]
    text = _SCHOENFLIES.sub("", _DOUBTS.sub(r"\1", text)).strip()
    unwrapped = re.sub(r"[,;#()\[\]{}]", "", text).strip()
    text = _LAST_WORDS.sub("", text).strip()
    found = _SEPARATOR.search(text)
    if found is None:
        yield text, numbers
        return
    beside = _numbers_in_remark(text[found.start() :])
    if beside is not None and found.start() > 0:
        yield text[: found.start()].strip(), numbers + beside
    if not _FOOTNOTE.search(text):
        yield unwrapped, numbers


def _numbers_in_remark(text: str) -> list[int] | None:
    """Numbers of a group in what stands behind its symbol, None where that is no remark.

    >>> _numbers_in_remark("(No. 14), unique axis b"), _numbers_in_remark("[1]/n")
    ([14], None)
    """
    if re.search(r"[)\]}](?:[^\s,;#(\[{]|\s+[-/\d])", text):  # the symbol goes on
        return None
    numbers = []
    for piece in filter(None, (part.strip(" .:'\"") for part in re.split(r"[,;#()\[\]{}]", text))):
        if number := _NUMBER.fullmatch(piece):
            numbers.append(int(number[1]))
        elif not _REMARK.fullmatch(piece):
            return None
    return numbers
