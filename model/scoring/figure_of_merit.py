"""Figures of merit: how good a set of phases is, by what a user has who does not know the answer.

Four, all larger for better phases, for one structure and one run:

- `expected_r`: what the network itself expects r to be. Its logits give the probability p of the chosen
  phase of each reflection; if those were right, the mean of r would be Σ|F|²(2p − 1) / Σ|F|².
- `agreement`: r between the maps before and after the last cycle. Good phases are a fixed point.
- `skewness`: ⟨ρ³⟩ / ⟨ρ²⟩^{3/2} of the map (without F(000)): atoms make a density of few high peaks above a
  flat floor. It knows nothing of the network, but a wrong map of one huge atom can be more skewed than the
  right one: for about half of artificial molecules the map of phases all zero is.
- `positivity`: the share of ⟨ρ²⟩ that is in positive density. True density is never
  negative; the right map is so in places only because F(000) and some reflections are missing from it.

How well each picks depends on network and data; every evaluation says so (`chosen by …` beside `best`).
"""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor

__all__ = ["FIGURES", "FigureOfMerit", "agreement", "expected_r", "positivity", "skewness"]

FigureOfMerit = Literal["positivity", "skewness", "expected_r", "agreement"]
FIGURES: Final[tuple[FigureOfMerit, ...]] = ("positivity", "skewness", "expected_r", "agreement")


def expected_r(logits: Tensor, amplitudes: Tensor, counts: Tensor) -> Tensor:
    """The network's own expectation of r, (B,).

    Parameters
    ----------
    logits
        (B, 2, N).
    amplitudes
        (B, N), any scale.
    counts
        (N,): 1 for reflections that a score counts, else 0.
    """
    certainty = torch.tanh((logits[:, 1] - logits[:, 0]).double().abs() / 2.0)
    return _mean(certainty, amplitudes, counts)


def agreement(before: Tensor, after: Tensor, amplitudes: Tensor, counts: Tensor) -> Tensor:
    """Correlation of the maps before and after a cycle, at the same origin, (B,); phases bool (B, N)."""
    return _mean(torch.where(before == after, 1.0, -1.0).double(), amplitudes, counts)


def skewness(density: Tensor) -> Tensor:
    """Skewness of maps (B, …), (B,); NaN where nothing was measured."""
    flat = density.flatten(1)
    # the mean is F(000), which is not there: 0
    variance = flat.square().mean(dim=1)
    return (flat * flat.square()).mean(dim=1) / variance.pow(1.5)


def positivity(density: Tensor) -> Tensor:
    """Share of the squared density of maps (B, …) that is in their positive part, (B,); NaN as above."""
    flat = density.flatten(1)
    return flat.clamp(min=0.0).square().sum(dim=1) / flat.square().sum(dim=1)


def _mean(values: Tensor, amplitudes: Tensor, counts: Tensor) -> Tensor:
    weight = amplitudes.double().square() * counts
    return (weight * values).sum(dim=1) / weight.sum(dim=1)
