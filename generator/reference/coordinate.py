"""The filling `fitted` in plain NumPy: candidate places, scored by what was measured of neighbours.

The oracle for `kernels.coordinate`. Both read the same tables of neighbours; geometry, counting and the
order of work are written anew here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS
from xtalpriors.crystal.wyckoff.table import WyckoffPosition
from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.reference.rules import ReferenceRules
from xtalpriors.generator.specification.kernel_inputs import NeighbourTables

__all__ = ["fill_fitted"]


GENERIC = np.array([0.1234, 0.2345, 0.3456])
"""Free coordinates of a point of a special position that is on no other."""


class _Growing(Protocol):
    """What the filling needs of a crystal (`reference._Crystal`)."""

    fract: list[F64]
    symbols: list[str]
    sites: list[tuple[int, int]]
    images: F64
    inverse: F64

    def orbit(self, point: F64) -> F64:
        """Images (n, 3) of a point under every operator."""

    def distances(self, point: F64, images: F64, cutoff: float) -> F64:
        """Distances (k, m) in Å to the m images in the cell and its neighbours, up to `cutoff` at least."""

    def add(self, point: F64, symbol: str, orbit: F64, site: int) -> None:
        """Place an atom."""

    def clear(self) -> None:
        """Take all atoms out again."""


class _Filling:
    """One structure while it is filled."""

    def __init__(self, crystal: _Growing, rules: ReferenceRules, rng: np.random.Generator) -> None:
        self.crystal, self.rules, self.rng = crystal, rules, rng
        self.tables: NeighbourTables = rules.neighbours
        self.row = {int(z): k for k, z in enumerate(self.tables.atomic_number)}
        self.free_bonds: list[int] = []
        self.bonds: list[F64 | None] = []  # the direction of one bond of each atom

    def element(self, atom: int) -> int:
        """Row of an atom's element in the tables."""
        return self.row[ATOMIC_NUMBER[self.crystal.symbols[atom]]]

    def score(self, point: F64, e: int, images: F64, others: list[int]) -> int:
        """Sum of the scores of all neighbours of a point within the cutoff."""
        if not len(images):
            return 0
        tables = self.tables
        distances = self.crystal.distances(point, images, tables.cutoff)
        within = distances**2 < float(tables.square_max)
        which = np.broadcast_to(np.array(others)[None, :], distances.shape)[within]
        step = (distances[within] ** 2 * tables.steps[e, which]).astype(int)
        return int(tables.score[e, which, np.minimum(step, tables.score.shape[2] - 1)].sum())

    def image_rows(self) -> list[int]:
        """Row of the element of each image placed so far."""
        rows: list[int] = []
        for atom, (_, multiplicity) in enumerate(self.crystal.sites):
            rows += [self.element(atom)] * multiplicity
        return rows

    def best(
        self,
        e: int,
        site: int,
        candidate: Callable[[int], tuple[F64, int, F64] | None],
        orbit_of: Callable[[F64], F64],
        tries: tuple[int, int],
    ) -> bool:
        """Score some places, take one with a probability proportional to exp(score), and place the atom.

        A candidate is a point, the atom that it is bonded to (-1: none), and the direction from there.
        """
        tables, others, (few, most) = self.tables, self.image_rows(), tries
        shares = np.diff(tables.numbers[e], prepend=0.0)
        wanted = int(self.rng.choice(len(shares), p=shares / shares.sum()))
        highest, place = -math.inf, None
        for turn in range(most):
            if turn >= few and highest >= 0:
                break
            drawn = candidate(turn)
            if drawn is None:
                continue
            point, partner, direction = drawn
            orbit = orbit_of(point)
            total = self.score(point, e, self.crystal.images, others)
            if total < tables.hard:
                continue
            own = orbit[self.rules.n_pure :]
            total += self.score(point, e, own, [e] * len(own)) // 2
            total += int(self.rng.choice(tables.noise))
            if total > highest:
                highest, place = total, (point, orbit, partner, direction)
        if place is None or highest < tables.hard // 2:
            return False
        point, orbit, partner, direction = place
        self.crystal.add(point, SYMBOLS[int(tables.atomic_number[e])], orbit, site)
        self.free_bonds.append(wanted)
        self.bonds.append(None)
        if partner >= 0:
            self.free_bonds[-1] -= 1
            self.free_bonds[partner] -= 1
            self.bonds[-1] = -direction
            if self.bonds[partner] is None:
                self.bonds[partner] = direction
        return True

    def direction(self, atom: int) -> F64:
        """A direction at a measured angle to another bond of an atom; anywhere if it has none."""
        tables, known = self.tables, self.bonds[atom]
        vector = self.rng.normal(size=3)
        if known is None:
            return np.asarray(vector / np.linalg.norm(vector))
        across = np.cross(known, vector)
        table = tables.cosines[self.element(atom)]
        angle = math.acos(float(np.interp(self.rng.random(), np.linspace(0.0, 1.0, len(table)), table)))
        return np.asarray(math.cos(angle) * known + math.sin(angle) * across / np.linalg.norm(across))

    def candidate(self, e: int, turn: int, *, only_bonded: bool) -> tuple[F64, int, F64] | None:
        """A place at a bond length from a partner, or anywhere; null where a hydrogen finds no partner."""
        tables, crystal, rng = self.tables, self.crystal, self.rng
        if crystal.symbols and (only_bonded or turn % 4 != 3):
            for a in rng.integers(len(crystal.symbols), size=6).tolist():
                b = self.element(a)
                if tables.bonded[e, b] and (e == tables.hydrogen or self.free_bonds[a] > 0):
                    levels = np.linspace(0.0, 1.0, tables.length.shape[2])
                    length = float(np.interp(rng.random(), levels, tables.length[e, b]))
                    direction = self.direction(a)
                    return np.asarray(crystal.fract[a] + crystal.inverse @ (length * direction)), a, direction
        return None if only_bonded else (rng.random(3), -1, np.zeros(3))

    def general(self, e: int, *, hydrogen: bool) -> bool:
        """Place one atom on the general position."""
        return self.best(
            e,
            GENERAL,
            lambda turn: self.candidate(e, turn, only_bonded=hydrogen),
            self.crystal.orbit,
            (self.tables.candidates, self.tables.most_candidates),
        )

    def special_positions(
        self,
        orbits: list[tuple[tuple[int, WyckoffPosition, F64], int]],
        row: int,
        counts: tuple[I64, I64] | None,
        distinct: Callable[[F64], F64],
        counters: dict[str, int],
    ) -> None:
        """Occupy special positions with elements of a set."""
        tables, size = self.tables, int(self.tables.set_size[row])
        on_special = [] if counts is None else np.repeat(np.arange(size), counts[1][:size]).tolist()
        for (site, position, _), wanted in orbits:
            for _ in range(wanted):
                k = on_special.pop(0) if on_special else _choose(tables.special[row], size, self.rng)

                def place(_: int, position: WyckoffPosition = position) -> tuple[F64, int, F64]:
                    """A random point of the special position, bonded to no atom in particular."""
                    point = (position.matrix @ self.rng.random(3) + position.vector) % 1.0
                    return np.asarray(point), -1, np.zeros(3)

                tries = (tables.candidates if position.degrees_of_freedom else 1,) * 2
                e = int(tables.set_elements[row, k])
                if not self.best(e, site, place, lambda point: distinct(self.crystal.orbit(point)), tries):
                    counters["dropped_special"] += 1

    def general_positions(
        self, row: int, counts: tuple[I64, I64] | None, atoms_in_cell: float, counters: dict[str, int]
    ) -> None:
        """Place the non-hydrogen atoms of a set on general positions."""
        tables, size = self.tables, int(self.tables.set_size[row])
        points = sum(multiplicity for _, multiplicity in self.crystal.sites)
        n_general = max(
            math.floor((atoms_in_cell - points) / len(self.rules.rotations) + self.rng.random()), 0
        )
        n_general = 1 if n_general == 0 and points == 0 else n_general
        # systematic draws: every element comes out within one of its share of the atoms, on average exactly
        upto = np.floor(tables.general[row, :size] * n_general + self.rng.random()).astype(int)
        numbers = np.diff(upto, prepend=0) if counts is None else counts[0][:size]
        counters["n_target"] = int(numbers.sum())
        for k, n in enumerate(numbers):
            for _ in range(n):
                if not self.general(int(tables.set_elements[row, k]), hydrogen=False):
                    counters["dropped"] += 1

    def settle(self) -> int:
        """Move every atom on a general position a few times to one of some places nearby; returns the lowest
        score of one in the end."""
        tables, crystal, rng = self.tables, self.crystal, self.rng
        multiplicities = [multiplicity for _, multiplicity in crystal.sites]
        owner = np.repeat(np.arange(len(multiplicities)), multiplicities)
        rows, worst, score = np.array(self.image_rows()), 0, 0
        for sweep in range(tables.sweeps):
            size, worst = tables.move * (1.0 - sweep / tables.sweeps), 0
            for i, (site, multiplicity) in enumerate(crystal.sites):
                if site != GENERAL:
                    continue
                e, others = self.element(i), owner != i
                highest, place = -math.inf, None
                for turn in range(tables.moves + 1):
                    step = crystal.inverse @ rng.uniform(-size, size, 3)
                    point = np.asarray(crystal.fract[i] + step * (turn > 0))
                    orbit = crystal.orbit(point)
                    total = self.score(point, e, crystal.images[others], rows[others].tolist())
                    total += (
                        self.score(
                            point, e, orbit[self.rules.n_pure :], [e] * (multiplicity - self.rules.n_pure)
                        )
                        // 2
                    )
                    noise = int(rng.choice(tables.noise))
                    if total + noise > highest:
                        highest, place, score = total + noise, (point, orbit), total
                assert place is not None
                crystal.fract[i], crystal.images[~others] = place
                worst = min(worst, score)
        return worst


