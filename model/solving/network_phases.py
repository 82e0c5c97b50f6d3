"""Phases of a network for a candidate group, where charge flipping has not solved it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import torch

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import sphere_limit
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.phasing import grid_of_crystal, listed, phase_with_network, places_of
from xtalpriors.model.dual_space.weights import DualSpaceCard
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.prediction.merge_reflections import merge, network_setting
from xtalpriors.model.prediction.named_network import network_named
from xtalpriors.model.prediction.predict import Prediction, predict
from xtalpriors.model.prediction.prediction_input import FINEST_PHASED_ANGSTROM, PredictionInput
from xtalpriors.model.scoring.density import spread
from xtalpriors.model.scoring.runs import Protocol as Runs
from xtalpriors.model.scoring.runs import reflections_of
from xtalpriors.model.solving.phasing import group_grid, placed_in_group
from xtalpriors.model.solving.prepare import GroupData

__all__ = ["DualSpacePhases", "NetworkPhases", "PhaiPhases", "PhasingNetwork", "phasing_network"]

BELIEVED = 2
"""Candidates of the dual-space network that a model is built from."""


class NetworkPhases(NamedTuple):
    """What a network finds.

    Attributes
    ----------
    candidates
        exp(iφ) of every reflection (m,), complex, for each model to build; 0 where there is no phase.
    doubt
        Null, or why the network should not be believed here.
    """

    candidates: list[np.ndarray]
    doubt: str | None


class PhasingNetwork(Protocol):
    """A network that finds phases of a crystal's reflections."""

    def phases(
        self, group: SpaceGroup, cell: UnitCell, data: GroupData, rng: np.random.Generator
    ) -> NetworkPhases:
        """Phases of a crystal in a candidate group; reflections beyond 1 Å have none.

        Parameters
        ----------
        group, cell, data
            The group and its reflections.
        rng
            Of the starts.

        Raises
        ------
        XtalpriorsError
            The network was not made for the group or the cell, or none of its reflections was measured.
        """


@dataclass(frozen=True, slots=True, eq=False)
class DualSpacePhases:
    """The dual-space network on the best trials of charge flipping; their score ranks its answers."""

    network: DualSpaceNetwork
    trained: CrystalConfig

    def phases(
        self, group: SpaceGroup, cell: UnitCell, data: GroupData, rng: np.random.Generator
    ) -> NetworkPhases:
        """As `PhasingNetwork.phases`; groups with hexagonal axes and long cells are refused."""
        inner = data.s2 <= sphere_limit(FINEST_PHASED_ANGSTROM)
        hkl, amplitude = data.hkl[inner], torch.from_numpy(data.amplitude[inner])
        grid = grid_of_crystal(group, cell.parameters, float(data.s2[inner].max() ** -0.5))
        amplitudes = listed(grid, hkl, amplitude)
        found = phase_with_network(
            self.network, grid, cell.parameters, amplitudes, trained=self.trained, rng=rng
        )
        place = torch.from_numpy(places_of(grid, hkl))
        phases: list[np.ndarray] = []
        for trial in found.score.argsort(descending=True, stable=True)[:BELIEVED]:
            whole = np.zeros(len(data.hkl), dtype=np.complex128)
            whole[inner] = _unit(found.f[trial, place].numpy())
            phases.append(whole)
        return NetworkPhases(phases, found.doubt)


@dataclass(frozen=True, slots=True, eq=False)
class PhaiPhases:
    """PhAI: phases of the reflections of its list, in its own group and in what it can describe there."""

    network: PhAI
    card: ModelCard

    def phases(
        self, group: SpaceGroup, cell: UnitCell, data: GroupData, rng: np.random.Generator
    ) -> NetworkPhases:
        """As `PhasingNetwork.phases`: one candidate, the run that its figure of merit chooses.

        PhAI phases the crystal in its own setting, at an origin of its own choice. So its phases are those of
        a density without symmetry, whose origin in the crystal's setting is looked for.
        """
        reflections = reflections_of(self.card)
        setting = network_setting(reflections, group, cell)
        given = Observations(
            data.hkl, data.amplitude**2, np.full(len(data.hkl), np.nan), 0, "the crystal", "|F|²"
        )
        merged = merge(given, reflections, setting, d_min_angstrom=FINEST_PHASED_ANGSTROM)
        taken = PredictionInput("", "", merged, setting.cell, setting.change.triplet, None, None, ())
        found = predict(self.network, self.card, taken, Runs(seed=int(rng.integers(2**31))))
        grid = group_grid(group, data.hkl)
        p1, source = grid.in_p1
        f = data.amplitude[source] * _signs(found, setting.change, p1.hkl)
        placed, _ = placed_in_group(grid, data.e, p1.hkl, torch.from_numpy(f).to(torch.complex64)[None])
        return NetworkPhases([_unit(placed[0].numpy())], None)


def phasing_network(name: str) -> PhasingNetwork:
    """The network of this name (`prediction.named_network`), to phase candidate groups with.

    Raises
    ------
    XtalpriorsError
        As `network_named`.
    """
    network, card = network_named(name)
    if isinstance(network, DualSpaceNetwork):
        assert isinstance(card, DualSpaceCard)
        return DualSpacePhases(network, card.config.crystals)
    assert isinstance(card, ModelCard)
    return PhaiPhases(network, card)


def _unit(f: np.ndarray) -> np.ndarray:
    """exp(iφ) of structure factors, 0 where one is 0."""
    size = np.abs(f)
    unit: np.ndarray = np.divide(f, size, out=np.zeros_like(f), where=size > 0)
    return unit


def _signs(found: Prediction, change: ChangeOfBasis, hkl: I64) -> F64:
    """Signs (n,) of reflections of the crystal's setting, of F in the network's; 0 where it has none."""
    every = spread(found.reflections)
    of_list = np.where(found.positive, 1.0, -1.0) * found.input.data.measured
    known = dict(zip(map(tuple, every.hkl.tolist()), every.sign * of_list[every.source], strict=True))
    moved = np.asarray(change.miller_indices(hkl.astype(np.float64)))
    whole = np.rint(moved).astype(np.int64)
    integral = np.abs(moved - whole).max(axis=1) < 1e-6
    signs: F64 = np.array([known.get(tuple(h), 0.0) for h in whole.tolist()]) * integral
    return signs
