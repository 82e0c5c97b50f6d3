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

    def orbit(self, point: F64) -> F64: ...
    def distances(self, point: F64, images: F64, cutoff: float) -> F64: ...
    def add(self, point: F64, symbol: str, orbit: F64, site: int) -> None: ...


class _Filling:
    """One structure while it is filled."""

    def __init__(self, crystal: _Growing, rules: ReferenceRules, rng: np.random.Generator) -> None:
        self.crystal, self.rules, self.rng = crystal, rules, rng
        self.tables: NeighbourTables = rules.neighbours
        self.row = {int(z): k for k, z in enumerate(self.tables.atomic_number)}

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
        for symbol, (_, multiplicity) in zip(self.crystal.symbols, self.crystal.sites, strict=True):
            rows += [self.row[ATOMIC_NUMBER[symbol]]] * multiplicity
        return rows

    def best(
        self,
        e: int,
        site: int,
        candidate: Callable[[int], F64 | None],
        orbit_of: Callable[[F64], F64],
        tries: tuple[int, int],
    ) -> bool:
        """Score some places, take one with a probability proportional to exp(score), and place the atom."""
        tables, others, (few, most) = self.tables, self.image_rows(), tries
        highest, place = -math.inf, None
        for turn in range(most):
            if turn >= few and highest >= 0:
                break
            point = candidate(turn)
            if point is None:
                continue
            orbit = orbit_of(point)
            total = self.score(point, e, self.crystal.images, others)
            if total < tables.hard:
                continue
            own = orbit[self.rules.n_pure :]
            total += self.score(point, e, own, [e] * len(own)) // 2
            total += int(self.rng.choice(tables.noise))
            if total > highest:
                highest, place = total, (point, orbit)
        if place is None or highest < tables.hard // 2:
            return False
        self.crystal.add(place[0], SYMBOLS[int(tables.atomic_number[e])], place[1], site)
        return True

    def candidate(self, e: int, turn: int, *, only_bonded: bool) -> F64 | None:
        """A place at a bond length from a partner, or anywhere; null where a hydrogen finds no partner."""
        tables, crystal, rng = self.tables, self.crystal, self.rng
        if crystal.symbols and (only_bonded or turn % 4 != 3):
            for _ in range(6):
                a = int(rng.integers(len(crystal.symbols)))
                b = self.row[ATOMIC_NUMBER[crystal.symbols[a]]]
                if tables.bonded[e, b]:
                    levels = np.linspace(0.0, 1.0, tables.length.shape[2])
                    length = float(np.interp(rng.random(), levels, tables.length[e, b]))
                    direction = rng.normal(size=3)
                    step = length * direction / np.linalg.norm(direction)
                    return np.asarray(crystal.fract[a] + crystal.inverse @ step)
        return None if only_bonded else rng.random(3)

    def general(self, e: int, *, hydrogen: bool) -> bool:
        """Place one atom on the general position."""
        return self.best(
            e,
            GENERAL,
            lambda turn: self.candidate(e, turn, only_bonded=hydrogen),
            self.crystal.orbit,
            (self.tables.candidates, self.tables.most_candidates),
        )


def _choose(cumulative: F64, size: int, rng: np.random.Generator) -> int:
    """An element of a set by its share."""
    return min(int(np.searchsorted(cumulative[:size], rng.random(), side="right")), size - 1)


def _set_and_counts(
    rules: ReferenceRules,
    share: float,
    n_special: int,
    wanted: float,
    points: int,
    rng: np.random.Generator,
) -> tuple[int, tuple[I64, I64] | None]:
    """A set of elements near this share, and numbers of sites on general and special positions that fit."""
    tables, order = rules.neighbours, len(rules.rotations)
    cumulative = tables.set_cumulative[1 if n_special else 0]

    def row_at(place: float) -> int:
        return min(int(np.searchsorted(cumulative, place, side="right")), len(cumulative) - 1)

    for turn in range(40 if len(tables.counts_cumulative) else 0):
        at = share + rng.uniform(-1, 1) * turn / 40
        row = row_at(abs(at) if at < 1 else 2 - at)
        first, last = int(tables.counts_first[row]), int(tables.counts_first[row + 1])
        which = first + int(np.searchsorted(tables.counts_cumulative[first:last], rng.random(), side="right"))
        if which == last:
            if rng.random() < 0.25:
                return row, None
            continue
        general, special = tables.counts_general[which], tables.counts_special[which]
        fits = abs(general.sum() * order + points - wanted) <= 0.12 * wanted
        if fits and special.sum() == n_special and general.sum() <= wanted // order + 2:
            return row, (general, special)
    return row_at(share), None


def fill_fitted(
    crystal: _Growing,
    rules: ReferenceRules,
    wanted_orbits: list[int],
    distinct: Callable[[F64], F64],
    atoms_in_cell: float,
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
    atoms_in_cell
        V over the volume per atom.
    shares
        Place of the set of elements, and share of the fraction of hydrogen, in their distributions.
    """
    tables, filling, order = rules.neighbours, _Filling(crystal, rules, rng), len(rules.rotations)
    orbits = list(zip(rules.special, wanted_orbits, strict=True))
    points = sum(
        wanted * len(distinct(crystal.orbit(position.vector + position.matrix @ GENERIC)))
        for (_, position, _), wanted in orbits
    )
    row, counts = _set_and_counts(rules, shares[0], sum(wanted_orbits), atoms_in_cell, points, rng)
    size = int(tables.set_size[row])
    on_special = [] if counts is None else np.repeat(np.arange(size), counts[1][:size]).tolist()
    for (site, position, _), wanted in orbits:
        for _ in range(wanted):
            k = on_special.pop(0) if on_special else _choose(tables.special[row], size, rng)
            e = int(tables.set_elements[row, k])

            def place(_: int, matrix: F64 = position.matrix, vector: F64 = position.vector) -> F64:
                return np.asarray((matrix @ rng.random(3) + vector) % 1.0)

            tries = (tables.candidates if position.degrees_of_freedom else 1,) * 2
            if not filling.best(e, site, place, lambda point: distinct(crystal.orbit(point)), tries):
                counters["dropped_special"] += 1
    points = sum(multiplicity for _, multiplicity in crystal.sites)
    n_general = max(math.floor((atoms_in_cell - points) / order + rng.random()), 0)
    n_general = 1 if n_general == 0 and points == 0 else n_general
    # systematic draws: every element comes out within one of its share of the atoms, on average exactly
    upto = np.floor(tables.general[row, :size] * n_general + rng.random()).astype(int)
    numbers = np.diff(upto, prepend=0) if counts is None else counts[0][:size]
    n_general = int(numbers.sum())
    for k, n in enumerate(numbers):
        for _ in range(n):
            if not filling.general(int(tables.set_elements[row, k]), hydrogen=False):
                counters["dropped"] += 1
    heavy, n_hydrogen = sum(multiplicity for _, multiplicity in crystal.sites), 0
    if tables.set_hydrogen[row] and heavy:
        table = tables.hydrogen_fraction
        x_h = float(np.interp(shares[1], np.linspace(0.0, 1.0, len(table)), table))
        n_hydrogen = math.floor(heavy * x_h / ((1.0 - x_h) * order) + rng.random())
    for _ in range(n_hydrogen):
        if not filling.general(tables.hydrogen, hydrogen=True):
            counters["dropped_hydrogen"] += 1
    counters["n_target"], counters["n_hydrogen_target"] = n_general, n_hydrogen