def _choose(cumulative: F64, size: int, rng: np.random.Generator) -> int:
    """An element of a set by its share."""
    return min(int(np.searchsorted(cumulative[:size], rng.random(), side="right")), size - 1)


def _set_and_counts(
    rules: ReferenceRules,
    share: float,
    n_special: int,
    volumes: tuple[float, float],
    points: int,
    rng: np.random.Generator,
) -> tuple[int, tuple[I64, I64] | None, float]:
    """A set of elements near this share, numbers of sites on general and special positions that fit, and the
    number of atoms that fill the cell."""
    tables, order = rules.neighbours, len(rules.rotations)
    cumulative = tables.set_cumulative[1 if n_special else 0]

    def row_at(place: float) -> int:
        """The set of elements at a share of the cumulative distribution."""
        return min(int(np.searchsorted(cumulative, place, side="right")), len(cumulative) - 1)

    drawn, (volume, volume_per_atom) = row_at(share), volumes
    density = float(np.clip(tables.set_volume[drawn] / volume_per_atom, 1 / 1.5, 1.5))
    for turn in range(40 if len(tables.counts_cumulative) else 0):
        at = share + rng.uniform(-1, 1) * turn / 40
        row = row_at(abs(at) if at < 1 else 2 - at)
        wanted = density * volume / float(tables.set_volume[row])
        first, last = int(tables.counts_first[row]), int(tables.counts_first[row + 1])
        which = first + int(np.searchsorted(tables.counts_cumulative[first:last], rng.random(), side="right"))
        if which == last:
            if rng.random() < 0.25:
                return row, None, wanted
            continue
        general, special = tables.counts_general[which], tables.counts_special[which]
        fits = abs(general.sum() * order + points - wanted) <= 0.12 * wanted
        if fits and special.sum() == n_special:
            return row, (general, special), wanted
    return drawn, None, density * volume / float(tables.set_volume[drawn])


