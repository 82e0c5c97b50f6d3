"""Artificial crystals to train on: several groups, cells and resolutions, with holes and noise in their data.

Crystals come in pools, each of one group. Those of a pool that share a grid form batches, which are shuffled.
A pool is a pure function of (priors, configuration, seed, number).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.scattering.reciprocal import IndexBox
from xtalpriors.crystal.scattering.structure_factors import StructureFactorCalculator
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.generator.config import configure, space_group_of
from xtalpriors.generator.generate import make_generator
from xtalpriors.generator.stream import crystal_arrays
from xtalpriors.model.charge_flipping.grids import grid_shape
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.geometry import LARGEST_AXIS, DualGrid, grid_of
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["CrystalBatch", "CrystalPools", "pool"]

COARSE = (8, 12, 16, 20, 24, 32, 40, 48)
"""Lengths of axes when fewer different grids are wanted."""


@dataclass(frozen=True, slots=True, eq=False)
class CrystalBatch:
    """Crystals of one group on one grid.

    Attributes
    ----------
    operators
        Of the group; `grid` finds the tables.
    shape
        Of the grid.
    cells
        float64 (B, 6).
    amplitudes
        |F| as measured, float32 (B, U), 0 where it was not.
    true
        True structure factors, complex64 (B, U).
    position
        Number of the pool, and of the batch in it.
    """

    operators: tuple[str, ...]
    shape: tuple[int, int, int]
    cells: F64
    amplitudes: Tensor
    true: Tensor
    position: tuple[int, int] = (0, 0)

    @property
    def grid(self) -> DualGrid:
        """The grid, from this process's cache."""
        return grid_of(SpaceGroup.from_operators(self.operators), self.shape)

    def __len__(self) -> int:
        return len(self.cells)


