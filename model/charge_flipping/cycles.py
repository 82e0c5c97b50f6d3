"""What one cycle is made of, for a batch of densities: transforms, flipping, measured moduli.

On the CPU the loops between the transforms are compiled kernels; on a GPU they are tensor operations. Both do
the same arithmetic in float32, and Fourier transforms are PyTorch's in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xtalpriors.model.charge_flipping import kernels
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.kernels import MEASURED, UNKNOWN, WEAK

__all__ = ["Constraint", "Densities"]


@dataclass(frozen=True, slots=True)
class Constraint:
    """What is known of the structure factors of one crystal, or of each of B.

    Attributes
    ----------
    moduli
        What replaces the calculated modulus, float32 (1 or B, U).
    role
        `MEASURED`, `WEAK` or `UNKNOWN` (the coefficient is 0), uint8 (1 or B, U).
    """

    moduli: Tensor
    role: Tensor

    def to(self, device: torch.device) -> Constraint:
        """The same on another device."""
        return Constraint(self.moduli.to(device), self.role.to(device))

    def rows(self, part: slice) -> Constraint:
        """Some of the crystals; all where there is one."""
        return self if len(self.moduli) == 1 else Constraint(self.moduli[part], self.role[part])


class Densities:
    """A batch of densities on the grid of a group, and their coefficients.

    Parameters
    ----------
    grid
        Reflections and symmetry.
    constraint
        Known moduli.
    start
        Structure factors (B, U), complex64, to begin with.
    """

    def __init__(self, grid: ReflectionGrid, constraint: Constraint, start: Tensor) -> None:
        self.grid, self.constraint = grid, constraint.to(start.device)
        self.on_cpu = start.device.type == "cpu"
        self.half = grid.spread(start)
        self.spectrum = torch.empty_like(self.half)
        self.density = torch.empty(len(start), *grid.shape, device=start.device)
        self.calculated = start
        pairs = torch.from_numpy(grid.multiplicity).float().to(start.device)
        self.power = (start.abs().square() * pairs).sum(dim=1)
        self.cubes = torch.zeros(len(start), dtype=torch.float64, device=start.device)

    @property
    def sigma(self) -> Tensor:
        """Standard deviation of each density, from Parseval's theorem, (B,)."""
        return self.power.sqrt()

    @property
    def mean(self) -> Tensor:
        """F(000), (B,)."""
        return self.half[:, 0, 0, 0].real

    @property
    def skewness(self) -> Tensor:
        """⟨(ρ − ⟨ρ⟩)³⟩ / σ³ of the densities that were last flipped or relaxed, (B,)."""
        return (self.cubes / self.grid.points).float() / self.sigma.clamp(min=1e-30) ** 3

    def to_density(self, out: Tensor | None = None) -> Tensor:
        """Transform the coefficients; the density, which the next call overwrites."""
        target = self.density if out is None else out
        torch.fft.irfftn(self.half, s=self.grid.shape, dim=(1, 2, 3), norm="forward", out=target)
        return target

    def to_spectrum(self, density: Tensor | None = None) -> None:
        """Transform a density back."""
        source = self.density if density is None else density
        torch.fft.rfftn(source, dim=(1, 2, 3), norm="forward", out=self.spectrum)

    def flip(self, threshold: Tensor) -> None:
        """Change the sign of the density below thresholds (B,)."""
        flat, mean = self.density.flatten(1), self.mean.contiguous()
        if self.on_cpu:
            kernels.flip(flat.numpy(), threshold.numpy(), mean.numpy(), self.cubes.numpy())
            return
        self.cubes = (flat - mean[:, None]).pow(3).sum(dim=1, dtype=torch.float64)
        self.density = torch.where(flat < threshold[:, None], -flat, flat).reshape(self.density.shape)

    def relax(self, state: Tensor, threshold: Tensor, beta: float) -> Tensor:
        """The next state of RAAR from `density`, which is the projection of the present one."""
        mean = self.mean.contiguous()
        if self.on_cpu:
            x, m = state.flatten(1).numpy(), self.density.flatten(1).numpy()
            kernels.relax(x, m, threshold.numpy(), mean.numpy(), x.dtype.type(beta), self.cubes.numpy())
            return state
        wide = (slice(None), None, None, None)
        self.cubes = (self.density - mean[wide]).flatten(1).pow(3).sum(dim=1, dtype=torch.float64)
        reflected = 2.0 * self.density - state
        flipped = torch.where(reflected < threshold[wide], -reflected, reflected)
        return 0.5 * beta * (flipped + state) + (1.0 - beta) * self.density

    def eliminate(self, fraction: float) -> None:
        """Low-density elimination: ρ ≤ 0 → 0, else ρ(1 − exp(−½(ρ/ρc)²)) with ρc = fraction·⟨ρ > 0⟩."""
        if self.on_cpu:
            kernels.eliminate(self.density.flatten(1).numpy(), fraction)
            return
        positive = self.density.clamp(min=0.0)
        count = (positive > 0).flatten(1).sum(dim=1).clamp(min=1)
        cut = (fraction * positive.flatten(1).sum(dim=1) / count).clamp(min=1e-30)
        ratio = positive / cut[:, None, None, None]
        self.density = positive * -torch.expm1(-0.5 * ratio.square())

    def impose(self) -> None:
        """The spectrum's phases with the known moduli become the coefficients; `calculated` its F."""
        if not self.on_cpu:
            self._impose_tensors()
            return
        b, places, u = len(self.half), self.grid.places, len(self.grid.hkl)
        calculated = torch.empty(b, u, dtype=torch.complex64)
        kernels.impose(
            torch.view_as_real(self.spectrum).reshape(b, -1, 2).numpy(),
            torch.view_as_real(self.half).reshape(b, -1, 2).numpy(),
            places.starts,
            places.place,
            places.conjugate,
            places.turn.view("f4").reshape(-1, 2),
            self.grid.allowed.view("f4").reshape(-1, 2),
            self.grid.multiplicity.astype("f4"),
            self.constraint.moduli.numpy(),
            self.constraint.role.numpy(),
            self.power.numpy(),
            torch.view_as_real(calculated).numpy(),
        )
        self.calculated = calculated

    def _impose_tensors(self) -> None:
        f = self.grid.collect(self.spectrum)
        self.calculated = f
        role, centric = self.constraint.role, torch.from_numpy(self.grid.allowed != 0).to(f.device)
        size = f.abs()
        measured = (
            torch.where(size > 0, f / size.clamp(min=1e-30), torch.ones_like(f)) * self.constraint.moduli
        )
        new = torch.where(role == MEASURED, measured, f)
        new = torch.where((role == WEAK) & ~centric, 1j * f, new)
        new = torch.where(role == UNKNOWN, torch.zeros_like(f), new)
        pairs = torch.from_numpy(self.grid.multiplicity).float().to(f.device)
        self.power = (new.abs().square() * pairs).sum(dim=1)
        mean = self.spectrum[:, 0, 0, 0].real
        self.half = self.grid.spread(new)
        self.half[:, 0, 0, 0] = mean.to(torch.complex64)
