"""Phases of one crystal by charge flipping: trials in P1, placed in the group, polished, and one chosen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.crystal.cells.cell import cell_volumes
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.charge_flipping.choice import convincing, first_portion, score, support
from xtalpriors.model.charge_flipping.elimination import eliminate, strict_agreement
from xtalpriors.model.charge_flipping.flipping import (
    FlippingSettings,
    constraint_of,
    flip,
    random_start,
    settings_for,
)
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.origins import place_origin
from xtalpriors.model.network.normalisation import normalised_amplitudes

__all__ = ["Trials", "normalised", "phase_by_charge_flipping"]


class Trials(NamedTuple):
    """Solutions of one crystal, one a trial.

    Attributes
    ----------
    f
        Structure factors whose phases are the result, from an origin of the group, complex64 (T, U).
    agreement
        `elimination.Eliminated.agreement` (T,), of the last cycle.
    strict_agreement
        `elimination.strict_agreement` of the result (T,).
    symmetry
        `origins.Placed.symmetry` (T,): how well the group fitted before it was imposed.
    support
        `choice.support` among the trials (T,).
    score
        `choice.score` (T,): the trial with the largest is the one to take.
    """

    f: Tensor
    agreement: Tensor
    strict_agreement: Tensor
    symmetry: Tensor
    support: Tensor
    score: Tensor

    @property
    def best(self) -> int:
        """The trial with the largest score."""
        return int(self.score.argmax())


def normalised(grid: ReflectionGrid, amplitudes: Tensor, cell: tuple[float, ...]) -> Tensor:
    """|E| (U,) of the amplitudes |F| (U,) of a crystal; 0 where nothing was measured."""
    s2 = torch.from_numpy(s_squared(grid.hkl, np.array([cell]))).float()
    epsilon = torch.from_numpy(grid.epsilon).float()
    row = amplitudes.float()[None]
    return normalised_amplitudes(row, s2, epsilon, row > 0)[0]


def phase_by_charge_flipping(
    grid: ReflectionGrid,
    amplitudes: Tensor,
    cell: tuple[float, ...],
    *,
    trials: int = 1,
    rng: np.random.Generator,
    settings: FlippingSettings | None = None,
    elimination_cycles: int = 8,
    until_convincing: bool = False,
) -> Trials:
    """Phases from amplitudes.

    Parameters
    ----------
    grid
        The group's unique reflections, on a grid of `grids.grid_shape`.
    amplitudes
        |F| (U,) on any scale, 0 where nothing was measured.
    cell
        a, b, c in Å and α, β, γ in degrees: for |E|, and for the resolution that the settings hang on.
    trials
        Random starts; they run together.
    rng
        What the starts are drawn from.
    settings
        Null: `settings_for` the resolution of what was measured, the number of trials and the volume.
    elimination_cycles
        Cycles of low-density elimination with the group's symmetry.
    until_convincing
        Make `choice.first_portion` of the trials, and the others only if none of these is convincing.

    Raises
    ------
    XtalpriorsError
        Nothing was measured, or an amplitude is negative, infinite or not a number.
    """
    if not bool(torch.isfinite(amplitudes).all()) or bool((amplitudes < 0).any()):
        raise XtalpriorsError(
            "An amplitude is negative, infinite or not a number: leave reflections without an amplitude out "
            "(0 counts as not measured)."
        )
    s2 = s_squared(grid.hkl, np.array([cell]))[0][(amplitudes > 0).numpy()]
    if len(s2) == 0:
        raise XtalpriorsError("Every amplitude is 0: there is nothing to find phases for.")
    volume = float(cell_volumes(np.array([cell]))[0]) / grid.group.order
    settings = settings or settings_for(float(s2.max() ** -0.5), trials, volume)
    p1, source = grid.in_p1
    constraint = constraint_of(amplitudes, normalised(grid, amplitudes, cell), settings)
    in_p1 = type(constraint)(constraint.moduli[:, source], constraint.role[:, source])
    first = first_portion(amplitudes, trials) if until_convincing else trials
    parts: list[tuple[Tensor, ...]] = []
    for count in (first, trials - first):
        if count == 0 or (parts and convincing(parts[0][2])):
            break
        found = flip(p1, in_p1, random_start(p1, in_p1.moduli, count, rng), settings)
        placed = place_origin(grid, found.f)
        polished = eliminate(grid, amplitudes, placed.f, cycles=elimination_cycles)
        strict = strict_agreement(grid, amplitudes, polished.f)
        parts.append((polished.f, polished.agreement, strict, placed.symmetry))
    f, agreement, strict, symmetry = (torch.cat(part) for part in zip(*parts, strict=True))
    supported = support(grid, amplitudes, f)
    return Trials(f, agreement, strict, symmetry, supported, score(amplitudes, strict, supported))
