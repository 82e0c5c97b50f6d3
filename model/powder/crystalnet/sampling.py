"""What a training step of CrystalNet sees: points of the cells, and inputs with the flaws of measured ones.

All numbers come from a generator that the caller seeds for each step, so that a run which was stopped goes
on as if it had not been.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from xtalpriors.arrays import F32, I64
from xtalpriors.model.powder.density_maps import POINTS

__all__ = ["FormulaInput", "augment", "formula_inputs", "sample_voxels"]

FormulaInput = Literal["ratios", "elements", "one-dropped", "none"]
"""What is told of the composition: Table 2 of Guo et al. 2024, from its baseline downwards."""


def sample_voxels(rng: np.random.Generator, crystals: int, per_edge: int, points: int = POINTS) -> I64:
    """Voxels (crystals, per_edge³, 3): one drawn uniformly in each of per_edge³ bins of the cell.

    The draw is rounded down to a voxel of the map, as published: only such positions are ever trained on.
    """
    axis = np.arange(per_edge)
    bins = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(1, -1, 3)
    draws = (bins + rng.random((crystals, per_edge**3, 3))) / per_edge
    return np.minimum((draws * points).astype(np.int64), points - 1)


def augment(
    rng: np.random.Generator, patterns: F32, compositions: F32, shift_bins: int, noise: float
) -> tuple[F32, F32]:
    """Patterns (B, 1024) shifted by whole bins, and noise on them and on compositions (B, 119), then a ReLU.

    The noise leaves a mean of 0.4 of its standard deviation on empty bins, which a pattern at test does not
    have: so the paper trained.

    Parameters
    ----------
    shift_bins
        Each pattern moves by a whole number of bins from −shift_bins to shift_bins; zeros come in.
    noise
        Standard deviation.
    """
    n = patterns.shape[1]
    shifts = rng.integers(-shift_bins, shift_bins + 1, (len(patterns), 1))
    source = np.arange(n) - shifts
    moved = np.take_along_axis(patterns, np.clip(source, 0, n - 1), axis=1)
    moved[(source < 0) | (source >= n)] = 0.0
    return _noisy(rng, moved, noise), _noisy(rng, compositions, noise)


def formula_inputs(compositions: F32, told: FormulaInput, seed: int = 0) -> F32:
    """Compositions (n, 119) as the network is told them; with `none` they are zero.

    The element that `one-dropped` leaves out follows from the seed and the place in the list; a crystal of
    one element keeps it. (The published code draws it without a seed, so that each run drops other elements.)
    """
    if told == "ratios":
        return compositions
    if told == "none":
        return np.zeros_like(compositions)
    present = (compositions > 0).astype(np.float32)
    if told == "one-dropped":
        for i, row in enumerate(present):
            elements = np.flatnonzero(row)
            if len(elements) > 1:
                row[np.random.default_rng((seed, i)).choice(elements)] = 0.0
    return present


def _noisy(rng: np.random.Generator, values: F32, noise: float) -> F32:
    drawn = rng.standard_normal(values.shape, dtype=np.float32) * np.float32(noise)
    return np.maximum(values + drawn, np.float32(0.0))
