"""The density of structure factors, on a grid as fine as is wanted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from xtalpriors.arrays import F32, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import largest_indices
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.charge_flipping.grids import ReflectionGrid, grid_shape

__all__ = ["DensityMap", "density_map"]

SPACING_ANGSTROM = 0.27
"""Largest distance of two points of a map along an axis."""


class DensityMap(NamedTuple):
    """A density, (nx, ny, nz) float32, over the whole cell, without F(000)."""

    values: F32
    group: SpaceGroup
    cell: UnitCell


def density_map(
    group: SpaceGroup, cell: UnitCell, hkl: I64, f: np.ndarray, spacing_angstrom: float = SPACING_ANGSTROM
) -> DensityMap:
    """Σ F(h) exp(−2πi h·x) / V of unique reflections (m, 3) that are not absent, F complex (m,)."""
    least = np.ceil(np.array([cell.a, cell.b, cell.c]) / spacing_angstrom / 2.0).astype(int)
    shape = grid_shape(group, np.maximum(largest_indices(group, hkl), least))
    grid = ReflectionGrid(group, hkl, shape)
    values = grid.density(torch.from_numpy(np.asarray(f, dtype=np.complex64))[None])[0].numpy()
    return DensityMap(values / np.float32(cell.volume), group, cell)
