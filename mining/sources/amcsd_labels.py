"""What an atom label of the American Mineralogist Crystal Structure Database stands for.

AMCSD gives labels and no type symbols. Its convention, seen in its 42,587 labels: `Wat` is a water
molecule and `O-H` a hydroxyl group whose hydrogen atoms were not located, `NH4`, `NH3`, `H3O` and `CH4`
likewise; `Ow`, `OW` and `O-h` are oxygen atoms whose hydrogen atoms are listed as sites of their own.
Metal sites are often named by element and site together (`FeM1`, `AlT`, `MgO` for octahedral Mg).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

import gemmi

__all__ = ["SiteKind", "counts_no_hydrogen", "site_kind"]


class SiteKind(NamedTuple):
    """What a site holds: type symbol (null when the label names no element) and hydrogens not listed."""

    type_symbol: str | None
    attached_hydrogens: int | None


_GROUPS: tuple[tuple[re.Pattern[str], SiteKind], ...] = (
    (re.compile(r"Wat"), SiteKind("O", 2)),
    (re.compile(r"H3O"), SiteKind("O", 3)),
    (re.compile(r"H2O"), SiteKind("O", 2)),
    (re.compile(r"ODw"), SiteKind("O", 2)),
    (re.compile(r"O-H"), SiteKind("O", 1)),
    (re.compile(r"NH4"), SiteKind("N", 4)),
    (re.compile(r"NH3"), SiteKind("N", 3)),
    (re.compile(r"CH4"), SiteKind("C", 4)),
)

_ELEMENTS = frozenset(gemmi.Element(number).name for number in range(1, 99)) | {"D"}
"""Up to californium: among the labels, `Fl` is a misprint of F1; `Nh` and `Og` would be sites of N and O."""

_UNCOUNTED = re.compile(r"H[23]O|ODw|NH[34]|CH4")

_CHARGED = re.compile(r"[A-Z][a-z]?(\d?\+)")
_LEADING = re.compile(r"[A-Z][a-z]?")


def counts_no_hydrogen(label: str) -> bool:
    """Whether AMCSD's own formulae count such a group without its hydrogen atoms, `NH4` as N.

    Water and hydroxyl are counted in full.
    """
    return _UNCOUNTED.match(label) is not None


@lru_cache(maxsize=65536)
def site_kind(label: str, formula_elements: Collection[str] = frozenset()) -> SiteKind:
    """Type symbol and unlisted hydrogen atoms of a label.

    Of the two readings of a label such as `Os1` (osmium; oxygen of a sulfate) the two-letter element wins,
    unless the formula has only the other.

    Parameters
    ----------
    label
        Label as AMCSD gives it.
    formula_elements
        Elements of the entry's formula (hashable collection), which decide between two readings.

    Returns
    -------
    SiteKind
        `type_symbol` carries the charge where the label does (`Fe3+`), and is None when the label begins
        with no element.
    """
    for pattern, kind in _GROUPS:
        if pattern.match(label):
            return kind
    leading = _LEADING.match(label)
    if leading is None:
        return SiteKind(None, None)
    readings = [symbol for symbol in (leading[0], leading[0][0]) if symbol in _ELEMENTS]
    if not readings:
        return SiteKind(None, None)
    symbol = next((reading for reading in readings if reading in formula_elements), readings[0])
    charge = _CHARGED.match(label) if symbol == leading[0] else None
    return SiteKind(symbol + charge[1] if charge else symbol, None)
