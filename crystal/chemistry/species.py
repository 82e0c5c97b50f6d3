"""Which element a type symbol or an atom label means.

A CIF's type symbol comes first (`Fe3+`, `O2-`, `Cval`, `2H`). Without one the label must do, and
labels are free text: `C(12)`, `MgM1`, `OW1`, `Wat`, `O-H`, `Oab`, `T2`. Where a label can be read as two
elements (`CA1`, `CO2`) the elements of the formula decide; where the formula has both, two letters are an
element until the atom counts say otherwise (`Species.other`), except that `HO1` and `HG2` are hydrogens
named after their place unless the formula asks for holmium or mercury (without a formula, `other` is these).
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
        `atom`, `water`, `hydroxyl`, `group` (NH4, CH3, …), `dummy` (centroids, difference peaks), `vacancy`,
        `x` (a dummy, or a site of unknown or mixed element: only the other columns tell), `unknown`.
    source
        `type` or `label`, whichever was read.
    other
        Another element that the label can mean and that the formula does not exclude, else None.
    """

    element: str | None
    isotope: str | None
    charge: int | None
    implied_hydrogens: int
    kind: str
    source: str
    other: str | None = None


_LAST_ELEMENT = ATOMIC_NUMBER["Cf"]
"""Two capitals are no element beyond it: `NH`, `CN`, `BH` and `NO` are N, C, B and N with a place name."""
_CHARGE = re.compile(r"^(?:(\d*)([+-])|([+-])(\d+)|(0))$")
_BEHIND_ELEMENT = re.compile(r"(?:val|va|iso|[IV]+|[A-Z])?", re.IGNORECASE)
"""In a type: suffix of a scattering table (`Cval`, `Siva`), oxidation state (`FeIII`), place (`FeA`)."""
_NULL = frozenset(("", ".", "?"))
_WATER = re.compile(r"^(?:wat(?:er)?|hoh$)", re.IGNORECASE)
_WATER_TYPE = re.compile(r"^(?:h2o|d2o|oh2|od2)$", re.IGNORECASE)
_NUMBERED = {"H2O": ("H", 0), "OH2": ("O", 1)}
"""Labels that are water, or the second of several: a hydrogen on some O, a hydroxyl group."""
_OXYGEN_OF_WATER = re.compile(r"^O(?:\(?[Ww](?:\d|\W|_|[A-Z]?$)|\d+[Ww]$)")
_HYDROXYL = re.compile(r"^O(?:-[Hh](?:yd)?|[Hh]|\([Hh]\))(?![a-z])")
_GROUP = re.compile(r"^([NC])H([1-4])\+?$")
_X = re.compile(r"^(?:X{1,2}|Cent(?:roid)?|CNT)\d*$")
"""A site of unknown element, or a centroid: `Cent1` is no cerium, and `CNT` no carbon."""
_VACANCY = re.compile(r"^(?:[Vv]ac(?:ancy|ant)?|VAC|□)(?:\W|_|\d|$)")
_VACANCY_LABEL = re.compile(r"^Va(?![a-z])")
_VACANCY_OR_VANADIUM = re.compile(r"^V[AC]\d*$|^Vc(?![a-z])")
_WATER_OR_TUNGSTEN = re.compile(r"^W(?![a-z])")
_VACANCY_TYPE = re.compile(r"^(?:va|vac|□)\d*$", re.IGNORECASE)
_DUMMY = re.compile(r"^(?:Q\d*|Cg\d*|Du\w*|DUM\w*|LP\d*|[Mm]ax\d*|[Mm]in\d*|CEN\w*|Cnt\w*)$")


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
        if found.element is not None or label is None or found.kind in ("dummy", "vacancy", "x"):
            return found
    if label is None or label in _NULL:
        return Species(None, None, None, 0, "unknown", "label")
    return species_from_label(label, formula_elements)


@lru_cache(maxsize=4096)
def species_from_type_symbol(text: str) -> Species:
    """Species of a CIF type symbol: element, charge (`Fe3+`, `O-2`, `C0`), isotope, or a named group.

    Case is not trusted (`FE`, `CL`, `o`): letters are the longest element symbol they begin with, and what
    stands behind it is a scattering table's suffix, an oxidation state or the letter of a place. Other words
    (`Iron`) are unknown. Charges, digits and signs may follow (`O2-.`, `FE1`, `C_R`).
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
            and (ATOMIC_NUMBER[element] <= _LAST_ELEMENT or not head[:length].isupper())
            and (length == 2 or len(set(head)) > 1 or len(head) == 1)
            and _BEHIND_ELEMENT.fullmatch(head[length:])
        ):
            return Species(element, None, charge, 0, "atom", "type")
    return Species(None, None, None, 0, "unknown", "type")


@lru_cache(maxsize=65536)
def species_from_label(label: str, formula_elements: frozenset[str] | None = None) -> Species:
    """Species of an atom label where the file gives no type symbol; `formula_elements` as in `species`."""
    text = label.strip().strip("'\"")
    if text in _NUMBERED:
        first, implied = _NUMBERED[text]
        return Species(first, None, None, implied, "atom" if first == "H" else "hydroxyl", "label", "O")
    named = _named(text, "label")
    if named is not None:
        return named
    formula = formula_elements or frozenset()
    if _WATER_OR_TUNGSTEN.match(text) and "O" in formula and "W" not in formula:
        return Species("O", None, None, 2, "water", "label")
    vacancy = _VACANCY_LABEL.match(text) or (formula and _VACANCY_OR_VANADIUM.match(text))
    if vacancy and "V" not in formula:
        return Species(None, None, None, 0, "vacancy", "label")
    head_match = re.match(r"\d*([A-Za-z]+)", text)
    if head_match is None:
        return Species(None, None, None, 0, "unknown", "label")
    head = head_match[1]
    one, two = head[0].upper(), head[:2].capitalize()
    element, other = _choose(head, one, two, formula)
    if element in (None, "H") and one == "D" and two not in ("Dy", "Db", "Ds"):
        return Species("H", "D", None, 0, "atom", "label")
    return Species(element, None, None, 0, "atom" if element else "unknown", "label", other)


def _choose(head: str, one: str, two: str, formula: frozenset[str]) -> tuple[str | None, str | None]:
    """The element among the readings of a label's letters, and another one that only the counts exclude."""
    readings = (two, one) if len(head) > 1 else (one,)
    candidates = [s for s in readings if s in ATOMIC_NUMBER]
    candidates = [s for s in candidates if ATOMIC_NUMBER[s] <= _LAST_ELEMENT or s in formula]
    in_formula = [s for s in candidates if s in formula]
    if len(in_formula) == 1 or len(candidates) < 2:
        return next(iter(in_formula or candidates), None), None
    if not (head[:2].isupper() or head[:2].islower()):
        return two, None
    if one == "H" and not in_formula:
        return one, None if formula else two
    return two, one


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
    for kind, pattern in (("dummy", _DUMMY), ("x", _X), ("vacancy", _VACANCY)):
        if pattern.match(text) or (kind == "vacancy" and source == "type" and _VACANCY_TYPE.match(text)):
            return Species(None, None, None, 0, kind, source)
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
