"""What contradictory statements of symmetry could mean: the candidates among which a file's contents decide.

In this order: the operator list; its group from the other origin; its group on the axes that the cell has
(rhombohedral or hexagonal, or those of the primitive lattice); the list with a misprinted operator mended;
the declared groups (Hall symbol, Hermann–Mauguin symbol, number) on the axes that the cell has; the other
origin of these if it holds the list; the list times a centring that it lost; the settings that the symbols
leave open; and, without a list, the symbol with another lattice letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.closure import NotAGroupError, close_group
from xtalpriors.crystal.symmetry.declared import on_cell
from xtalpriors.crystal.symmetry.resolve import (
    Reading,
    Resolution,
    SymmetryFailure,
    agreement,
    members_of,
)
from xtalpriors.crystal.symmetry.settings import group_in_setting
from xtalpriors.crystal.symmetry.space_group import CENTRING_VECTORS, SpaceGroup, group_of_hm, space_group
from xtalpriors.crystal.symmetry.symbols import has_explicit_setting
from xtalpriors.crystal.symmetry.triplets import IDENTITY, Operator

__all__ = ["Candidate", "alternatives", "is_settled"]

_MOST_MENDED: Final = 48
"""Longest list of which one operator after the other is left out: the tries are as many as the operators."""
_SETTLED: Final = ("agree", "unread", "undeclared")
_RIGHT_ANGLED: Final = ("orthorhombic", "tetragonal", "cubic")
_TO_PRIMITIVE: Final = {"F": "-x+y+z,x-y+z,x+y-z", "I": "y+z,x+z,x+y", "C": "x-y,x+y,z"}
"""Coordinates on the usual primitive axes: ½(b+c) …, ½(−a+b+c) …, ½(a−b) and ½(a+b)."""


class Candidate(NamedTuple):
    """A group that a file may mean.

    Attributes
    ----------
    resolution
        The group, as the answer would be.
    support
        Share of the listed operators that belong to the group, on one of its axes; 1 without a list.
    origin
        `axes`: the group of the list, on the axes of the cell; `origin`: the group of the list or of a full
        symbol, from the other origin; `declared`: a symbol or the number names the
        group, or its lattice completes the list; `mended`: the list with one operator replaced (there may be
        several); `lattice`: the symbol with another lattice letter, which nothing in the file names.
    """

    resolution: Resolution
    support: float
    origin: str


def is_settled(reading: Reading) -> bool:
    """The statements leave no choice: a whole list of operators with which every readable symbol agrees.

    It needs axes that the cell can have, too: a symbol agrees with hexagonal and with rhombohedral ones. Of
    two origins the list may have the one and the atoms the other.
    """
    if isinstance(reading.answer, SymmetryFailure):
        return not reading.operators  # without a list nothing is left to try
    return _agrees(reading) and _other_origin(reading) is None


def _agrees(reading: Reading) -> bool:
    """A whole list of operators, on the axes of the cell, with which every readable symbol agrees."""
    answer = reading.answer
    if isinstance(answer, SymmetryFailure) or not reading.operators:
        return False
    whole = "operators-incomplete" not in answer.notes
    return whole and answer.agreement in _SETTLED and _list_on_cell(reading) is None


@lru_cache(maxsize=4096)
def alternatives(reading: Reading) -> tuple[Candidate, ...]:
    """Candidates other than the answer at the file's word, in order."""
    seen = {reading.answer.group} if isinstance(reading.answer, Resolution) else set()
    found: list[Candidate] = []
    for source, group, note, origin in _proposals(reading):
        if group in seen:
            continue
        seen.add(group)
        support, of_list = (
            (1.0, set[str]()) if origin in ("axes", "origin") else _support(reading.operators, group)
        )
        notes = tuple(sorted({*reading.notes, *note, *of_list}))
        resolution = Resolution(group, source, agreement(group, reading.declared), notes)
        found.append(Candidate(resolution, support, origin))
    return tuple(found)


def _support(operators: tuple[Operator, ...], group: SpaceGroup) -> tuple[float, set[str]]:
    """Share of the operators that belong to a group, on one of its axes, and the notes on the list."""
    if not operators:
        return 1.0, set()
    share = sum(operator in members_of(group) for operator in operators) / len(operators)
    if share == 1.0:
        return 1.0, {"operators-incomplete"}
    turned = on_cell(group, "H" if (group.hm or "").endswith(":R") else "R")
    if turned is not None and members_of(turned).issuperset(operators):
        return 1.0, {"axes-from-cell", "operators-incomplete"}
    return share, {"operators-misprinted"}


