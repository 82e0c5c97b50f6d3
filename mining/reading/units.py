"""Units written into a tag, as in the dictionary of 1991 (`_cell_length_a_pm`), or behind a number.

A number is brought to the unit of its column: ångström, Å², Å³, degrees, kelvin, kilopascal, fractions.
What stands behind a number is a unit, a range or a remark:

>>> number_and_unit("2.5 GPa", "pressure"), number_and_unit("0.071073(2) nm", "length")
(2500000.0, 0.71073)
>>> number_and_unit("0.40-3.5", "length"), number_and_unit("2.5 or so", "pressure")
(None, None)
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

__all__ = ["QUANTITY", "TAG_UNITS", "composed", "number_and_unit", "tags_with_units"]

Scale = tuple[float, float]
"""Factor and what is added afterwards: °C is (1, 273.15)."""

QUANTITY: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("a", "b", "c", "wavelength", "d_min", "d_max", "cartn_x", "cartn_y", "cartn_z"), "length"
    ),
    **dict.fromkeys(("alpha", "beta", "gamma", "theta_max"), "angle"),
    **dict.fromkeys(("completeness", "r1", "r_all", "wr2", "occupancy"), "share"),
    **dict.fromkeys(("u_iso", "b_iso"), "area"),
    **{f"{kind}{ij}": "area" for kind in "ub" for ij in ("11", "22", "33", "12", "13", "23")},
    **dict.fromkeys(("pressure", "pressure_above", "pressure_below"), "pressure"),
    "volume": "volume",
    "temperature": "temperature",
    "density": "density",
}
"""The quantity that a field of `tags` is, where it has a unit."""

TAG_UNITS: Final[dict[str, dict[str, Scale]]] = {
    "length": {"_pm": (0.01, 0.0), "_nm": (10.0, 0.0)},
    "area": {"_pm": (1e-4, 0.0), "_nm": (100.0, 0.0)},
    "volume": {"_pm": (1e-6, 0.0), "_nm": (1e3, 0.0)},
    "pressure": {"_gpa": (1e6, 0.0), "_mpa": (1e3, 0.0), "_kpa": (1.0, 0.0), "_bar": (100.0, 0.0)},
    "temperature": {"_c": (1.0, 273.15), "_k": (1.0, 0.0)},
}
"""Endings of tags that name a unit (core dictionary of 1991)."""

_WORDS: Final[dict[str, dict[str, Scale]]] = {
    "length": {
        r"å|a|ang|angstroms?|ångstr[öo]ms?|\\%a": (1.0, 0.0),
        "nm": (10.0, 0.0),
        "pm": (0.01, 0.0),
        "cm": (1e8, 0.0),
        "m": (1e10, 0.0),
        r"bohrs?|a\.?u": (0.529177210903, 0.0),
        r"kx\.?(?:u|[\s-]?units?)?": (1.00202, 0.0),
    },
    "area": {
        r"(?:å|a|ang|[aå]ngstr[öo]ms?)\s?(?:\^?2|\*\*2|²)": (1.0, 0.0),
        r"nm\^?2|nm²": (100.0, 0.0),
        r"pm\^?2|pm²": (1e-4, 0.0),
    },
    "volume": {
        r"(?:å|a|ang|[aå]ngstr[öo]ms?)\s?(?:\^?3|\*\*3|³)": (1.0, 0.0),
        r"nm\^?3|nm³": (1e3, 0.0),
        r"pm\^?3|pm³": (1e-6, 0.0),
    },
    "angle": {
        r"°|º|˚|degs?|degrees?|\\%|\^[o0]\^|&#176;|&deg;": (1.0, 0.0),
        "rad(?:ians?)?": (180.0 / math.pi, 0.0),
        "gons?|gradians?": (0.9, 0.0),
    },
    "pressure": {
        "gpa": (1e6, 0.0),
        "mpa": (1e3, 0.0),
        "kpa": (1.0, 0.0),
        "hpa": (0.1, 0.0),
        "pa": (1e-3, 0.0),
        "kbars?|kb": (1e5, 0.0),
        "bars?": (100.0, 0.0),
        "atm": (101.325, 0.0),
        "torr|mm ?hg": (101.325 / 760.0, 0.0),
    },
    "density": {
        r"(?:mg|g)[\s/.*×·]*(?:cm|c\.?c\.?|ml|m)[\^*~({\s]*[-⁻−]?[3³]?[)}^~]*": (1.0, 0.0),
        r"kg[\s/.*×·]*m[\^*~({\s]*[-⁻−]?[3³]?[)}^~]*": (1e-3, 0.0),
    },
    "share": {"%|per ?cent": (0.01, 0.0)},
}
_MEGABAR, _MILLIBAR = 1e8, 0.1
"""kPa. Only in this unit do capitals make a difference: `Mbar` is not `mbar`."""
_LONGEST: Final = 200
"""Characters; a longer text is a remark. Files are untrusted, and the patterns go back and forth."""
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_ERROR: Final = rf"(?:\([\d.]*\)?|(?:±|\+/?-)\s*{_NUMBER})?"
_HEAD: Final = re.compile(rf"\s*({_NUMBER})\s*{_ERROR}[\s_]*(.*?)\s*", re.IGNORECASE | re.DOTALL)
_POWER: Final = re.compile(
    r"(?<=\d)\s*[x×*·⋅]\s*10\s*(?:(?:\^|\*\*)\s*[({]?\s*([+-]?\d{1,3})[)}]?|([+-]\d{1,3}))", re.IGNORECASE
)
"""`x 10-8`, `× 10^-10`; powers are needed with a unit that is far from the column's."""
_UNIT: Final = {
    quantity: [(re.compile(words, re.IGNORECASE), scale) for words, scale in table.items()]
    for quantity, table in _WORDS.items()
}


def tags_with_units(field: str, tags: tuple[str, ...]) -> Iterator[tuple[str, Scale]]:
    """The tags of a field as they are, then with each ending that names a unit, and the scale of each."""
    yield from ((tag, (1.0, 0.0)) for tag in tags)
    for ending, scale in TAG_UNITS.get(QUANTITY.get(field, ""), {}).items():
        yield from ((tag + ending, scale) for tag in tags)


def number_and_unit(text: str, quantity: str) -> float | None:
    """The number that a text begins with, in the unit of its column; None where its unit is not known."""
    if len(text) > _LONGEST:
        return None
    head = _HEAD.fullmatch(_POWER.sub(r"e\1\2", composed(text)))
    if head is None:
        return None
    value, unit = float(head[1]), head[2].removesuffix(".")
    if not unit:
        return value
    if quantity == "pressure" and unit in ("Mbar", "mbar"):
        return value * (_MEGABAR if unit == "Mbar" else _MILLIBAR)
    for pattern, (factor, shift) in _UNIT.get(quantity, ()):
        if pattern.fullmatch(unit):
            return value * factor + shift
    return None


def composed(text: str) -> str:
    """The text with one code for each letter (`Å`), without the `Â` of UTF-8 read as Latin-1 (`102.5Â°`)."""
    return unicodedata.normalize("NFC", text).replace("Â", "")
