"""Crystals whose structure is known, each with its structure factors: what phasing is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.scattering.reciprocal import IndexBox, largest_indices
from xtalpriors.crystal.scattering.structure_factors import structure_factors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.generator.config import configure
from xtalpriors.generator.generate import generate
from xtalpriors.generator.stream import crystal_arrays
from xtalpriors.model.charge_flipping.grids import (
    ReflectionGrid,
    grid_shape,
    reflections_within,
)
from xtalpriors.priors.bundle import published_bundle

__all__ = ["KnownCrystal", "artificial_crystals", "known_crystal"]


@dataclass(frozen=True, slots=True, eq=False)
class KnownCrystal:
    """A crystal and what diffraction to a resolution gives of it.

    Attributes
    ----------
    grid
        Unique reflections of its group to that resolution, on the smallest grid for them.
    f
        True structure factors in electrons, complex64 (U,).
    amplitudes
        |F| (U,): all that phasing may use, beside the cell.
    cell
        a, b, c in Å and α, β, γ in degrees.
    d_min_angstrom
        The resolution.
    """

    grid: ReflectionGrid
    f: Tensor
    amplitudes: Tensor
    cell: tuple[float, ...]
    d_min_angstrom: float


def known_crystal(group: SpaceGroup, crystal: CrystalArrays, d_min_angstrom: float) -> KnownCrystal:
    """Structure factors of one crystal (`crystal` has one) to a resolution."""
    hkl = reflections_within(group, crystal.cells[0], d_min_angstrom)
    top = np.maximum(np.abs(hkl).max(axis=0, initial=0), 1)
    box = IndexBox(*(int(x) for pair in zip(-top, top, strict=True) for x in pair))
    f = structure_factors(group, crystal, box, d_min_angstrom)[0][tuple((hkl + top).T)]
    grid = ReflectionGrid(group, hkl, grid_shape(group, largest_indices(group, hkl)))
    cell = tuple(crystal.cells[0].tolist())
    return KnownCrystal(grid, torch.from_numpy(f), torch.from_numpy(np.abs(f)), cell, d_min_angstrom)


def artificial_crystals(
    symbol: str,
    count: int,
    d_min_angstrom: float,
    volumes_angstrom3: tuple[float, float],
    *,
    lengths_angstrom: tuple[float | None, float | None] = (None, None),
    seed: int = 0,
) -> Iterator[KnownCrystal]:
    """Artificial molecules in cells of uniformly distributed volumes, from the published priors.

    Lengths of axes lie between `lengths_angstrom`; null: the priors' limits, 4 and 10 Å.
    """
    config = configure(
        space_group=symbol,
        cell="volume-uniform",
        length_min_angstrom=lengths_angstrom[0],
        length_max_angstrom=lengths_angstrom[1],
        volume_min_angstrom3=volumes_angstrom3[0],
        volume_max_angstrom3=volumes_angstrom3[1],
        scale_with_order=False,
    )
    batch = generate(published_bundle(), config, seed=seed, count=count)
    arrays = crystal_arrays(batch)
    for i in range(count):
        yield known_crystal(batch.group, one_of(arrays, i), d_min_angstrom)


def one_of(crystals: CrystalArrays, i: int) -> CrystalArrays:
    """Crystal i of a batch, alone."""
    atoms = slice(int(crystals.offsets[i]), int(crystals.offsets[i + 1]))
    return CrystalArrays(
        crystals.cells[i : i + 1],
        np.array([0, atoms.stop - atoms.start]),
        crystals.numbers[atoms],
        crystals.fract[atoms],
        crystals.u_iso[atoms],
        crystals.weights[atoms],
    )
