"""The space group of a file: operators first, then the Hall symbol, the Hermann–Mauguin symbol, the number.

Files contradict themselves, and their operator lists are untrusted input. What was used, and whether the rest
agrees with it, is part of the answer; a file without usable symmetry is a failure with a reason, never P1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from xtalpriors.crystal.symmetry.closure import MAX_ORDER, NotAGroupError, close_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup, group_of_hm, space_group
from xtalpriors.crystal.symmetry.symbols import axes_of, has_explicit_setting, number_of_hm, tidy_hall
from xtalpriors.crystal.symmetry.triplets import IDENTITY, Operator, TripletError, parse_triplet
from xtalpriors.errors import UsageError

__all__ = ["Resolution", "SymmetryFailure", "resolve_space_group"]


class Resolution(NamedTuple):
    """The space group in use.

    Attributes
    ----------
    group
        The group, in the file's setting.
    source
        What it was made from: `operators`, `hall`, `hm` or `number`.
    agreement
        `agree`: every symbol and number that can be read names this group in this setting (a symbol without
        origin or axes agrees with each of them); `setting`: the number is the same, the setting is not;
        `disagree`: another group is named; `undeclared`: operators alone, no readable symbol or number.
    notes
        Sorted codes: `identity-added`, `operators-repeated`, `operators-incomplete` (the symbol completed
        them), `operators-unreadable` (the symbol replaced them), `symbol-unknown`, `hall-unknown`,
        `number-unknown`.
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
        `operators-not-a-group`.
    detail
        What was found.
    """

    code: str
    detail: str


def resolve_space_group(
    operators: tuple[str, ...] = (),
    hall: str | None = None,
    hm: str | None = None,
    number: str | int | None = None,
    angles_degree: tuple[float, float, float] | None = None,
) -> Resolution | SymmetryFailure:
    """Space group of a file from whatever it says.

    Parameters
    ----------
    operators
        Triplets as in the file; empty where the file lists no operators.
    hall, hm, number
        Declared symbols and number as in the file; None, `?` and `.` say nothing.
    angles_degree
        alpha, beta, gamma of the cell: they decide between axes that a Hermann–Mauguin symbol leaves open.

    Notes
    -----
    Cached on the raw strings: a repeated question costs about a microsecond.
    """
    return _resolve(operators, hall, hm, number, axes_of(angles_degree))


class _Declared(NamedTuple):
    """What the symbols and the number of a file say, unreadable ones left out."""

    hall: SpaceGroup | None
    hm: SpaceGroup | None
    number: SpaceGroup | None
    hm_number: int | None
    notes: frozenset[str]

    def first(self) -> tuple[str, SpaceGroup] | None:
        """The most precise of them."""
        for source, group in (("hall", self.hall), ("hm", self.hm), ("number", self.number)):
            if group is not None:
                return source, group
        return None


@lru_cache(maxsize=16384)
def _resolve(
    operators: tuple[str, ...], hall: str | None, hm: str | None, number: str | int | None, axes: str
) -> Resolution | SymmetryFailure:
    declared = _declared(hall, hm, number, axes)
    if operators:
        return _from_operators(operators, declared, hm)
    first = declared.first()
    if first is None:
        said = ", ".join(f"{k} {v!r}" for k, v in (("Hall", hall), ("H-M", hm), ("number", number)) if v)
        detail = f"no operators, and no usable symbol ({said})" if said else "no operators and no symbol"
        return SymmetryFailure("no-symmetry", detail)
    source, group = first
    return Resolution(group, source, _agreement(group, declared, hm), tuple(sorted(declared.notes)))


def _declared(hall: str | None, hm: str | None, number: str | int | None, axes: str) -> _Declared:
    hall, hm = _text(hall), _text(hm)
    number = _text(str(number)) if number is not None else None
    by_hall = _group_of_hall(hall) if hall else None
    by_hm = group_of_hm(hm, axes) if hm else None
    by_number = _group_of_number(number)
    hm_number = by_hm.number if by_hm else number_of_hm(hm) if hm else None
    notes = {
        "hall-unknown": hall is not None and by_hall is None,
        "symbol-unknown": hm is not None and hm_number is None,
        "number-unknown": number is not None and by_number is None,
    }
    return _Declared(by_hall, by_hm, by_number, hm_number, frozenset(k for k, v in notes.items() if v))


@lru_cache(maxsize=1024)
def _group_of_hall(symbol: str) -> SpaceGroup | None:
    """Group of a Hall symbol, None where it cannot be read."""
    try:
        return SpaceGroup.from_hall(tidy_hall(symbol))
    except (UsageError, NotAGroupError, TripletError):
        return None


def _group_of_number(text: str | None) -> SpaceGroup | None:
    """Group of a number in its reference setting, None where the text is not a number from 1 to 230."""
    try:
        return SpaceGroup.from_number(int(text or ""))
    except (ValueError, UsageError):
        return None


def _text(value: str | None) -> str | None:
    """The text, None where it is null or empty."""
    text = value.strip() if value else ""
    return None if text in ("", "?", ".", "''", '""') else text


def _from_operators(
    triplets: tuple[str, ...], declared: _Declared, hm: str | None
) -> Resolution | SymmetryFailure:
    """The group of an operator list, which may be incomplete, repeated or broken."""
    if len(triplets) > 4 * MAX_ORDER:
        return SymmetryFailure("too-many-operators", f"{len(triplets)} operators listed")
    readable, failure = _readable(triplets)
    notes = set(declared.notes)
    if len(set(readable)) < len(readable):
        notes.add("operators-repeated")
    members = set(readable)
    if members and IDENTITY not in members:
        notes.add("identity-added")
    if failure is None:
        try:
            group = space_group(frozenset(members | {IDENTITY}))
        except NotAGroupError as error:
            code = "too-many-operators" if error.code == "too-many" else "operators-not-a-group"
            failure = SymmetryFailure(code, error.detail)
        else:
            return Resolution(group, "operators", _agreement(group, declared, hm), tuple(sorted(notes)))
    return _completed(members, failure, declared, notes, hm)


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
    members: set[Operator], failure: SymmetryFailure, declared: _Declared, notes: set[str], hm: str | None
) -> Resolution | SymmetryFailure:
    """A broken list stands only where a declared symbol contains all of it that can be read."""
    for source, group in (("hall", declared.hall), ("hm", declared.hm), ("number", declared.number)):
        if group is None or not members <= {parse_triplet(t) for t in group.operators}:
            continue
        if failure.code in ("operators-unreadable", "operators-not-integer"):
            notes.add("operators-unreadable")
        else:
            notes.add("operators-incomplete")
            completed = close_group(members)
            if completed == frozenset(parse_triplet(t) for t in group.operators):
                source = "operators"
        return Resolution(group, source, _agreement(group, declared, hm), tuple(sorted(notes)))
    return failure


def _agreement(group: SpaceGroup, declared: _Declared, hm: str | None) -> str:
    """How the declared symbols and number stand to the group in use."""
    numbers = [g.number for g in (declared.hall, declared.number) if g is not None]
    if declared.hm_number is not None:
        numbers.append(declared.hm_number)
    if not numbers:
        return "undeclared"
    if any(n != group.number for n in numbers):
        return "disagree"
    if declared.hall is not None and declared.hall is not group:
        return "setting"
    if declared.hm_number is not None and not _same_setting(group, declared.hm, hm or ""):
        return "setting"
    return "agree"


def _same_setting(group: SpaceGroup, by_hm: SpaceGroup | None, symbol: str) -> bool:
    """The symbol's setting is the group's; origin and axes count only where the symbol names them."""
    if by_hm is group:
        return True
    if by_hm is None or by_hm.hm is None or group.hm is None or has_explicit_setting(symbol):
        return False
    return by_hm.hm.split(":")[0] == group.hm.split(":")[0]