def fill_fitted(
    crystal: _Growing,
    rules: ReferenceRules,
    wanted_orbits: list[int],
    distinct: Callable[[F64], F64],
    volumes: tuple[float, float],
    shares: tuple[float, float],
    counters: dict[str, int],
    rng: np.random.Generator,
) -> None:
    """Fill a cell: special positions, non-hydrogen atoms, hydrogens.

    Parameters
    ----------
    wanted_orbits
        Orbits of each special position.
    distinct
        The distinct points of an orbit.
    volumes
        Volume of the cell, and volume per atom as drawn with it, Å³.
    shares
        Place of the set of elements, and share of the fraction of hydrogen, in their distributions.
    """
    tables, order = rules.neighbours, len(rules.rotations)
    orbits = list(zip(rules.special, wanted_orbits, strict=True))
    points = sum(
        wanted * len(distinct(crystal.orbit(position.vector + position.matrix @ GENERIC)))
        for (_, position, _), wanted in orbits
    )
    row, counts, atoms_in_cell = _set_and_counts(rules, shares[0], sum(wanted_orbits), volumes, points, rng)
    for _ in range(tables.fillings):
        crystal.clear()
        counters["dropped"] = counters["dropped_special"] = 0
        filling = _Filling(crystal, rules, rng)
        filling.special_positions(orbits, row, counts, distinct, counters)
        filling.general_positions(row, counts, atoms_in_cell, counters)
        if filling.settle() >= tables.strained and not counters["dropped"]:
            break
    heavy, n_hydrogen = sum(multiplicity for _, multiplicity in crystal.sites), 0
    if tables.set_hydrogen[row] and heavy:
        table = tables.hydrogen_fraction
        x_h = float(np.interp(shares[1], np.linspace(0.0, 1.0, len(table)), table))
        n_hydrogen = math.floor(heavy * x_h / ((1.0 - x_h) * order) + rng.random())
    for _ in range(n_hydrogen):
        if not filling.general(tables.hydrogen, hydrogen=True):
            counters["dropped_hydrogen"] += 1
    counters["n_hydrogen_target"] = n_hydrogen
