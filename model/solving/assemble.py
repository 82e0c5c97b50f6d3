"""Atoms of the asymmetric unit moved to equivalent places, so that bonded ones stand together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.solving.model import Atoms, site_of

__all__ = ["assembled", "bond_limit"]

BOND_SLACK_ANGSTROM = 0.4
_UNKNOWN_RADIUS = 1.6


def bond_limit(first: int, second: int) -> float:
    """Largest length of a bond of two elements in Å: the covalent radii and 0.4 Å."""
    radii = (COVALENT_RADIUS_ANGSTROM[z] or _UNKNOWN_RADIUS for z in (first, second))
    return sum(radii) + BOND_SLACK_ANGSTROM


def assembled(group: SpaceGroup, cell: UnitCell, atoms: Atoms) -> Atoms:
    """The same structure with each atom at the equivalent place nearest to an atom that it is bonded to.

    Fragments are moved as a whole so that their centre is in the cell.
    """
    to_angstrom = cell.orthogonalization.T
    placed: dict[int, np.ndarray] = {}
    fragments: list[list[int]] = []
    waiting = list(range(len(atoms)))
    while waiting:
        seed = waiting.pop(0)
        placed[seed] = atoms.fract[seed]
        fragment, frontier = [seed], [seed]
        while frontier:
            at = frontier.pop(0)
            for j in list(waiting):
                images = group.images(atoms.fract[j][None])[:, 0]
                apart = images - placed[at]
                lattice = np.rint(apart)
                distance = np.sqrt((((apart - lattice) @ to_angstrom) ** 2).sum(axis=1))
                best = int(distance.argmin())
                if distance[best] < bond_limit(int(atoms.numbers[at]), int(atoms.numbers[j])):
                    placed[j] = images[best] - lattice[best]
                    waiting.remove(j)
                    fragment.append(j)
                    frontier.append(j)
        fragments.append(fragment)
    fract = atoms.fract.copy()
    for fragment in fragments:
        points = np.array([placed[j] for j in fragment])
        fract[fragment] = points - np.floor(points.mean(axis=0) + 1e-6)
    sites = [site_of(group, cell, x, 0.05) for x in fract]
    projections = np.array([s.projection for s in sites]) if sites else atoms.projections
    return replace(atoms, fract=fract, projections=projections)
