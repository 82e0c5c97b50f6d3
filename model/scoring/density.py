"""Density maps from amplitudes and signs: the unique reflections spread over the sphere, then one FFT.

ρ(x) = 1/V Σ F(h) exp(−2πi h·x). All groups here have an inversion centre at the origin, so F is real.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64, I64
from xtalpriors.errors import UsageError
from xtalpriors.model.network.reflections import Reflections

__all__ = ["DensityMaps", "Spread", "good_size", "spread"]


class Spread(NamedTuple):
    """All reflections of the sphere, each with the one of the list that it is equivalent to.

    Attributes
    ----------
    hkl
        (m, 3), every equivalent of every unique reflection once.
    source
        Place in the list, (m,).
    sign
        ±1, (m,): F(hkl) = sign × F(source).
    """

    hkl: I64
    source: I64
    sign: F64


def spread(reflections: Reflections) -> Spread:
    """F(hR) = F(h) exp(−2πi h·t) for every operator (R, t) and every unique reflection that is not absent."""
    group, unique = reflections.group, np.flatnonzero(reflections.counted)
    h = reflections.hkl[unique]
    equivalents = np.concatenate([h @ rotation for rotation in group.rotations]).astype(np.int64)
    phases = np.concatenate([h @ shift for shift in group.translations])
    _, first = np.unique(equivalents, axis=0, return_index=True)
    signs = np.rint(np.cos(2.0 * np.pi * phases[first]))
    return Spread(equivalents[first], np.tile(unique, group.order)[first], signs)


class DensityMaps:
    """Maps of a grid for the reflections of a list.

    Parameters
    ----------
    reflections
        Group and list.
    shape
        Points along a, b, c; null: the fewest, of small factors, on which the cube of the density is exact
        (three times the largest index).

    Raises
    ------
    UsageError
        A grid too coarse for the largest index.
    """

    def __init__(self, reflections: Reflections, shape: tuple[int, int, int] | None = None) -> None:
        self.reflections = reflections
        top = reflections.max_index
        self.shape = shape or (good_size(3 * top + 1),) * 3
        if min(self.shape) < 2 * top + 1:
            raise UsageError(
                f"A grid of {self.shape} points cannot hold indices to {top}: it takes {2 * top + 1} each."
            )

    @cached_property
    def _places(self) -> tuple[I64, I64, F64]:
        """Flat places in the half grid of l ≥ 0, sources and signs."""
        every = spread(self.reflections)
        half = every.hkl[:, 2] >= 0
        nx, ny, nz = self.shape
        h, k, l = every.hkl[half].T
        flat = ((h % nx) * ny + k % ny) * (nz // 2 + 1) + l
        return flat, every.source[half], every.sign[half]

    def __call__(self, structure_factors: Tensor) -> Tensor:
        """Σ F(h) exp(−2πi h·x), (B, nx, ny, nz), of signed F (B, N); divide by V for electrons per Å³."""
        places, sources, signs = self._places
        device = structure_factors.device
        values = structure_factors.double()[:, torch.from_numpy(sources).to(device)]
        values = values * torch.from_numpy(signs).to(device)
        nx, ny, nz = self.shape
        grid = torch.zeros(len(values), nx * ny * (nz // 2 + 1), dtype=torch.complex128, device=device)
        grid[:, torch.from_numpy(places).to(device)] = values.to(torch.complex128)
        # F is real and F(−h) = F(h): the sign of the exponent does not matter
        return torch.fft.irfftn(grid.unflatten(1, (nx, ny, nz // 2 + 1)), s=self.shape, norm="forward")


def good_size(least: int) -> int:
    """The smallest even number ≥ `least` whose prime factors are 2, 3 and 5."""
    size = least + least % 2
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 2
