"""Whether a cell can hold the atoms that its sites make: by the volume they need, by the declared density.

Three orientations of a disordered molecule with occupancies of 1, or atoms of a face-centred cell under the
operators of another one, leave a third or a half of the volume that any crystal gives its atoms.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.chemistry.atomic_volumes import volume_bounds
from xtalpriors.mining.rows.composition import AGREE, HYDROGEN, I8, MULTIPLE
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.masses import DALTON, MASS
from xtalpriors.mining.rows.site_table import Sites

__all__ = ["density_ratios", "implausible_volumes", "overlapping"]

_LEAST: Final = 0.85
"""Of the least volume: below it are 3 in 1,000 entries of AMCSD at ambient pressure, none of them right."""
_LARGEST: Final = 1.6
_LARGEST_WITH_CARBON: Final = 3.0
"""Of the largest volume; cells with carbon may hold solvent that was squeezed out of their pores."""
_HEAVY: Final = 1.5
"""Contents against density × volume: hydrogen and solvent without sites make less than this."""
_DISAGREES: Final = 0.1
_HYDROGEN_SHARE: Final = 0.15
"""Of the mass, at most, that hydrogens of unknown number make."""
_AMBIENT_KILOPASCAL: Final = 200.0
_UNKNOWN_ATOM: Final = (5.0, 60.0)
"""Å³ of an atom of unknown element."""
_UNDER_PRESSURE: Final = frozenset(("pressure-limit", "pressure-unclear"))
_CARBON: Final = 6
_DEUTERIUM: Final = re.compile(r"(?<![A-Za-z])D(?![a-z])")
"""In a formula: counts hold it as hydrogen, the density does not."""
_SAME_PLACE, _TOO_NEAR = 0.05, 0.7
"""Å: one position; nearer than any two atoms, except hydrogens, of one molecule."""
_HALF: Final = 0.55
_MOST_SITES: Final = 200


def density_ratios(entries: Entries, volume: F64, contents: F64) -> F64:
    """Mass of the contents (n, elements) over declared density × volume; NaN where either is unknown.

    Hydrogens of unknown number (NaN) add nothing.
    """
    density = entries.numbers("density")
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        density = np.where(density > 100.0, density / 1000.0, density)  # kg/m³
        mass = contents[:, 2:] @ MASS[2:] + np.nan_to_num(contents[:, 1]) * MASS[1]
        ratio = np.where(contents[:, 0] > 0, np.nan, mass / (density * volume / DALTON))
        return np.where(density > 0.0, ratio, np.nan)


def implausible_volumes(
    entries: Entries,
    formulas: Sequence[str | None],
    volume: F64,
    pressure: F64,
    sites: F64,
    contents: F64,
    agreement: I8,
) -> tuple[Bool, Bool]:
    """Entries (n,) whose cell is too small or too large for its atoms, and those that hold too many.

    Parameters
    ----------
    formulas
        As declared, (n,).
    volume, pressure
        Å³ and kilopascal. Under pressure nothing is too small.
    sites, contents
        (n, elements) atoms per cell from the sites, and as reconciled (NaN hydrogens where unknown).
    agreement
        (n,) index into `AGREEMENTS`. The density counts only where the sites are not the formula × Z.
    """
    with_hydrogen = sites.copy()  # of a formula that has it: ice without sites for it
    explained = (agreement == HYDROGEN) | (agreement == MULTIPLE)
    with_hydrogen[:, 1] = np.where(explained, np.fmax(sites[:, 1], contents[:, 1]), sites[:, 1])
    least, largest = volume_bounds(with_hydrogen)
    least, largest = least + _UNKNOWN_ATOM[0] * sites[:, 0], largest + _UNKNOWN_ATOM[1] * sites[:, 0]
    most = np.where(sites[:, _CARBON] > 0, _LARGEST_WITH_CARBON, _LARGEST)
    ratio = density_ratios(entries, volume, contents)
    with np.errstate(invalid="ignore"):
        some = sites.sum(axis=1) - sites[:, 1] > 0
        small = some & ~(pressure >= _AMBIENT_KILOPASCAL) & (volume < _LEAST * least)
        large = some & (volume > most * largest)
        contradicted = some & (agreement != AGREE) & (agreement != HYDROGEN)
        heavy = contradicted & (ratio > _HEAVY)
        light = contradicted & (ratio < 1.0 / _HEAVY)
        missing = np.where(np.isnan(contents[:, 1]), _HYDROGEN_SHARE, 0.0)
        differs = some & ((ratio > 1.0 + _DISAGREES) | (ratio < 1.0 - _DISAGREES - missing))
    for e in np.flatnonzero(small).tolist():
        small[e] = _UNDER_PRESSURE.isdisjoint(entries.notes.get(int(entries.block[e]), ()))
    without_deuterium = (
        e for e in np.flatnonzero(differs).tolist() if not _DEUTERIUM.search(formulas[e] or "")
    )
    entries.note(without_deuterium, "density-mismatch")
    too_few_operators = light & (agreement == MULTIPLE)
    entries.note(np.flatnonzero(too_few_operators), "symmetry-contradicted")
    return small | large | heavy | light, small | heavy


def overlapping(entries: Entries, metric: F64, sites: Sites, which: Bool) -> list[int]:
    """Of the entries `which` those with whole atoms other than hydrogen nearer than 0.7 Å, images included.

    No two atoms come so near each other: they are alternatives, of which the file says the occupancy is 1.
    """
    found = []
    for e in np.flatnonzero(which).tolist():
        rows = np.arange(entries.start[e], entries.end[e])
        rows = rows[sites.placed[rows] & (sites.species.number[rows] != 1) & (sites.occupancy[rows] > _HALF)]
        group, x = entries.symmetry[e].group, sites.fract[rows[:_MOST_SITES]]
        images = group.images(x)
        if any(_is_near(images, atom, metric[e]) for atom in x):
            found.append(e)
    return found


def _is_near(images: F64, atom: F64, metric: F64) -> bool:
    """Whether one of the images (k, n, 3) is too near an atom (3,) and not on its place."""
    apart = images - atom
    apart -= np.floor(apart + 0.5)
    distance2 = np.einsum("kni,ij,knj->kn", apart, metric, apart)
    return bool(((distance2 > _SAME_PLACE**2) & (distance2 < _TOO_NEAR**2)).any())
