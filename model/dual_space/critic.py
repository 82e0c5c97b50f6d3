"""Which of several candidates to believe: a judge trained on candidates whose r is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["CANDIDATE_FEATURES", "Critic", "candidate_features"]

CANDIDATE_FEATURES = 5


class Critic(nn.Module):  # type: ignore[misc]
    """Logit of the r that a candidate's phases have, from what the network saw in its map.

    Parameters
    ----------
    width
        Channels of the network's features.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.judge = nn.Sequential(
            nn.Linear(2 * width + CANDIDATE_FEATURES, width), nn.SiLU(), nn.Linear(width, 1)
        )

    def forward(self, features: Tensor, figures: Tensor) -> Tensor:
        """Logits (B,) from features at the points (B, P, C) and the figures of `candidate_features`."""
        scaled = features * torch.rsqrt(features.square().mean(dim=(1, 2), keepdim=True) + 1e-6)
        pooled = torch.cat([scaled.mean(dim=1), scaled.square().mean(dim=1).sqrt(), figures], dim=1)
        logits: Tensor = self.judge(pooled)[:, 0]
        return logits


def candidate_features(
    phasor: Tensor, before: Tensor, agreement: Tensor, f: Tensor, density: Tensor
) -> Tensor:
    """Figures of merit of candidates, (B, `CANDIDATE_FEATURES`).

    Parameters
    ----------
    phasor
        Phasors after the last step (B, U): their lengths are the network's certainty.
    before
        Phasors before it.
    agreement
        With the eliminated density (B,).
    f
        |F| (B, U).
    density
        The map in the box (B, P).
    """
    weight = f.square() / f.square().sum(dim=1, keepdim=True).clamp(min=1e-30)
    certainty = (weight * phasor.abs()).sum(dim=1)
    stays = (weight * (phasor.conj() * before).real).sum(dim=1) / certainty.clamp(min=1e-6)
    square = density.square().mean(dim=1).clamp(min=1e-12)
    positive = density.clamp(min=0.0).square().mean(dim=1) / square
    skewness = density.pow(3).mean(dim=1) / square**1.5
    return torch.stack([certainty, stays, agreement, positive, skewness.clamp(-5.0, 10.0) / 5.0], dim=1)
