"""Phases of one crystal: trials of charge flipping, steps of the network on the best few, and a choice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import I64
from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.charge_flipping.choice import score
from xtalpriors.model.charge_flipping.elimination import eliminate, strict_agreement
from xtalpriors.model.charge_flipping.flipping import FlippingSettings
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.trials import Trials, phase_by_charge_flipping
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.doubts import doubt_of
from xtalpriors.model.dual_space.geometry import DualGrid, dual_grid
from xtalpriors.model.dual_space.inputs import Known, known_of
from xtalpriors.model.dual_space.network import DualSpaceNetwork, phasors
from xtalpriors.model.dual_space.states import logits_of, start_state

__all__ = [
    "DualSpacePhases",
    "grid_of_crystal",
    "listed",
    "phase_by_network",
    "phase_with_network",
    "places_of",
]


_FINE_ANGSTROM = 1.3
"""With data beyond, more trials of charge flipping are worth more than the network on several of them."""
_POLISHING = 6
"""Cycles of low-density elimination after the network."""


class DualSpacePhases(NamedTuple):
    """Candidates of one crystal.

    Attributes
    ----------
    f
        Phasors of the phases, polished by low-density elimination; their length is the network's certainty
        from 0 to 1, complex64 (T, U).
    expected_r
        What the critic thinks r is, 0 to 1, (T,).
    score
        `charge_flipping.choice.score` of the phases, with the support of the trials they come from, (T,).
    doubt
        Null, or why the network should not be believed here (`doubts.doubt_of`).
    """

    f: Tensor
    expected_r: Tensor
    score: Tensor
    doubt: str | None

    @property
    def best(self) -> int:
        """The candidate with the largest score."""
        return int(self.score.argmax())


def grid_of_crystal(group: SpaceGroup, cell: tuple[float, ...], d_min_angstrom: float) -> DualGrid:
    """The network's grid for a crystal's data to a resolution.

    Raises
    ------
    UsageError
        The group has hexagonal axes, or the cell is longer than the largest grid allows.
    """
    lengths = np.sqrt(np.diagonal(metric_tensors(np.array([cell]))[0]))
    largest = np.maximum(np.floor(lengths / d_min_angstrom + 1e-9).astype(int), 1)
    grid = dual_grid(group, (int(largest[0]), int(largest[1]), int(largest[2])))
    _ = grid.images
    return grid


def places_of(grid: DualGrid, hkl: I64) -> I64:
    """Where reflections (m, 3), or equivalents of them, stand in `grid.reflections`, (m,); −1 for absences.

    Raises
    ------
    UsageError
        An index does not fit the grid.
    """
    outside = (2 * np.abs(hkl) >= np.array(grid.shape)).any(axis=1)
    if outside.any():
        h = hkl[np.argmax(outside)].tolist()
        raise UsageError(
            f"The reflection {h} does not fit a grid of {grid.shape}: it lies beyond the d_min that the grid "
            "was made for. Leave out what lies beyond d_min."
        )
    place = np.full(grid.shape, -1, dtype=np.int64)
    for rotation in grid.group.rotations:
        for sign in (1, -1):
            place[tuple((sign * grid.reflections.hkl @ rotation).T)] = np.arange(len(grid.reflections.hkl))
    found: I64 = place[tuple(hkl.T)]
    return found


def listed(grid: DualGrid, hkl: I64, amplitudes: Tensor) -> Tensor:
    """|F| (m,) of unique reflections in the order of `grid.reflections`, (U,); 0 where there is none."""
    at = places_of(grid, hkl)
    result = torch.zeros(len(grid.reflections.hkl))
    result[torch.from_numpy(at[at >= 0])] = amplitudes.float()[torch.from_numpy(at >= 0)]
    return result


def phase_with_network(
    network: DualSpaceNetwork,
    grid: DualGrid,
    cell: tuple[float, ...],
    amplitudes: Tensor,
    *,
    trained: CrystalConfig,
    trials: int = 24,
    improved: int = 3,
    steps: int = 1,
    rng: np.random.Generator,
    settings: FlippingSettings | None = None,
) -> DualSpacePhases:
    """Candidates from charge flipping, improved and judged by the network.

    Parameters
    ----------
    network
        Trained.
    grid
        `grid_of_crystal`.
    cell
        a, b, c in Å and α, β, γ in degrees.
    amplitudes
        |F| (U,) in the order of `grid.reflections`, 0 where nothing was measured.
    trained
        Crystals that the network was trained on, of its card's configuration; the answer is marked as
        doubtful where the data are of another kind.
    trials
        Trials of charge flipping; fewer where one of the first is convincing.
    improved
        Of them the network improves so many, those with the largest `Trials.score`; only one where one of the
        first was convincing, or the data go beyond 1.3 Å.
    steps
        Steps of the network on each.
    rng
        What the trials start from.
    settings
        Of charge flipping; null: those for the resolution.

    Raises
    ------
    XtalpriorsError
        As `phase_by_charge_flipping`.
    """
    known = known_of(grid, np.array([cell]), amplitudes.float()[None])
    sphere, within = measured = _measured_sphere(grid, known)
    found: Trials = phase_by_charge_flipping(
        within,
        amplitudes[sphere],
        cell,
        trials=trials,
        rng=rng,
        settings=settings,
        until_convincing=True,
    )
    if len(found.f) < trials or float(known.crystal[0, 0]) < _FINE_ANGSTROM:
        improved = 1  # one of the first trials was convincing, or trials do more than the network
    best = found.score.argsort(descending=True, stable=True)[:improved]
    f = torch.zeros(len(best), len(amplitudes), dtype=torch.complex64)
    f[:, sphere] = found.f[best]
    known = known.repeated(len(best))
    with torch.no_grad():
        logits = logits_of(f, amplitudes.float()[None], known)
        return _improved(
            network, measured, known, logits, found.agreement[best], found.support[best], steps, trained
        )


def phase_by_network(
    network: DualSpaceNetwork,
    grid: DualGrid,
    cell: tuple[float, ...],
    amplitudes: Tensor,
    *,
    trained: CrystalConfig,
    starts: int = 8,
    steps: int = 24,
    rng: np.random.Generator,
) -> DualSpacePhases:
    """Candidates from the network alone: the origin fixed by a few reflections with phases of any choice.

    Where there is no inversion centre the phases of the origin-fixing reflections are drawn at random, as are
    those of the two that fix the hand. Parameters and errors as in `phase_with_network`.
    """
    if not bool((amplitudes > 0).any()):
        raise XtalpriorsError("Every amplitude is 0: there is nothing to find phases for.")
    known = known_of(grid, np.array([cell]), amplitudes.float()[None]).repeated(starts)
    drawn = torch.from_numpy(rng.uniform(-np.pi, np.pi, known.e.shape)).float()
    phasor = torch.polar(torch.ones_like(drawn), drawn)
    allowed = known.transform.allowed
    phasor = torch.where(allowed != 0, torch.where(drawn > 0, 1.0, -1.0) * allowed, phasor)
    with torch.no_grad():
        logits = start_state(grid, known, phasor, rng)
        measured = _measured_sphere(grid, known)
        nothing = torch.zeros(starts)
        return _improved(network, measured, known, logits, nothing, nothing, steps, trained)


def _improved(
    network: DualSpaceNetwork,
    measured: tuple[Tensor, ReflectionGrid],
    known: Known,
    logits: Tensor,
    agreement: Tensor,
    support: Tensor,
    steps: int,
    trained: CrystalConfig,
) -> DualSpacePhases:
    taken = network(logits, known, steps)
    before = taken[-2].logits if len(taken) > 1 else logits
    verdict = network.judge(taken[-1], before, agreement, known)
    f = phasors(taken[-1].logits)
    sphere, within = measured
    amplitudes = known.f[0, sphere]
    polished = eliminate(within, amplitudes, f[:, sphere], cycles=_POLISHING).f
    strict = strict_agreement(within, amplitudes, polished)
    f[:, sphere] = polished / polished.abs().clamp(min=1e-30) * f[:, sphere].abs()
    scores = score(amplitudes, strict, support)
    return DualSpacePhases(f, torch.sigmoid(verdict), scores, doubt_of(known, trained))


def _measured_sphere(grid: DualGrid, known: Known) -> tuple[Tensor, ReflectionGrid]:
    """Which reflections lie in the sphere of what was measured, (U,), and a grid of these alone."""
    sphere = known.reflection[0, :, 2] <= 1.0 + 1e-6
    return sphere, ReflectionGrid(grid.group, grid.reflections.hkl[sphere.numpy()], grid.shape)
