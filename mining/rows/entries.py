"""The blocks of a batch that become entries, with the ranges of their sites: `Entries`.

Everything that is computed for entries takes this one object: which block each is, where its sites lie in
the arrays of the batch, its space group, and the notes on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xtalpriors.arrays import F64, I32, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.symmetry.resolve import Resolution
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.mining.reading.intake import FileBlocks
from xtalpriors.mining.rows.batch import Batch

__all__ = ["Entries", "Groups", "entries_of"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Distinct space groups, and the place of each entry's (n,) among them: each is looked at once."""

    distinct: list[SpaceGroup]
    place: I64

    def array(self, of: Callable[[SpaceGroup], npt.ArrayLike]) -> npt.NDArray[Any]:
        """What a function gives of each entry's group, (n, …)."""
        values = np.stack([np.asarray(of(group)) for group in self.distinct])
        return values[self.place]

    def column(self, of: Callable[[SpaceGroup], Any]) -> pa.Array:
        """The same as an Arrow array."""
        return pa.array([of(group) for group in self.distinct]).take(pa.array(self.place))

    def operators(self) -> tuple[F64, I64]:
        """Operators of the distinct groups, one group after the other, and where those of each begin.

        (k, 12) rotation and translation of x, of y and of z; (distinct + 1,).
        """
        of = [_operators(group) for group in self.distinct]
        return np.concatenate([np.empty((0, 12)), *of]), np.cumsum([0, *map(len, of)])


@lru_cache(maxsize=1024)
def _operators(group: SpaceGroup) -> F64:
    """(n, 12) rotation and translation of x, of y and of z."""
    return np.concatenate([group.rotations, group.translations[:, :, None]], axis=2).reshape(-1, 12)


@dataclass(frozen=True, slots=True)
class Entries:
    """The n entries of a batch, in the order of the files.

    Attributes
    ----------
    batch
        Tokens and numbers of all blocks.
    block
        (n,) block of each entry.
    file
        The file of each.
    start, end
        (n,) first and one past the last of its sites, in arrays over the sites of the batch.
    symmetry
        Space group of each, and how it was found.
    groups
        The same groups, each distinct one once.
    notes
        Codes of what was decided about a block, by block.
    """

    batch: Batch
    block: I64
    file: list[FileBlocks]
    start: I32
    end: I32
    symmetry: list[Resolution]
    groups: Groups
    notes: dict[int, list[str]]

    def __len__(self) -> int:
        return len(self.block)

    def numbers(self, field: str) -> F64:
        """(n,) numbers of a block field, NaN where an entry states none."""
        return self.batch.numbers(self.batch.block_tokens(field)[self.block])

    def texts(self, field: str) -> pa.Array:
        """Strings of a block field, null where an entry states none."""
        return self.batch.texts(self.batch.block_tokens(field)[self.block])

    @property
    def sites(self) -> I64:
        """(r,) the sites of all entries, one entry after the other."""
        rows: I64 = _rows(self.start, self.end, np.zeros_like(self.start))
        return rows

    @property
    def have_all_sites(self) -> bool:
        """The sites of the entries, one entry after the other, are those of the batch, in order."""
        edges = np.append(self.start, len(self.batch.site))
        return bool(edges[0] == 0 and (edges[1:] == self.end).all())

    @property
    def site_index(self) -> I64:
        """(r,) place of each of `sites` in the list of its entry."""
        index: I64 = _rows(self.start, self.end, self.start)
        return index

    def spread(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """(r,) the value of each site's entry, in the order of `sites`; `values` (n,)."""
        return np.repeat(values, self.end - self.start)

    def count(self, flags: Bool) -> I64:
        """(n,) number of the sites of each entry whose flag is set; `flags` (s,)."""
        counted: I64 = _count(self.start, self.end, flags)
        return counted

    def sum(self, values: F64) -> F64:
        """(n,) sum over the sites of each entry; `values` (s,)."""
        padded = np.append(values, 0.0)  # a sum may begin at the very end
        sums: F64 = np.add.reduceat(padded, np.stack([self.start, self.end], axis=1).ravel())[::2]
        return np.where(self.end > self.start, sums, 0.0)

    def note(self, which: Iterable[int] | npt.NDArray[np.intp], code: str) -> None:
        """Add a note to the entries with these indices."""
        for e in which:
            self.notes.setdefault(int(self.block[e]), []).append(code)


@kernel()
def _rows(start: I32, end: I32, origin: I32) -> I64:
    """Numbers from `start` to `end` (n,), counted from `origin`, one entry after the other."""
    rows = np.empty((end - start).sum(), np.int64)
    n = 0
    for e in range(start.size):
        for i in range(start[e], end[e]):
            rows[n] = i - origin[e]
            n += 1
    return rows


@kernel()
def _count(start: I32, end: I32, flags: Bool) -> I64:
    """(n,) number of the flags between `start` and `end` that are set."""
    counted = np.zeros(start.size, np.int64)
    for e in range(start.size):
        for i in range(start[e], end[e]):
            counted[e] += flags[i]
    return counted


def entries_of(
    batch: Batch, files: list[FileBlocks], block: I64, symmetry: list[Resolution], notes: dict[int, list[str]]
) -> Entries:
    """Blocks (n,) of a batch as entries with the groups given."""
    places: dict[SpaceGroup, int] = {}
    place = [places.setdefault(s.group, len(places)) for s in symmetry]
    return Entries(
        batch=batch,
        block=block,
        file=files,
        start=batch.site_start[block],
        end=batch.site_start[block + 1],
        symmetry=symmetry,
        groups=Groups(list(places), np.array(place, dtype=np.int64)),
        notes=notes,
    )
