"""Which group a file's contents speak for, where its statements of symmetry differ.

A candidate group is judged by the cell, whose metric its rotations must leave as it is, and by what it makes
of the sites: multiplicity × occupancy against formula × Z, or against the formula units that the declared
density allows; without either against the formula alone. Only blocks whose statements differ come here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.chemistry.atomic_volumes import volume_bounds
from xtalpriors.crystal.symmetry.resolve import Resolution
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.block_cells import BlockCells
from xtalpriors.mining.rows.composition import formula_counts
from xtalpriors.mining.rows.contents import atoms_of_sites
from xtalpriors.mining.rows.entries import Entries, entries_of
from xtalpriors.mining.rows.geometry import contradicting_cells
from xtalpriors.mining.rows.labels import settle_labels
from xtalpriors.mining.rows.masses import DALTON, MASS
from xtalpriors.mining.rows.plausible import overlapping
from xtalpriors.mining.rows.positions import site_positions
from xtalpriors.mining.rows.shared_positions import first_on_position, repeated_sites
from xtalpriors.mining.rows.site_table import Sites

__all__ = ["AGAINST", "EXACT", "NEAR", "UNKNOWN", "Statements", "Verdict", "crowded", "judge", "statements"]

AGAINST, UNKNOWN, NEAR, EXACT = range(4)
"""What the contents say of a group: no; nothing; yes but for a part of them; yes."""

_NEAR: Final = 0.15
"""Share of the atoms that may be missing or too many: a solvent that was not modelled. Another group changes
the count by a factor."""
_RELATIVE, _ABSOLUTE = 0.03, 0.06
"""As in `composition`: an element agrees within 3 % and 0.06 atoms of each formula unit."""
_DENSITY: Final = 0.03
"""Relative: a density is given with two to four digits."""
_LEAST: Final = 0.85
"""Of the least volume of the atoms, as in `plausible`."""
_SMALLEST_ANGSTROM3, _LARGEST_ANGSTROM3 = 5.0, 60.0
"""Volume per atom other than hydrogen where nothing else tells: diamond has 5.7 Å³, rubidium iodide 50 Å³."""
_BY: Final = ("formula", "density", "composition", "volume")
_FORMULA, _BY_DENSITY, _COMPOSITION, _VOLUME = range(4)
_FIRST_HEAVY: Final = 2
"""Atomic number of the first element after hydrogen; 0 stands for unknown elements."""


class Verdict(NamedTuple):
    """What speaks for a group.

    Attributes
    ----------
    cell
        The cell has the group's symmetry.
    contents
        `AGAINST`, `UNKNOWN`, `NEAR` or `EXACT`.
    by
        What the contents were compared with: `formula` (× Z), `density`, `composition` (the formula alone),
        `volume` (of an atom).
    witnesses
        How many of Z and density the contents agree with exactly.
    alone
        The grade of the contents beside the formula alone, whatever Z is; `AGAINST` where the cell is too
        small for them.
    atoms
        Atoms per cell.
    """

    cell: bool
    contents: int
    by: str
    witnesses: int
    alone: int
    atoms: float


@dataclass(frozen=True, slots=True)
class Statements:
    """What n blocks say of their contents; NaN for what is not stated.

    Attributes
    ----------
    formula, known
        (n, elements) atoms per formula unit, and (n,) whether the formula can be read.
    z, density, volume
        (n,) formula units per cell, density in g/cm³, volume of the cell in Å³.
    """

    formula: F64
    known: Bool
    z: F64
    density: F64
    volume: F64


def statements(batch: Batch, cells: BlockCells, blocks: list[int]) -> Statements:
    """What the blocks say of their contents."""
    formula, known = formula_counts(batch.texts(batch.block_tokens("formula")[blocks]).to_pylist())
    z, density = (batch.numbers(batch.block_tokens(n)[blocks]) for n in ("formula_units", "density"))
    z[~(z > 0)] = np.nan
    density[~(density > 0)] = np.nan
    density[density > 100.0] /= 1000.0  # kg/m³
    return Statements(formula, known, z, density, cells.volumes[blocks])


def judge(
    batch: Batch,
    cells: BlockCells,
    sites: Sites,
    blocks: list[int],
    groups: list[Resolution],
    said: Statements,
) -> list[Verdict]:
    """What speaks for a group of each block; `said` is of the same blocks, in the same order."""
    batch, rows = batch.with_sites_of(blocks)
    sites = sites.at(rows)
    entries = entries_of(batch, [], np.array(blocks, dtype=np.int64), groups, {})
    metric = cells.metric[blocks]
    wrong_cell = set(contradicting_cells(metric, entries.groups))
    counts = _counts(entries, metric, sites)
    least, _ = volume_bounds(counts)
    of_said = (said.formula, said.known, said.z, said.density, said.volume)
    grades = (column.tolist() for column in (*_grades(counts, least, *of_said), counts.sum(axis=1)))
    return [
        Verdict(i not in wrong_cell, contents, _BY[by], witnesses, alone, atoms)
        for i, (contents, by, witnesses, alone, atoms) in enumerate(zip(*grades, strict=True))
    ]


def crowded(
    batch: Batch, cells: BlockCells, sites: Sites, blocks: list[int], groups: list[Resolution]
) -> list[bool]:
    """Whether each group puts whole atoms other than hydrogen nearer to each other than any two atoms are."""
    batch, rows = batch.with_sites_of(blocks)
    entries = entries_of(batch, [], np.array(blocks, dtype=np.int64), groups, {})
    every = np.ones(len(blocks), dtype=np.bool_)
    found = set(overlapping(entries, cells.metric[blocks], sites.at(rows), every))
    return [i in found for i in range(len(blocks))]


def _counts(entries: Entries, metric: F64, sites: Sites) -> F64:
    """(n, elements) atoms per cell that the sites make with the entries' groups."""
    positions = site_positions(entries, metric, sites.fract, sites.placed, sites.occupancy)
    first = first_on_position(entries, metric, positions, sites.placed)
    repeated = repeated_sites(entries, first, sites)
    counted = replace(sites, placed=sites.placed & ~repeated)
    counted = replace(counted, species=settle_labels(entries, metric, counted, positions))
    counts, attached, _ = atoms_of_sites(entries, counted, positions)
    counts[:, 1] += attached
    return counts


