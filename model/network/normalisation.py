"""Normalised amplitudes |E| = |F| / √(ε ⟨|F|²/ε⟩), the mean taken at the same |s|² = 1/d²."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["normalised_amplitudes"]

NODES = 6
"""Nodes of the mean intensity as a piecewise linear function of |s|²: some 25 reflections each of 171."""
PRIOR_COUNT = 2.0
"""Reflections of the structure's overall mean that every node has besides its own."""


def normalised_amplitudes(amplitudes: Tensor, s2: Tensor, epsilon: Tensor, measured: Tensor) -> Tensor:
    """|E| (B, N): hat functions of |s|² share each intensity between two nodes and interpolate back.

    Parameters
    ----------
    amplitudes
        |F| (B, N) on any scale.
    s2
        |s|² in Å⁻² (B, N).
    epsilon
        How many operators leave a reflection where it is, (N,).
    measured
        Bool (B, N); |E| of the others is 0.
    """
    reach = s2.where(measured, 0.0).amax(dim=-1, keepdim=True)
    place = (s2 / reach.where(reach > 0, 1.0)).clamp(max=1.0) * (NODES - 1)
    nodes = torch.arange(NODES, device=amplitudes.device)
    hats = (1.0 - (place.unsqueeze(-1) - nodes).abs()).clamp(min=0.0)  # (B, N, nodes)
    intensity = amplitudes.square() / epsilon
    count = (hats * measured.unsqueeze(-1)).sum(dim=1)
    total = (hats * (intensity * measured).unsqueeze(-1)).sum(dim=1)
    overall = total.sum(dim=1, keepdim=True) / count.sum(dim=1, keepdim=True).clamp(min=1e-6)
    mean = (total + PRIOR_COUNT * overall) / (count + PRIOR_COUNT)
    expected = (hats * mean.unsqueeze(1)).sum(dim=-1)
    return (intensity / expected.where(expected > 0, 1.0)).sqrt() * measured
