"""Hydrogen that sites and formula leave out alike: told by charges, by bonds, and by other formulae.

Older structures of minerals have none: brucite is MgO₂ there, sal ammoniac NCl, bischofite MgCl₂O₆. What
nitrogen and the halogens are follows from their neighbours: nitrogen that is bonded to nothing is ammonium
(or ammonia), nitrogen with one bond, a single one, is an amine or an ammine; chlorine, bromine and iodine
without oxygen are anions, and not the central atoms of chlorates. Carbon with one single bond, or with two
at an angle, has hydrogen as well (benzene as C₆, methyl groups); in graphite, fullerenes, carbonates, carbon
dioxide and cyanides it has three bonds, or two in a line, or a multiple one. Some files name the hydrogen in
another formula (AMCSD in its titles).
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I16, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.metric_kernel import square
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, COVALENT_RADIUS_ANGSTROM, SYMBOLS, is_metal
from xtalpriors.crystal.chemistry.oxidation import lacks_cations
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.positions import Positions
from xtalpriors.mining.rows.site_table import Sites

__all__ = ["hydrogen_left_out"]

_HYDROGEN: Final = re.compile(r"H(?![a-z])|D\d")
_CARBON, _NITROGEN, _OXYGEN, _FLUORINE = (ATOMIC_NUMBER[symbol] for symbol in ("C", "N", "O", "F"))
_HALOGENS: Final = [ATOMIC_NUMBER[symbol] for symbol in ("Cl", "Br", "I")]
_ANIONS: Final = [ATOMIC_NUMBER[symbol] for symbol in ("O", "F", "S", "Cl", "Se", "Br", "Te", "I")]
"""Ammonium needs one of them; nitrogen alone is the element, and with metals a nitride."""
_IS_HALOGEN: Final = np.isin(np.arange(len(SYMBOLS)), _HALOGENS)
_IS_CENTRE: Final = np.isin(np.arange(len(SYMBOLS)), [_CARBON, _NITROGEN, *_HALOGENS])
_IS_METAL: Final = np.array([False] + [is_metal(s) for s in SYMBOLS[1:]])
_RADII: Final = np.array([np.nan if r is None else r for r in COVALENT_RADIUS_ANGSTROM])
_SINGLE: Final = 0.88
"""Times the sum of the covalent radii; multiple bonds are shorter: N≡N 0.77, C≡N 0.78, Re≡N 0.74."""
_BONDED: Final = 1.2
_MOLECULAR_ANGSTROM3: Final = 10.0
"""Least volume of an atom beside hydrogens: 16 Å³ in aromatic crystals; graphite has 8.8, diamond 5.7."""
_STRAIGHT: Final = -0.87
"""Cosine of 150°: beyond it two bonds are in a line."""
_APART: Final = 1.45
"""Times the sum of the radii: halides are farther from oxygen than this (Cl 2.4 Å, I 3.0 Å)."""
_ALONE_ANGSTROM: Final = 2.4
"""In ammonium N…O is 2.7 Å and more; with something nearer that is not bonded, a coordinate is wrong."""
_ALTERNATIVES_ANGSTROM: Final = 0.7
"""Nearer than this are atoms that exclude one another, or share a place."""
_MUCH: Final = 0.1
"""Share of the anions' charge that must be missing beside halides: some metals exceed their usual states, as
cobalt does in barium cobaltates."""


def hydrogen_left_out(
    entries: Entries, metric: F64, sites: Sites, positions: Positions, counts: F64, without: Bool
) -> Bool:
    """Which of the entries `without` (n,) hydrogen in sites and formula have some all the same.

    Parameters
    ----------
    metric
        (n, 3, 3) metric tensors in Å².
    counts
        (n, elements) atoms per cell.
    """
    lacking = np.zeros_like(without)
    which = np.flatnonzero(without)
    if not which.size:
        return lacking
    counts = counts[which]
    as_fluorine = counts.copy()
    as_fluorine[:, _FLUORINE] += counts[:, _HALOGENS].sum(axis=1)
    as_fluorine[:, _HALOGENS] = 0.0
    ammonium = (counts[:, _NITROGEN] > 0) & (counts[:, _ANIONS] > 0).any(axis=1)
    hydrate = lacks_cations(as_fluorine, _MUCH)
    volume = np.sqrt(np.linalg.det(metric[which]))
    carbon = (counts[:, _CARBON] > 0) & (volume > _MOLECULAR_ANGSTROM3 * counts.sum(axis=1))
    lacking[which] = lacks_cations(counts) | _named(entries, which)
    for k in np.flatnonzero((ammonium | hydrate | carbon) & ~lacking[which]).tolist():
        e = int(which[k])
        rows = np.arange(entries.start[e], entries.end[e])
        rows = rows[sites.placed[rows]]
        number = sites.species.number[rows]
        group, x = entries.symmetry[e].group, sites.fract[rows]
        images = group.images(x)
        around = _neighbours(number, x, images, metric[e], _RADII, _IS_CENTRE)
        if (ammonium[k] and _needs_hydrogen(number, around).any()) or _is_unsaturated(number, around).any():
            lacking[e] = True
        elif hydrate[k]:
            atoms = positions.multiplicity[rows] * np.nan_to_num(sites.occupancy[rows], nan=1.0)
            halides = _IS_HALOGEN[number] & (around.oxygen > _APART)
            np.subtract.at(counts[k], number[halides], atoms[halides])
            counts[k, _FLUORINE] += atoms[halides].sum()
            lacking[e] = lacks_cations(counts[k : k + 1], _MUCH)[0]
    return lacking


def _named(entries: Entries, which: I64) -> list[bool]:
    """Whether a formula other than the sum has hydrogen (`(NH4)2 Si F6`), of the entries `which` (m,)."""
    tokens = entries.batch.block_tokens("other_formula")[entries.block[which]].tolist()
    return [_HYDROGEN.search(entries.batch.text(token) or "") is not None for token in tokens]


class _Neighbours(NamedTuple):
    """Of each site (s,), in vain where it is no centre.

    Attributes
    ----------
    bonds
        Number of bonds; 3 for more.
    cosine
        Of the angle between two of the bonds.
    metal
        One of the bonds is to a metal.
    ratio, angstrom, oxygen
        Distance of the nearest atom over the sum of the radii and in Å, and of the nearest oxygen over that
        sum; infinite where there is none within reach.
    """

    bonds: I64
    cosine: F64
    metal: Bool
    ratio: F64
    angstrom: F64
    oxygen: F64


def _needs_hydrogen(number: I16, around: _Neighbours) -> Bool:
    """Sites of nitrogen that is bonded to nothing, or by a single bond to one atom other than oxygen."""
    alone = (around.bonds == 0) & (around.angstrom > _ALONE_ANGSTROM)
    terminal = (around.bonds == 1) & (around.ratio > _SINGLE) & (around.oxygen > _APART)
    found: Bool = (number == _NITROGEN) & (alone | terminal)
    return found


def _is_unsaturated(number: I16, around: _Neighbours) -> Bool:
    """Sites of carbon without bonds to metals that has a single bond alone, or two at an angle."""
    single = (around.bonds == 1) & (around.ratio > _SINGLE)
    bent = (around.bonds == 2) & (around.cosine > _STRAIGHT)
    found: Bool = (number == _CARBON) & ~around.metal & (single | bent)
    return found


@kernel()
def _neighbours(
    number: I16, fract: F64, images: F64, metric: F64, radii: F64, is_centre: Bool
) -> _Neighbours:
    """Neighbours of the centres among all images but hydrogen.

    Parameters
    ----------
    number, fract
        (s,) and (s, 3) of the sites.
    images
        (operators, s, 3) their images.
    radii, is_centre
        By atomic number.
    """
    reciprocal = np.sqrt(np.diag(np.linalg.inv(metric)))
    bonds, ratio = np.zeros(number.size, np.int64), np.full(number.size, np.inf)
    angstrom, oxygen = ratio.copy(), ratio.copy()
    cosine, metal = np.zeros(number.size), np.zeros(number.size, np.bool_)
    first, second = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for i in np.flatnonzero(is_centre[number]):
        for k, j in np.ndindex(images.shape[0], number.size):
            x, y = images[k, j], fract[i]
            u, v, w = x[0] - y[0], x[1] - y[1], x[2] - y[2]
            u, v, w = u - np.floor(u + 0.5), v - np.floor(v + 0.5), w - np.floor(w + 0.5)
            radius = radii[number[i]] + radii[number[j]]
            far = max(_APART * radius, _ALONE_ANGSTROM)
            near = abs(u) <= far * reciprocal[0] and abs(v) <= far * reciprocal[1]
            if number[j] == 1 or not (near and abs(w) <= far * reciprocal[2]):
                continue
            for shift in range(27):
                bond = (u + shift // 9 - 1, v + shift // 3 % 3 - 1, w + shift % 3 - 1)
                d = np.sqrt(square(metric, bond[0], bond[1], bond[2]))
                if not _ALTERNATIVES_ANGSTROM < d <= far:
                    continue
                ratio[i], angstrom[i] = min(ratio[i], d / radius), min(angstrom[i], d)
                if number[j] == _OXYGEN:
                    oxygen[i] = min(oxygen[i], d / radius)
                if d > _BONDED * radius:
                    continue
                metal[i] |= _IS_METAL[number[j]]
                if bonds[i] == 0:
                    bonds[i], first = 1, bond
                elif bonds[i] == 1 and _is_apart(metric, bond, first):
                    bonds[i], second = 2, bond
                    cosine[i] = _cosine(metric, first, second)
                elif bonds[i] == 2 and _is_apart(metric, bond, first) and _is_apart(metric, bond, second):
                    bonds[i] = 3
    return _Neighbours(bonds, cosine, metal, ratio, angstrom, oxygen)


@kernel(forceinline=True)
def _is_apart(g: F64, x: tuple[float, float, float], y: tuple[float, float, float]) -> bool:
    """Two atoms are no alternatives of each other."""
    return bool(square(g, x[0] - y[0], x[1] - y[1], x[2] - y[2]) > _ALTERNATIVES_ANGSTROM**2)


@kernel(forceinline=True)
def _cosine(g: F64, x: tuple[float, float, float], y: tuple[float, float, float]) -> float:
    """Of the angle between two fractional vectors."""
    a, b = square(g, x[0], x[1], x[2]), square(g, y[0], y[1], y[2])
    c = square(g, x[0] - y[0], x[1] - y[1], x[2] - y[2])
    return float((a + b - c) / (2.0 * np.sqrt(a * b)))
