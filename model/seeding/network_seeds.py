"""Seeds from a trained network: the phases that it is surest of, and how wrong they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import I64
from xtalpriors.crystal.scattering.reciprocal import largest_indices
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.generator.config import space_group_of
from xtalpriors.model.charge_flipping.grids import ReflectionGrid, grid_shape
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal
from xtalpriors.model.charge_flipping.map_correlation import aligned, map_correlation
from xtalpriors.model.charge_flipping.trials import normalised, phase_by_charge_flipping
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.phasing import grid_of_crystal, listed, phase_with_network
from xtalpriors.model.dual_space.weights import DualSpaceCard
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.prediction.named_network import network_named
from xtalpriors.model.scoring.diffraction import network_input
from xtalpriors.model.scoring.runs import Protocol as Runs
from xtalpriors.model.scoring.runs import phase_runs, reflections_of
from xtalpriors.model.seeding.seeded_flipping import extend_seeds
from xtalpriors.model.seeding.seeds import strong_half

__all__ = [
    "FLIPPING",
    "DualSpaceSeeds",
    "FlippingSeeds",
    "PhaiSeeds",
    "SeedingNetwork",
    "rows_of_network",
    "seeding_network",
]

FLIPPING: Final = "flipping"
"""Name of charge flipping, the control without a network."""
TRIALS: Final = 8
"""Trials of charge flipping that the dual-space network begins with, and of the control."""


class SeedingNetwork(Protocol):
    """A network that says phases and how sure it is of each."""

    @property
    def name(self) -> str:
        """As the study calls it."""

    def fits(self, space_group: str) -> bool:
        """Whether it can phase crystals of a group."""

    def phases(self, crystal: KnownCrystal, rng: np.random.Generator) -> Tensor | None:
        """Phasors (U,) whose length is the certainty, 0 where it says nothing; null: it cannot."""


@dataclass(frozen=True, slots=True, eq=False)
class FlippingSeeds:
    """Charge flipping as the dual-space network begins with it: a network is worth what it adds to this."""

    name: str = f"charge flipping, {TRIALS} trials"

    def fits(self, space_group: str) -> bool:
        """Any group."""
        return bool(space_group)

    def phases(self, crystal: KnownCrystal, rng: np.random.Generator) -> Tensor | None:
        """The trial that `Trials.best` takes; certainty is how much of |F| that density has."""
        found = phase_by_charge_flipping(
            crystal.grid, crystal.amplitudes, crystal.cell, trials=TRIALS, rng=rng
        )
        f = found.f[found.best]
        share = f.abs() / crystal.amplitudes.clamp(min=1e-6 * float(crystal.amplitudes.max()))
        return f / f.abs().clamp(min=1e-30) * share / share.max()


@dataclass(frozen=True, slots=True, eq=False)
class DualSpaceSeeds:
    """The dual-space network: trials of charge flipping, its steps on each, and the critic's choice."""

    name: str
    network: DualSpaceNetwork
    trained: CrystalConfig

    def fits(self, space_group: str) -> bool:
        """Any group but those with hexagonal axes, which show when a grid is made."""
        return bool(space_group)

    def phases(self, crystal: KnownCrystal, rng: np.random.Generator) -> Tensor | None:
        """As `SeedingNetwork.phases`; null where the cell is too long for the network's grid."""
        group = crystal.grid.group
        try:
            grid = grid_of_crystal(group, crystal.cell, crystal.d_min_angstrom)
        except UsageError:
            return None
        amplitudes = listed(grid, crystal.grid.hkl, crystal.amplitudes)
        found = phase_with_network(
            self.network,
            grid,
            crystal.cell,
            amplitudes,
            trained=self.trained,
            trials=TRIALS,
            improved=TRIALS,
            steps=4,
            rng=rng,
        )
        return _described(grid.reflections, found.f[found.expected_r.argmax()], crystal.grid.hkl)


