"""Trivial baselines: what a score is worth is what it adds to phases all zero, or drawn by lot.

All phases zero score well where a heavy atom lies on an inversion centre: 11 % of artificial molecules reach
r ≥ 0.8 at 1.0 Å. Random phases fitted to the eight origins of P2₁/c reach a median r of 0.22 there, more
where there are fewer reflections.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.model.network.score import map_correlation
from xtalpriors.model.scoring.diffraction import keyed_rng

__all__ = ["RANDOM_DRAWS", "Baselines", "trivial_baselines"]

RANDOM_DRAWS: Final = 5
"""Sets of random phases of which the best is a baseline too: as many as the protocol has starts."""


class Baselines(NamedTuple):
    """r of trivial phases, each (B,)."""

    zero: Tensor
    """All phases zero."""
    random: Tensor
    """One set of random phases."""
    random_best: Tensor
    """The best of `RANDOM_DRAWS` sets."""


def trivial_baselines(
    positive: Tensor,
    amplitudes: Tensor,
    origin_signs: Tensor,
    counts: Tensor,
    keys: tuple[str, ...],
    seed: int = 0,
) -> Baselines:
    """Score trivial phases like a network's; parameters as in `loss.map_correlation`, keys as in `runs`."""
    n = positive.shape[1]
    zero = map_correlation(torch.ones_like(positive), positive, amplitudes, origin_signs, counts)
    flips = np.array([keyed_rng(key, seed, "baseline").random((RANDOM_DRAWS, n)) < 0.5 for key in keys])
    draws = torch.stack(
        [
            map_correlation(torch.from_numpy(flips[:, i]), positive, amplitudes, origin_signs, counts)
            for i in range(RANDOM_DRAWS)
        ]
    )
    return Baselines(zero, draws[0], draws.amax(dim=0))
