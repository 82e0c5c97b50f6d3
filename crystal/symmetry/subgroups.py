"""P2₁/c subgroups of a centrosymmetric group: how a structure in C2/c or Pnma is described in P2₁/c.

A network for P2₁/c can phase the crystals of its supergroups once they are described in P2₁/c. Of the
subgroups of type P2₁/c the ones meant here have the *conventional cell of the supergroup as their primitive
cell*: the lattice of a P group stays as it is (Pbca, Pnma, Pbcn: the subgroup is translationengleich), a C
lattice loses its centring (C2/c, C2/m: klassengleich, since their point group has no smaller 2/m and the
primitive lattice alone holds no 2₁ axis beside a centring). The index is 2 in all five, every site has up to
two orbits, the volume is that of the conventional cell, and a bound on lengths means the same before and
after; this is how Larsen et al. (2024, doi 10.1126/science.adn2777) counted 264 structures within 10 Å.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.closure import close_group
from xtalpriors.crystal.symmetry.settings import least_oblique_p21c
from xtalpriors.crystal.symmetry.space_group import SpaceGroup, space_group
from xtalpriors.crystal.symmetry.triplets import IDENTITY, Operator, compose, parse_triplet

__all__ = ["P21cDescription", "SplitSites", "describe_in_p21c", "p21c_subgroups", "split_sites"]


P21C_NUMBER = 14
_INVERSION = (-1, 0, 0, 0, -1, 0, 0, 0, -1)
_SAME_POINT_ANGSTROM = 1e-3


class P21cDescription(NamedTuple):
    """How a crystal is described in a P2₁/c subgroup of its group.

    Attributes
    ----------
    subgroup
        The subgroup, in the setting of the supergroup.
    change
        Change of basis from there to the least-oblique P2₁/c cell.
    cell
        That cell.
    """

    subgroup: SpaceGroup
    change: ChangeOfBasis
    cell: UnitCell


class SplitSites(NamedTuple):
    """Sites of a structure in a subgroup of its group.

    Attributes
    ----------
    parent
        (k,) index of the site of the supergroup that each site comes from, ascending.
    fract
        (k, 3) coordinates in the setting of the supergroup, in [0, 1).
    """

    parent: I64
    fract: F64


@lru_cache(maxsize=512)
def p21c_subgroups(group: SpaceGroup) -> tuple[SpaceGroup, ...]:
    """Subgroups of type no. 14 that keep the given cell as their primitive cell, sorted by their operators.

    Parameters
    ----------
    group
        Any group in any setting. A group without inversion or 2₁ axis has no such subgroup.

    Returns
    -------
    tuple of SpaceGroup
        Each of order 4, in the setting of `group`: Pbca has three, Pnma and Pbcn two, C2/c two.
    """
    members = [parse_triplet(triplet) for triplet in group.operators]
    inversions = [op for op in members if op[0] == _INVERSION]
    found: set[frozenset[Operator]] = set()
    for twofold in filter(_is_twofold_rotation, members):
        for inversion in inversions:
            generated = close_group((IDENTITY, inversion, twofold), limit=4)
            if generated is not None and len(generated) == 4:
                found.add(generated)
    subgroups = (space_group(operators) for operators in sorted(found, key=sorted))
    return tuple(s for s in subgroups if s.number == P21C_NUMBER)


def describe_in_p21c(group: SpaceGroup, cell: UnitCell) -> P21cDescription | None:
    """The P2₁/c subgroup whose least-oblique cell is nearest to rectangular, and the way to that cell.

    Where several are equally oblique (the three of Pbca), the unique axis is b before c before a of the
    given setting, then the operators decide. A group of no. 14, in a centred setting too, is its own
    subgroup.

    Returns
    -------
    P21cDescription or None
        None where the group has no such subgroup.
    """
    described = []
    for subgroup in (group,) if group.number == P21C_NUMBER else p21c_subgroups(group):
        least_oblique, change = least_oblique_p21c(subgroup, cell)
        obliquity = round(abs(least_oblique.beta - 90.0), 4)
        rank = (obliquity, "bca".index(_unique_axis(subgroup)), subgroup.operators)
        described.append((rank, P21cDescription(subgroup, change, least_oblique)))
    return min(described, key=lambda pair: pair[0])[1] if described else None


def split_sites(group: SpaceGroup, subgroup: SpaceGroup, fract: npt.ArrayLike, metric: F64) -> SplitSites:
    """Sites of the asymmetric unit of a subgroup, from those of the group.

    The orbit of a site under the group falls into one orbit under the subgroup for each coset, or fewer
    where the site lies on a special position.

    Parameters
    ----------
    group, subgroup
        In one setting.
    fract
        (m, 3) coordinates of the asymmetric unit of `group`; those of special positions exactly there.
    metric
        (3, 3) metric tensor of the cell in Å².
    """
    points = np.asarray(fract, dtype=np.float64).reshape(-1, 3)
    representatives = _coset_representatives(group, subgroup)
    images = np.einsum("kij,mj->mki", representatives.rotations, points) + representatives.translations
    parents: list[int] = []
    kept: list[F64] = []
    for parent, candidates in enumerate(images):
        of_this_parent: list[F64] = []
        for candidate in candidates:
            orbit = candidate @ subgroup.rotations.transpose(0, 2, 1) + subgroup.translations
            if not any(_meets(orbit, known, metric) for known in of_this_parent):
                of_this_parent.append(candidate)
        parents += [parent] * len(of_this_parent)
        kept += of_this_parent
    coordinates = np.array(kept, dtype=np.float64).reshape(-1, 3)
    # 1 − 10⁻¹⁷ is 1.0 in floating point: the remainder is taken twice.
    return SplitSites(np.array(parents, dtype=np.int64), np.mod(np.mod(coordinates, 1.0), 1.0))


class _Cosets(NamedTuple):
    rotations: F64
    translations: F64


@lru_cache(maxsize=512)
def _coset_representatives(group: SpaceGroup, subgroup: SpaceGroup) -> _Cosets:
    """One operator for each right coset of the subgroup, the identity first."""
    remaining = [parse_triplet(triplet) for triplet in group.operators]
    members = [parse_triplet(triplet) for triplet in subgroup.operators]
    indices, taken = [], set()
    for index, operator in enumerate(remaining):
        if operator in taken:
            continue
        indices.append(index)
        taken |= {compose(member, operator) for member in members}
    return _Cosets(group.rotations[indices].astype(np.float64), group.translations[indices])


def _is_twofold_rotation(operator: Operator) -> bool:
    rotation = operator[0]
    square = compose(operator, operator)[0]
    trace = rotation[0] + rotation[4] + rotation[8]
    return square == IDENTITY[0] and trace == -1


def _unique_axis(group: SpaceGroup) -> str:
    """The cell's axis along the 2₁ axis; `a` where no axis is (which the five supergroups never show)."""
    for rotation in group.rotations:
        if np.trace(rotation) == -1:
            fixed = [
                axis
                for axis, unit in zip("abc", np.eye(3), strict=True)
                if np.array_equal(rotation @ unit, unit)
            ]
            return fixed[0] if fixed else "a"
    return "a"


def _meets(orbit: F64, point: F64, metric: F64) -> bool:
    difference = orbit - point
    difference -= np.rint(difference)
    squared = np.einsum("ni,ij,nj->n", difference, metric, difference)
    return bool((squared < _SAME_POINT_ANGSTROM**2).any())
