"""Phases of all reflections from those of a few: charge flipping that holds the seeds, then elimination.

The cycles run in P1 from the map of the seeds alone, and put the seeds back after each. They have no symmetry
to enforce, since it slows flipping down; the seeds, spread to all equivalents, fix the origin and the hand.
When the seeds are released, low-density elimination with the symmetry of the group follows. Going on with
flipping instead lets the origin drift.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.charge_flipping.cycles import Constraint, Densities
from xtalpriors.model.charge_flipping.elimination import eliminate
from xtalpriors.model.charge_flipping.flipping import FlippingSettings, constraint_of, settings_for
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.trials import normalised

__all__ = ["extend_seeds"]

SHARPENING: Final = 0.8
"""Moduli of the cycles are |F|^0.2·|E|^0.8: more seeds are kept alive by it than by √(|F||E|)."""
COARSE_ANGSTROM: Final = 1.75
"""Beyond, |F| itself is best, as without seeds."""
ELIMINATION_CYCLES: Final = 10
"""Of low-density elimination, after the seeds are released."""
_POINTS_AT_ONCE: Final = 1 << 18


def extend_seeds(
    grid: ReflectionGrid,
    amplitudes: Tensor,
    cell: tuple[float, ...],
    seeds: Tensor,
) -> Tensor:
    """Structure factors of every reflection with phases found from seeds, in the group, complex64 (T, U).

    Parameters
    ----------
    grid
        The group's unique reflections.
    amplitudes
        |F| (U,), 0 where nothing was measured.
    cell
        a, b, c in Å and α, β, γ in degrees.
    seeds
        exp(iφ) of the seeds, 0 for other reflections, complex64 (T, U): a row for each set of seeds.

    Raises
    ------
    XtalpriorsError
        No amplitude is above 0, or a set has no seed with an amplitude.
    """
    if not bool((amplitudes > 0).any()):
        raise XtalpriorsError("Every amplitude is 0: there is nothing to find phases for.")
    if not bool(((seeds != 0) & (amplitudes > 0)).any(dim=1).all()):
        raise XtalpriorsError("A set of seeds has no seed whose amplitude was measured: there is no start.")
    s2 = s_squared(grid.hkl, [cell])[0][(amplitudes > 0).numpy()]
    d_min = float(s2.max() ** -0.5)
    sharper = {"sharpening": SHARPENING} if d_min < COARSE_ANGSTROM else {}
    settings = settings_for(d_min, **sharper)
    p1, source = grid.in_p1
    constraint = constraint_of(amplitudes, normalised(grid, amplitudes, cell), settings)
    in_p1 = Constraint(constraint.moduli[:, source], constraint.role[:, source])
    held = p1.collect(grid.spread(seeds * constraint.moduli))
    size = max(1, _POINTS_AT_ONCE // grid.points)
    f = torch.cat([_hold(p1, in_p1, held[i : i + size], settings) for i in range(0, len(held), size)])
    return eliminate(grid, amplitudes, grid.collect(p1.spread(f)), cycles=ELIMINATION_CYCLES).f


def _hold(grid: ReflectionGrid, constraint: Constraint, held: Tensor, settings: FlippingSettings) -> Tensor:
    """Structure factors after cycles of flipping that begin with the seeds `held` (B, V) and keep them."""
    batch = Densities(grid, constraint, held)
    kept = batch.half.flatten().clone()
    places = torch.nonzero(kept).squeeze(1)
    values = kept[places]
    for _ in range(settings.cycles):
        batch.to_density()
        batch.flip(settings.threshold * batch.sigma)
        batch.to_spectrum()
        batch.impose()
        batch.half.view(-1)[places] = values
    return batch.calculated
