"""Which element a type symbol or an atom label means.

A CIF's type symbol comes first (`Fe3+`, `O2-`, `Cval`, `2H`). Without one the label must do, and
labels are free text: `C(12)`, `MgM1`, `OW1`, `Wat`, `O-H`, `Oab`, `T2`. Where a label can be read as two
elements (`CA1`, `CO2`) the elements of the formula decide.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER

__all__ = ["Species", "species", "species_from_label", "species_from_type_symbol"]


class Species(NamedTuple):
    """What stands on a site.

    Attributes
    ----------
    element
        Symbol; None where the site holds no element (a dummy) or its element cannot be told.
    isotope
        `D` or `T` (element is then H), else None.
    charge
        Formal charge that the type symbol states, else None.
    implied_hydrogens
        Hydrogens that the symbol or label itself names beside the atom (`Wat` 2, `O-H` 1, `NH4` 4). They
        exist whether or not they have sites of their own: reconcile with the hydrogen sites before adding.
    kind
        `atom`, `water`, `hydroxyl`, `group` (NH4, CH3, …), `dummy` (centroids, difference peaks), `unknown`.
    source
        `type` or `label`, whichever was read.
    """

    element: str | None
    isotope: str | None
    charge: int | None
    implied_hydrogens: int
    kind: str
    source: str


_CHARGE = re.compile(r"^(?:(\d*)([+-])|([+-])(\d+)|(0))$")
_NULL = frozenset(("", ".", "?"))
_WATER = re.compile(r"^(?:wat(?:er)?|hoh$)", re.IGNORECASE)
_WATER_TYPE = re.compile(r"^(?:h2o|d2o)$", re.IGNORECASE)  # as a label it is the second hydrogen on some O
_OXYGEN_OF_WATER = re.compile(r"^O(?:\(?[Ww](?:\d|\W|_|[A-Z]?$)|\d+[Ww]$)")
_HYDROXYL = re.compile(r"^O(?:-[Hh](?:yd)?|[Hh]|\([Hh]\))(?![a-z])")
_GROUP = re.compile(r"^([NC])H([1-4])\+?$")
_DUMMY = re.compile(r"^(?:Q\d*|Cg\d*|X\d*|XX|Du\w*|DUM\w*|LP\d*|[Mm]ax\d*|[Mm]in\d*|CEN\w*|Cnt\w*)$")
# Upper-case pairs that are more often an atom with a place name (C alpha, H on O) than an element.
_PLACES = "CA CD CE CF CM CN CO CS HE HF HG HO HS NA NB ND NE NO NP OS PA PO"
_PLACE_NAMES = frozenset(_PLACES.split())


@lru_cache(maxsize=65536)
def species(
    type_symbol: str | None, label: str | None, formula_elements: frozenset[str] | None = None
) -> Species:
    """Species of a site: from its type symbol where that names an element, else from its label.

    Parameters
    ----------
    type_symbol, label
        As in the file; None, `.`, `?` and the empty string say nothing.
    formula_elements
        Elements of the declared formula, to decide between readings of a label; None when unknown.
    """
    if type_symbol is not None and type_symbol not in _NULL:
        found = species_from_type_symbol(type_symbol)
        if found.element is not None or label is None or found.kind == "dummy":
            return found
    if label is None or label in _NULL:
        return Species(None, None, None, 0, "unknown", "label")
    return species_from_label(label, formula_elements)


@lru_cache(maxsize=4096)
def species_from_type_symbol(text: str) -> Species:
    """Species of a CIF type symbol: element, charge (`Fe3+`, `O-2`, `C0`), isotope, or a named group.

    Case is not trusted (`FE`, `CL`, `o`): letters are read as the longest element symbol they begin with.
    """
    symbol = text.strip().strip("'\"")
    named = _named(symbol, "type")
    if named is not None:
        return named
    letters = re.match(r"\d*([A-Za-z]+)(.*)$", symbol)
    if letters is None:
        return Species(None, None, None, 0, "unknown", "type")
    head, rest = letters.groups()
    charge = _charge(rest)
    if head in ("D", "T") or (symbol[0] in "23" and head == "H"):
        isotope = head if head != "H" else {"2": "D", "3": "T"}[symbol[0]]
        return Species("H", isotope, charge, 0, "atom", "type")
    for length in (2, 1):
        element = head[:length].capitalize()
        if (
            len(head) >= length
            and element in ATOMIC_NUMBER
            and (length == 2 or len(set(head)) > 1 or len(head) == 1)
        ):
            return Species(element, None, charge, 0, "atom", "type")
    return Species(None, None, None, 0, "unknown", "type")


@lru_cache(maxsize=65536)
def species_from_label(label: str, formula_elements: frozenset[str] | None = None) -> Species:
    """Species of an atom label where the file gives no type symbol; `formula_elements` as in `species`."""
    text = label.strip().strip("'\"")
    named = _named(text, "label")
    if named is not None:
        return named
    head_match = re.match(r"\d*([A-Za-z]+)", text)
    if head_match is None:
        return Species(None, None, None, 0, "unknown", "label")
    head = head_match[1]
    one, two = head[0].upper(), head[:2].capitalize()
    element = _choose(head, one, two, formula_elements)
    if element in (None, "H") and one == "D" and two not in ("Dy", "Db", "Ds"):
        return Species("H", "D", None, 0, "atom", "label")
    return Species(element, None, None, 0, "atom" if element else "unknown", "label")


def _choose(head: str, one: str, two: str, formula_elements: frozenset[str] | None) -> str | None:
    """The element among the one-letter and two-letter readings of a label's letters."""
    candidates = [s for s in (two, one) if s in ATOMIC_NUMBER and (len(s) == 1 or len(head) > 1)]
    if not candidates:
        return None
    if formula_elements:
        in_formula = [s for s in candidates if s in formula_elements]
        if len(in_formula) == 1:
            return in_formula[0]
    if len(candidates) == 1:
        return candidates[0]
    if head[:2].isupper() and (head[:2] in _PLACE_NAMES or (formula_elements and one in formula_elements)):
        return one
    return two


def _named(text: str, source: str) -> Species | None:
    """Water, hydroxyl, ammonium and other groups, dummies: symbols that are words rather than elements."""
    if _WATER.match(text) or (source == "type" and _WATER_TYPE.match(text)):
        return Species("O", None, None, 2, "water", source)
    if _HYDROXYL.match(text):
        return Species("O", None, None, 1, "hydroxyl", source)
    if source == "label" and _OXYGEN_OF_WATER.match(text):
        return Species("O", None, None, 2, "water", source)
    group = _GROUP.match(text)
    if group:
        return Species(group[1], None, None, int(group[2]), "group", source)
    if _DUMMY.match(text):
        return Species(None, None, None, 0, "dummy", source)
    return None


def _charge(rest: str) -> int | None:
    """Charge at the end of a type symbol: `3+`, `+3`, `-`, `0`; None where it has no charge."""
    match = _CHARGE.match(rest.strip())
    if match is None:
        return None
    digits_first, sign_last, sign_first, digits_last, zero = match.groups()
    if zero:
        return 0
    size = int(digits_first or 1) if sign_last else int(digits_last)
    return size if (sign_last or sign_first) == "+" else -size
