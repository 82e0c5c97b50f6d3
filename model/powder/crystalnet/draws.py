"""Maps of a crystal by CrystalNet: one for each draw of its latents."""

from __future__ import annotations

import numpy as np
import torch

from xtalpriors.arrays import F32
from xtalpriors.model.powder.crystalnet.network import CrystalNet

__all__ = ["predicted_maps"]


def predicted_maps(
    network: CrystalNet,
    pattern: F32,
    composition: F32,
    *,
    draws: int,
    points: int,
    seed: tuple[int, ...],
) -> list[F32]:
    """Maps (points³) of one crystal, one for each draw of the latents; of their mean where `draws` is 0.

    The same seed gives the same draws, of which fewer are the first ones of more.
    """
    network.eval()
    device = network.last.weight.device
    width = 2 * network.options.width
    noise = np.zeros((1, width), dtype=np.float32)
    if draws:
        noise = np.random.default_rng(seed).standard_normal((draws, width), dtype=np.float32)
    inputs = (torch.from_numpy(np.repeat(one[None], len(noise), axis=0)) for one in (pattern, composition))
    patterns, compositions = (one.to(device) for one in inputs)
    maps = network.maps(patterns, compositions, torch.from_numpy(noise).to(device), points)
    return list(maps.cpu().numpy())
