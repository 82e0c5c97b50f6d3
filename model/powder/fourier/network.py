"""crystalnet-fourier: a network that weighs the candidate structures of a pattern.

The density is Σ_k w_k ρ_k over the candidates of `structures.solve`, a sum of Fourier coefficients. The
weights are a softmax of −s · cost + g. s is learnt, and g comes from residual layers that read the shells of
the pattern, the composition and what describes each candidate. Before training g is zero, so that the network
begins with the candidate of the least cost.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from xtalpriors.model.powder.composition import COMPOSITION_LENGTH
from xtalpriors.model.powder.prototypes import System
from xtalpriors.model.powder.structures.shells import SPECTRUM_LENGTH

__all__ = ["CANDIDATES", "FEATURES", "GRID", "FourierBatch", "FourierNet"]

CANDIDATES: Final = 4
FEATURES: Final = 7
"""Numbers that describe a candidate: see `examples.features`."""
GRID: Final = 25
"""Points of the grid on which densities are compared in training: it holds indices to ±12."""
_WIDTH: Final = 256
_BLOCKS: Final = 3
_START_SHARPNESS: Final = 60.0


class FourierBatch(NamedTuple):
    """Inputs of B patterns.

    Attributes
    ----------
    shells
        (B, 134 for cubic, 275 for trigonal crystals) √(I/LP) of the shells, of unit length.
    compositions
        (B, 119) fractions of atoms.
    features
        (B, 4, 7) of the candidates; the first is the cost.
    present
        (B, 4) whether there is such a candidate.
    coefficients
        (B, 4, 25, 25, 13) complex: Fourier coefficients of the candidates over their mean density.
    """

    shells: Tensor
    compositions: Tensor
    features: Tensor
    present: Tensor
    coefficients: Tensor


class FourierNet(nn.Module):  # type: ignore[misc]
    """Weights of candidates, by three residual blocks of 256.

    Parameters
    ----------
    system
        Of the crystals; it has the shells of their patterns.
    """

    def __init__(self, system: System) -> None:
        super().__init__()
        inputs = SPECTRUM_LENGTH[system] + COMPOSITION_LENGTH + CANDIDATES * (FEATURES + 1)
        self.first = nn.Linear(inputs, _WIDTH)
        self.blocks = nn.ModuleList(_block() for _ in range(_BLOCKS))
        self.norm = nn.LayerNorm(_WIDTH)
        self.gate = nn.Linear(_WIDTH, CANDIDATES)
        self.sharpness = nn.Parameter(torch.tensor(_START_SHARPNESS))
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)

    def weights(self, batch: FourierBatch) -> Tensor:
        """Weights (B, 4) of the candidates; those that are missing have none."""
        missing = ~batch.present
        features = batch.features.masked_fill(missing[..., None], 0.0)
        present = batch.present.to(features.dtype)
        state = self.first(torch.cat([batch.shells, batch.compositions, features.flatten(1), present], dim=1))
        for block in self.blocks:
            state = state + block(state)
        logits = self.gate(self.norm(state)) - self.sharpness * features[..., 0]
        weights: Tensor = torch.softmax(logits.masked_fill(missing, -1e9), dim=1)
        return weights

    def forward(self, batch: FourierBatch) -> Tensor:
        """Coefficients (B, 25, 25, 13) over the mean density."""
        weights = self.weights(batch)[:, :, None, None, None]
        return (weights * batch.coefficients).sum(dim=1)


def _block() -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, _WIDTH), nn.GELU(), nn.Linear(_WIDTH, _WIDTH)
    )
