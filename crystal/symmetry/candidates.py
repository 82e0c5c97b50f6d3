"""What contradictory statements of symmetry could mean: the candidates among which a file's contents decide.

In this order: the operator list; the list with a misprinted operator mended; the declared groups (Hall
symbol, Hermann–Mauguin symbol, number) on the axes that the cell has; the list times a centring that it lost;
and the settings that the symbols leave open. Files that agree with themselves have one candidate.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from xtalpriors.crystal.symmetry.closure import NotAGroupError, close_group
from xtalpriors.crystal.symmetry.resolve import (
    Reading,
    Resolution,
    SymmetryFailure,
    agreement,
    first_reading,
    members_of,
)
from xtalpriors.crystal.symmetry.space_group import CENTRING_VECTORS, SpaceGroup, space_group
from xtalpriors.crystal.symmetry.triplets import IDENTITY, Operator

__all__ = ["Candidates", "symmetry_candidates"]

_MOST_MENDED: Final = 48
"""Longest list of which one operator after the other is left out: the tries are as many as the operators."""
_SETTLED: Final = ("agree", "unread", "undeclared")


class Candidates(NamedTuple):
    """The answer at the file's word (`resolve_space_group`), and what it could mean else, in order."""

    first: Resolution | SymmetryFailure
    others: tuple[Resolution, ...]


@lru_cache(maxsize=16384)
def symmetry_candidates(
    operators: tuple[str, ...],
    hall: str | None,
    hm: str | None,
    number: str | int | None,
    axes: str,
    coordinate_code: str | None,
) -> Candidates:
    """Candidates for the space group of a file; parameters as of `resolve.first_reading`.

    `others` is empty where the list of operators agrees with every symbol that can be read.
    """
    reading = first_reading(operators, hall, hm, number, axes, coordinate_code)
    first = reading.answer
    if operators and isinstance(first, Resolution) and first.agreement in _SETTLED and _is_whole(reading):
        return Candidates(first, ())
    seen = {first.group} if isinstance(first, Resolution) else set()
    others: list[Resolution] = []
    for source, group, note in _proposals(reading):
        if group not in seen:
            seen.add(group)
            notes = {*reading.notes, *note, *_of_the_list(reading.operators, group)}
            others.append(Resolution(group, source, agreement(group, reading.declared), tuple(sorted(notes))))
    return Candidates(first, tuple(others))


def _is_whole(reading: Reading) -> bool:
    """Nothing is missing from the list as far as the list itself tells."""
    return isinstance(reading.answer, Resolution) and "operators-incomplete" not in reading.answer.notes


def _of_the_list(operators: tuple[Operator, ...], group: SpaceGroup) -> set[str]:
    """What it says of a list of operators that a group other than theirs is right."""
    if not operators:
        return set()
    return {"operators-incomplete" if set(operators) <= members_of(group) else "operators-misprinted"}


def _proposals(reading: Reading) -> Iterator[tuple[str, SpaceGroup, tuple[str, ...]]]:
    """Source, group and notes of every candidate but the first, in order, some of them twice."""
    declared, listed = reading.declared, reading.operators
    if isinstance(reading.answer, SymmetryFailure) and len(listed) > 1:
        mended = _mended(listed)
        if mended is not None:
            yield "operators", mended, ()
    for source, group, moved in declared.on_cell():
        yield source, group, ("axes-from-cell",) if moved else ()
    for source, group in declared.named():
        yield source, group, ()
    letters = dict.fromkeys([declared.letter, *(group.centring for _, group in declared.named())])
    for letter in letters:
        centred = _with_centring(listed, letter)
        if centred is not None:
            yield "operators", centred, ()
    for source, group in declared.variants():
        yield source, group, ()


def _with_centring(listed: tuple[Operator, ...], letter: str) -> SpaceGroup | None:
    """The group of a list and the lattice of a letter; None without a list, or where they make no group."""
    shifts = CENTRING_VECTORS.get(letter, ())
    if not listed or not shifts:
        return None
    return _group((*listed, *((IDENTITY[0], shift) for shift in shifts)))


def _mended(listed: tuple[Operator, ...]) -> SpaceGroup | None:
    """The group that a list becomes when one of its operators, the misprinted one, is replaced.

    The others must generate exactly as many operators as are listed; None where no operator does, or where
    two that give different groups do.
    """
    if len(listed) > _MOST_MENDED:
        return None
    size = len(listed)
    found: set[SpaceGroup] = set()
    for left_out in listed:
        rest = [operator for operator in listed if operator != left_out]
        closed = close_group(rest, size)
        if closed is not None and len(closed) == size and (group := _group(tuple(closed))) is not None:
            found.add(group)
    return found.pop() if len(found) == 1 else None


def _group(operators: tuple[Operator, ...]) -> SpaceGroup | None:
    """The group that operators generate, None where they generate none."""
    closed = close_group(operators)
    try:
        return None if closed is None else space_group(closed)
    except NotAGroupError:
        return None
