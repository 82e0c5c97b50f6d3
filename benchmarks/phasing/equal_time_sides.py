"""The sides that `dual_space.py` compares: charge flipping, the network after it, and PhAI."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from xtalpriors.crystal import cell_volumes
from xtalpriors.model.charge_flipping.flipping import MANY, FlippingSettings, settings_for
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal
from xtalpriors.model.charge_flipping.trials import phase_by_charge_flipping
from xtalpriors.model.dual_space import inputs
from xtalpriors.model.dual_space.config import CrystalConfig
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.phasing import (
    grid_of_crystal,
    listed,
    phase_by_network,
    phase_with_network,
    places_of,
)
from xtalpriors.model.dual_space.transform import Transform
from xtalpriors.model.seeding.network_seeds import PhaiSeeds, seeding_network

IMPROVED = 3
"""Trials that the network improves."""
Side = Callable[[KnownCrystal, int, np.random.Generator], tuple[Tensor, int]]
"""Structure factors of n trials of a crystal, in its own order, and the trial chosen."""


def equal_sides(
    network: DualSpaceNetwork, trained: CrystalConfig, steps: int, improved: int
) -> dict[str, Side]:
    """The sides of the table."""
    return {
        "baseline": baseline_side,
        "flipping": flipping_side(),
        "hybrid": hybrid_side(network, trained, steps, improved=improved),
    }


def ablations(network: DualSpaceNetwork, trained: CrystalConfig, steps: int) -> dict[str, Side]:
    """The hybrid, and what it is without a part of it."""
    return {
        "hybrid": hybrid_side(network, trained, steps),
        "critic chooses": hybrid_side(network, trained, steps, by_critic=True),
        "all trials improved": hybrid_side(network, trained, steps, improved=10**6),
        "Harker inputs 0": hybrid_side(network, trained, steps, harker=False),
        "no step": flipping_side(),
        "no step, agreement": flipping_side(strictly=False),
        **{f"steps: {n}": hybrid_side(network, trained, n) for n in (2, 4, 8)},
    }


def baseline_side(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
    """Charge flipping with trials of 100 cycles, chosen by the agreement of their elimination."""
    settings = settings_for(made.d_min_angstrom)
    found = phase_by_charge_flipping(
        made.grid, made.amplitudes, made.cell, trials=n, rng=rng, settings=settings
    )
    return found.f, int(found.agreement.argmax())


def short_settings(made: KnownCrystal) -> FlippingSettings:
    """Those of many trials, however few fit into the time."""
    volume = float(cell_volumes(np.array([made.cell]))[0]) / made.grid.group.order
    return settings_for(made.d_min_angstrom, MANY, volume)


def flipping_side(*, strictly: bool = True) -> Side:
    """Charge flipping with short trials, chosen by strict agreement or not."""

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        settings = short_settings(made)
        found = phase_by_charge_flipping(
            made.grid,
            made.amplitudes,
            made.cell,
            trials=n,
            rng=rng,
            settings=settings,
            until_convincing=strictly,
        )
        return found.f, found.best if strictly else int(found.agreement.argmax())

    return run


def hybrid_side(
    network: DualSpaceNetwork,
    trained: CrystalConfig,
    steps: int,
    *,
    improved: int = IMPROVED,
    by_critic: bool = False,
    harker: bool = True,
) -> Side:
    """The network after charge flipping."""

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        grid = grid_of_crystal(made.grid.group, made.cell, made.d_min_angstrom)
        amplitudes = listed(grid, made.grid.hkl, made.amplitudes)
        with nullcontext() if harker else patch.object(inputs, "harker_features", no_harker_features):
            found = phase_with_network(
                network,
                grid,
                made.cell,
                amplitudes,
                trained=trained,
                trials=n,
                improved=improved,
                steps=steps,
                rng=rng,
                settings=short_settings(made),
            )
        chosen = int(found.expected_r.argmax()) if by_critic else found.best
        return found.f[:, torch.from_numpy(places_of(grid, made.grid.hkl))], chosen

    return run


def no_harker_features(transform: Transform, e: Tensor, f: Tensor) -> Tensor:
    """Harker distances of 0."""
    return torch.zeros(len(e), len(transform.inside), inputs.POINT_FEATURES)


def alone_side(network: DualSpaceNetwork, trained: CrystalConfig, steps: int = 24) -> Side:
    """The network from origin-fixing starts."""

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        grid = grid_of_crystal(made.grid.group, made.cell, made.d_min_angstrom)
        amplitudes = listed(grid, made.grid.hkl, made.amplitudes)
        found = phase_by_network(
            network, grid, made.cell, amplitudes, trained=trained, starts=n, steps=steps, rng=rng
        )
        return found.f[:, torch.from_numpy(places_of(grid, made.grid.hkl))], found.best

    return run


def phai_of(folder: str) -> PhaiSeeds:
    """The network of a run of `xtalpriors train`."""
    network = seeding_network(folder)
    if not isinstance(network, PhaiSeeds):
        raise SystemExit(f"--phai {folder}: that is no PhAI")
    return network


def covers(network: PhaiSeeds, made: KnownCrystal) -> bool:
    """Whether the network's list has every reflection of a crystal's data."""
    reach = network.reflections.max_index**2
    return bool(((made.grid.hkl**2).sum(axis=1) <= reach).all())


def phai_side(network: PhaiSeeds) -> Side:
    """PhAI as the control: one answer, of the run that it picks; what it does not list has no phase."""

    def run(made: KnownCrystal, n: int, rng: np.random.Generator) -> tuple[Tensor, int]:
        found = network.phases(made, rng)
        assert found is not None
        return found[None], 0

    return run
