"""The space group of a file: operators first, then the Hall symbol, the Hermann–Mauguin symbol, the number.

Files contradict themselves, and their operator lists are untrusted input. What was used, and whether the rest
agrees with it, is part of the answer; a file without usable symmetry is a failure with a reason, never P1.
Where the statements differ, `candidates` lists what else they could mean, for the contents to decide.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from xtalpriors.crystal.symmetry.closure import MAX_ORDER, NotAGroupError, close_group
from xtalpriors.crystal.symmetry.declared import Declared, read_declared
from xtalpriors.crystal.symmetry.space_group import SpaceGroup, space_group
from xtalpriors.crystal.symmetry.symbols import axes_of, has_explicit_setting, names_other_axes
from xtalpriors.crystal.symmetry.triplets import IDENTITY, Operator, TripletError, parse_triplet

__all__ = [
    "Reading",
    "Resolution",
    "SymmetryFailure",
    "agreement",
    "first_reading",
    "members_of",
    "resolve_space_group",
]


class Resolution(NamedTuple):
    """The space group in use.

    Attributes
    ----------
    group
        The group, in the file's setting.
    source
        What it was made from: `operators`, `hall`, `hm` or `number`.
    agreement
        `agree`: every symbol and number names this group in this setting (a symbol without origin or axes
        agrees with each of them); `unread`: the same, but for a symbol that cannot be read; `setting`: the
        number is the same, the setting is not; `disagree`: another group is named, or a lattice letter that
        the group has not; `undeclared`: operators alone, no readable symbol or number.
    notes
        Sorted codes: `identity-added`, `operators-repeated`, `operators-incomplete` (a declared group, or a
        lost centring, completed them), `operators-misprinted` (some contradict the group in use),
        `operators-unreadable` (the symbol replaced them), `axes-from-cell` (the symbol names axes that the
        cell does not have), `symbol-unknown`, `hall-unknown`, `number-unknown`.
    """

    group: SpaceGroup
    source: str
    agreement: str
    notes: tuple[str, ...]


class SymmetryFailure(NamedTuple):
    """No space group, and why.

    Attributes
    ----------
    code
        `no-symmetry` (nothing usable), `too-many-operators`, `operators-unreadable`, `operators-not-integer`,
        `operators-not-a-group`, `lattice-contradicted` (the number alone can be read, and its lattice is not
        that of the symbol).
    detail
        What was found.
    """

    code: str
    detail: str


class Reading(NamedTuple):
    """What a file says of its symmetry, taken at its word.

    Attributes
    ----------
    answer
        The group, or why there is none.
    operators
        Distinct operators that could be read, in the order of the list.
    declared
        What the symbols and the number say.
    notes
        What was noticed about symbols and operators.
    """

    answer: Resolution | SymmetryFailure
    operators: tuple[Operator, ...]
    declared: Declared
    notes: frozenset[str]


def resolve_space_group(
    operators: tuple[str, ...] = (),
    hall: str | None = None,
    hm: str | None = None,
    number: str | int | None = None,
    angles_degree: tuple[float, float, float] | None = None,
    coordinate_code: str | None = None,
) -> Resolution | SymmetryFailure:
    """Space group of a file from whatever it says.

    Parameters
    ----------
    operators
        Triplets as in the file; empty where the file lists no operators.
    hall, hm, number
        Declared symbols and number as in the file; None, `?` and `.` say nothing.
    angles_degree
        alpha, beta, gamma of the cell: they decide between axes that symbol and number leave open, and
        against axes that a symbol names and the cell does not have.
    coordinate_code
        `_space_group_IT_coordinate_system_code`: the origin choice of a symbol that names none, and the
        setting of a number.

    Notes
    -----
    Cached on the raw strings: a repeated question costs about a microsecond.
    """
    return first_reading(operators, hall, hm, number, axes_of(angles_degree), coordinate_code).answer


@lru_cache(maxsize=16384)
def first_reading(
    operators: tuple[str, ...],
    hall: str | None,
    hm: str | None,
    number: str | int | None,
    axes: str,
    coordinate_code: str | None,
) -> Reading:
    """`resolve_space_group` with everything that was read; `axes` from `axes_of`."""
    declared = read_declared(hall, hm, number, axes, coordinate_code)
    if operators:
        return _from_operators(operators, declared)
    for source, group, moved in declared.on_cell():
        if source == "number" and not _has_lattice(group, declared.letter):
            other = f"no. {group.number} has no lattice {declared.letter}"
            detail = f"H-M {declared.symbol!r} cannot be read, and {other}"
            return Reading(SymmetryFailure("lattice-contradicted", detail), (), declared, declared.notes)
        notes = declared.notes | ({"axes-from-cell"} if moved else set())
        answer = Resolution(group, source, agreement(group, declared), tuple(sorted(notes)))
        return Reading(answer, (), declared, notes)
    said = ", ".join(f"{k} {v!r}" for k, v in (("Hall", hall), ("H-M", hm), ("number", number)) if v)
    detail = f"no operators, and no usable symbol ({said})" if said else "no operators and no symbol"
    return Reading(SymmetryFailure("no-symmetry", detail), (), declared, declared.notes)


def _has_lattice(group: SpaceGroup, letter: str) -> bool:
    """The group can have the lattice of a letter; it can where the letter or its centring has no name."""
    if letter in ("R", "H"):
        return group.centring in ("R", "P")
    return letter in ("", group.centring) or group.centring == "X"


def _from_operators(triplets: tuple[str, ...], declared: Declared) -> Reading:
    """The group of an operator list, which may be incomplete, repeated or broken."""
    if len(triplets) > 4 * MAX_ORDER:
        many = SymmetryFailure("too-many-operators", f"{len(triplets)} operators listed")
        return Reading(many, (), declared, declared.notes)
    readable, failure = _readable(triplets)
    listed = tuple(dict.fromkeys(readable))
    notes = set(declared.notes)
    if len(listed) < len(readable):
        notes.add("operators-repeated")
    if listed and IDENTITY not in listed:
        notes.add("identity-added")
    if failure is None:
        try:
            group = space_group(frozenset({*listed, IDENTITY}))
        except NotAGroupError as error:
            code = "too-many-operators" if error.code == "too-many" else "operators-not-a-group"
            failure = SymmetryFailure(code, error.detail)
        else:
            answer = Resolution(group, "operators", agreement(group, declared), tuple(sorted(notes)))
            return Reading(answer, listed, declared, frozenset(notes))
    answer_or_failure = _completed(set(listed), failure, declared, notes)
    return Reading(answer_or_failure, listed, declared, frozenset(notes))


def _readable(triplets: tuple[str, ...]) -> tuple[list[Operator], SymmetryFailure | None]:
    """The operators that can be read, and the first failure."""
    found: list[Operator] = []
    failure = None
    for triplet in triplets:
        try:
            found.append(parse_triplet(triplet))
        except TripletError as error:
            failure = failure or SymmetryFailure(f"operators-{error.code}", f"operator {triplet!r}")
    return found, failure


def _completed(
    members: set[Operator], failure: SymmetryFailure, declared: Declared, notes: set[str]
) -> Resolution | SymmetryFailure:
    """A broken list stands only where a declared symbol contains all of it that can be read."""
    for source, group, _ in declared.on_cell():
        if not members <= members_of(group):
            continue
        unreadable = failure.code in ("operators-unreadable", "operators-not-integer")
        note = "operators-unreadable" if unreadable else "operators-incomplete"
        if not unreadable and close_group(members) == members_of(group):
            source = "operators"
        return Resolution(group, source, agreement(group, declared), tuple(sorted({*notes, note})))
    return failure


@lru_cache(maxsize=4096)
def members_of(group: SpaceGroup) -> frozenset[Operator]:
    """Operators of a group as numbers."""
    return frozenset(parse_triplet(t) for t in group.operators)


def agreement(group: SpaceGroup, declared: Declared) -> str:
    """How the declared symbols and number stand to the group in use: see `Resolution`."""
    numbers = [g.number for g in (declared.hall, declared.number) if g is not None]
    if declared.hm_number is not None:
        numbers.append(declared.hm_number)
    if not numbers:
        return "undeclared"
    if any(n != group.number for n in numbers) or not _has_lattice(group, declared.letter):
        return "disagree"
    if declared.hall is not None and declared.hall is not group:
        return "setting"
    if declared.hm_number is not None and not _same_setting(group, declared.hm, declared.symbol):
        return "setting"
    return "unread" if declared.notes & {"symbol-unknown", "hall-unknown"} else "agree"


def _same_setting(group: SpaceGroup, by_hm: SpaceGroup | None, symbol: str) -> bool:
    """The symbol's setting is the group's; origin and axes count only where the symbol names them."""
    if by_hm is group:
        return not names_other_axes(symbol, group.hm)
    if by_hm is None or by_hm.hm is None or group.hm is None or has_explicit_setting(symbol):
        return False
    return by_hm.hm.split(":")[0] == group.hm.split(":")[0]
