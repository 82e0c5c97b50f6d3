"""CrystalNet of Guo et al. 2024: from a powder pattern and a composition to the electron density at points.

The network of the paper (arXiv 2312.15136) block by block, 14,775,187 trainable parameters at its width of
512. Two pairs of encoders give mean and spread of a latent of the pattern and of the composition; a draw of
both sets scale γ and shift β of the features of a point (FiLM); a network with three returns of these
conditioned features gives the density there.

The published code computes γ and β anew for each point of a crystal. They are the same for all its points,
and with equally many points a crystal so are mean and variance of their batch normalisation: here they are
computed once a crystal, which costs 2.4 times less. (Only the running variance differs, by the factor of the
sample: B/(B − 1) of crystals and not of points.) `per_point` is the published order, to compare.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from xtalpriors.frozen_model import Frozen
from xtalpriors.model.powder.composition import COMPOSITION_LENGTH
from xtalpriors.model.powder.pattern import BINS

__all__ = ["CrystalNet", "CrystalNetOptions", "Latents", "kl_divergence"]

_N_FREQUENCIES = 128
_GROWTH = 8
_DENSE_LAYERS = 4
_TRANSITION = 16
_RETURNS = 3
_KL_OFFSET = 1e-4
_POINTS_AT_ONCE = {"cpu": 1024, "gpu": 65536}
"""Of a map: on a CPU so few that their features stay in its cache."""


class CrystalNetOptions(Frozen):
    """Size of the network, and what of it is as published."""

    width: int = Field(default=512, ge=4, description="Features; 512 in the paper, less is a smaller network")
    frequency_sigma: float = Field(
        default=3.0, gt=0, description="Standard deviation of the fixed frequencies of the position"
    )
    film_relu: bool = Field(
        default=True, description="γ and β end in a ReLU, so that no feature of a point changes its sign"
    )
    positive_std: bool = Field(
        default=False, description="Spread of the latents by softplus; as published its sign is free"
    )
    integer_frequencies: bool = Field(
        default=False, description="Frequencies rounded to integers: the density is then periodic"
    )


class Latents(NamedTuple):
    """Mean and spread of the latents of pattern and composition, each (B, width)."""

    pattern_mean: Tensor
    pattern_std: Tensor
    formula_mean: Tensor
    formula_std: Tensor


def kl_divergence(mean: Tensor, std: Tensor) -> Tensor:
    """Mean over batch and features of m² + s² − 1 − ln(s² + 10⁻⁴), as the published code has it.

    Twice the divergence from N(0, 1); Eq. 6 of the paper lacks the minus sign.
    """
    return (mean.square() + std.square() - 1.0 - (std.square() + _KL_OFFSET).log()).mean()


class _Normalised(nn.Sequential):  # type: ignore[misc]
    """Convolution without bias, layer normalisation over channels and positions, ReLU."""

    def __init__(self, channels: int, out: int, kernel: int, length: int) -> None:
        super().__init__(
            nn.Conv1d(channels, out, kernel, padding=kernel // 2, bias=False),
            nn.LayerNorm([out, length]),
            nn.ReLU(),
        )


class _DenseBlock(nn.Module):  # type: ignore[misc]
    """Four convolutions, each of which sees all earlier maps (Huang et al. 2017)."""

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _Normalised(channels + _GROWTH * i, _GROWTH, 3, length) for i in range(_DENSE_LAYERS)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, length) to (B, channels + 32, length)."""
        for layer in self.layers:
            maps = torch.cat([maps, layer(maps)], dim=1)
        return maps


