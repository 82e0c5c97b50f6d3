"""Phases of the dual-space network for a candidate group, where charge flipping has not solved it."""

from __future__ import annotations

import numpy as np
import torch

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.phasing import grid_of_crystal, listed, phase_with_network, places_of
from xtalpriors.model.solving.prepare import GroupData

__all__ = ["network_phases"]

FINEST_ANGSTROM = 1.0
"""Reflections beyond get no phase: the network was trained with 1 to 2 Å."""
TRIALS = 8
BELIEVED = 2
"""Candidates that a model is built from."""


def network_phases(
    network: DualSpaceNetwork,
    group: SpaceGroup,
    cell: UnitCell,
    data: GroupData,
    rng: np.random.Generator,
) -> list[np.ndarray]:
    """exp(iφ) of every reflection (m,), complex, of the candidates that the critic believes most.

    The network improves trials of charge flipping (`dual_space.phasing`). Reflections beyond 1 Å are 0.

    Parameters
    ----------
    network
        Trained.
    group, cell, data
        The group and its reflections.
    rng
        Of the trials.

    Raises
    ------
    UsageError
        The group has hexagonal axes, or the cell is too long for the network.
    """
    inner = data.s2 <= FINEST_ANGSTROM**-2.0 * (1.0 + 1e-9)
    hkl, amplitude = data.hkl[inner], torch.from_numpy(data.amplitude[inner])
    grid = grid_of_crystal(group, cell.parameters, float(data.s2[inner].max() ** -0.5))
    amplitudes = listed(grid, hkl, amplitude)
    found = phase_with_network(network, grid, cell.parameters, amplitudes, trials=TRIALS, rng=rng)
    place = torch.from_numpy(places_of(grid, hkl))
    phases: list[np.ndarray] = []
    for trial in found.expected_r.argsort(descending=True, stable=True)[:BELIEVED]:
        f = found.f[trial, place].numpy()
        size = np.abs(f)
        whole = np.zeros(len(data.hkl), dtype=np.complex128)
        whole[inner] = np.divide(f, size, out=np.ones_like(f), where=size > 0)
        phases.append(whole)
    return phases
