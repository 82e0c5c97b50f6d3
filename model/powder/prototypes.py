"""Prototypes of inorganic crystals: space group, Wyckoff positions, free parameters, and fitting elements.

`prototypes.tsv` has one row each. Its columns are the crystal system; a name; the number of the space group
(reference setting: origin choice 2, hexagonal axes); the relative frequency, after the stoichiometries of the
cubic crystals of Guo et al. 2024; c/a; the pools of elements of each species (`A=aer X=o`); and the sites of
each species (`X:48f(0.33),8b`: Wyckoff letters with the free parameters of the representatives that
`crystal.wyckoff` has). Coordinates are rounded values of the type compounds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.table import WyckoffPosition, wyckoff_positions

__all__ = ["ELEMENT_POOLS", "Prototype", "PrototypeSite", "System", "orbit", "prototypes"]

System = Literal["cubic", "trigonal"]

_POOLS: Final = {
    "a": "Li Na K Rb Cs",
    "e": "Mg Ca Sr Ba",
    "r": "Sc Y La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu",
    "u": "Th U",
    "t": "Ti V Cr Mn Fe Co Ni Cu Zn Zr Nb Mo Ru Rh Pd Ag Cd Hf Ta W Re Os Ir Pt Au Hg",
    "p": "Al Ga In Tl Si Ge Sn Pb Sb Bi",
    "x": "F Cl Br I",
    "o": "O",
    "c": "S Se Te",
    "n": "N P As Sb Bi",
    "l": "H B C N",
    "h": "H",
    "k": "C",
    "m": "N",
}
ELEMENT_POOLS: Final[dict[str, tuple[int, ...]]] = {
    letter: tuple(ATOMIC_NUMBER[symbol] for symbol in symbols.split()) for letter, symbols in _POOLS.items()
}
"""Atomic numbers by the letter of a pool: alkali metals, alkaline earths, rare earths, …, light atoms."""

_SITE = re.compile(r"(\d+)([a-z])(?:\(([^)]*)\))?")


@dataclass(frozen=True, slots=True)
class PrototypeSite:
    """One Wyckoff position of a prototype.

    Attributes
    ----------
    species
        Number of the species, from 0.
    position
        The Wyckoff position, in the reference setting.
    parameters
        Values of its free parameters, in the order of the coordinates x, y, z that are free.
    """

    species: int
    position: WyckoffPosition
    parameters: tuple[float, ...]

    def point(self, shifts: npt.ArrayLike = 0.0) -> F64:
        """Coordinates (3,) of the representative, its free parameters moved by `shifts`."""
        free = np.zeros(3)
        columns = np.flatnonzero(self.position.matrix.any(axis=0))
        free[columns] = np.asarray(self.parameters) + shifts
        point: F64 = self.position.matrix @ free + self.position.vector
        return point


@dataclass(frozen=True, slots=True)
class Prototype:
    """A prototype.

    Attributes
    ----------
    system, name, group
        Crystal system, name, and space group in its reference setting.
    weight
        Relative frequency.
    c_over_a
        c/a of the hexagonal cell; 1 for cubic crystals.
    pools
        For each species the letters of the pools of elements; a repeated letter counts twice.
    sites
        Occupied positions.
    """

    system: System
    name: str
    group: SpaceGroup
    weight: float
    c_over_a: float
    pools: tuple[str, ...]
    sites: tuple[PrototypeSite, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Atoms of each species in the cell."""
        counts = [0] * len(self.pools)
        for site in self.sites:
            counts[site.species] += site.position.multiplicity
        return tuple(counts)


@lru_cache(maxsize=2)
def prototypes(system: System) -> tuple[Prototype, ...]:
    """The prototypes of a crystal system, in the order of the table."""
    text = files("xtalpriors.model.powder").joinpath("prototypes.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return tuple(_prototype(system, *row[1:]) for row in rows if row[0] == system)


def _prototype(
    system: System, name: str, number: str, weight: str, ratio: str, elements: str, sites: str
) -> Prototype:
    group = SpaceGroup.from_number(int(number))
    positions = {p.letter: p for p in wyckoff_positions(group)}
    species = [item.partition("=") for item in elements.split()]
    order = {label: k for k, (label, _, _) in enumerate(species)}
    occupied = []
    for item in sites.split():
        label, _, listed = item.partition(":")
        for _, letter, values in _SITE.findall(listed):
            parameters = tuple(float(v) for v in values.split(",")) if values else ()
            occupied.append(PrototypeSite(order[label], positions[letter], parameters))
    pools = tuple(letters for _, _, letters in species)
    return Prototype(system, name, group, float(weight), float(ratio), pools, tuple(occupied))


def orbit(group: SpaceGroup, point: npt.ArrayLike) -> F64:
    """All different points (m, 3) in [0, 1) that the group makes of one."""
    images = group.rotations @ np.asarray(point, dtype=np.float64) + group.translations
    images = np.round(images % 1.0, 7) % 1.0
    points: F64 = np.unique(images, axis=0)
    return points
