"""Candidate structures of a pattern: templates with its elements, ranked by how well they agree.

A library holds the crystals of the training as templates. For each hypothesis of the cell, each template with
the right numbers of atoms takes the elements of the composition in each order that the numbers allow, its
structure factors are compared with the pattern, and the free parameters of the best are fitted to it. Nothing
here knows the density that is looked for.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.powder.canonical import canonical_coordinates
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.contacts import tightest_contact
from xtalpriors.model.powder.crystals import PowderCrystals
from xtalpriors.model.powder.structures.indexing import formula_units
from xtalpriors.model.powder.structures.orbits import Template, template_of
from xtalpriors.model.powder.structures.shells import Reflections, Shells, observed_shells, shells_of

__all__ = ["Candidate", "Library", "fit_best", "fit_parameters", "library_candidates", "rank"]

_INSTANCES: Final = 12
"""Crystals of one structure type that are compared where the type has free parameters."""
_FITTED: Final = 8
_STEPS: Final = (0.036, 0.012, 0.004, 0.0013, 0.0004)
"""Of a free parameter; the first crosses the minima that lie between a template and the crystal."""
_PER_VOLUME: Final = 0.02
_PER_PARAMETER: Final = 0.004
_PER_HALVING: Final = 0.003
_PER_CONTACT: Final = 0.003
_MOST_FOR_CONTACTS: Final = 0.3
_USUAL_CONTACT: Final = 1.04
_FITS: Final = 0.06
_ROOM: Final = 0.1
_CONTACTS_MATTER: Final = 0.3
"""R above which contacts are not computed."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One structure that may explain a pattern.

    Attributes
    ----------
    template
        With its free parameters fitted.
    elements
        Atomic number of each species.
    cell
        Unit cell.
    residual
        R against the pattern (`ObservedShells.residual`).
    known
        Training crystals of its structure type; 0 for one that the library does not have.
    """

    template: Template
    elements: tuple[int, ...]
    cell: UnitCell
    residual: float
    known: int

    @cached_property
    def cost(self) -> float:
        """R and what speaks against a structure that fits: a large cell, parameters, low symmetry, contacts.

        Between structures that explain a pattern equally well the simpler is right more often, and the one
        whose tightest contact is near the sum of the covalent radii.
        """
        simple = _PER_VOLUME * math.log(self.cell.volume) + _PER_PARAMETER * self.template.free
        simple += _PER_HALVING * math.log2(192 / self.template.group.order)
        return self.residual + simple + self.contact_cost

    @cached_property
    def contact_cost(self) -> float:
        """How improbable the tightest contact is; the most where R is so large that it does not matter."""
        if self.residual > _CONTACTS_MATTER:
            return _MOST_FOR_CONTACTS
        contact = math.log(tightest_contact(self.cell, *self.atoms(canonical=False)) / _USUAL_CONTACT)
        return min(_MOST_FOR_CONTACTS, _PER_CONTACT * (contact / 0.1) ** 2)

    @property
    def fits(self) -> bool:
        """The structure explains the pattern, and its atoms have room."""
        return self.residual < _FITS and self.contact_cost < _ROOM

    def atoms(self, canonical: bool = True) -> tuple[I64, F64]:
        """Numbers (n,) and coordinates (n, 3) of all atoms, in the canonical or in the template's origin."""
        points = self.template.points()
        numbers = np.concatenate(
            [np.full(len(p), self.elements[s]) for p, s in zip(points, self.template.species, strict=True)]
        )
        fract = np.concatenate(points)
        if canonical:
            fract = canonical_coordinates(self.template.group, self.cell, numbers, fract)
        return numbers, fract


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A template of the library, and the number of crystals of its structure type."""

    template: Template
    known: int


class Library:
    """Templates of training crystals, by the numbers of atoms of their cells.

    Parameters
    ----------
    crystals
        Of one crystal system.
    """

    def __init__(self, crystals: PowderCrystals) -> None:
        self.system = crystals.system
        by_type: dict[str, list[int]] = {}
        for i, label in enumerate(crystals.prototype.tolist()):
            by_type.setdefault(label, []).append(i)
        self._entries: dict[tuple[int, ...], list[_Entry]] = {}
        for label, rows in sorted(by_type.items()):
            for i in rows[:_INSTANCES]:
                group = SpaceGroup.from_number(int(crystals.space_group[i]))
                template = template_of(label, group, *crystals.atoms(i))
                entry = _Entry(template, len(rows))
                self._entries.setdefault(tuple(sorted(template.counts)), []).append(entry)
                if template.free == 0:
                    break

    def entries(self, counts: Iterable[int], without: str | None = None) -> list[_Entry]:
        """Templates with these numbers of atoms in the cell, one structure type left out if it is named."""
        found = self._entries.get(tuple(sorted(counts)), [])
        return [entry for entry in found if entry.template.label != without]


@lru_cache(maxsize=4096)
def _species_sums(template: Template, reflections: Reflections) -> npt.NDArray[np.complex64]:
    """Σ exp(2πi h·x) over the points of each species, (species, m)."""
    sums = np.zeros((len(template.counts), len(reflections.hkl)), dtype=np.complex64)
    for own, species in zip(template.points(), template.species, strict=True):
        sums[species] += reflections.sums(own)
    return sums


def _assignments(counts: Sequence[int], wanted: Sequence[int]) -> list[tuple[int, ...]]:
    """Each way to give species with `counts` atoms the elements with `wanted` atoms: places in `wanted`."""
    return [
        order
        for order in itertools.permutations(range(len(wanted)))
        if all(counts[s] == wanted[e] for s, e in enumerate(order))
    ]


def library_candidates(
    pattern: F32, composition: Composition, library: Library, cell: UnitCell, without: str | None = None
) -> list[Candidate]:
    """Candidates of the library for a pattern (1024,) and a cell, their parameters not yet fitted.

    `without` names a structure type that is left out, as for a crystal of the training itself.
    """
    shells = shells_of(cell)
    observed = observed_shells(pattern, shells)
    f = shells.form_factors(np.array(composition.numbers)).astype(np.float32)
    found = []
    for units in formula_units(composition, cell.volume):
        wanted = [units * n for n in composition.counts]
        for entry in library.entries(wanted, without):
            sums = _species_sums(entry.template, shells.reflections)
            for order in _assignments(entry.template.counts, wanted):
                residual = float(observed.residual((f[list(order)] * sums).sum(axis=0)))
                elements = tuple(composition.numbers[e] for e in order)
                found.append(Candidate(entry.template, elements, cell, residual, entry.known))
    return found


def rank(found: Iterable[Candidate]) -> list[Candidate]:
    """By cost, one of each structure type, order of elements and cell."""
    best: dict[tuple[str, tuple[int, ...], int, int], Candidate] = {}
    for candidate in sorted(found, key=lambda c: c.cost):
        lengths = round(candidate.cell.a * 100), round(candidate.cell.c * 100)
        best.setdefault((candidate.template.label, candidate.elements, *lengths), candidate)
    return list(best.values())


def fit_best(pattern: F32, found: list[Candidate], count: int = _FITTED) -> list[Candidate]:
    """The candidates of least R with their free parameters fitted, then the rest, ranked."""
    ordered = sorted(found, key=lambda c: c.residual)
    fitted = [fit_parameters(pattern, candidate) for candidate in ordered[:count]]
    return rank(fitted + ordered[count:])


def fit_parameters(pattern: F32, candidate: Candidate) -> Candidate:
    """The candidate with its free parameters moved one by one, in ever smaller steps, while R falls."""
    parameters, best = _descend(pattern, shells_of(candidate.cell), candidate)
    moved = candidate.template.moved(parameters)
    return Candidate(moved, candidate.elements, candidate.cell, best, candidate.known)


def _descend(pattern: F32, shells: Shells, candidate: Candidate) -> tuple[F64, float]:
    """Parameters (free,) with the least R found, and that R."""
    template, reflections = candidate.template, shells.reflections
    observed = observed_shells(pattern, shells)
    f = shells.form_factors(np.array(candidate.elements)).astype(np.float32)
    parts = [
        reflections.sums(orbit.points()) * f[s]
        for orbit, s in zip(template.orbits, template.species, strict=True)
    ]
    total = np.sum(parts, axis=0)
    owners = [(k, j) for k, orbit in enumerate(template.orbits) for j in range(orbit.free)]
    values = [np.zeros(orbit.free) for orbit in template.orbits]
    best = float(observed.residual(total))
    for step in _STEPS:
        for _ in range(3):
            improved = False
            for k, j in owners:
                orbit, species = template.orbits[k], template.species[k]
                for sign in (1.0, -1.0):
                    trial = values[k].copy()
                    trial[j] += sign * step
                    part = reflections.sums(orbit.points(trial)) * f[species]
                    residual = float(observed.residual(total - parts[k] + part))
                    if residual < best:
                        total, parts[k], values[k], best = total - parts[k] + part, part, trial, residual
                        improved = True
                        break
            if not improved:
                break
    return np.concatenate(values) if values else np.zeros(0), best