@dataclass(frozen=True, slots=True, eq=False)
class PhaiSeeds:
    """A network of `xtalpriors train`: phases of the reflections of its list, from the run that it picks."""

    name: str
    network: PhAI
    reflections: Reflections
    scaling: Any

    def fits(self, space_group: str) -> bool:
        """Its own group alone, in its setting."""
        return space_group_of(space_group).operators == self.reflections.group.operators

    def phases(self, crystal: KnownCrystal, rng: np.random.Generator) -> Tensor | None:
        """As `SeedingNetwork.phases`: certainty is 0 at a probability of ½ and 1 at 1."""
        listed_once = np.flatnonzero(self.reflections.counted)
        hkl = self.reflections.hkl[listed_once]
        one = torch.from_numpy(crystal.grid.allowed)
        known = torch.where(one != 0, one, torch.ones_like(one)) * crystal.amplitudes
        moduli = _described(crystal.grid, known, hkl).abs()
        orbits = self.reflections.orbit
        by_orbit = np.zeros(int(orbits.max()) + 1, dtype=np.float32)
        by_orbit[orbits[listed_once]] = moduli.numpy()
        amplitudes = torch.from_numpy(np.where(self.reflections.absent, 0.0, by_orbit[orbits])).float()[None]
        inputs = network_input(
            self.reflections, amplitudes, scaling=self.scaling, cells=np.array([crystal.cell])
        )
        protocol = Runs(seed=int(rng.integers(2**31)))
        runs = phase_runs(self.network, self.reflections, inputs, amplitudes, protocol, ("",))
        chosen = int(runs.choose(protocol.merit)[0])
        sign = torch.where(runs.positive[0, chosen], 1.0, -1.0)
        phasor = sign * (2.0 * runs.probability[0, chosen] - 1.0).clamp(min=1e-6)
        once = phasor[torch.from_numpy(listed_once)].to(torch.complex64)
        own = ReflectionGrid(self.reflections.group, hkl, _common_shape(self.reflections.group, hkl))
        return _described(own, once, crystal.grid.hkl)


def seeding_network(name: str) -> SeedingNetwork:
    """What gives seeds, by its name: `flipping` uses no network, all else is a name of `network_named`.

    Raises
    ------
    XtalpriorsError
        As `network_named`.
    """
    if name == FLIPPING:
        return FlippingSeeds()
    network, card = network_named(name)
    if isinstance(network, DualSpaceNetwork):
        assert isinstance(card, DualSpaceCard)
        return DualSpaceSeeds(card.name, network, card.config.crystals)
    assert isinstance(card, ModelCard)
    return PhaiSeeds(card.name or Path(name).stem, network, reflections_of(card), card.scaling)


def rows_of_network(
    network: SeedingNetwork,
    crystal: KnownCrystal,
    given: KnownCrystal,
    fractions: tuple[float, ...],
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """r of the network's own phases, and of what comes of its surest ones as seeds.

    Parameters
    ----------
    network
        Trained.
    crystal, given
        The crystal with its true amplitudes, and as it is phased.
    fractions
        Of the strong half of the reflections, of which those that the network is surest of are seeds.
    rng
        Of the network's starts.

    Returns
    -------
    Rows with `r` null where the network cannot take the crystal.
    """
    found = network.phases(given, rng)
    if found is None:
        return [{"seeds": network.name, "r": None}]
    alone = float(map_correlation(crystal.grid, found[None], crystal.f, crystal.amplitudes)[0])
    rows: list[dict[str, Any]] = [{"seeds": network.name, "r": alone}]
    half = strong_half(normalised(given.grid, given.amplitudes, given.cell))
    half = half[(found[half] != 0).numpy() & (given.amplitudes[half] > 0).numpy()]
    sure = half[np.argsort(-found[half].abs().numpy(), kind="stable")]
    if len(sure) == 0:
        return rows
    seeds = torch.zeros(len(fractions), len(found), dtype=torch.complex64)
    for i, fraction in enumerate(fractions):
        chosen = torch.from_numpy(sure[: max(1, round(fraction * len(sure)))])
        seeds[i, chosen] = found[chosen] / found[chosen].abs()
    f = extend_seeds(given.grid, given.amplitudes, given.cell, seeds)
    r = map_correlation(crystal.grid, f, crystal.f, crystal.amplitudes)
    for i, fraction in enumerate(fractions):
        rows.append(
            {
                "seeds": network.name,
                "fraction": fraction,
                "bins": 0,
                "n_seeds": int((seeds[i] != 0).sum()),
                "seed_error_degree": _error(crystal, seeds[i]),
                "r": float(r[i]),
            }
        )
    return rows


def _error(crystal: KnownCrystal, seeds: Tensor) -> float:
    """Mean |φ − φ_true| in degrees from the origin and hand in which the seeds agree best with the truth."""
    taken = seeds != 0
    weight = (crystal.amplitudes.square() * taken)[None]
    true = aligned(crystal.grid, seeds[None], crystal.f, weight).true[0]
    turn = torch.angle(seeds[taken] * true[taken].conj()).abs()
    return float(torch.rad2deg(turn.mean()))


def _common_shape(group: SpaceGroup, *lists: I64) -> tuple[int, int, int]:
    return grid_shape(group, largest_indices(group, np.concatenate(lists)))


def _described(grid: ReflectionGrid, f: Tensor, hkl: I64) -> Tensor:
    """Structure factors (U,) of a grid as those of another list of unique reflections, 0 if it has none."""
    shape = _common_shape(grid.group, grid.hkl, hkl)
    source = ReflectionGrid(grid.group, grid.hkl, shape)
    return ReflectionGrid(grid.group, hkl, shape).collect(source.spread(f[None]))[0]
