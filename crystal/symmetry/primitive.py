"""The primitive lattice of a space group: the lattice of its axes and of all its pure translations."""

from __future__ import annotations

from functools import lru_cache

from xtalpriors.arrays import F64
from xtalpriors.crystal.symmetry.integer import lattice_basis
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, IDENTITY, parse_triplet

__all__ = ["primitive_basis"]


@lru_cache(maxsize=4096)
def primitive_basis(group: SpaceGroup) -> F64:
    """Primitive basis (3, 3) of a group's lattice: columns in units of its axes, right-handed.

    It is the identity for a primitive setting. Any set of pure translations is understood, also where the
    lattice has no centring letter. The array is shared between calls and cannot be written to.
    """
    operators = (parse_triplet(triplet) for triplet in group.operators)
    basis = lattice_basis((t for r, t in operators if r == IDENTITY[0]), DENOMINATOR)
    basis.setflags(write=False)
    return basis
