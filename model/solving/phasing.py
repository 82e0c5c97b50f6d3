"""Phases of one crystal: charge flipping without symmetry, then with that of a candidate group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.charge_flipping.elimination import eliminate
from xtalpriors.model.charge_flipping.flipping import constraint_of, flip, random_start, settings_for
from xtalpriors.model.charge_flipping.grids import ReflectionGrid, grid_shape
from xtalpriors.model.charge_flipping.origins import place_origin

__all__ = ["CONVERGED", "Trials", "flip_trials", "group_grid", "placed_in_group"]


CONVERGED = 1.7
"""A trial is taken to have found the structure when its skewness is this many times that of the start."""
WEAK_SHARE = 0.3
FEWEST_FOR_ORIGIN, MOST_FOR_ORIGIN = 60, 8000
"""Reflections by which an origin is found: at least, and at most with all equivalents."""
EARLY_CYCLES = slice(15, 30)
"""Cycles whose skewness is that of the start: past the random phases, and not yet a structure."""


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Densities found by flipping, the likeliest first.

    Attributes
    ----------
    f
        Measured amplitudes with their phases, complex64 (trials, m).
    skewness
        Of the density in the last cycles, (trials,).
    gain
        That over the skewness near the start, (trials,): above 1.7 the structure was probably found.
    """

    f: Tensor
    skewness: F64
    gain: F64

    def joined(self, other: Trials) -> Trials:
        """These trials and others, in their order."""
        f = torch.cat([self.f, other.f])
        skewness = np.concatenate([self.skewness, other.skewness])
        gain = np.concatenate([self.gain, other.gain])
        order = np.argsort(-skewness, kind="stable")
        return Trials(f[torch.from_numpy(order)], skewness[order], gain[order])

    @property
    def converged(self) -> bool:
        """The best trial has probably found the structure."""
        return bool(len(self.gain)) and bool(self.gain[0] >= CONVERGED)


def _lookup(known: I64, wanted: I64) -> tuple[I64, I64]:
    """Where each wanted reflection (n, 3), or its Friedel mate, stands among the known ones; −1: nowhere.

    The second array is 1 where it is the mate.
    """
    base = 2 * int(max(np.abs(known).max(initial=0), np.abs(wanted).max(initial=0))) + 1

    def codes(h: I64) -> I64:
        """One whole number for each reflection (n,), of opposite sign for h and −h."""
        return (h[:, 2] * base + h[:, 1]) * base + h[:, 0]

    own = codes(known)
    order = np.argsort(own)
    place = np.full(len(wanted), -1, dtype=np.int64)
    mate = np.zeros(len(wanted), dtype=np.int64)
    for sign in (1, -1):
        there = np.minimum(np.searchsorted(own[order], sign * codes(wanted)), len(own) - 1)
        found = (own[order[there]] == sign * codes(wanted)) & (place < 0)
        place[found], mate[found] = order[there][found], int(sign < 0)
    return place, mate


def group_grid(group: SpaceGroup, hkl: I64) -> ReflectionGrid:
    """The smallest grid of a group that holds reflections (m, 3)."""
    largest = np.abs(np.einsum("mi,nij->mnj", hkl, group.rotations)).max(axis=(0, 1))
    return ReflectionGrid(group, hkl, grid_shape(group, largest))


def flip_trials(
    grid: ReflectionGrid,
    amplitude: F64,
    e: F64,
    d_min_angstrom: float,
    rng: np.random.Generator,
    *,
    trials: int,
    cycles: int,
    start: Tensor | None = None,
    threshold_factor: float = 1.0,
) -> Trials:
    """Charge flipping with the symmetry of a grid's group, which may be that of the lattice only.

    Parameters
    ----------
    grid
        Unique measured reflections of the group.
    amplitude, e
        |F| and |E|, (m,).
    d_min_angstrom
        Resolution.
    rng
        Of the starts.
    trials, cycles
        Random starts, and at most how many cycles.
    start
        Densities (n, m) to begin with besides.
    threshold_factor
        On the threshold that suits the resolution.
    """
    settings = settings_for(d_min_angstrom, cycles=cycles, weak_share=WEAK_SHARE)
    settings = settings.model_copy(update={"threshold": settings.threshold * threshold_factor})
    f, normal = torch.from_numpy(amplitude).float(), torch.from_numpy(e).float()
    constraint = constraint_of(f, normal, settings)
    begin = random_start(grid, constraint.moduli, trials, rng)
    if start is not None:
        begin = torch.cat([_phasor(start) * constraint.moduli, begin])
    found = flip(grid, constraint, begin, settings)
    history = found.skewness
    early = history[:, EARLY_CYCLES].mean(dim=1)
    last = history[:, -5:].mean(dim=1)
    polished = eliminate(grid, f, found.f, cycles=6)
    order = last.argsort(descending=True)
    return Trials(
        polished.f[order],
        last[order].double().numpy(),
        (last / early.clamp(min=0.3))[order].double().numpy(),
    )


def _phasor(f: Tensor) -> Tensor:
    size = f.abs()
    return torch.where(size > 0, f / size.clamp(min=1e-30), torch.ones_like(f))


def placed_in_group(grid: ReflectionGrid, e: F64, hkl: I64, f: Tensor) -> tuple[Tensor, F64]:
    """Densities found without symmetry, from an origin of the group, and how well each fits it.

    Parameters
    ----------
    grid
        Unique measured reflections of the group.
    e
        |E| of them, (u,): the origin is found by the strongest.
    hkl, f
        Reflections (m, 3), one of each Friedel pair, and densities of them (n, m).
    """
    most = max(FEWEST_FOR_ORIGIN, MOST_FOR_ORIGIN // grid.group.order)
    strong = np.sort(np.argsort(-e, kind="stable")[:most])
    few = ReflectionGrid(grid.group, grid.hkl[strong], grid.shape)
    placed = place_origin(few, _of_reflections(few.in_p1[0].hkl, hkl, f))
    p1 = grid.in_p1[0]
    angle = torch.from_numpy(-2.0 * np.pi * (placed.shift @ p1.hkl.T)).float()
    moved = _of_reflections(p1.hkl, hkl, f) * torch.polar(torch.ones_like(angle), angle)
    return grid.collect(p1.spread(moved)), placed.symmetry.double().numpy()


def _of_reflections(wanted: I64, known: I64, f: Tensor) -> Tensor:
    """Structure factors (n, w) of reflections (w, 3), from those known (n, m); 0 where there is none."""
    place, mate = _lookup(known, wanted)
    found = f[:, np.maximum(place, 0)]
    found = torch.where(torch.from_numpy(mate > 0), found.conj().resolve_conj(), found)
    return torch.where(torch.from_numpy(place >= 0), found, torch.zeros_like(found))
