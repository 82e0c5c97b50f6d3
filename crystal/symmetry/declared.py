"""What the symbols and the number of a file say of its space group, each read on its own.

A symbol can leave the setting open (`F d -3 m`: the origin; a number: nearly everything), and can name
axes that the cell does not have (`P 1 21/c 1` beside an oblique γ). So a file declares several settings:
`resolve` takes one of them, and its contents may speak for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import gemmi

from xtalpriors.crystal.symmetry.closure import NotAGroupError
from xtalpriors.crystal.symmetry.space_group import SpaceGroup, group_of_hm, group_of_setting
from xtalpriors.crystal.symmetry.symbols import (
    has_explicit_setting,
    has_other_unique_axis,
    lattice_letter,
    names_other_axes,
    number_of_hm,
    on_cell_axes,
    setting_of_number,
    tidy_hall,
)
from xtalpriors.crystal.symmetry.triplets import TripletError
from xtalpriors.errors import UsageError

__all__ = ["Declared", "on_cell", "read_declared"]


class Declared(NamedTuple):
    """Groups by the symbols and the number of a file; None for what is missing or cannot be read.

    Attributes
    ----------
    hall, hm, number
        The group of each, as it stands.
    hm_number
        Number of the Hermann–Mauguin symbol, also where its setting is not known.
    symbol
        The Hermann–Mauguin symbol as in the file, empty where there is none.
    letter
        Lattice letter of a Hermann–Mauguin symbol that cannot be read; empty for any other.
    axes
        What `axes_of` says of the cell.
    notes
        `hall-unknown`, `symbol-unknown`, `number-unknown`.
    """

    hall: SpaceGroup | None
    hm: SpaceGroup | None
    number: SpaceGroup | None
    hm_number: int | None
    symbol: str
    letter: str
    axes: str
    notes: frozenset[str]

    def named(self) -> Iterator[tuple[str, SpaceGroup]]:
        """Source and group of each, the most precise first."""
        for source, group in (("hall", self.hall), ("hm", self.hm), ("number", self.number)):
            if group is not None:
                yield source, group

    def on_cell(self) -> Iterator[tuple[str, SpaceGroup, bool]]:
        """Source and group of each on the axes that the cell has, and whether the axes had to be changed."""
        for source, group in self.named():
            moved = on_cell(group, self.axes)
            if moved is not None:
                yield source, moved, True
            else:
                others = (names_other_axes, has_other_unique_axis)
                yield source, group, source == "hm" and any(of(self.symbol, group.hm) for of in others)

    def variants(self) -> Iterator[tuple[str, SpaceGroup]]:
        """Settings that the symbols leave open: the other origin, another cell choice of a number."""
        if self.hm is not None and self.hall is None and not has_explicit_setting(self.symbol):
            yield from (("hm", group) for group in _settings_like(self.hm, any_choice=False))
        elif self.hm is None and self.hall is None and self.number is not None:
            yield from (("number", group) for group in _settings_like(self.number, any_choice=True))


def read_declared(
    hall: str | None, hm: str | None, number: str | int | None, axes: str, code: str | None
) -> Declared:
    """Read the symbols and the number of a file; `?`, `.` and empty texts say nothing."""
    hall, hm, code = _text(hall), _text(hm), _text(code)
    number = _text(str(number)) if number is not None else None
    origin = code[0] if code and code[0] in "12" else "2"
    by_hall = _group_of_hall(hall) if hall else None
    by_hm = group_of_hm(hm, axes, origin) if hm else None
    if hm and not hall and _HALL.match(hm):  # each under the tag of the other
        by_hall = _group_of_hall(hm)
    elif hall and not hm and by_hall is None:
        by_hm = group_of_hm(hall, axes, origin)
        hm = hall if by_hm else None
    by_number = _group_of_number(number, axes, code)
    hm_number = by_hm.number if by_hm else number_of_hm(hm) if hm else None
    unread = hm is not None and hm_number is None
    notes = {
        "hall-unknown": hall is not None and by_hall is None,
        "symbol-unknown": unread,
        "number-unknown": number is not None and by_number is None,
    }
    letter = lattice_letter(hm) if hm and unread else ""
    noted = frozenset(k for k, v in notes.items() if v)
    return Declared(by_hall, by_hm, by_number, hm_number, hm or "", letter, axes, noted)


_HALL = re.compile(r"-[PABCIRF]\s")
"""Only a Hall symbol begins with a minus; without one it may be half a Hermann–Mauguin symbol."""


@lru_cache(maxsize=1024)
def _group_of_hall(symbol: str) -> SpaceGroup | None:
    """Group of a Hall symbol, None where it cannot be read."""
    try:
        return SpaceGroup.from_hall(tidy_hall(symbol))
    except (UsageError, NotAGroupError, TripletError):
        return None


@lru_cache(maxsize=1024)
def _group_of_number(text: str | None, axes: str, code: str | None) -> SpaceGroup | None:
    """Group of a number in the setting of its code or its cell, None unless it is a number from 1 to 230."""
    try:
        setting = setting_of_number(int(text or ""), axes, code)
    except ValueError:
        return None
    return None if setting is None else group_of_setting(setting)


def _text(value: str | None) -> str | None:
    """The text, None where it is null or empty."""
    text = value.strip() if value else ""
    return None if text in ("", "?", ".", "''", '""') else text


@lru_cache(maxsize=1024)
def on_cell(group: SpaceGroup, axes: str) -> SpaceGroup | None:
    """The group on the cell's axes; None where it has them, or has no name to find them by."""
    setting = gemmi.find_spacegroup_by_name(group.hm) if group.hm else None
    moved = on_cell_axes(setting, axes) if setting is not None else None
    return None if moved is None else group_of_setting(moved)


def _settings_like(group: SpaceGroup, any_choice: bool) -> Iterator[SpaceGroup]:
    """Settings on the same axes with another origin; with another cell choice as well if `any_choice`."""
    named = gemmi.find_spacegroup_by_name(group.hm) if group.hm else None
    if named is None:
        return
    for setting in gemmi.spacegroup_table():
        same_axes = setting.hm == named.hm or (
            any_choice
            and named.monoclinic_unique_axis() not in ("\0", "")
            and setting.monoclinic_unique_axis() == named.monoclinic_unique_axis()
        )
        if setting.number == named.number and same_axes and not {setting.ext, named.ext} & {"H", "R"}:
            other = group_of_setting(setting)
            if other is not group:
                yield other
