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

from xtalpriors.arrays import F64, I16, I32, I64, Bool
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
    open_ = (ammonium | hydrate | carbon) & ~lacking[which]
    which, counts, hydrate = which[open_], counts[open_], hydrate[open_]
    if which.size:
        cells = _Cells(entries.start, entries.end, metric, entries.groups.place, *entries.groups.operators())
        number, multiplicity = sites.species.number, positions.multiplicity
        atoms = _Atoms(sites.placed, number, sites.fract, multiplicity, sites.occupancy)
        by_bonds = _by_bonds(cells, atoms, which, ammonium[open_], counts)
        lacking[which] = by_bonds | (hydrate & lacks_cations(counts, _MUCH))
    return lacking


def _named(entries: Entries, which: I64) -> list[bool]:
    """Whether a formula other than the sum has hydrogen (`(NH4)2 Si F6`), of the entries `which` (m,)."""
    tokens = entries.batch.block_tokens("other_formula")[entries.block[which]].tolist()
    return [_HYDROGEN.search(entries.batch.text(token) or "") is not None for token in tokens]


class _Cells(NamedTuple):
    """Of n entries: bounds of their sites, metric tensors, and places of their groups among the `operators`.

    `operators` and `op_start` are those of `Groups.operators`.
    """

    start: I32
    end: I32
    metric: F64
    place: I64
    operators: F64
    op_start: I64


class _Atoms(NamedTuple):
    """Of s sites, see `Sites` and `Positions`."""

    placed: Bool
    number: I16
    fract: F64
    multiplicity: I16
    occupancy: F64


@kernel()
def _by_bonds(cells: _Cells, atoms: _Atoms, which: I64, ammonium: Bool, counts: F64) -> Bool:
    """(m,) some centre of the entries `which` (m,) has so few bonds that it has hydrogen.

    In the others, halides become fluorine in the `counts` (m, elements), in place. The entries that can be
    `ammonium` (m,) may have it at nitrogen.
    """
    found = np.zeros(which.size, np.bool_)
    for m, e in enumerate(which):
        here, g = slice(cells.start[e], cells.end[e]), cells.metric[e]
        rows = cells.start[e] + np.flatnonzero(atoms.placed[here] & (atoms.number[here] != 1))
        numbers, group = atoms.number[rows], cells.place[e]
        operators = cells.operators[cells.op_start[group] : cells.op_start[group + 1]]
        images, reciprocal = _images(atoms.fract[rows], operators), np.sqrt(np.diag(np.linalg.inv(g)))
        for i in rows:
            number = atoms.number[i]
            if not _IS_CENTRE[number]:
                continue
            around = _neighbours(number, atoms.fract[i], numbers, images, g, reciprocal)
            if _is_unsaturated(number, around) or (ammonium[m] and _needs_hydrogen(number, around)):
                found[m] = True
                break
            if _IS_HALOGEN[number] and around.oxygen > _APART:
                share = 1.0 if np.isnan(atoms.occupancy[i]) else atoms.occupancy[i]
                counts[m, number] -= atoms.multiplicity[i] * share
                counts[m, _FLUORINE] += atoms.multiplicity[i] * share
    return found


@kernel()
def _images(fract: F64, operators: F64) -> F64:
    """Images (operators × s, 3) of sites (s, 3), those by one operator after the other."""
    images = np.empty((len(operators) * len(fract), 3))
    for k in range(len(operators)):
        for j in range(len(fract)):
            for axis in range(3):
                row, x = operators[k, 4 * axis : 4 * axis + 4], fract[j]
                images[k * len(fract) + j, axis] = row[0] * x[0] + row[1] * x[1] + row[2] * x[2] + row[3]
    return images


class _Neighbours(NamedTuple):
    """Of a centre.

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

    bonds: int
    cosine: float
    metal: bool
    ratio: float
    angstrom: float
    oxygen: float


@kernel()
def _needs_hydrogen(number: int, around: _Neighbours) -> bool:
    """Nitrogen that is bonded to nothing, or by a single bond to one atom other than oxygen."""
    alone = around.bonds == 0 and around.angstrom > _ALONE_ANGSTROM
    terminal = around.bonds == 1 and around.ratio > _SINGLE and around.oxygen > _APART
    return bool(number == _NITROGEN and (alone or terminal))


@kernel()
def _is_unsaturated(number: int, around: _Neighbours) -> bool:
    """Carbon without bonds to metals that has a single bond alone, or two at an angle."""
    single = around.bonds == 1 and around.ratio > _SINGLE
    bent = around.bonds == 2 and around.cosine > _STRAIGHT
    return bool(number == _CARBON and not around.metal and (single or bent))


@kernel()
def _neighbours(
    number: int, centre: F64, numbers: I16, images: F64, metric: F64, reciprocal: F64
) -> _Neighbours:
    """Neighbours of a centre; of carbon and nitrogen no more are looked for than three bonds.

    Parameters
    ----------
    number, centre
        Atomic number, and (3,) its fractional coordinates.
    numbers, images
        (s,) atomic numbers of the sites, and their `_images`.
    reciprocal
        (3,) lengths of the reciprocal axes in 1/Å.
    """
    bonds, cosine, metal = 0, 0.0, False
    ratio, angstrom, oxygen = np.inf, np.inf, np.inf
    first, second = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    for k in range(len(images)):
        other = numbers[k % numbers.size]
        u, v, w = images[k, 0] - centre[0], images[k, 1] - centre[1], images[k, 2] - centre[2]
        u, v, w = u - np.floor(u + 0.5), v - np.floor(v + 0.5), w - np.floor(w + 0.5)
        radius = _RADII[number] + _RADII[other]
        far = max(_APART * radius, _ALONE_ANGSTROM)
        near = abs(u) <= far * reciprocal[0] and abs(v) <= far * reciprocal[1]
        if not (near and abs(w) <= far * reciprocal[2]):
            continue
        for shift in range(27):
            bond = (u + shift // 9 - 1, v + shift // 3 % 3 - 1, w + shift % 3 - 1)
            d = np.sqrt(square(metric, bond[0], bond[1], bond[2]))
            if not _ALTERNATIVES_ANGSTROM < d <= far:
                continue
            ratio, angstrom = min(ratio, d / radius), min(angstrom, d)
            if other == _OXYGEN:
                oxygen = min(oxygen, d / radius)
            if d > _BONDED * radius:
                continue
            metal |= _IS_METAL[other]
            if bonds == 0:
                bonds, first = 1, bond
            elif bonds == 1 and _is_apart(metric, bond, first):
                bonds, second = 2, bond
                cosine = _cosine(metric, first, second)
            elif bonds == 2 and _is_apart(metric, bond, first) and _is_apart(metric, bond, second):
                bonds = 3
        if bonds == 3 and not _IS_HALOGEN[number]:
            break
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