class CrystalPools(IterableDataset[CrystalBatch]):  # type: ignore[misc]
    """Batches without end, in turn from S streams; stream s has the pools s, s + S, s + 2S, …

    Parameters
    ----------
    bundle
        Priors.
    config
        Groups, volumes, resolutions, flaws of the data, sizes.
    seed
        Any integer ≥ 0.
    streams
        As many as there are worker processes, or any number where there is none.
    used, last
        Batches already used, and of each stream the position of the last one: continue after them.
    """

    def __init__(
        self,
        bundle: PriorBundle,
        config: CrystalConfig,
        seed: int,
        *,
        streams: int,
        used: int = 0,
        last: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:
        super().__init__()
        self.bundle, self.config, self.seed = bundle, config, seed
        self.streams, self.used, self.last = streams, used, dict(last or {})

    def __iter__(self) -> Iterator[CrystalBatch]:
        """The batches of all streams in turn, or in a worker process those of its own stream."""
        turn = [(self.used + i) % self.streams for i in range(self.streams)]
        if worker := get_worker_info():
            yield from self._stream(turn[worker.id])
            return
        streams = [self._stream(s) for s in turn]
        while True:
            for stream in streams:
                yield next(stream)

    def _stream(self, stream: int) -> Iterator[CrystalBatch]:
        number, done = self.last.get(stream, (stream, -1))
        while True:
            yield from pool(self.bundle, self.config, self.seed, number)[done + 1 :]
            number, done = number + self.streams, -1


def pool(bundle: PriorBundle, config: CrystalConfig, seed: int, number: int) -> list[CrystalBatch]:
    """The batches of one pool, in the order in which they are used."""
    rng = np.random.default_rng((seed, number))
    place = number % len(config.space_groups)
    # a group that is listed twice gets other crystals the second time
    batches = _of_group(bundle, config, config.space_groups[place], seed + place, number, rng)
    order = rng.permutation(len(batches)).tolist()
    return [replace(batches[i], position=(number, k)) for k, i in enumerate(order)]


def _of_group(
    bundle: PriorBundle, config: CrystalConfig, symbol: str, seed: int, number: int, rng: np.random.Generator
) -> list[CrystalBatch]:
    group = space_group_of(symbol)
    low, high = config.volumes_angstrom3
    # a cell too small for one atom in the asymmetric unit stays empty; one without symmetry fills many points
    low, high = max(low, 45.0 * group.order), min(max(high, 90.0 * group.order), 400.0 * group.order)
    options = configure(
        space_group=symbol,
        cell="volume-uniform",
        volume_min_angstrom3=low,
        volume_max_angstrom3=high,
        scale_with_order=False,
    )
    count = config.pool
    structures = make_generator(bundle, options, seed).batch(number * count, count)
    crystals = crystal_arrays(structures)
    d_min = rng.uniform(*config.d_min_angstrom, count)
    lengths = np.sqrt(np.diagonal(metric_tensors(crystals.cells), axis1=1, axis2=2))
    shapes: dict[tuple[int, int, int], list[int]] = {}
    for i, largest in enumerate(np.floor(lengths / d_min[:, None] + 1e-9).astype(int)):
        if 2 * largest.max() + 2 <= LARGEST_AXIS:
            shapes.setdefault(_shape(group, tuple(largest.tolist()), config.coarse), []).append(i)
    batches = []
    for shape, members in shapes.items():
        grid = grid_of(group, shape)
        size = max(1, config.points_at_once // len(grid.inside))
        for start in range(0, len(members), size):
            rows = np.array(members[start : start + size])
            if len(rows) >= config.least_filled * size:
                batches.append(_batch(grid, _take(crystals, rows), d_min[rows], config, rng))
    return batches


@lru_cache(maxsize=1 << 16)
def _shape(group: SpaceGroup, largest: tuple[int, int, int], coarse: bool) -> tuple[int, int, int]:
    if not coarse:
        return grid_shape(group, largest, limit=LARGEST_AXIS)
    need = [next(n for n in COARSE if n >= 2 * t + 2) // 2 - 1 for t in largest]
    return grid_shape(group, need, limit=LARGEST_AXIS)


def _take(crystals: CrystalArrays, rows: I64) -> CrystalArrays:
    """Some crystals of a batch."""
    counts = np.diff(crystals.offsets)[rows]
    atoms = np.concatenate([np.arange(crystals.offsets[i], crystals.offsets[i + 1]) for i in rows])
    return CrystalArrays(
        crystals.cells[rows],
        np.concatenate([[0], np.cumsum(counts)]),
        crystals.numbers[atoms],
        crystals.fract[atoms],
        crystals.u_iso[atoms],
        crystals.weights[atoms],
    )


def _batch(
    grid: DualGrid, crystals: CrystalArrays, d_min: F64, config: CrystalConfig, rng: np.random.Generator
) -> CrystalBatch:
    calculator, flat = _calculator(grid)
    f = calculator.structure_factors(crystals, d_min).reshape(len(d_min), -1)[:, flat]
    intensity = (f.real**2 + f.imag**2).astype(np.float64)
    measured = intensity > 0
    # counting: σ(I)² = I·⟨I⟩/n + (⟨I⟩/n)², n counts in a mean reflection
    mean = intensity.sum(axis=1, keepdims=True) / measured.sum(axis=1, keepdims=True).clip(1)
    counts = 10.0 ** rng.uniform(*config.log10_counts, (len(f), 1))
    sigma = np.sqrt(intensity * mean / counts + (mean / counts) ** 2)
    sigma *= rng.random((len(f), 1)) < config.noisy_share
    noisy = intensity + sigma * rng.standard_normal(intensity.shape)
    measured &= rng.random(f.shape) < rng.uniform(*config.completeness, (len(f), 1))
    amplitudes = np.where(measured & (noisy > 0), np.sqrt(noisy.clip(0)), 0.0)
    return CrystalBatch(
        grid.group.operators,
        grid.shape,
        crystals.cells,
        torch.from_numpy(amplitudes.astype(np.float32)),
        torch.from_numpy(np.ascontiguousarray(f)),
    )


@lru_cache(maxsize=512)
def _calculator(grid: DualGrid) -> tuple[StructureFactorCalculator, I64]:
    """Structure factors in the box of the grid's reflections, and where these lie in it."""
    hkl = grid.reflections.hkl
    low, high = hkl.min(axis=0), hkl.max(axis=0)
    box = IndexBox(*(int(x) for pair in zip(low, high, strict=True) for x in pair))
    flat: I64 = np.ravel_multi_index(tuple((hkl - low).T), box.shape)
    wanted = np.zeros(int(np.prod(box.shape)), dtype=bool)
    wanted[flat] = True
    return StructureFactorCalculator(grid.group, box, wanted.reshape(box.shape)), flat
