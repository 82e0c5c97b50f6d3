"""Candidate structures without a library: the atoms of the cell on Wyckoff positions of the groups.

The groups are the 36 cubic or the 25 trigonal ones. For a cell and the numbers of atoms in it, the ways to
fill positions are listed by free parameters, from 0 to 3, one of each set that other origins make of the
rest. Free parameters are scanned on a grid. The search ends at the first number of free parameters with which
a structure fits the pattern, because one with more fits too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import systematic_absences
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.site_symmetry import site_symmetries
from xtalpriors.crystal.wyckoff.table import WyckoffPosition, wyckoff_positions
from xtalpriors.model.powder.canonical import normaliser
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.prototypes import System
from xtalpriors.model.powder.structures.candidates import Candidate, fit_best, rank
from xtalpriors.model.powder.structures.indexing import formula_units
from xtalpriors.model.powder.structures.orbits import Orbit, Template, orbit_at, orbit_of
from xtalpriors.model.powder.structures.shells import ObservedShells, Reflections, observed_shells, shells_of

__all__ = ["Filling", "fillings", "search"]

_GROUPS: Final[dict[System, range]] = {"cubic": range(195, 231), "trigonal": range(143, 168)}
_GRID: Final = {0: 1, 1: 60, 2: 20, 3: 10}
"""Points of the scan along each free parameter of a position with that many."""
_MOST_FREE: Final = 3
_MOST_ORBITS: Final = 5
_MOST_FILLINGS: Final = {0: 200, 1: 150, 2: 80, 3: 16}
"""Fillings tried with each number of free parameters."""
_MOST_LISTED: Final = 3000
_LARGEST_SCAN: Final = 4096
_LINES_OF: Final = {"F": 0, "R": 0, "I": 1, "P": 2}
"""Lattices by how many lines they have."""
_ABSENT_SHARE: Final = 0.02
_TYPICAL_VOLUME_ANGSTROM3: Final = 17.0
_UNITS_FACTOR: Final = 4.0
"""How far the volume of an atom may be from the typical one."""
_KEPT: Final = 4
_FITTED: Final = 20
"""Points of a scan that go on to the fit of the parameters."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Positions of a group that hold the atoms of a cell.

    Attributes
    ----------
    group
        Space group, reference setting.
    letters
        Wyckoff letters of each element.
    free
        Free parameters of all positions.
    """

    group: SpaceGroup
    letters: tuple[tuple[str, ...], ...]
    free: int


@lru_cache(maxsize=64)
def _positions(group: SpaceGroup) -> dict[str, WyckoffPosition]:
    return {position.letter: position for position in wyckoff_positions(group)}


@lru_cache(maxsize=64)
def _renamings(group: SpaceGroup) -> tuple[dict[str, str], ...]:
    """The letter that each letter becomes under each operation of the normaliser."""
    positions = _positions(group)
    # parameters without a special relation, so that no other position contains the points
    generic = np.array(
        [position.matrix @ [0.137, 0.281, 0.419] + position.vector for position in positions.values()]
    )
    gamma = 120.0 if group.crystal_system == "trigonal" else 90.0
    metric = UnitCell(20.0, 20.0, 20.0, gamma=gamma).metric_tensor
    renamings = {}
    for matrix, shift in normaliser(group):
        letters = site_symmetries(group, generic @ matrix.T + shift, metric).letter.tolist()
        renamings[tuple(letters)] = dict(zip(positions, letters, strict=True))
    return tuple(renamings.values())


@lru_cache(maxsize=64)
def _orbit(group: SpaceGroup, letter: str) -> Orbit:
    position = _positions(group)[letter]
    return orbit_of(group, position.matrix @ [0.137, 0.281, 0.419] + position.vector)


@lru_cache(maxsize=512)
def _scan(group: SpaceGroup, letter: str, reflections: Reflections) -> tuple[F64, npt.NDArray[np.complex64]]:
    """Parameters (g, k) of a grid and the sums (g, m) over the points of the position at each."""
    orbit = _orbit(group, letter)
    axis = np.arange(_GRID[orbit.free]) / _GRID[orbit.free] + 0.01
    parameters = np.array(list(itertools.product(axis, repeat=orbit.free)))
    if orbit.free == 0:
        return parameters.reshape(1, 0), reflections.sums(orbit.points())[None]
    sums = np.stack([reflections.sums(orbit.points(u)) for u in parameters])
    return parameters, sums


@lru_cache(maxsize=64)
def _present(group: SpaceGroup, reflections: Reflections) -> Bool:
    """Shells (s,) with a reflection that is not systematically absent."""
    present: Bool = np.add.reduceat(~systematic_absences(group, reflections.hkl), reflections.starts) > 0
    return present


@lru_cache(maxsize=2048)
def fillings(number: int, counts: tuple[int, ...]) -> tuple[Filling, ...]:
    """Ways to put `counts` atoms of each element on positions of a group, simplest first."""
    group = SpaceGroup.from_number(number)
    found: dict[tuple[tuple[str, ...], ...], Filling] = {}
    for letters in itertools.islice(_fill(group, counts, 0, 0, frozenset()), _MOST_LISTED):
        flat = [letter for own in letters for letter in own]
        free = sum(_positions(group)[letter].degrees_of_freedom for letter in flat)
        same = min(
            tuple(tuple(sorted(renaming[letter] for letter in own)) for own in letters)
            for renaming in _renamings(group)
        )
        found.setdefault(same, Filling(group, same, free))
    return tuple(sorted(found.values(), key=lambda f: (f.free, sum(map(len, f.letters)), f.letters)))


def _fill(
    group: SpaceGroup, counts: Sequence[int], free: int, orbits: int, taken: frozenset[str]
) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Letters of each element, fixed positions at most once."""
    if not counts:
        yield ()
        return
    for own in _sums_to(group, counts[0], "", free, orbits + len(counts) - 1, taken):
        fixed = {letter for letter in own if _positions(group)[letter].degrees_of_freedom == 0}
        used = free + sum(_positions(group)[letter].degrees_of_freedom for letter in own)
        for rest in _fill(group, counts[1:], used, orbits + len(own), taken | fixed):
            yield (own, *rest)


