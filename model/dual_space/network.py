"""The network: one step from phases to better phases, by way of the density; it is repeated.

State: a complex logit L for every reflection. |L| says how certain a phase is; the phasor that enters the
maps is L/√(1 + |L|²), 0 where nothing is known and of length 1 where everything is.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from xtalpriors.model.dual_space.convolution import averaged_kernel, symmetric_convolution
from xtalpriors.model.dual_space.critic import Critic, candidate_features
from xtalpriors.model.dual_space.inputs import CRYSTAL_FEATURES, POINT_FEATURES, Known
from xtalpriors.model.dual_space.network_size import DualSpaceSize

__all__ = ["DualSpaceNetwork", "Step", "phasors"]


def phasors(logits: Tensor) -> Tensor:
    """L/√(1 + |L|²)."""
    return logits * torch.rsqrt(1.0 + logits.real.square() + logits.imag.square())


class Step(NamedTuple):
    """What a step gives.

    Attributes
    ----------
    logits
        L after it, complex64 (B, U).
    maps
        E-map and F-map of the phases before it, (B, P, 2).
    features
        What the network saw at each point of them, (B, P, C).
    """

    logits: Tensor
    maps: Tensor
    features: Tensor


class DualSpaceNetwork(nn.Module):  # type: ignore[misc]
    """See the module.

    Parameters
    ----------
    size
        Width and depth; weights are shared between steps, so their number is no part of it.
    """

    def __init__(self, size: DualSpaceSize) -> None:
        super().__init__()
        self.size = size
        c = size.width
        self.read = nn.Linear(2 + POINT_FEATURES, c)
        self.read_crystal = nn.Linear(CRYSTAL_FEATURES, c, bias=False)
        self.kernels = nn.ParameterList(
            [nn.Parameter(torch.randn(c, c, 27) * 2.0 * (27 * c) ** -0.5) for _ in range(size.convolutions)]
        )
        self.mix = nn.ModuleList([nn.Linear(c, c) for _ in range(size.convolutions)])
        self.gains = nn.ParameterList([nn.Parameter(torch.ones(c)) for _ in range(size.convolutions + 1)])
        self.write = nn.Linear(c, 2, bias=False)
        self.weigh = nn.Sequential(nn.Linear(5, 24), nn.SiLU(), nn.Linear(24, 3))
        self.keep = nn.Parameter(torch.tensor(0.5))
        self.critic = Critic(c)

    @property
    def outer_layers(self) -> list[nn.Module]:
        """What reads and writes; everything else is inside."""
        return [self.read, self.read_crystal, self.write, self.weigh, self.critic]

    def forward(self, logits: Tensor, known: Known, steps: int) -> list[Step]:
        """Steps one after the other, each from the logits of the one before."""
        taken: list[Step] = []
        kernels = self.averaged_kernels(known)
        for _ in range(steps):
            taken.append(self.step(taken[-1].logits if taken else logits, known, kernels))
        return taken

    def averaged_kernels(self, known: Known) -> list[Tensor]:
        """The kernels as the group's rotations leave them, (27, C, C) each."""
        half = torch.bfloat16 if self.in_half else torch.float32
        return [averaged_kernel(kernel, known.transform).to(half) for kernel in self.kernels]

    def judge(self, step: Step, before: Tensor, agreement: Tensor, known: Known) -> Tensor:
        """The critic's logits (B,) of candidates after a step from the logits `before` (B, U)."""
        figures = candidate_features(
            phasors(step.logits), phasors(before), agreement, known.f, step.maps[..., 1]
        )
        verdict: Tensor = self.critic(step.features, figures)
        return verdict

    def step(self, logits: Tensor, known: Known, kernels: list[Tensor]) -> Step:
        """One step.

        Parameters
        ----------
        logits
            Complex (B, U).
        known
            What is known of the crystals.
        kernels
            `averaged_kernels`.
        """
        phasor = phasors(logits)
        both = torch.cat([known.e * phasor, known.f * phasor])
        maps = torch.stack(known.transform.to_box(both).chunk(2), dim=2)
        x = self.look(maps, known, kernels)
        out = self.write(self.normal(x, len(self.kernels)))
        g_e, g_f = known.transform.to_reflections(out.permute(2, 0, 1).flatten(0, 1)).chunk(2)
        w = self.weigh(known.reflection)
        change = (1.0 + w[..., 0]) * known.e * g_e + w[..., 1] * g_f + w[..., 2] * logits
        return Step((self.keep * logits + change) * known.measured, maps, x)

    def look(self, maps: Tensor, known: Known, kernels: list[Tensor]) -> Tensor:
        """Features (B, P, C) at the points of the box, from the two maps (B, P, 2) and what is known."""
        x = self.read(torch.cat([maps, known.point], dim=2)) + self.read_crystal(known.crystal)[:, None]
        # convolutions in bfloat16: at least twice as fast on a GPU and on CPUs with matrix units
        x = nn.functional.silu(x).to(kernels[0].dtype)
        for i, (kernel, mix) in enumerate(zip(kernels, self.mix, strict=True)):
            seen = nn.functional.silu(symmetric_convolution(self.normal(x, i), kernel, known.transform))
            x = x + nn.functional.linear(seen, mix.weight.to(x.dtype), mix.bias.to(x.dtype))
        return x.float()

    in_half: bool = False
    """Whether convolutions are computed in bfloat16."""

    def normal(self, x: Tensor, layer: int) -> Tensor:
        """Divided by the root mean square over the crystal, and by a gain for each channel."""
        scale = torch.rsqrt(x.float().square().mean(dim=(1, 2), keepdim=True) + 1e-6)
        return (x.float() * scale * self.gains[layer]).to(x.dtype)
