"""Cycles of charge flipping or of RAAR from random phases, for many trials at once.

Charge flipping (Oszlányi & Sütő 2004, doi 10.1107/S0108767303027569): density below a threshold changes its
sign, its Fourier phases get the measured moduli, and so on. The weakest reflections are turned by π/2 and
keep their calculated moduli (Oszlányi & Sütő 2005, doi 10.1107/S0108767304027746). RAAR (Luke 2005,
doi 10.1088/0266-5611/21/1/004) relaxes between the two projections. In P1 both find structures best; the
group is found in the result (`origins`). With the group's own grid the same cycles enforce its symmetry.
"""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from xtalpriors.arrays import F64
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.charge_flipping.cycles import Constraint, Densities
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.kernels import MEASURED, UNKNOWN, WEAK

__all__ = ["Flipped", "FlippingSettings", "constraint_of", "flip", "random_start", "settings_for"]


class FlippingSettings(Frozen):
    """How phases are searched for; `settings_for` knows good values for a resolution."""

    method: Literal["flip", "raar"] = Field(default="flip", description="Charge flipping, or RAAR")
    cycles: int = Field(default=100, ge=1, description="Most cycles of a trial")
    threshold: float = Field(
        default=1.03, gt=0, allow_inf_nan=False, description="In standard deviations of the density"
    )
    sharpening: float = Field(
        default=0.5, ge=0, le=1, description="Moduli are |F|^(1 − s)·|E|^s: 0.5 is √(|F||E|), 0 is |F|"
    )
    weak_share: float = Field(default=0.2, ge=0, lt=1, description="Share of reflections that count as weak")
    beta: float = Field(default=0.8, gt=0, le=1, description="Relaxation of RAAR")
    smoothing: int = Field(default=8, ge=1, description="Cycles over which the skewness is averaged")
    jump: float | None = Field(
        default=None,
        gt=1,
        description="A trial has converged when its smoothed skewness is this many times what it was after "
        "the first cycles and has stopped rising (1.4 tells solutions apart in P1 to 1.2 Å; with "
        "symmetry enforced it does not); null: every cycle is done",
    )


MANY: Final = 12
"""From so many trials on, `settings_for` gives short ones."""
_CYCLES_OF_MANY: Final = (100, 50, 30)
_LARGEST_OF_MANY_ANGSTROM3: Final = (250.0, 250.0, 400.0)
_RESOLUTIONS: Final = (1.0, 1.5, 2.0)
_THRESHOLDS: Final = {"flip": (1.03, 0.88, 0.76), "raar": (2.0, 1.5, 1.4)}


def settings_for(
    d_min_angstrom: float, trials: int = 1, volume_angstrom3: float = 0.0, /, **changes: object
) -> FlippingSettings:
    """Settings tuned on artificial molecules; `changes` replace single fields.

    From `MANY` trials on, each is shorter: 100 cycles at 1.0 Å, 50 at 1.5 Å, 30 at 2.0 Å. A shorter trial
    solves a little less often, but two or three times as many of them take the same time. Where the volume
    of the asymmetric unit is above 250 Å³ (400 Å³ at 2.0 Å) they solve too few, and all trials are long.

    Charge flipping: √(|F||E|) at 1.03 σ at 1.0 Å and 0.88 σ at 1.5 Å, |F| at 0.76 σ at 2.0 Å, and straight
    lines between. RAAR flips 2m − x, which varies more than a density: 2.0, 1.5 and 1.4 σ.
    """
    d = float(np.clip(d_min_angstrom, 1.0, 2.0))
    thresholds = _THRESHOLDS.get(str(changes.get("method", "flip")), _THRESHOLDS["flip"])
    values: dict[str, object] = {
        "threshold": float(np.interp(d, _RESOLUTIONS, thresholds)),
        "sharpening": 0.5 if d < 1.75 else 0.0,
    }
    if trials >= MANY and volume_angstrom3 <= np.interp(d, _RESOLUTIONS, _LARGEST_OF_MANY_ANGSTROM3):
        values["cycles"] = round(float(np.interp(d, _RESOLUTIONS, _CYCLES_OF_MANY)))
    return FlippingSettings.model_validate(values | changes)


class Flipped(NamedTuple):
    """Trials of one search.

    Attributes
    ----------
    f
        Structure factors that the last density had, complex64 (T, U): their phases are the result.
    skewness
        Skewness of the density, a column a cycle, float32 (T, cycles done).
    converged
        The cycle, counted from 1, in which a trial converged, int64 (T,); −1 where it has not.
    """

    f: Tensor
    skewness: Tensor
    converged: Tensor


