"""The structure while it is built: atoms of the asymmetric unit, on their sites."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["Atoms", "Site", "nearest_images", "site_of"]

SPECIAL_ANGSTROM = 0.55
"""A peak this near to its own image is taken to lie on the symmetry element between the two."""


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Atoms of an asymmetric unit.

    Attributes
    ----------
    numbers
        Atomic numbers (n,).
    fract
        Fractional coordinates (n, 3).
    u_iso
        Å² (n,).
    weights
        Site multiplicity over the order of the group (n,): 1 on a general position.
    projections
        (n, 3, 3): what a shift of the coordinates becomes on the atom's site.
    """

    numbers: I64
    fract: F64
    u_iso: F64
    weights: F64
    projections: F64

    def __len__(self) -> int:
        return len(self.numbers)

    def counts(self) -> dict[int, float]:
        """Atoms of each element in the asymmetric unit, by atomic number; special positions count in part."""
        found: dict[int, float] = {}
        for z, weight in zip(self.numbers.tolist(), self.weights.tolist(), strict=True):
            found[z] = found.get(z, 0.0) + weight
        return found

    def take(self, which: Bool | I64) -> Atoms:
        """Some of the atoms."""
        return Atoms(*(getattr(self, name)[which] for name in self.__slots__))

    def joined(self, other: Atoms) -> Atoms:
        """These atoms and others."""
        return Atoms(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in self.__slots__))

    def with_numbers(self, numbers: I64) -> Atoms:
        """The same atoms as other elements."""
        return replace(self, numbers=numbers)


class Site(NamedTuple):
    """Where an atom stands: coordinates on the site, 1 / number of operators that keep it, and shifts."""

    fract: F64
    weight: float
    projection: F64


@lru_cache(maxsize=64)
def _to_angstrom(cell: UnitCell) -> F64:
    return cell.orthogonalization.T.copy()


def site_of(group: SpaceGroup, cell: UnitCell, fract: F64, tolerance: float = SPECIAL_ANGSTROM) -> Site:
    """The site of a position, which is moved onto a symmetry element that is near.

    Parameters
    ----------
    group, cell
        Of the structure.
    fract
        (3,).
    tolerance
        Distance of a position to its own image in Å below which both are one atom.
    """
    to_angstrom = _to_angstrom(cell)
    x = fract % 1.0
    kept: Bool = np.ones(group.order, dtype=bool)
    for _ in range(6):
        images = group.images(x[None])[:, 0]
        lattice = np.rint(images - x)
        away = np.sqrt((((images - x - lattice) @ to_angstrom) ** 2).sum(axis=1))
        near = away < tolerance
        moved = (images - lattice)[near].mean(axis=0)
        settled = np.array_equal(near, kept) and np.allclose(moved, x, atol=1e-9)
        kept, x = near, moved
        if settled:
            break
        tolerance = max(0.6 * tolerance, 0.05)
    return Site(x % 1.0, 1.0 / float(kept.sum()), group.rotations[kept].mean(axis=0))


def nearest_images(group: SpaceGroup, cell: UnitCell, fract: F64, others: F64) -> F64:
    """Shortest distance in Å of a position (3,) to any image of each of others (m, 3), (m,)."""
    if len(others) == 0:
        return np.zeros(0)
    images = group.images(fract[None])[:, 0]
    apart = images[:, None] - others[None]
    apart -= np.rint(apart)
    distance: F64 = np.sqrt(((apart @ _to_angstrom(cell)) ** 2).sum(axis=2)).min(axis=0)
    return distance
