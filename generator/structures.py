"""Generated structures: one `Structure`, and many in one `StructureBatch` of flat arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from xtalpriors.arrays import F32, F64, I16, I32, I64, U8
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import UnitCell, cell_volumes
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.generator.counters import COUNTERS, GENERAL

__all__ = ["Structure", "StructureBatch"]


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure: the atoms of its asymmetric unit.

    Attributes
    ----------
    index
        Its number in the run.
    cell
        Unit cell.
    group
        Space group.
    element
        Atomic numbers, uint8 (n,).
    fract
        Fractional coordinates, float64 (n, 3), outside [0, 1) where that keeps a molecule in one piece.
    u_iso
        Isotropic displacement parameters in Å², float32 (n,).
    multiplicity
        Points of each atom's orbit in the cell, int16 (n,).
    site
        Number of its position in `wyckoff_positions(group)`, uint8 (n,); `GENERAL` for the general one.
    """

    index: int
    cell: UnitCell
    group: SpaceGroup
    element: U8
    fract: F64
    u_iso: F32
    multiplicity: I16
    site: U8

    @property
    def symbols(self) -> list[str]:
        """Element symbols."""
        return [SYMBOLS[z] for z in self.element]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StructureBatch:
    """Structures of one space group, their atoms in flat arrays.

    The atoms of structure k are rows `offsets[k]` … `offsets[k + 1] − 1` of `element`, `fract`, `u_iso`,
    `multiplicity` and `site`.

    Attributes
    ----------
    group
        Space group of all of them.
    index
        Number of each structure in the run, int64 (n,).
    offsets
        int64 (n + 1,).
    cell
        a, b, c in Å and alpha, beta, gamma in degrees, float64 (n, 6).
    counters
        What was wanted and what was dropped, int32 (n, 8); columns `COUNTERS`.
    element
        Atomic numbers, uint8 (m,).
    fract
        Fractional coordinates of the asymmetric unit, float64 (m, 3); not reduced to [0, 1).
    u_iso
        Å², float32 (m,).
    multiplicity
        Points of the orbit in the cell, int16 (m,). Every site is fully occupied.
    site
        Number of the position in `wyckoff_positions(group)`, uint8 (m,), `GENERAL` (255) for the general one.
    """

    group: SpaceGroup
    index: I64
    offsets: I64
    cell: F64
    counters: I32
    element: U8
    fract: F64
    u_iso: F32
    multiplicity: I16
    site: U8

    def __repr__(self) -> str:
        """What the batch holds, in five lines."""
        n, name = len(self), self.group.hm or f"no. {self.group.number}"
        if n == 0:
            return f"StructureBatch: no structures in {name}"
        low, middle, high = np.quantile(self.volume, [0, 0.5, 1])
        numbers, counts = np.unique(self.element, return_counts=True)
        common = sorted(zip(counts.tolist(), numbers.tolist(), strict=True), reverse=True)[:6]
        shares = ", ".join(f"{SYMBOLS[z]} {100 * count / len(self.element):.0f} %" for count, z in common)
        dropped = sum(v for k, v in self.totals.items() if "dropped" in k)
        lines = [
            f"StructureBatch: {counted(n, 'structure')} in {name}, index {self.index[0]} … {self.index[-1]}",
            f"  volume: {low:,.0f} … {high:,.0f} Å³, median {middle:,.0f} Å³",
            f"  atoms: {len(self.element):,}, {self.n_atoms.min()} … {self.n_atoms.max()} "
            "in an asymmetric unit",
            f"  elements: {shares or 'none'}",
            f"  special positions: {int(self.n_special.sum()):,}; atoms wanted and dropped: {dropped:,}",
        ]
        return "\n".join(lines)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, k: int) -> Structure:
        """Structure at position `k` of the batch."""
        k = range(len(self))[k]
        atoms = slice(int(self.offsets[k]), int(self.offsets[k + 1]))
        return Structure(
            int(self.index[k]),
            UnitCell(*self.cell[k].tolist()),
            self.group,
            self.element[atoms],
            self.fract[atoms],
            self.u_iso[atoms],
            self.multiplicity[atoms],
            self.site[atoms],
        )

    def __iter__(self) -> Iterator[Structure]:
        return (self[k] for k in range(len(self)))

    @property
    def n_atoms(self) -> I64:
        """Atoms in each asymmetric unit, int64 (n,)."""
        return np.diff(self.offsets)

    @property
    def structure_of_atom(self) -> I64:
        """Position in the batch of the structure that each atom belongs to, int64 (m,)."""
        return np.repeat(np.arange(len(self)), self.n_atoms)

    @property
    def weight(self) -> F64:
        """Multiplicity over the order of the group, float64 (m,): the occupancy factor of a structure-factor
        sum."""
        return self.multiplicity / self.group.order

    @property
    def volume(self) -> F64:
        """Volumes in Å³, float64 (n,)."""
        return cell_volumes(self.cell)

    @property
    def n_special(self) -> I64:
        """Occupied special positions of each structure, int64 (n,)."""
        return np.bincount(self.structure_of_atom, self.site != GENERAL, len(self)).astype(np.int64)

    def counter(self, name: str) -> I32:
        """One column of `counters` by its name."""
        return self.counters[:, COUNTERS.index(name)]

    @property
    def totals(self) -> dict[str, int]:
        """Sums of the counters over the batch."""
        return {name: int(total) for name, total in zip(COUNTERS, self.counters.sum(axis=0), strict=True)}

    @classmethod
    def concatenate(cls, batches: Sequence[Self]) -> Self:
        """One batch of several of the same space group, in the order given."""
        first = batches[0]
        if any(b.group is not first.group for b in batches):
            raise ValueError("batches of different space groups cannot be joined")
        names = [f.name for f in fields(cls) if f.name not in ("group", "offsets")]
        joined = {name: np.concatenate([getattr(b, name) for b in batches]) for name in names}
        starts = np.cumsum([0, *(int(b.offsets[-1]) for b in batches)])
        offsets = [b.offsets[:-1] + start for b, start in zip(batches, starts, strict=False)]
        return cls(group=first.group, offsets=np.concatenate([*offsets, starts[-1:]]), **joined)

    def equals(self, other: StructureBatch) -> bool:
        """Bit for bit the same structures."""
        names = [f.name for f in fields(self) if f.name != "group"]
        same = all(np.array_equal(getattr(self, n), getattr(other, n)) for n in names)
        return same and self.group is other.group
