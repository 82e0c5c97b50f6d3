"""Crystals with powder patterns, compositions and densities: one crystal, and many as arrays in a file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I16, I64
from xtalpriors.atomic_write import replacing
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.powder.composition import Composition, composition_vector, reduced
from xtalpriors.model.powder.density_maps import POINTS, iam_density
from xtalpriors.model.powder.pattern import powder_pattern
from xtalpriors.model.powder.prototypes import System
from xtalpriors.outputs import FileKind

__all__ = ["CRYSTALS_KIND", "PowderCrystal", "PowderCrystals", "gather"]

_MARK: Final = "xtalpriors powder crystals 1"


@dataclass(frozen=True, slots=True, eq=False)
class PowderCrystal:
    """One crystal: all atoms of its cell, in the canonical origin.

    Attributes
    ----------
    cell, group
        Reference setting of the group.
    numbers, fract
        Atomic numbers (n,) and coordinates (n, 3) of all atoms of the cell.
    structure_type
        Space group and Wyckoff letters by element (see `structure_type`): the label of split P.
    name
        Of the prototype, or of the entry of a database.
    """

    cell: UnitCell
    group: SpaceGroup
    numbers: I64
    fract: F64
    structure_type: str
    name: str

    @property
    def composition(self) -> Composition:
        """Elements and counts of a formula unit."""
        numbers, counts = np.unique(self.numbers, return_counts=True)
        return reduced(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class PowderCrystals:
    """n crystals as arrays.

    Attributes
    ----------
    patterns
        (n, 1024) float32, strongest line 1 (see `pattern`).
    compositions
        (n, 119) float32, fractions of atoms by atomic number.
    lattice
        (n, 6) a, b, c in Å and α, β, γ in degrees.
    formula, stoichiometry, prototype, name
        (n,) text: reduced formula, its counts in ascending order (`1:1:3`), the structure type, and the name
        of the prototype or entry.
    space_group
        (n,) int16, number.
    offsets, numbers, fract
        Crystal i has the atoms offsets[i] to offsets[i + 1]: atomic numbers and coordinates of the whole
        cell, in the canonical origin.
    """

    patterns: F32
    compositions: F32
    lattice: F64
    formula: npt.NDArray[np.str_]
    stoichiometry: npt.NDArray[np.str_]
    prototype: npt.NDArray[np.str_]
    name: npt.NDArray[np.str_]
    space_group: I16
    offsets: I64
    numbers: I16
    fract: F64

    def __len__(self) -> int:
        return len(self.lattice)

    @property
    def system(self) -> System:
        """Crystal system, the same for all."""
        return "trigonal" if len(self) and self.lattice[0, 5] == 120.0 else "cubic"

    def cell(self, i: int) -> UnitCell:
        """Unit cell of crystal i."""
        return UnitCell(*self.lattice[i].tolist())

    def atoms(self, i: int) -> tuple[I16, F64]:
        """Atomic numbers (m,) and coordinates (m, 3) of crystal i."""
        own = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return self.numbers[own], self.fract[own]

    def composition(self, i: int) -> Composition:
        """Elements and counts of a formula unit of crystal i."""
        numbers, counts = np.unique(self.atoms(i)[0], return_counts=True)
        return reduced(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))

    def density(self, i: int, points: int = POINTS) -> F32:
        """Density of independent atoms of crystal i, e/Å³, (points, points, points)."""
        return iam_density(self.cell(i), *self.atoms(i), points)

    def take(self, rows: npt.ArrayLike) -> Self:
        """The crystals of some rows, in their order."""
        chosen = np.asarray(rows, dtype=np.int64)
        lengths = np.diff(self.offsets)[chosen]
        atoms = np.concatenate(
            [np.arange(self.offsets[i], self.offsets[i + 1]) for i in chosen] or [np.zeros(0, dtype=np.int64)]
        )
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        own = {"offsets": offsets, "numbers": self.numbers[atoms], "fract": self.fract[atoms]}
        return type(self)(
            **{
                name: own.get(name, array[chosen]) if name in own else array[chosen]
                for name, array in values.items()
            }
        )

    def save(self, path: Path) -> None:
        """Write the crystals as one `.npz` file, whose bytes depend on the crystals alone."""
        with replacing(path, CRYSTALS_KIND) as part, part.open("wb") as file:
            np.savez(file, mark=np.array(_MARK), **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that `save` wrote; UsageError for any other."""
        try:
            with np.load(path, allow_pickle=False) as file:
                if str(file["mark"]) != _MARK:
                    raise ValueError("another mark")
                return cls(**{f.name: file[f.name] for f in fields(cls)})
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise UsageError(
                f"{path} cannot be read as powder crystals that xtalpriors wrote: {error}."
            ) from error


def _is_crystals(path: Path) -> bool:
    with np.load(path, allow_pickle=False) as file:
        return str(file["mark"]) == _MARK


CRYSTALS_KIND: Final = FileKind("a file of powder crystals", _is_crystals)


def gather(crystals: list[PowderCrystal]) -> PowderCrystals:
    """The arrays of crystals, with their patterns."""
    compositions = [c.composition for c in crystals]
    formulas = [
        "".join(SYMBOLS[z] + (str(n) if n > 1 else "") for z, n in zip(*c, strict=True)) for c in compositions
    ]
    return PowderCrystals(
        patterns=np.stack([powder_pattern(c.cell, c.group, c.numbers, c.fract) for c in crystals]),
        compositions=np.stack([composition_vector(c) for c in compositions]),
        lattice=np.array([c.cell.parameters for c in crystals]),
        formula=np.array(formulas),
        stoichiometry=np.array([c.stoichiometry for c in compositions]),
        prototype=np.array([c.structure_type for c in crystals]),
        name=np.array([c.name for c in crystals]),
        space_group=np.array([c.group.number for c in crystals], dtype=np.int16),
        offsets=np.concatenate([[0], np.cumsum([len(c.numbers) for c in crystals])]).astype(np.int64),
        numbers=np.concatenate([c.numbers for c in crystals]).astype(np.int16),
        fract=np.concatenate([c.fract for c in crystals]),
    )
