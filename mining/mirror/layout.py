"""Which paths belong to a COD mirror, `9/00/00/9000000.cif`, and what a range such as `9/00` is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from xtalpriors.errors import UsageError

__all__ = ["check_ranges", "entry_path", "in_ranges", "mirrored_files"]

_RANGE = re.compile(r"[1-9](/\d\d){0,2}")
_ENTRY = re.compile(r"(?:^|/)(([1-9])/(\d\d)/(\d\d)/\2\3\4\d\d\.cif)$", re.ASCII)


def entry_path(name: str) -> str | None:
    """The end of a path that is the COD's layout, as in `cod/cif/9/00/00/9000000.cif`; null without."""
    match = _ENTRY.search(name)
    return match[1] if match else None


def check_ranges(ranges: Sequence[str]) -> tuple[str, ...]:
    """Ranges sorted and without those that lie in another one; none at all is the whole database.

    Raises
    ------
    UsageError
        One is no folder of the COD's layout.
    """
    for one in ranges:
        if not _RANGE.fullmatch(one):
            raise UsageError(
                f"'{one}' is no part of the COD: a range is the first digits of COD numbers as folders, such "
                "as 2, 2/01 or 2/01/64."
            )
    return tuple(sorted({one for one in ranges if not in_ranges(one, [r for r in ranges if r != one])}))


def in_ranges(path: str, ranges: Sequence[str]) -> bool:
    """Whether a path lies in one of the folders."""
    return any(path == one or path.startswith(f"{one}/") for one in ranges)


def mirrored_files(root: Path, ranges: Sequence[str]) -> Iterator[str]:
    """Paths of the entries that a mirror holds, sorted; of the ranges only, if there are any."""
    for path in sorted(root.glob("[1-9]/[0-9][0-9]/[0-9][0-9]/*.cif")):
        name = path.relative_to(root).as_posix()
        if entry_path(name) == name and (not ranges or in_ranges(name, ranges)):
            yield name
