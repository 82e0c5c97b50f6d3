"""The PhAI network: amplitudes and provisional phases in, a choice between 0 and π for every reflection out.

Architecture of Larsen, Rekis & Madsen (2024), Science 385, 522 (doi 10.1126/science.adn2777), written from
its description; with `SIZES["phai"]` it has the published 42,443,882 parameters. Only the network stands
here: the order of the reflections is in `reflections`, the loss in `loss`.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from xtalpriors.frozen_model import Frozen

__all__ = ["SIZES", "NetworkSize", "PhAI"]


class NetworkSize(Frozen):
    """Every number that fixes the shape of the network; the defaults are the published network's."""

    box: tuple[int, int, int] = (21, 11, 11)
    """Extent of the reflection box along h, k, l."""
    n_reflections: int = Field(default=1205, ge=1)
    """Reflections that get a phase."""
    maps: int = Field(default=1, ge=1, exclude_if=lambda maps: maps == 1)  # cards of one map do not name it
    """Numbers of each reflection beside its phase: the amplitude, and Harker maps where they are given."""
    filters: int = Field(default=96, ge=1)
    """Feature maps of the convolutions, which become the tokens of the mixer."""
    kernel: Literal[1, 3, 5] = 3
    """Edge of the convolution kernel."""
    residual_blocks: int = Field(default=6, ge=1)
    token_width: int = Field(default=1024, ge=1)
    """Features of a token."""
    channel_hidden: int = Field(default=2048, ge=1)
    """Hidden features of channel mixing."""
    token_hidden: int = Field(default=512, ge=1)
    """Hidden tokens of token mixing."""
    mixer_blocks: int = Field(default=8, ge=1)


SIZES: dict[str, NetworkSize] = {
    "phai": NetworkSize(),
    "medium": NetworkSize(
        filters=48, residual_blocks=4, token_width=512, channel_hidden=1024, token_hidden=256, mixer_blocks=6
    ),
}
"""Named sizes of the 21 × 11 × 11 box: `phai` as published, `medium` (9.5 M) for short GPU runs."""


def _input_branch(maps: int, filters: int, kernel: int) -> nn.Sequential:
    """`filters` maps out: Conv3d, GELU, and a normalisation of each map on its own."""
    return nn.Sequential(
        nn.Conv3d(maps, filters, kernel, padding=kernel // 2), nn.GELU(), nn.GroupNorm(filters, filters)
    )


class ResidualBlock(nn.Module):  # type: ignore[misc]
    """Twice (convolution, GELU, normalisation of each map), added to the input."""

    def __init__(self, filters: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(filters, filters, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv3d(filters, filters, kernel, padding=kernel // 2)
        self.norm1 = nn.GroupNorm(filters, filters)
        self.norm2 = nn.GroupNorm(filters, filters)

    def forward(self, x: Tensor) -> Tensor:
        """(B, filters, H, K, L) → the same shape."""
        y = self.norm1(nn.functional.gelu(self.conv1(x)))
        y = self.norm2(nn.functional.gelu(self.conv2(y)))
        return x + y


class MixerLayer(nn.Module):  # type: ignore[misc]
    """Normalise, widen, GELU, narrow, add: along the tokens (a 1-wide convolution) or along the features."""

    def __init__(self, tokens: int, widen: nn.Module, narrow: nn.Module) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(tokens, tokens)
        self.layer1 = widen
        self.layer2 = narrow

    def forward(self, x: Tensor) -> Tensor:
        """(B, tokens, features) → the same shape."""
        return x + self.layer2(nn.functional.gelu(self.layer1(self.norm1(x))))


class MixerBlock(nn.Sequential):  # type: ignore[misc]
    """Token mixing, then channel mixing."""

    def __init__(self, size: NetworkSize) -> None:
        tokens, width = size.filters, size.token_width
        super().__init__(
            MixerLayer(
                tokens, nn.Conv1d(tokens, size.token_hidden, 1), nn.Conv1d(size.token_hidden, tokens, 1)
            ),
            MixerLayer(tokens, nn.Linear(width, size.channel_hidden), nn.Linear(size.channel_hidden, width)),
        )


class PhAI(nn.Module):  # type: ignore[misc]
    """The network.

    Parameters
    ----------
    size
        Its shape; another box or another group is another `size`, not another class.
    """

    def __init__(self, size: NetworkSize = SIZES["phai"]) -> None:
        super().__init__()
        self.size = size
        h, k, l = size.box
        self.amplitudes = _input_branch(size.maps, size.filters, size.kernel)
        self.phases = _input_branch(1, size.filters, size.kernel)
        self.residual = nn.Sequential(
            *(ResidualBlock(size.filters, size.kernel) for _ in range(size.residual_blocks))
        )
        self.projection = nn.Linear(h * k * l, size.token_width)
        self.mixer = nn.Sequential(*(MixerBlock(size) for _ in range(size.mixer_blocks)))
        self.norm = nn.LayerNorm(size.token_width)
        self.head = nn.Linear(size.token_width, 2 * size.n_reflections)

    def forward(self, amplitudes: Tensor, phases_degree: Tensor) -> Tensor:
        """Logits of the two phases of every reflection.

        Parameters
        ----------
        amplitudes
            (B, H, K, L), or (B, maps, H, K, L), as `inputs.InputScaling` gives them; 0 outside the sphere and
            where none was measured.
        phases_degree
            (B, H, K, L), provisional phases, 0 or −180.

        Returns
        -------
        Tensor
            (B, 2, n_reflections): class 0 is −180°, class 1 is 0°.
        """
        maps = amplitudes.reshape(-1, self.size.maps, *self.size.box)
        x = self.amplitudes(maps) + self.phases(phases_degree.unsqueeze(1))
        x = self.projection(self.residual(x).flatten(2))
        x = self.norm(self.mixer(x)).mean(dim=1)
        return self.head(x).view(-1, 2, self.size.n_reflections)

    def count_parameters(self) -> int:
        """Number of trained values."""
        return sum(p.numel() for p in self.parameters())


def phases_of(logits: Tensor) -> Tensor:
    """Phases in degrees, −180 or 0, (B, n_reflections), of logits (B, 2, n_reflections)."""
    return torch.where(logits[:, 0] >= logits[:, 1], -180.0, 0.0).to(logits.dtype)
