"""Between reflections and the box: Fourier transforms on the shifted grid, with symmetry on both sides."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xtalpriors.model.dual_space.geometry import DualGrid

__all__ = ["Transform", "transform_of"]


class Transform:
    """Tables of a grid on a device.

    Parameters
    ----------
    grid
        Grid of a space group.
    device
        Where maps and reflections are.

    Attributes
    ----------
    neighbours
        For every point of the box its 3 × 3 × 3 neighbourhood, points of the box, (P, 27).
    exact
        The box has no point twice.
    """

    def __init__(self, grid: DualGrid, device: torch.device) -> None:
        self.grid, self.device = grid, device
        reflections = grid.reflections
        places, shape = reflections.places, np.array(grid.shape)
        half = reflections.half_shape
        hkl = np.stack(np.unravel_index(places.place, half), axis=1)
        hkl = np.where(2 * hkl >= shape, hkl - shape, hkl)
        # the grid holds F(h)* for ρ at x = j/n; half a step further the phase of its wave is πh/n more
        turn = places.turn * np.exp(1j * np.pi * (hkl / shape).sum(axis=1))

        def to(values: np.ndarray) -> Tensor:
            """An array as a tensor on the device of the transform."""
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)

        self.place, self.source = to(places.place), to(places.source)
        self.conjugate, self.turn = to(places.conjugate), to(turn.astype(np.complex64))
        first = places.starts[:-1]
        self.first_place = self.place[to(first)]
        self.first_conjugate, self.first_turn = self.conjugate[to(first)], self.turn[to(first)]
        self.allowed = to(reflections.allowed)
        self.inside, self.from_box = to(grid.inside), to(grid.from_box)
        self.harker, self.padded = to(grid.harker), to(grid.padded)
        lengths = grid.box[1]
        wide = torch.arange(len(self.padded), device=device).reshape(*(m + 2 for m in lengths))
        windows = wide.unfold(0, 3, 1).unfold(1, 3, 1).unfold(2, 3, 1)
        self.neighbours = self.padded[windows.reshape(-1, 27)]
        self.exact = len(grid.inside) * grid.group.order == reflections.points
        self.kernel_images = to(grid.kernel_images)

    def to_box(self, f: Tensor) -> Tensor:
        """Density (B, P) at the points of the box of structure factors (B, U), complex64."""
        values = f[:, self.source]
        values = torch.where(self.conjugate, values.conj(), values) * self.turn
        half = self.grid.reflections.half_shape
        full = torch.zeros(len(f), int(np.prod(half)), dtype=torch.complex64, device=f.device)
        full = full.index_copy(1, self.place, values).reshape(-1, *half)
        density = torch.fft.irfftn(full, s=self.grid.shape, dim=(1, 2, 3), norm="ortho")
        return density.flatten(1)[:, self.inside]

    def to_reflections(self, density: Tensor) -> Tensor:
        """Structure factors (B, U) of the symmetric density whose values in the box are (B, P)."""
        cell = density[:, self.from_box].reshape(-1, *self.grid.shape)
        half = torch.fft.rfftn(cell, dim=(1, 2, 3), norm="ortho")
        values = half.flatten(1)[:, self.first_place] * self.first_turn.conj()
        return torch.where(self.first_conjugate, values.conj(), values)

    def patterson(self, intensities: Tensor) -> Tensor:
        """Patterson map Σ I cos 2πh·u at u = x − Sx, (B, operators, P); of variance 1 over the cell."""
        spread = torch.zeros(
            len(intensities), int(np.prod(self.grid.reflections.half_shape)), device=self.device
        )
        spread[:, self.place] = intensities[:, self.source]
        spread = spread.to(torch.complex64).reshape(-1, *self.grid.reflections.half_shape)
        full = torch.fft.irfftn(spread, s=self.grid.shape, dim=(1, 2, 3), norm="ortho").flatten(1)
        full = full / full.std(dim=1, keepdim=True).clamp(min=1e-6)
        return full[:, self.harker]


_KNOWN: dict[tuple[int, str], Transform] = {}
_MOST = 512


def transform_of(grid: DualGrid, device: torch.device) -> Transform:
    """The tables of a grid, kept for the next batch on it."""
    key = (id(grid), str(device))
    found = _KNOWN.pop(key, None) or Transform(grid, device)
    _KNOWN[key] = found  # the latest last
    if len(_KNOWN) > _MOST:
        del _KNOWN[next(iter(_KNOWN))]
    return found
