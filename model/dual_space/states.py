"""Phases to train on, as they occur in use, with the true phases from the same origin and in the same hand.

- *flipping*: a few cycles of charge flipping in P1, the origin found, low-density elimination. In use the
  network begins with these.
- *start*: a few strong reflections, enough to fix the origin, with their true phases, and then the network's
  own steps.
- *noisy truth*: true phases of which a share is replaced by random ones.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import Bool
from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.model.charge_flipping.cycles import Constraint
from xtalpriors.model.charge_flipping.elimination import eliminate
from xtalpriors.model.charge_flipping.flipping import constraint_of, flip, random_start, settings_for
from xtalpriors.model.charge_flipping.map_correlation import aligned
from xtalpriors.model.charge_flipping.origins import place_origin
from xtalpriors.model.dual_space.config import StateConfig
from xtalpriors.model.dual_space.crystals import CrystalBatch
from xtalpriors.model.dual_space.geometry import DualGrid
from xtalpriors.model.dual_space.inputs import Known
from xtalpriors.model.dual_space.network import DualSpaceNetwork

__all__ = [
    "State",
    "flipping_state",
    "logits_of",
    "make_state",
    "noisy_state",
    "origin_fixing",
    "start_state",
]

CERTAIN = 2.0
"""|L| of a phase that is taken as known at the start."""
_STRONGEST = 40


class State(NamedTuple):
    """Where the network begins.

    Attributes
    ----------
    logits
        complex64 (B, U).
    true
        Phasors of the true phases from the same origin, complex64 (B, U).
    agreement
        With the eliminated density, float32 (B,); null where the state does not come from charge flipping.
    """

    logits: Tensor
    true: Tensor
    agreement: Tensor | None


def make_state(
    batch: CrystalBatch,
    known: Known,
    amplitudes: Tensor,
    true: Tensor,
    network: DualSpaceNetwork,
    config: StateConfig,
    rng: np.random.Generator,
) -> State:
    """A state of one kind for a batch, whose `amplitudes` and `true` are on the network's device."""
    kind = rng.random()
    if kind < config.flipping:
        cycles = int(rng.integers(config.flipping_cycles[0], config.flipping_cycles[1] + 1))
        return flipping_state(batch.grid, known, amplitudes, true, cycles, int(rng.integers(1, 9)), rng)
    phasor = true / true.abs().clamp(min=1e-30)
    if kind < config.flipping + config.noisy_truth:
        return State(noisy_state(batch.grid, known, phasor, rng), phasor, None)
    logits = start_state(batch.grid, known, phasor, rng)
    steps = int(rng.integers(config.steps_before[0], config.steps_before[1] + 1))
    with torch.no_grad():
        if steps:
            logits = network(logits, known, steps)[-1].logits
    return State(logits, phasor, None)


def flipping_state(
    grid: DualGrid,
    known: Known,
    amplitudes: Tensor,
    true: Tensor,
    cycles: int,
    elimination_cycles: int,
    rng: np.random.Generator,
) -> State:
    """After charge flipping, one trial for each crystal, with the settings of the batch's mean resolution."""
    reflections = grid.reflections
    d_min = float(known.crystal[:, 0].mean())
    settings = settings_for(d_min, cycles=cycles)
    wanted = constraint_of(amplitudes, known.e, settings)
    p1, source = reflections.in_p1
    in_p1 = Constraint(wanted.moduli[:, source], wanted.role[:, source])
    start = random_start(p1, in_p1.moduli, len(amplitudes), rng)
    at_once = 1 << (18 if amplitudes.device.type == "cpu" else 24)
    found = flip(p1, in_p1, start, settings, points_at_once=at_once)
    placed = place_origin(reflections, found.f)
    polished = eliminate(reflections, amplitudes, placed.f, cycles=elimination_cycles, points_at_once=at_once)
    answer = aligned(reflections, polished.f, true, amplitudes.square()).true
    return State(logits_of(polished.f, amplitudes, known), answer, polished.agreement)


def logits_of(f: Tensor, amplitudes: Tensor, known: Known) -> Tensor:
    """Logits of phases that come with calculated moduli: the more certain, the nearer these are to |F|.

    f is (T, U), `amplitudes` (1 or T, U).
    """
    size = f.abs()
    scale = (size * amplitudes).sum(dim=1, keepdim=True) / amplitudes.square().sum(dim=1, keepdim=True).clamp(
        min=1e-30
    )
    expected = (scale * amplitudes).clamp(min=1e-30)
    certainty = CERTAIN * (size / expected).clamp(max=1.0)
    return f / size.clamp(min=1e-30) * certainty * known.measured


def noisy_state(grid: DualGrid, known: Known, true: Tensor, rng: np.random.Generator) -> Tensor:
    """Logits of true phases (B, U), a share of each crystal's replaced by random ones."""
    ones = torch.ones(true.shape[1], device=true.device)
    other = random_start(grid.reflections, ones, len(true), rng)
    share = rng.uniform(0.1, 0.9, (len(true), 1))
    replaced = torch.from_numpy(rng.random(tuple(true.shape)) < share).to(true.device)
    return torch.where(replaced, other, true) * (0.75 * CERTAIN) * known.measured


def start_state(grid: DualGrid, known: Known, true: Tensor, rng: np.random.Generator) -> Tensor:
    """Logits of the reflections that fix the origin (and the hand), 0 for all others."""
    e = known.e.cpu().numpy()
    # of strong reflections now one, now another
    chosen = origin_fixing(grid, e * rng.uniform(0.7, 1.0, e.shape).astype(np.float32))
    known_phases = torch.from_numpy(chosen).to(true.device)
    return torch.where(known_phases, CERTAIN * true, torch.zeros_like(true)) * known.measured


def origin_fixing(grid: DualGrid, e: np.ndarray) -> Bool:
    """Which reflections (B, U) to give phases to, from |E| (B, U).

    Strong ones, each of which tells origins apart that those before it do not; where there is no inversion
    centre two acentric ones more, for the hand.
    """
    fixes = _fixes(grid)
    order = np.argsort(-e, axis=1)[:, :_STRONGEST]
    rows = np.arange(len(e))
    chosen = np.zeros(e.shape, dtype=bool)
    alive = np.ones((len(e), fixes.shape[1]), dtype=bool)
    acentric = grid.reflections.allowed == 0
    more = np.full(len(e), 0 if grid.group.centrosymmetric else 2)
    for u in order.T:
        here = e[rows, u] > 0
        helps = here & (alive & fixes[u]).any(axis=1)
        hand = here & ~helps & (more > 0) & acentric[u]
        more = more - hand
        chosen[rows, u] = helps | hand
        alive &= ~(fixes[u] & helps[:, None])
    return chosen


@lru_cache(maxsize=256)
def _fixes(grid: DualGrid) -> Bool:
    """Whether reflection u tells origin s from the first, (U, origins − 1); free directions in eighths."""
    origins = permissible_origins(grid.group)
    steps = [np.arange(8)[:, None] / 8.0 * direction for direction in origins.directions]
    shifts = origins.shifts
    for step in steps:
        shifts = (shifts[:, None] + step[None]).reshape(-1, 3)
    turns = grid.reflections.hkl @ shifts[1:].T
    different: Bool = np.abs(turns - np.rint(turns)) > 1e-6
    return different
