"""Crystals as orbits of a space group with free parameters, so that elements can be exchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["Orbit", "Template", "orbit_at", "orbit_of", "template_of"]

_SAME_POINT = 2e-4


@dataclass(frozen=True, slots=True, eq=False)
class Orbit:
    """Points R (x + D u) + t that a space group makes of one, for the free parameters u.

    Attributes
    ----------
    rotations, translations
        (m, 3, 3) and (m, 3): one operator for each point of the cell.
    point
        x (3,), the first point at u = 0.
    directions
        D (3, k): directions in which the point can move without leaving its position.
    """

    rotations: F64
    translations: F64
    point: F64
    directions: F64

    @property
    def free(self) -> int:
        """Number of free parameters k."""
        return int(self.directions.shape[1])

    def __len__(self) -> int:
        return len(self.rotations)

    def points(self, parameters: npt.ArrayLike = ()) -> F64:
        """Coordinates (m, 3) for parameters (k,); none are zeros."""
        u = np.asarray(parameters, dtype=np.float64)
        x = self.point + self.directions @ u if len(u) else self.point
        points: F64 = self.rotations @ x + self.translations
        return points


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A crystal of which the elements are left open.

    Attributes
    ----------
    label
        Its structure type.
    group
        Space group.
    orbits
        Orbits, and `species` (n,), the species of each, from 0.
    """

    label: str
    group: SpaceGroup
    orbits: tuple[Orbit, ...]
    species: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Atoms of each species in the cell."""
        counts = [0] * (max(self.species) + 1)
        for orbit, species in zip(self.orbits, self.species, strict=True):
            counts[species] += len(orbit)
        return tuple(counts)

    @property
    def free(self) -> int:
        """Number of free parameters of all orbits."""
        return sum(orbit.free for orbit in self.orbits)

    def points(self, parameters: F64 | None = None) -> list[F64]:
        """Points of each orbit, with parameters (free,) one orbit after the other."""
        points, start = [], 0
        for orbit in self.orbits:
            own = () if parameters is None else parameters[start : start + orbit.free]
            points.append(orbit.points(own))
            start += orbit.free
        return points

    def moved(self, parameters: F64) -> Self:
        """The template with the parameters built into its points."""
        orbits, start = [], 0
        for orbit in self.orbits:
            step = parameters[start : start + orbit.free]
            orbits.append(orbit_at(orbit, step))
            start += orbit.free
        return replace(self, orbits=tuple(orbits))


def orbit_of(group: SpaceGroup, point: npt.ArrayLike) -> Orbit:
    """The orbit of a point, and the directions in which it is free."""
    x = np.asarray(point, dtype=np.float64)
    rotations = group.rotations.astype(np.float64)
    images = rotations @ x + group.translations
    away = images - x
    stays = (np.abs(away - np.rint(away)) < _SAME_POINT).all(axis=1)
    projector = rotations[stays].mean(axis=0)
    # an independent set of columns of the projector, shortest whole numbers first
    scaled = projector * stays.sum()
    columns: list[F64] = []
    for column in scaled.T:
        trial = np.array([*columns, column])
        if np.linalg.matrix_rank(trial, tol=1e-6) > len(columns):
            columns.append(column / np.abs(column).max())
    directions = np.array(columns).reshape(-1, 3).T
    wrapped = np.round(images / _SAME_POINT).astype(np.int64) % round(1 / _SAME_POINT)
    _, first = np.unique(wrapped, axis=0, return_index=True)
    if len(first) * stays.sum() != len(rotations):  # a point on the edge of rounding
        first = _distinct(images)
    chosen = np.sort(first)
    return Orbit(rotations[chosen], group.translations[chosen], x, directions)


def orbit_at(orbit: Orbit, parameters: npt.ArrayLike) -> Orbit:
    """The orbit with parameters (k,) built into its point."""
    u = np.asarray(parameters, dtype=np.float64)
    return replace(orbit, point=orbit.point + orbit.directions @ u) if len(u) else orbit


def _distinct(images: F64) -> I64:
    """First index of each different point."""
    found: list[int] = []
    for k, image in enumerate(images):
        away = images[found] - image
        nearest = np.abs(away - np.rint(away)).max(axis=1, initial=0.0).min(initial=1.0)
        if nearest > 2 * _SAME_POINT:
            found.append(k)
    return np.array(found)


def template_of(label: str, group: SpaceGroup, numbers: npt.ArrayLike, fract: npt.ArrayLike) -> Template:
    """Template of a crystal, species in the order of the atomic numbers, of all atoms of its cell."""
    z, x = np.asarray(numbers, dtype=np.int64), np.asarray(fract, dtype=np.float64)
    elements = np.unique(z).tolist()
    left = np.ones(len(z), dtype=bool)
    orbits, species = [], []
    while left.any():
        k = int(np.argmax(left))
        orbit = orbit_of(group, x[k])
        away = x[:, None, :] - orbit.points()[None, :, :]
        distance = np.abs(away - np.rint(away)).max(axis=2).min(axis=1)
        near = (distance < 1e-3) & (z == z[k])
        near[k] = True
        left &= ~near
        orbits.append(orbit)
        species.append(elements.index(int(z[k])))
    return Template(label, group, tuple(orbits), tuple(species))