class _PatternEncoder(nn.Module):  # type: ignore[misc]
    """A pattern (B, 1024) to (B, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        grown = _GROWTH * (1 + _DENSE_LAYERS)
        self.layers = nn.Sequential(
            _Normalised(1, _GROWTH, 3, BINS),
            _DenseBlock(_GROWTH, BINS),
            _Normalised(grown, _TRANSITION, 1, BINS),
            nn.AvgPool1d(2),
            _DenseBlock(_TRANSITION, BINS // 2),
            nn.Conv1d(_TRANSITION + _GROWTH * _DENSE_LAYERS, 1, 1),
            nn.Flatten(),
            nn.Linear(BINS // 2, width),
            nn.BatchNorm1d(width),
        )

    def forward(self, patterns: Tensor) -> Tensor:
        """(B, 1024) to (B, width)."""
        features: Tensor = self.layers(patterns[:, None])
        return features


def _formula_encoder(width: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(COMPOSITION_LENGTH, width), nn.BatchNorm1d(width)]
    for _ in range(2):
        layers += [nn.ReLU(), nn.Linear(width, width), nn.BatchNorm1d(width)]
    return nn.Sequential(*layers)


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()]


def _film(width: int, relu: bool) -> nn.Sequential:
    layers = [layer for _ in range(3) for layer in _block(2 * width, 2 * width)]
    layers += _block(2 * width, width)
    return nn.Sequential(*(layers if relu else layers[:-1]))


class CrystalNet(nn.Module):  # type: ignore[misc]
    """The network; see the module.

    Parameters
    ----------
    options
        Width, and the oddities of the published network.
    """

    def __init__(self, options: CrystalNetOptions | None = None) -> None:
        super().__init__()
        self.options = options or CrystalNetOptions()
        width = self.options.width
        self.frequencies = nn.Linear(3, _N_FREQUENCIES).requires_grad_(False)
        nn.init.normal_(self.frequencies.weight, std=self.options.frequency_sigma)
        nn.init.zeros_(self.frequencies.bias)
        if self.options.integer_frequencies:
            self.frequencies.weight.data.round_()
        self.position = nn.Sequential(*_block(2 * _N_FREQUENCIES, width), nn.Linear(width, width))
        self.pattern_mean, self.pattern_std = _PatternEncoder(width), _PatternEncoder(width)
        self.formula_mean, self.formula_std = _formula_encoder(width), _formula_encoder(width)
        relu = self.options.film_relu
        self.gamma, self.beta = _film(width, relu), _film(width, relu)
        self.first = nn.Sequential(*(layer for _ in range(4) for layer in _block(width, width)))
        self.middle = nn.ModuleList(
            nn.Sequential(*_block(2 * width, width), *(m for _ in range(3) for m in _block(width, width)))
            for _ in range(_RETURNS)
        )
        self.last = nn.Linear(width, 1)

    def encode(self, patterns: Tensor, compositions: Tensor) -> Latents:
        """Latents of patterns (B, 1024) and compositions (B, 119)."""
        spreads = self.pattern_std(patterns), self.formula_std(compositions)
        if self.options.positive_std:
            spreads = nn.functional.softplus(spreads[0]), nn.functional.softplus(spreads[1])
        return Latents(self.pattern_mean(patterns), spreads[0], self.formula_mean(compositions), spreads[1])

    def draw(self, latents: Latents, noise: Tensor) -> Tensor:
        """z = mean + noise × spread of both latents, (B, 2 width); noise (B, 2 width), zeros for the mean."""
        mean = torch.cat([latents.pattern_mean, latents.formula_mean], dim=1)
        return mean + noise * torch.cat([latents.pattern_std, latents.formula_std], dim=1)

    def densities(self, z: Tensor, points: Tensor, *, per_point: bool = False) -> Tensor:
        """Density (B, n) of crystals with latents z (B, 2 width) at fractional coordinates (B, n, 3)."""
        n = points.shape[1]
        position = self._position(points.reshape(-1, 3))
        if per_point:
            z = z.repeat_interleave(n, dim=0)
            return self._density(self.gamma(z), self.beta(z), position).reshape(-1, n)
        gamma, beta = (film(z).repeat_interleave(n, dim=0) for film in (self.gamma, self.beta))
        return self._density(gamma, beta, position).reshape(-1, n)

    def _position(self, points: Tensor) -> Tensor:
        """Features (n, width) of points (n, 3), the same for all crystals."""
        q = 2.0 * torch.pi * self.frequencies(points - 0.5)
        features: Tensor = self.position(torch.cat([q.sin(), q.cos()], dim=1))
        return features

    def _density(self, gamma: Tensor, beta: Tensor, position: Tensor) -> Tensor:
        """Density (n, 1) of features (n, width); scale and shift (n, width), or (width,) of one crystal."""
        conditioned = gamma * position + beta
        features = self.first(conditioned)
        for block in self.middle:
            features = block(torch.cat([features, conditioned], dim=1))
        density: Tensor = self.last(features)
        return density

    def forward(self, patterns: Tensor, compositions: Tensor, points: Tensor, noise: Tensor) -> Tensor:
        """Density (B, n) at points (B, n, 3) for one draw of the latents by noise (B, 2 width)."""
        return self.densities(self.draw(self.encode(patterns, compositions), noise), points)

    @property
    def n_parameters(self) -> int:
        """Parameters that are trained."""
        return sum(int(p.numel()) for p in self.parameters() if p.requires_grad)

    @property
    def flop_per_point(self) -> int:
        """Operations of one point forwards: two for each weight of the layers that see every point."""
        parts: list[nn.Module] = [self.position, self.first, self.middle, self.last]
        layers = (layer for part in parts for layer in part.modules() if isinstance(layer, nn.Linear))
        return 2 * sum(int(layer.weight.numel()) for layer in layers)

    def maps(self, patterns: Tensor, compositions: Tensor, noise: Tensor, points: int = 50) -> Tensor:
        """Density maps (B, points, points, points), in evaluation mode; voxel i lies at i / points."""
        with torch.no_grad():
            z = self.draw(self.encode(patterns, compositions), noise)
            films = list(zip(self.gamma(z), self.beta(z), strict=True))
            axis = torch.arange(points, device=z.device, dtype=z.dtype) / points
            grid = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1).reshape(-1, 3)
            parts = []
            for some in grid.split(_POINTS_AT_ONCE["cpu" if z.device.type == "cpu" else "gpu"]):
                position = self._position(some)
                parts.append(torch.cat([self._density(*film, position) for film in films], dim=1))
            return torch.cat(parts).T.reshape(-1, points, points, points).contiguous()
