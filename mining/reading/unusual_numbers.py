"""Numbers that are written otherwise than `5.123(4)`: read where they can mean one thing only.

>>> unusual_number("102.5±0.1"), unusual_number("102°30'", "angle"), unusual_number("2.5×10⁶")
((102.5, 0.1), (102.5, nan), (2500000.0, nan))
>>> unusual_number("1/4+0.01"), unusual_number("102°30'"), unusual_number("4²")
(None, None, None)

A number with a known remark behind it (`0.25 fixed`, `0.25(3)*`) counts as the number. Digits, signs, single
letters or words that may be a unit could make it another one:

>>> has_remark("90 (fixed)"), has_remark("0.1234(5)*"), has_remark("1.54e"), has_remark("11.2 hundredths")
(True, True, False, False)
"""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import Final

from xtalpriors.mining.reading.encoding import DASHES, MINUSES

__all__ = ["has_remark", "unusual_number"]

_LONGEST: Final = 80
"""Characters; a longer text is a remark. Files are untrusted, and the patterns go back and forth."""
_BLANKS: Final = "\u00a0\u2009\u202f\t\r\n"
_PLAIN: Final = str.maketrans(
    dict.fromkeys("\u200b\u200c\u200d\u2060")
    | dict.fromkeys(MINUSES + DASHES, "-")
    | dict.fromkeys(_BLANKS, " ")
    | {"\u2044": "/", "\u2215": "/"}
)
_RAISED: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")

_NUMBER: Final = r"(?:\d+\.?\d*|\.\d+)(?:[ed][+-]?\d+)?"
_SU: Final = r"\(\s*(\d+\.?\d*|\.\d+)\s*\)"
_DEGREES: Final = r"(?:[°º˚]|\\%|deg(?:rees?|\.)?)"
_FLAGS: Final = re.IGNORECASE | re.ASCII

_SPREAD_OUT: Final = re.compile(rf"([+-]?)\s*({_NUMBER})\s*(?:{_SU})?", _FLAGS)
_WITH_COMMA: Final = re.compile(rf"([+-]?)(\d*),(\d+)(?:{_SU})?", _FLAGS)
_MEASURED: Final = frozenset(("length", "angle", "area", "share", "coordinate", "density"))
"""Quantities that do not go into the thousands."""
_ENCLOSED: Final = re.compile(rf"\(\s*([+-]?\s*{_NUMBER})\s*\)|([+-]?\d*\.\d+(?:{_SU})?),", _FLAGS)
"""A number alone in brackets, or with a decimal point and the comma of a list behind it."""
_FRACTION: Final = re.compile(r"([+-]?)\s*(\d+)\s*/\s*(\d+)((?:\(|\s).*)?", _FLAGS)
_VULGAR: Final = re.compile(r"([+-]?)\s*([¼½¾\u2150-\u215e])")
_WITH_ERROR: Final = re.compile(
    rf"(\()?\s*([+-]?)\s*({_NUMBER})\s*({_DEGREES}|)\s*(?:±|\+/?-|\\pm)\s*({_NUMBER})\s*(?(1)\))\s*({_DEGREES}|K|)",
    _FLAGS,
)
_POWER: Final = re.compile(
    rf"([+-]?)\s*(\d+\.?\d*|\.\d+)\s*(?:{_SU})?\s*[×x*·⋅]\s*10"
    r"(?:\s*(?:\^|\*\*)\s*[({]?\s*([+-]?\d+)\s*[)}]?|([⁺⁻]?[⁰¹²³⁴-⁹]+))",
    _FLAGS,
)
_MINUTES: Final = re.compile(
    rf"(\d+)\s*{_DEGREES}\s*(\d+(?:\.\d+)?)\s*(?:\((\d+)\)\s*)?(?:['′’´\u0092](?!['′’´])|min\.?)"
    r"(?:\s*(\d+(?:\.\d+)?)\s*(?:[\"″”\u0094]|['′’]{2}|sec\.?))?",
    _FLAGS,
)
_FOOTNOTE: Final = re.compile(r"[^+/±×=<>…-]*", re.DOTALL)
_BEHIND: Final = re.compile(
    rf"\s*[+-]?{_NUMBER}(\([\d.]*\))?(?:(\s*{_DEGREES})|(\s*Å)|)(.*)", re.IGNORECASE | re.DOTALL
)
_UNIT_OF: Final = {"angle": 1, "length": 2}
"""Quantities and the group, after that of the uncertainty, that holds their unit."""
_AT_A_TEMPERATURE: Final = re.compile(r"\bat \d+ ?K\b")
_WORD: Final = re.compile(r"[^\W\d_]+")
_REMARK_WORDS: Final = frozenset(
    (
        *(
            "fix",
            "fixed",
            "held",
            "constant",
            "constrained",
            "constraint",
            "restrained",
            "restricted",
            "imposed",
        ),
        *(
            "required",
            "by",
            "symmetry",
            "sym",
            "origin",
            "general",
            "special",
            "position",
            "refined",
            "ref",
            "not",
        ),
        *(
            "unrefined",
            "calc",
            "calcd",
            "calculated",
            "ideal",
            "idealized",
            "idealised",
            "riding",
            "geometric",
        ),
        *(
            "obs",
            "observed",
            "meas",
            "measured",
            "mean",
            "average",
            "av",
            "est",
            "estimated",
            "assumed",
            "set",
        ),
        *(
            "default",
            "exact",
            "exactly",
            "literature",
            "lit",
            "see",
            "text",
            "note",
            "from",
            "the",
            "as",
            "in",
        ),
    )
)
"""What may stand behind a number and leaves it what it is; any other word could be a unit."""
_REMARK: Final = re.compile(
    r"[*?!†‡§]*[.;:]?|[*?!†‡§]*(?:[^\W\d_]{3}|[\s_]+[^\W\d_]{2}|\s*[(\[])[^+/^±×=<>~…]*", re.DOTALL
)


