"""Triclinic structures described in the Niggli-reduced cell of their lattice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xtalpriors.arrays import F64, U8
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.niggli import niggli_reduce
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.table import wyckoff_positions
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.structures import Structure

__all__ = ["niggli_reduced"]


def niggli_reduced(structure: Structure) -> Structure:
    """The same crystal in its Niggli-reduced cell, if it is in P1 or P-1; others as they are.

    The axes become integer combinations of the former ones, A′ = A B, and coordinates x′ = B⁻¹ x. The
    operators of the two groups are the same in every basis. A special position can get another Wyckoff
    letter: (½, 0, 0) may become (½, ½, 0). Centred cells and other origins are left as they are.
    """
    group = structure.group
    if group not in (SpaceGroup.from_number(1), SpaceGroup.from_number(2)):
        return structure
    found = niggli_reduce([structure.cell.parameters])
    basis = np.rint(found.bases[0])
    if not found.reduced[0] or np.array_equal(basis, np.eye(3)):
        return structure
    fract = structure.fract @ np.rint(np.linalg.inv(basis)).T
    return replace(
        structure,
        cell=UnitCell(*found.cells[0].tolist()),
        fract=fract,
        site=_sites(group, fract, structure.site),
    )


def _sites(group: SpaceGroup, fract: F64, site: U8) -> U8:
    """Numbers of the Wyckoff positions of atoms of P-1 that are special: they lie at halves of the axes."""
    points = {
        tuple(np.rint(2 * position.vector).astype(int) % 2): number
        for number, position in enumerate(wyckoff_positions(group))
        if position.degrees_of_freedom == 0
    }
    moved = site.copy()
    for k in np.flatnonzero(site != GENERAL):
        moved[k] = points[tuple(np.rint(2 * fract[k]).astype(int) % 2)]
    return moved
