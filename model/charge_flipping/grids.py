"""Reflections on the grid of a Fourier transform, and the symmetry of a space group among them.

The density is real, so half of the grid's coefficients is enough: 0 ≤ l ≤ n/2. A group's operator (R, t)
makes F(hR) = F(h) exp(−2πi h·t), and Friedel's law F(−h) = F(h)*. Each unique reflection therefore says
what stands at several places of the half grid; and a symmetric density is one whose coefficients, turned
back, agree at these places. Averaging them projects a density onto the group, on any grid.

ρ(x) = Σ F(h) exp(−2πi h·x) in crystallography, while transforms have exp(+2πi h·x): the grid holds F(h)*.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from xtalpriors.arrays import C64, F64, I64, Bool
from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.crystal.scattering.reciprocal import (
    largest_indices,
    s_squared,
    sphere_limit,
    systematic_absences,
    unique_reflections,
)
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.charge_flipping.origin_terms import OriginTerms, origin_terms

__all__ = [
    "GridPlaces",
    "ReflectionGrid",
    "good_sizes",
    "grid_shape",
    "reflections_within",
]


def good_sizes(largest: int) -> list[int]:
    """Even numbers without prime factors above 5 up to `largest`: 4 6 8 10 12 16 18 20 24 30 32 36 40 48 …"""
    powers = itertools.product(range(1, 12), range(7), range(5))
    sizes = sorted(2**a * 3**b * 5**c for a, b, c in powers)
    return [size for size in sizes if 4 <= size <= largest]


def grid_shape(group: SpaceGroup, largest: npt.ArrayLike, *, limit: int = 512) -> tuple[int, int, int]:
    """The smallest grid for indices up to ±`largest` (3,) that the group's operators map to itself.

    Each axis has at least 2·largest + 2 points. Axes that an operator exchanges or mixes have the same
    number, and translations are whole numbers of steps.

    Raises
    ------
    UsageError
        An axis needs more points than `limit`.
    """
    need = [2 * int(x) + 2 for x in np.asarray(largest)]
    linked = (group.rotations != 0).any(axis=0)
    linked = np.linalg.matrix_power((linked | linked.T).astype(int), 3) > 0
    shape = []
    for axis in range(3):
        least = max(need[other] for other in range(3) if linked[axis, other])
        shifts = group.translations[:, linked[axis]]
        for size in good_sizes(limit):
            steps = shifts * size
            if size >= least and np.allclose(steps, np.rint(steps), atol=1e-6):
                break
        else:
            raise UsageError(
                f"An index of {max(need) // 2 - 1} needs a grid of {least} points along axis {'abc'[axis]}; "
                f"the largest here has {limit}. Cut the data at a lower resolution (a larger d_min)."
            )
        shape.append(size)
    return shape[0], shape[1], shape[2]


def reflections_within(group: SpaceGroup, cell: npt.ArrayLike, d_min_angstrom: float) -> I64:
    """The unique reflections (m, 3) of a cell with d ≥ d_min that are not systematically absent."""
    cells = np.asarray(cell, dtype=np.float64).reshape(1, 6)
    # |h| = |a·s| ≤ a / d_min, whatever the angles
    largest = np.floor(np.sqrt(np.diagonal(metric_tensors(cells)[0])) / d_min_angstrom + 1e-9).astype(int)
    h, k, l = np.meshgrid(*(np.arange(-n, n + 1) for n in largest), indexing="ij")
    hkl = np.stack([h.ravel(), k.ravel(), l.ravel()], axis=1).astype(np.int64)
    hkl = hkl[s_squared(hkl, cells)[0] <= sphere_limit(d_min_angstrom)]
    hkl = hkl[unique_reflections(group, hkl)]
    result: I64 = hkl[~systematic_absences(group, hkl)]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class GridPlaces:
    """Where the unique reflections stand in the half grid, H places in all, ordered by reflection.

    Attributes
    ----------
    starts
        The places of reflection u are starts[u] … starts[u + 1] − 1, int64 (U + 1,).
    place
        Flat place in the half grid, int64 (H,).
    source
        Number of the unique reflection, int64 (H,).
    conjugate
        Whether the grid holds turn · F* there rather than turn · F, bool (H,).
    turn
        Phase factor, complex64 (H,).
    """

    starts: I64
    place: I64
    source: I64
    conjugate: Bool
    turn: C64


@dataclass(frozen=True, eq=False)
class ReflectionGrid:
    """Unique reflections of a space group on a grid.

    Parameters
    ----------
    group
        Space group, in any setting.
    hkl
        One of each set of equivalents, none systematically absent, int64 (U, 3).
    shape
        Points along a, b and c, the last even.

    Raises
    ------
    UsageError
        The grid is too coarse for an index, or its last axis is odd.
    """

    group: SpaceGroup
    hkl: I64
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        equivalents = largest_indices(self.group, self.hkl)
        if np.any(2 * equivalents >= self.shape) or self.shape[2] % 2:
            raise UsageError(
                f"A grid of {self.shape} points cannot hold indices to {equivalents.tolist()}: it takes an "
                "even number above twice the largest index along each axis (`grid_shape` finds the smallest)."
            )

    @property
    def half_shape(self) -> tuple[int, int, int]:
        """Shape of the half grid of coefficients."""
        return self.shape[0], self.shape[1], self.shape[2] // 2 + 1

    @property
    def points(self) -> int:
        """Points of the grid."""
        return self.shape[0] * self.shape[1] * self.shape[2]

    @cached_property
    def places(self) -> GridPlaces:
        """The places of every reflection in the half grid."""
        n_ops, n = self.group.order, len(self.hkl)
        moved = np.einsum("uj,ojk->uok", self.hkl, self.group.rotations).reshape(-1, 3)
        angle = -2.0 * np.pi * (self.hkl @ self.group.translations.T).ravel()
        source = np.repeat(np.arange(n), n_ops)
        # F(hR) = F(h) e^{iα}: the grid holds its conjugate there, and at −hR the conjugate of that
        every = np.concatenate([moved, -moved])
        turn = np.exp(1j * np.concatenate([-angle, angle])).astype(np.complex64)
        conjugate = np.repeat([True, False], len(moved))
        source = np.concatenate([source, source])
        kept = every[:, 2] >= 0
        flat = self.flat(every)
        first = np.unique(np.where(kept, flat, -1), return_index=True)[1]
        first = first[kept[first]]
        first = first[np.lexsort((flat[first], source[first]))]
        starts = np.searchsorted(source[first], np.arange(n + 1))
        return GridPlaces(starts, flat[first], source[first], conjugate[first], turn[first])

    def flat(self, hkl: I64) -> I64:
        """Flat places in the half grid of reflections (…, 3) with l ≥ 0."""
        h, k, l = (hkl[..., i] % self.shape[i] for i in range(3))
        result: I64 = (h * self.shape[1] + k) * self.half_shape[2] + l
        return result

    @cached_property
    def allowed(self) -> C64:
        """exp(iφ) of a phase that symmetry allows to a centric reflection (φ + π is the other), else 0.

        Where hR = −h, F(h)* = F(h) exp(−2πi h·t), so that φ = π h·t. complex64 (U,).
        """
        result = np.zeros(len(self.hkl), dtype=np.complex64)
        for rotation, shift in zip(self.group.rotations, self.group.translations, strict=True):
            turned = np.all(self.hkl @ rotation == -self.hkl, axis=1) & (result == 0)
            result[turned] = np.exp(1j * np.pi * (self.hkl[turned] @ shift))
        return result

    @cached_property
    def epsilon(self) -> F64:
        """How many operators leave each reflection where it is (U,): ⟨|F|²⟩ is that many times as large."""
        moved = np.einsum("uj,ojk->uok", self.hkl, self.group.rotations)
        result: F64 = (moved == self.hkl[:, None]).all(axis=2).sum(axis=1).astype(np.float64)
        return result

    @cached_property
    def multiplicity(self) -> F64:
        """Distinct equivalents of each reflection, Friedel mates included, (U,)."""
        # a place with l > 0 stands for a Friedel pair
        pairs = np.where(self.places.place % self.half_shape[2] > 0, 2.0, 1.0)
        result: F64 = np.bincount(self.places.source, pairs, len(self.hkl)).astype(np.float64)
        return result

    @cached_property
    def in_p1(self) -> tuple[ReflectionGrid, I64]:
        """The same sphere without symmetry: its grid, and for each of its reflections the unique one (V,)."""
        places = self.places
        k, l = places.place // self.half_shape[2] % self.shape[1], places.place % self.half_shape[2]
        h = places.place // (self.half_shape[2] * self.shape[1])
        hkl = np.stack([h, k, l], axis=1)
        hkl = np.where(2 * hkl >= self.shape, hkl - np.array(self.shape), hkl)
        # of the plane l = 0 one of each Friedel pair
        half = (hkl[:, 2] > 0) | (hkl[:, 1] > 0) | ((hkl[:, 1] == 0) & (hkl[:, 0] > 0))
        return ReflectionGrid(SpaceGroup.from_number(1), hkl[half], self.shape), places.source[half]

    @cached_property
    def origin_terms(self) -> OriginTerms | None:
        """What `origins.place_origin` sums; null where the group has pure translations only."""
        return origin_terms(self.group, self.in_p1[0].hkl, self.shape)

    def spread(self, f: Tensor) -> Tensor:
        """The half grid (B, nx, ny, nz/2 + 1) of structure factors (B, U), complex64."""
        place, source, conjugate, turn = self.tensors(f.device)
        values = f[:, source]
        values = torch.where(conjugate, values.conj(), values) * turn
        grid = torch.zeros(len(f), int(np.prod(self.half_shape)), dtype=torch.complex64, device=f.device)
        grid[:, place] = values
        return grid.reshape(-1, *self.half_shape)

    def collect(self, grid: Tensor) -> Tensor:
        """Structure factors (B, U) of a half grid: the mean over equivalents, and phases that are allowed."""
        place, source, conjugate, turn = self.tensors(grid.device)
        values = grid.reshape(len(grid), -1)[:, place] * turn.conj()
        values = torch.where(conjugate, values.conj(), values)
        total = torch.zeros(len(grid), len(self.hkl), 2, device=grid.device)
        total.index_add_(1, source, torch.view_as_real(values.resolve_conj().contiguous()))
        counts, allowed = self._counts_and_allowed(grid.device)
        mean = torch.view_as_complex(total) / counts
        return torch.where(allowed != 0, (mean * allowed.conj()).real * allowed, mean)

    def density(self, f: Tensor) -> Tensor:
        """ρ(x) = Σ F(h) exp(−2πi h·x), float32 (B, nx, ny, nz); divide by V for electrons per Å³."""
        return torch.fft.irfftn(self.spread(f), s=self.shape, dim=(1, 2, 3), norm="forward")

    def tensors(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`places` on a device: place, source, conjugate, turn."""
        known: dict[torch.device, tuple[Tensor, Tensor, Tensor, Tensor]] = self.__dict__.setdefault(
            "_tensors", {}
        )
        if device not in known:
            p = self.places
            known[device] = (
                torch.from_numpy(p.place).to(device),
                torch.from_numpy(p.source).to(device),
                torch.from_numpy(p.conjugate).to(device),
                torch.from_numpy(p.turn).to(device),
            )
        return known[device]

    def _counts_and_allowed(self, device: torch.device) -> tuple[Tensor, Tensor]:
        known: dict[torch.device, tuple[Tensor, Tensor]] = self.__dict__.setdefault("_allowed", {})
        if device not in known:
            counts = np.diff(self.places.starts).astype(np.float32)
            known[device] = torch.from_numpy(counts).to(device), torch.from_numpy(self.allowed).to(device)
        return known[device]
