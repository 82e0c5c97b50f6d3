"""How often a network solves crystals of a fixed set that it is not trained on."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.dual_space.config import DualSpaceConfig
from xtalpriors.model.dual_space.crystals import pool
from xtalpriors.model.dual_space.inputs import known_of
from xtalpriors.model.dual_space.network import DualSpaceNetwork
from xtalpriors.model.dual_space.states import flipping_state
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["validate"]

_HELD_OUT = 1_000_003
"""What is added to the seed of training for the crystals of the fixed set."""
_CYCLES, _ELIMINATION_CYCLES, _STEPS = 40, 8, 4


def validate(
    network: DualSpaceNetwork, config: DualSpaceConfig, bundle: PriorBundle, device: torch.device
) -> dict[str, float]:
    """Shares solved and mean r of one trial of charge flipping, and of four steps of the network after it.

    The set has `config.validation_crystals` of each group of training, with the same flaws in their data;
    where that is 0 there are no scores.
    """
    if not config.validation_crystals:
        return {}
    crystals = config.crystals.model_copy(update={"pool": config.validation_crystals, "least_filled": 0.0})
    before, after = [], []
    pools = (pool(bundle, crystals, config.seed + _HELD_OUT, n) for n in range(len(crystals.space_groups)))
    for i, batch in enumerate(itertools.chain.from_iterable(pools)):
        rng = np.random.default_rng((7, i))
        amplitudes, true = batch.amplitudes.to(device), batch.true.to(device)
        with torch.no_grad():
            known = known_of(batch.grid, batch.cells, amplitudes)
            state = flipping_state(batch.grid, known, amplitudes, true, _CYCLES, _ELIMINATION_CYCLES, rng)
            taken = network(state.logits, known, _STEPS)
        reflections = batch.grid.reflections
        before.append(map_correlation(reflections, state.logits, true, amplitudes))
        after.append(map_correlation(reflections, taken[-1].logits, true, amplitudes))
    scores = {}
    for name, values in (("flipping", torch.cat(before)), ("network", torch.cat(after))):
        scores[f"{name}_r_mean"] = float(values.mean())
        scores[f"{name}_solved_0.8"] = float((values >= 0.8).double().mean())
        scores[f"{name}_solved_0.95"] = float((values >= 0.95).double().mean())
    scores["validated"] = float(len(torch.cat(before)))
    return scores