def _proposals(reading: Reading) -> Iterator[tuple[str, SpaceGroup, tuple[str, ...], str]]:
    """Source, group, notes and origin of the candidates, in order, some of them twice."""
    declared, listed = reading.declared, reading.operators
    shifted = _other_origin(reading)
    if shifted is not None and isinstance(reading.answer, Resolution):
        yield reading.answer.source, shifted, ("origin-from-contents",), "origin"
    if _agrees(reading):
        return
    named = {group for _, group in declared.named()}
    moved_list = _list_on_cell(reading)
    if moved_list is not None:
        yield "operators", moved_list, ("axes-from-cell",), "axes"
    if isinstance(reading.answer, SymmetryFailure) and listed:
        for group in _mended(listed):
            yield "operators", group, (), "declared" if group in named else "mended"
    for source, group, moved in declared.on_cell():
        yield source, group, ("axes-from-cell",) if moved else (), "declared"
    for source, group in declared.named():
        yield source, group, (), "declared"
        primitive = _on_primitive_axes(group, declared.axes)
        if primitive is not None:
            yield source, primitive, ("axes-from-cell",), "declared"
    variants = list(declared.variants())
    for source, group in variants:  # more symmetry than that of a whole cell with the centring of its symbol
        if members_of(group).issuperset(listed):
            yield source, group, (), "declared"
    for letter in dict.fromkeys([declared.letter, *(group.centring for _, group in declared.named())]):
        centred = _with_centring(listed, letter)
        if centred is not None:
            yield "operators", centred, (), "declared"
    for source, group in variants:
        yield source, group, (), "declared"
    if not listed and declared.hm is not None:
        for group in _other_lattices(declared.hm):
            yield "hm", group, ("symbol-contradicted",), "lattice"


def _other_origin(reading: Reading) -> SpaceGroup | None:
    """The group from the other of its two origins, where neither list nor symbol leaves that open."""
    answer = reading.answer
    if isinstance(answer, SymmetryFailure):
        return None
    symbol, _, origin = (answer.group.hm or "").partition(":")
    other = {"1": "2", "2": "1"}.get(origin)
    by_symbol = not reading.operators and has_explicit_setting(reading.declared.symbol)
    if other is None or not (by_symbol or _agrees(reading)):
        return None
    return group_of_hm(f"{symbol}:{other}", reading.declared.axes, other)


def _list_on_cell(reading: Reading) -> SpaceGroup | None:
    """The group of a list on the axes of the cell, where these are rhombohedral, hexagonal or primitive.

    The unique axis of a monoclinic list stays: its contents are the same on each.
    """
    answer, axes = reading.answer, reading.declared.axes
    if isinstance(answer, SymmetryFailure) or not reading.operators:
        return None
    if (answer.group.hm or "").endswith((":H", ":R")):
        return on_cell(answer.group, axes)
    return _on_primitive_axes(answer.group, axes)


@lru_cache(maxsize=1024)
def _on_primitive_axes(group: SpaceGroup, axes: str) -> SpaceGroup | None:
    """A centred group with right angles on the axes of its primitive lattice, where the cell is oblique."""
    triplet = _TO_PRIMITIVE.get(group.centring)
    if triplet is None or axes == "o" or group.crystal_system not in _RIGHT_ANGLED:
        return None
    return group_in_setting(group, ChangeOfBasis.from_triplet(triplet))


def _with_centring(listed: tuple[Operator, ...], letter: str) -> SpaceGroup | None:
    """The group of a list and the lattice of a letter; None without a list, or where they make no group."""
    shifts = CENTRING_VECTORS.get(letter, ())
    if not listed or not shifts:
        return None
    return _generated((*listed, *((IDENTITY[0], shift) for shift in shifts)))


def _other_lattices(group: SpaceGroup) -> Iterator[SpaceGroup]:
    """The group with another lattice letter, the lattices of most points first.

    The operators are the first of each rotation, sorted by translation: for groups without screw axes and
    glide planes they are those through the origin.
    """
    first: dict[tuple[int, ...], Operator] = {}
    for operator in sorted(members_of(group), key=lambda op: op[1]):
        first.setdefault(operator[0], operator)
    for letter in "FICABP":
        if letter != group.centring:
            shifts = [(IDENTITY[0], shift) for shift in CENTRING_VECTORS[letter]]
            other = _generated((*first.values(), *shifts))
            if other is not None and other.order == len(first) * (len(shifts) + 1):
                yield other


def _mended(listed: tuple[Operator, ...]) -> list[SpaceGroup]:
    """The groups that a list becomes when one of its operators, the misprinted one, is replaced.

    The others must generate exactly as many operators as are listed. In short lists more than one operator
    can be the wrong one, for another group each.
    """
    size = len(listed)
    if not 3 <= size <= _MOST_MENDED:
        return []
    found: dict[SpaceGroup, None] = {}
    for left_out in listed:
        closed = close_group([operator for operator in listed if operator != left_out], size)
        if closed is not None and len(closed) == size and (group := _generated(tuple(closed))) is not None:
            found[group] = None
    return list(found)


def _generated(operators: tuple[Operator, ...]) -> SpaceGroup | None:
    """The group that operators generate, None where they generate none."""
    closed = close_group(operators)
    try:
        return None if closed is None else space_group(closed)
    except NotAGroupError:
        return None
