"""Low-density elimination: it polishes phases and says how well they fit a density of atoms.

Shiono & Woolfson 1992 (doi 10.1107/S0108767391012229): density is made 0 below 0 and small density smaller,
transformed, given the measured moduli, and so on. What remains of a right density is nearly all of it, so the
correlation of its moduli and phases with the measured moduli and the present phases is high: `agreement`.

To polish, ρc = 0.2⟨ρ > 0⟩ takes away little, and wrong phases soon agree with what they leave too. To judge,
`strict_agreement` takes away three times as much, once: atoms stay, whatever fills the space between goes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.model.charge_flipping.cycles import Constraint, Densities
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.kernels import MEASURED, UNKNOWN

__all__ = ["Eliminated", "eliminate", "strict_agreement"]

FRACTION: Final = 0.2
"""ρc over the mean of the positive density."""
STRICT_FRACTION: Final = 0.6
"""ρc of `strict_agreement` over the mean of the positive density."""


class Eliminated(NamedTuple):
    """What elimination left.

    Attributes
    ----------
    f
        Structure factors of the last eliminated density, complex64 (T, U): their phases are the result.
    agreement
        Σ|Fo||Fc|cos(φc − φ) / √(Σ|Fo|² Σ|Fc|²) over the sphere, between that density and the one before it
        was eliminated, float32 (T,).
    """

    f: Tensor
    agreement: Tensor


def eliminate(
    grid: ReflectionGrid,
    amplitudes: Tensor,
    f: Tensor,
    *,
    cycles: int = 8,
    fraction: float = FRACTION,
    points_at_once: int = 1 << 18,
) -> Eliminated:
    """Cycles of low-density elimination with the symmetry of the grid's group.

    Parameters
    ----------
    grid
        Reflections and group.
    amplitudes
        |F| of one crystal or of each row, float32 (U,), (1, U) or (T, U); 0 where nothing was measured.
    f
        Structure factors (T, U) whose phases to begin with.
    cycles
        At least 1.
    fraction
        ρc over the mean positive density.
    points_at_once
        As in `flipping.flip`.
    """
    moduli = torch.atleast_2d(amplitudes).float()
    role = torch.where(moduli > 0, MEASURED, UNKNOWN).to(torch.uint8)
    constraint = Constraint(moduli, role)
    size = max(1, points_at_once // grid.points)
    parts = [
        _run(grid, constraint.rows(slice(i, i + size)), f[i : i + size], cycles, fraction)
        for i in range(0, len(f), size)
    ]
    return Eliminated(torch.cat([p.f for p in parts]), torch.cat([p.agreement for p in parts]))


def strict_agreement(grid: ReflectionGrid, amplitudes: Tensor, f: Tensor) -> Tensor:
    """How well phases agree with what one strict cycle of elimination leaves of their density, float32 (T,).

    The figure of merit among candidates of one crystal; the larger, the better. Parameters as in `eliminate`.
    """
    return eliminate(grid, amplitudes, f, cycles=1, fraction=STRICT_FRACTION).agreement


def _run(grid: ReflectionGrid, constraint: Constraint, f: Tensor, cycles: int, fraction: float) -> Eliminated:
    phasor = torch.where(f.abs() > 0, f / f.abs().clamp(min=1e-30), torch.ones_like(f))
    batch = Densities(grid, constraint, phasor * constraint.moduli)
    pairs = torch.from_numpy(grid.multiplicity.astype(np.float32)).to(f.device)
    before = batch.calculated
    for cycle in range(cycles):
        batch.to_density()
        batch.eliminate(fraction)
        batch.to_spectrum()
        if cycle == cycles - 1:
            before = grid.collect(batch.half)
        batch.impose()
    after = batch.calculated * (constraint.role == MEASURED)
    across = ((before.conj() * after).real * pairs).sum(dim=1)
    norms = (before.abs().square() * pairs).sum(dim=1) * (after.abs().square() * pairs).sum(dim=1)
    return Eliminated(batch.calculated, across / norms.sqrt().clamp(min=1e-30))
