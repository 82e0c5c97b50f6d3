"""What is known of crystals before any phase: amplitudes, distances along Harker vectors, and a few numbers.

If an atom lies at x, its image lies at Sx, and the Patterson map has a peak at x − Sx, for every operator S.
So the smallest and the mean value of the Patterson map along these vectors says where atoms may be (Buerger's
implication maps). They are given to the network at every point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.dual_space.geometry import DualGrid
from xtalpriors.model.dual_space.transform import Transform, transform_of
from xtalpriors.model.network.normalisation import normalised_amplitudes

__all__ = ["CRYSTAL_FEATURES", "POINT_FEATURES", "Known", "crystal_features", "known_of"]

POINT_FEATURES = 5
CRYSTAL_FEATURES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Known facts of B crystals of one group on one grid.

    Attributes
    ----------
    transform
        Tables of the grid.
    e, f
        |E|, and |F| over its root mean square, float32 (B, U); 0 where nothing was measured.
    reflection
        E, E², s²d², F and d of each reflection, float32 (B, U, 5).
    point
        Harker distances, float32 (B, P, `POINT_FEATURES`).
    crystal
        Numbers of the crystal, float32 (B, `CRYSTAL_FEATURES`).
    """

    transform: Transform
    e: Tensor
    f: Tensor
    reflection: Tensor
    point: Tensor
    crystal: Tensor

    @property
    def measured(self) -> Tensor:
        """Bool (B, U)."""
        return self.f > 0

    def repeated(self, count: int) -> Known:
        """One crystal as `count` candidates of it: the same tensors, seen `count` times."""
        every = (self.e, self.f, self.reflection, self.point, self.crystal)
        return Known(self.transform, *(t.expand(count, *t.shape[1:]) for t in every))


def known_of(grid: DualGrid, cells: F64, amplitudes: Tensor) -> Known:
    """Known facts of crystals with cells (B, 6) and |F| (B, U) in the order of `grid.reflections`.

    Amplitudes are on any scale, 0 where nothing was measured. The resolution is that of what was measured.
    """
    device = amplitudes.device
    transform = transform_of(grid, device)
    s2 = torch.from_numpy(s_squared(grid.reflections.hkl, cells)).float().to(device)
    epsilon = torch.from_numpy(grid.reflections.epsilon).float().to(device)
    measured = amplitudes > 0
    e = normalised_amplitudes(amplitudes, s2, epsilon, measured)
    count = measured.sum(dim=1, keepdim=True).clamp(min=1)
    f = amplitudes / (amplitudes.square().sum(dim=1, keepdim=True) / count).sqrt().clamp(min=1e-30)
    reach = s2.where(measured, 0.0).amax(dim=1, keepdim=True).clamp(min=1e-6)
    d = reach.rsqrt().expand_as(e)
    reflection = torch.stack([e, e.square().clamp(max=9.0), s2 / reach, f.clamp(max=6.0), d], dim=2)
    return Known(
        transform, e, f, reflection, harker_features(transform, e, f), crystal_features(grid.group, d[:, 0])
    )


def harker_features(transform: Transform, e: Tensor, f: Tensor) -> Tensor:
    """Least, mean, largest of the |E|² − 1 Patterson along Harker vectors; least, mean of that of |F|²."""
    if len(transform.harker) == 0:
        return torch.zeros(len(e), len(transform.inside), POINT_FEATURES, device=e.device)
    sharp = transform.patterson((e.square() - 1.0) * (f > 0))
    plain = transform.patterson(f.square())
    values = [sharp.amin(dim=1), sharp.mean(dim=1), sharp.amax(dim=1), plain.amin(dim=1), plain.mean(dim=1)]
    return torch.stack(values, dim=2)


def crystal_features(group: SpaceGroup, d_min: Tensor) -> Tensor:
    """d_min, ln of the operators per lattice point, whether there is an inversion, ln of lattice points."""
    centring = sum(np.array_equal(r, np.eye(3)) for r in group.rotations)
    order = math.log(group.order / centring)
    same = torch.tensor([order, float(group.centrosymmetric), math.log(centring)], device=d_min.device)
    return torch.cat([d_min[:, None], same.expand(len(d_min), 3)], dim=1)