def constraint_of(
    amplitudes: Tensor, normalised: Tensor, settings: FlippingSettings, *, measured: Tensor | None = None
) -> Constraint:
    """Moduli and roles of the reflections of one crystal or of B.

    Parameters
    ----------
    amplitudes, normalised
        |F| and |E|, float32 (U,) or (B, U), 0 where nothing was measured.
    settings
        Sharpening and share of weak reflections.
    measured
        Bool of the same shape; null: where |F| > 0. What was not measured is 0 in every cycle.
    """
    f, e = torch.atleast_2d(amplitudes).float(), torch.atleast_2d(normalised).float()
    known = (f > 0) if measured is None else torch.atleast_2d(measured)
    moduli = f.clamp(min=0.0) ** (1.0 - settings.sharpening) * e.clamp(min=0.0) ** settings.sharpening
    moduli = moduli.where(known, 0.0)
    # the weakest by |E|: |F| would call the outermost reflections weak
    rank = torch.where(known, e, torch.inf).argsort(dim=1).argsort(dim=1)
    weak = rank < (known.sum(dim=1, keepdim=True) * settings.weak_share).floor()
    role = torch.full(f.shape, UNKNOWN, dtype=torch.uint8, device=f.device)
    role[known] = MEASURED
    role[weak & known] = WEAK
    return Constraint(moduli, role)


def random_start(grid: ReflectionGrid, moduli: Tensor, trials: int, rng: np.random.Generator) -> Tensor:
    """Structure factors (T, U) with random phases that the group allows, complex64."""
    angles = torch.from_numpy(rng.uniform(0.0, 2.0 * np.pi, (trials, len(grid.hkl)))).float()
    angles = angles.to(moduli.device)
    phasor = torch.polar(torch.ones_like(angles), angles)
    allowed = torch.from_numpy(grid.allowed).to(moduli.device)
    sign = torch.where(angles < torch.pi, 1.0, -1.0)
    return torch.where(allowed != 0, sign * allowed, phasor) * moduli


def flip(
    grid: ReflectionGrid,
    constraint: Constraint,
    start: Tensor,
    settings: FlippingSettings,
    *,
    enough: int | None = None,
    points_at_once: int = 1 << 18,
) -> Flipped:
    """Search phases from a start; every row is a trial.

    Parameters
    ----------
    grid
        Reflections; with the grid of a group its symmetry is enforced, with that of P1 nothing is.
    constraint
        Of one crystal, or of as many as there are rows.
    start
        Structure factors (T, U), complex64.
    settings
        Method, cycles, threshold, and when to stop.
    enough
        Stop when that many trials have converged; null: go on with the others.
    points_at_once
        Points of the grid in memory together: what fits the cache is fastest on a CPU.

    Returns
    -------
    Flipped
        In the order of the rows. Groups of trials that run together stop together.
    """
    size = max(1, points_at_once // grid.points)
    parts, found = [], 0
    for first in range(0, len(start), size):
        rows = slice(first, first + size)
        part = _run(
            grid, constraint.rows(rows), start[rows], settings, None if enough is None else enough - found
        )
        found += int((part.converged >= 0).sum())
        parts.append(part)
        if enough is not None and found >= enough:
            break
    longest = max(part.skewness.shape[1] for part in parts)
    padded = [
        torch.nn.functional.pad(p.skewness, (0, longest - p.skewness.shape[1]), value=torch.nan)
        for p in parts
    ]
    return Flipped(
        torch.cat([part.f for part in parts]),
        torch.cat(padded),
        torch.cat([part.converged for part in parts]),
    )


def _run(
    grid: ReflectionGrid,
    constraint: Constraint,
    start: Tensor,
    settings: FlippingSettings,
    enough: int | None,
) -> Flipped:
    batch = Densities(grid, constraint, start)
    watch = _Convergence(len(start), settings)
    state = batch.to_density().clone() if settings.method == "raar" else None
    history = []
    for _ in range(settings.cycles):
        if state is None:
            batch.to_density()
            batch.flip(settings.threshold * batch.sigma)
            batch.to_spectrum()
            skewness = batch.skewness
            batch.impose()
        else:
            batch.to_spectrum(state)
            batch.impose()
            batch.to_density()
            state = batch.relax(state, settings.threshold * batch.sigma, settings.beta)
            skewness = batch.skewness
        history.append(skewness)
        if settings.jump is not None and watch.done(skewness.cpu().double().numpy(), enough):
            break
    return Flipped(batch.calculated, torch.stack(history, dim=1), torch.from_numpy(watch.converged))


class _Convergence:
    """Finds the jump of the skewness by which a trial shows that it has converged.

    Skewness rises steeply in the first cycles, whatever comes of the trial, stays on a plateau, and jumps
    to the next one when the density becomes that of atoms. The first cycles do not count.
    """

    def __init__(self, trials: int, settings: FlippingSettings) -> None:
        self.jump, self.span = settings.jump or math.inf, settings.smoothing
        self.converged = np.full(trials, -1, dtype=np.int64)
        self._lowest = np.full(trials, np.inf)
        self._history: list[F64] = []

    def done(self, skewness: F64, enough: int | None) -> bool:
        """Take the skewness (T,) of a cycle; whether the search can end."""
        self._history.append(skewness)
        cycle, span = len(self._history), self.span
        if cycle < 3 * span:
            return False
        smooth = np.mean(self._history[-span:], axis=0)
        before = np.mean(self._history[-2 * span : -span], axis=0)
        self._lowest = np.minimum(self._lowest, before)
        new = (smooth < 1.01 * before) & (smooth >= self.jump * self._lowest) & (self.converged < 0)
        self.converged[new] = cycle
        count = int((self.converged >= 0).sum())
        return count == len(self.converged) or (enough is not None and count >= enough)