@kernel()
def _grades(
    counts: F64, least: F64, formula: F64, known: Bool, z: F64, density: F64, volume: F64
) -> tuple[I64, I64, I64, I64]:
    """(n,) grade of the contents, index into `_BY`, witnesses, and grade beside the formula without Z.

    `counts` (n, elements) are the atoms per cell, `least` (n,) is their volume at least; see `Statements`.
    """
    n = len(counts)
    contents, by, witnesses = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    alone = np.full(n, AGAINST)
    for i in range(n):
        contents[i], by[i], witnesses[i] = _contents(
            counts[i], formula[i], known[i], z[i], density[i], volume[i], least[i]
        )
        if known[i] and volume[i] > _LEAST * least[i]:
            alone[i] = _beside_formula(counts[i], formula[i])
    return contents, by, witnesses, alone


@kernel(error_model="numpy")
def _contents(
    counts: F64, formula: F64, known: bool, z: float, density: float, volume: float, least: float
) -> tuple[int, int, int]:
    """Grade of the contents of a cell, what they were compared with (`_BY`), and the witnesses."""
    if not counts.any():
        return UNKNOWN, _FORMULA, 0
    if not known:
        if np.isnan(density):
            return _plausible(counts, volume, least, UNKNOWN), _VOLUME, 0
        wrong = abs((counts * MASS).sum() / (density * volume / DALTON) - 1.0)
        grade = EXACT if wrong < _DENSITY else NEAR if wrong < _NEAR else AGAINST
        return grade, _BY_DENSITY, int(grade == EXACT)
    by_z, by_density = -1, -1
    if z > 0:
        by_z = _agreement(counts, formula, z, _RELATIVE)
    if density > 0:
        units = density * volume / DALTON / (formula * MASS).sum()
        by_density = _agreement(counts, formula, units, _RELATIVE + _DENSITY)
    if by_z >= 0 or by_density >= 0:
        witnesses = int(by_z == EXACT) + int(by_density == EXACT)
        return max(by_z, by_density), _FORMULA if by_z >= by_density else _BY_DENSITY, witnesses
    grade = _beside_formula(counts, formula)
    plausible = _plausible(counts, volume, least, grade)
    return plausible, _COMPOSITION if plausible == grade else _VOLUME, 0


@kernel()
def _beside_formula(counts: F64, formula: F64) -> int:
    """Grade of counts beside as many formula units as come nearest to them (least squares)."""
    product, square = 0.0, 0.0
    for element in range(_FIRST_HEAVY, counts.size):
        product += counts[element] * formula[element]
        square += formula[element] * formula[element]
    return int(_agreement(counts, formula, product / square if square > 0.0 else 0.0, _RELATIVE))


@kernel()
def _agreement(counts: F64, formula: F64, units: float, relative: float) -> int:
    """Grade of counts beside formula units; hydrogen, which many lists of sites leave out, does not count."""
    wanted, differing, exact = 0.0, 0.0, True
    for element in range(_FIRST_HEAVY, counts.size):
        expected = units * formula[element]
        difference = abs(counts[element] - expected)
        exact &= difference <= relative * expected + _ABSOLUTE * max(units, 1.0)
        wanted += expected
        differing += difference
    if wanted == 0.0:
        return UNKNOWN
    return EXACT if exact else NEAR if differing <= _NEAR * wanted else AGAINST


@kernel()
def _plausible(counts: F64, volume: float, least: float, grade: int) -> int:
    """The grade, unless the atoms have an impossible volume; `least` is what their elements need."""
    atoms = counts.sum() - counts[1]
    if atoms <= 0.0:
        return UNKNOWN
    if volume < _LEAST * least:
        return AGAINST
    return grade if _SMALLEST_ANGSTROM3 <= volume / atoms <= _LARGEST_ANGSTROM3 else AGAINST