def unusual_number(text: str, quantity: str | None = None) -> tuple[float, float] | None:
    """The number that a text means and its standard uncertainty (NaN where none is given), or None.

    Read are a number in brackets or with a comma behind it, a typeset minus or a blank behind the sign
    (`- .11`), a blank before the uncertainty (`0.1234 (5)`), a decimal comma that parts no thousands, `±`,
    powers of ten, fractions (`½`, `1 / 3`), and minutes of an angle.

    Parameters
    ----------
    quantity
        Of `units.QUANTITY`, or `coordinate`; degrees and minutes are those of an `angle`.
    """
    if len(text) > _LONGEST:
        return None
    text = text.translate(_PLAIN).strip()
    if match := _ENCLOSED.fullmatch(text):
        text = match[1] or match[2]
    if match := _SPREAD_OUT.fullmatch(text):
        sign, number, su = match.groups()
        return _signed(sign, _float(number)), _uncertainty(number, su)
    if match := _WITH_COMMA.fullmatch(text):
        sign, whole, decimals, su = match.groups()
        if quantity in _MEASURED or not whole.strip("0") or len(decimals) != 3:
            number = f"{whole}.{decimals}"
            return _signed(sign, _float(number)), _uncertainty(number, su)
    if match := _FRACTION.fullmatch(text):
        sign, above, below, rest = match.groups()
        if float(below) and _is_remark(rest or "", _REMARK):
            return _signed(sign, float(above) / float(below)), math.nan
        return None
    if match := _VULGAR.fullmatch(text):
        return _signed(match[1], unicodedata.numeric(match[2])), math.nan
    if match := _WITH_ERROR.fullmatch(text):
        _, sign, number, first_unit, error, unit = match.groups()
        of = {"": quantity, "k": "temperature"}
        if {of.get(u.lower(), "angle") for u in (first_unit, unit)} == {quantity}:
            return _signed(sign, _float(number)), _float(error)
    if match := _POWER.fullmatch(text):
        sign, number, su, plain, raised = match.groups()
        power = int((plain or raised.translate(_RAISED))[:5])
        return _signed(sign, _times(_float(number), power)), _times(_uncertainty(number, su), power)
    if quantity == "angle" and (match := _MINUTES.fullmatch(text)):
        degrees, minutes, su, seconds = match.groups()
        if float(minutes) < 60.0 and float(seconds or 0) < 60.0:
            value = float(degrees) + float(minutes) / 60.0 + float(seconds or 0) / 3600.0
            return value, _uncertainty(minutes, su) / 60.0
    return None


def has_remark(text: str, quantity: str | None = None) -> bool:
    """Whether a number begins the text and what follows cannot change it: known words, brackets, asterisks.

    Before the remark there may be the degree sign of an angle, or the Å of a length.
    """
    behind = _BEHIND.fullmatch(text) if len(text) <= _LONGEST else None
    if behind is None:
        return False
    su, *units, rest = behind.groups()
    if any(unit and _UNIT_OF.get(quantity or "") != i for i, unit in enumerate(units, start=1)):
        return False
    # behind its uncertainty no letter belongs to a number: it is a footnote
    return _is_remark(rest, _FOOTNOTE if su else _REMARK)


def _is_remark(rest: str, pattern: re.Pattern[str]) -> bool:
    rest = _AT_A_TEMPERATURE.sub("", rest).rstrip()
    if any(character.isnumeric() for character in rest) or not pattern.fullmatch(rest):
        return False
    words = [word.lower() for word in _WORD.findall(rest)]
    return all(word in _REMARK_WORDS or (pattern is _FOOTNOTE and len(word) == 1) for word in words)


def _signed(sign: str, value: float) -> float:
    return -value if sign == "-" else value


def _float(number: str) -> float:
    return float(number.lower().replace("d", "e"))


def _times(value: float, power: int) -> float:
    """value × 10^power, correctly rounded."""
    return float(Decimal(repr(value)).scaleb(power))


def _uncertainty(number: str, su: str | None) -> float:
    """`5` behind `0.1234` is 0.0005; an uncertainty with a point is written out."""
    if su is None:
        return math.nan
    mantissa, _, power = number.lower().replace("d", "e").partition("e")
    decimals = len(mantissa.partition(".")[2])
    return float(f"{su}e{power or 0}") if "." in su else float(f"{su}e{int(power or 0) - decimals}")
