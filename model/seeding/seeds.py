"""Which reflections are seeds, and how coarsely their phases are known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64, I64
from xtalpriors.errors import UsageError
from xtalpriors.model.charge_flipping.grids import ReflectionGrid

__all__ = ["binned", "order_of_seeds", "seed_phasors", "strong_half"]


def strong_half(normalised: Tensor) -> I64:
    """Numbers of the half of the reflections with the largest |E|, the strongest first.

    Parameters
    ----------
    normalised
        |E| (U,).
    """
    order = np.argsort(-normalised.double().numpy(), kind="stable")
    half: I64 = order[: len(order) // 2]
    return half


def order_of_seeds(normalised: Tensor, rng: np.random.Generator) -> I64:
    """The strong half of the reflections in random order: the first n of it are n seeds.

    Larger sets of seeds hold the smaller ones, so that what more seeds bring is measured on the same crystal
    with the same seeds.
    """
    return rng.permutation(strong_half(normalised))


def binned(phase: F64, bins: int) -> F64:
    """Phases in radians at the nearest centre of `bins` equal parts of the circle, the first of them at 0.

    Four bins are the quadrants about 0, π/2, π and 3π/2; two bins are 0 and π.

    Raises
    ------
    UsageError
        Fewer than two bins: one bin says nothing.
    """
    if bins < 2:
        raise UsageError(f"Phases are binned to at least 2 values; with {bins} they say nothing.")
    width = 2.0 * np.pi / bins
    centre: F64 = np.rint(phase / width) * width
    return centre


def seed_phasors(grid: ReflectionGrid, true: Tensor, order: I64, fraction: float, bins: int | None) -> Tensor:
    """exp(iφ) of the seeds, 0 for all other reflections, complex64 (U,).

    Parameters
    ----------
    grid
        Group and reflections.
    true
        Structure factors whose phases are known, complex64 (U,).
    order
        Of `order_of_seeds`.
    fraction
        Of `order`; at least one reflection is taken.
    bins
        Values that a phase can have; null: exact. Centric phases are always one of their two values, and
        binning leaves them as they are.

    Raises
    ------
    UsageError
        The fraction is not above 0 and at most 1, or there are fewer than two bins.
    """
    if not 0.0 < fraction <= 1.0:
        raise UsageError(
            f"The fraction of seeds is {fraction:g}; it must lie above 0 and be at most 1 (0.1 is 10 %)."
        )
    chosen = order[: max(1, round(fraction * len(order)))]
    phase = np.angle(true.numpy()[chosen].astype(np.complex128))
    phasor = np.exp(1j * (phase if bins is None else binned(phase, bins)))
    allowed = grid.allowed[chosen]
    sign = np.where((true.numpy()[chosen] * allowed.conj()).real < 0, -1.0, 1.0)
    result = torch.zeros(len(true), dtype=torch.complex64)
    result[torch.from_numpy(chosen)] = torch.from_numpy(
        np.where(allowed != 0, sign * allowed, phasor).astype(np.complex64)
    )
    return result