def _sums_to(
    group: SpaceGroup, count: int, after: str, free: int, orbits: int, taken: frozenset[str]
) -> Iterator[tuple[str, ...]]:
    """Letters in order whose multiplicities add up to `count`."""
    if count == 0:
        yield ()
        return
    if orbits >= _MOST_ORBITS:
        return
    for letter, position in _positions(group).items():
        fixed = position.degrees_of_freedom == 0
        if letter < after or position.multiplicity > count or (fixed and letter in taken):
            continue
        used = free + position.degrees_of_freedom
        if used > _MOST_FREE:
            continue
        held = taken | {letter} if fixed else taken
        for rest in _sums_to(group, count - position.multiplicity, letter, used, orbits + 1, held):
            yield (letter, *rest)


def search(pattern: F32, composition: Composition, cell: UnitCell) -> list[Candidate]:
    """Candidates for a pattern (1024,) in a cell, the best first.

    The scan of free parameters compares the first shells, the fit all.
    """
    observed = observed_shells(pattern, shells_of(cell, first_only=True))
    f = observed.shells.form_factors(np.array(composition.numbers)).astype(np.float32)
    found: list[Candidate] = []
    for groups in _groups(observed):
        listed = _all_fillings(groups, composition, cell)
        for free in range(_MOST_FREE + 1):
            chosen = [x for x in listed if x.free == free][: _MOST_FILLINGS[free]]
            new = [c for x in chosen for c in _scanned(x, composition, cell, f, observed)]
            found = rank(found + fit_best(pattern, new, _FITTED))
            if found and found[0].fits:
                return found
    return found


def _groups(observed: ObservedShells) -> tuple[list[SpaceGroup], list[SpaceGroup]]:
    """The groups that have all observed lines: of the lattice with the fewest lines, and the others.

    That lattice is centred if lines are missing.
    """
    shells = observed.shells
    groups = [SpaceGroup.from_number(number) for number in _GROUPS[shells.system]]
    groups = [g for g in groups if observed.share_outside(_present(g, shells.reflections)) < _ABSENT_SHARE]
    fewest = min((_LINES_OF[g.centring] for g in groups), default=0)
    first = [g for g in groups if _LINES_OF[g.centring] == fewest]
    return first, [g for g in groups if _LINES_OF[g.centring] != fewest]


def _all_fillings(groups: Sequence[SpaceGroup], composition: Composition, cell: UnitCell) -> list[Filling]:
    """Ways to put the atoms of a cell on positions of some groups, those with the fewest positions first."""
    found = []
    for units in _likely_units(composition, cell.volume):
        counts = tuple(units * n for n in composition.counts)
        found += [x for g in groups for x in fillings(g.number, counts)]
    return sorted(found, key=lambda x: (sum(map(len, x.letters)), -x.group.order))


def _likely_units(composition: Composition, volume_angstrom3: float) -> tuple[int, ...]:
    """Formula units for which the volume of an atom is within a factor of that of most crystals."""
    units = formula_units(composition, volume_angstrom3)
    typical = volume_angstrom3 / (_TYPICAL_VOLUME_ANGSTROM3 * composition.atoms)
    return tuple(z for z in units if 1 / _UNITS_FACTOR < z / typical < _UNITS_FACTOR)


def _scanned(
    filling: Filling, composition: Composition, cell: UnitCell, f: F32, observed: ObservedShells
) -> list[Candidate]:
    """The best points of the scan of a filling's free parameters."""
    reflections = observed.shells.reflections
    pairs = [(letter, e) for e, own in enumerate(filling.letters) for letter in own]
    total = np.zeros((1, len(reflections.hkl)), dtype=np.complex64)
    grids: list[F64] = []
    for letter, e in pairs:
        parameters, sums = _scan(filling.group, letter, reflections)
        step = max(1, -(-len(total) * len(sums) // _LARGEST_SCAN))
        grids.append(parameters[::step])
        total = (total[:, None, :] + (f[e] * sums[::step])[None, :, :]).reshape(-1, len(reflections.hkl))
    residuals = observed.residual(total)
    label = f"{filling.group.number} " + " ".join(sorted("".join(own) for own in filling.letters))
    found = []
    for place in np.argsort(residuals, kind="stable")[: _KEPT if filling.free else 1].tolist():
        at = np.unravel_index(place, [len(grid) for grid in grids])
        orbits = tuple(
            orbit_at(_orbit(filling.group, letter), grid[k])
            for (letter, _), grid, k in zip(pairs, grids, at, strict=True)
        )
        template = Template(label, filling.group, orbits, tuple(e for _, e in pairs))
        found.append(Candidate(template, composition.numbers, cell, float(residuals[place]), 0))
    return found
