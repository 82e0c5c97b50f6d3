"""How well structure factors agree with known ones: r over the origins and hands that a group permits.

r = max Σ|F|² cos(φ − φ_true) / Σ|F|², as Larsen, Reķis & Madsen (2024, doi 10.1126/science.adn2777) score
phases. Amplitudes cannot tell a group's permissible origins apart, nor, where there is no inversion centre, a
structure from its mirror image; so the best of them counts, and along the free directions of polar groups the
best origin along them. Nothing else is fitted.
"""

from __future__ import annotations

import itertools
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.charge_flipping.grids import ReflectionGrid

__all__ = ["Aligned", "aligned", "inversion_point", "map_correlation", "mutual_correlation"]


class Aligned(NamedTuple):
    """True phases described from the origin and in the hand that trials have.

    Attributes
    ----------
    r
        Agreement of each trial, float32 (T,).
    true
        Phasors of the true phases, as the trial would have them if it were right, complex64 (T, U).
    """

    r: Tensor
    true: Tensor


def map_correlation(
    grid: ReflectionGrid, f: Tensor, true: Tensor, amplitudes: Tensor, *, by_multiplicity: bool = False
) -> Tensor:
    """r of trials against true structure factors, float32 (T,).

    Parameters
    ----------
    grid
        Group and reflections.
    f
        Structure factors whose phases are scored, complex64 (T, U).
    true
        True structure factors of one crystal (U,), or of as many as there are rows; only their phases count.
    amplitudes
        |F| (U,) or (T, U): the weights, 0 where nothing was measured.
    by_multiplicity
        Weigh by the number of equivalents too: the correlation of the two maps. Otherwise as in the papers.
    """
    weight = torch.atleast_2d(amplitudes).double().square()
    if by_multiplicity:
        weight = weight * torch.from_numpy(grid.multiplicity).to(weight.device)
    return aligned(grid, f, true, weight).r


def mutual_correlation(grid: ReflectionGrid, f: Tensor, amplitudes: Tensor) -> Tensor:
    """r of each trial with each other one, float32 (T, T); parameters as in `map_correlation`."""
    i, j = torch.triu_indices(len(f), len(f), 1)
    r = torch.eye(len(f), device=f.device)
    r[i, j] = r[j, i] = map_correlation(grid, f[i], f[j], amplitudes)
    return r


def aligned(grid: ReflectionGrid, f: Tensor, true: Tensor, weight: Tensor) -> Aligned:
    """The best origin and hand of each trial; `weight` (1 or T, U), the rest as in `map_correlation`."""
    weight = weight.double() / weight.double().sum(dim=1, keepdim=True).clamp(min=1e-300)
    phasor, answer = _phasors(f), _phasors(torch.atleast_2d(true)).expand(len(f), -1)
    hands = [answer]
    centre = inversion_point(grid.group)
    if centre is not None and not grid.group.centrosymmetric:
        turn = torch.from_numpy(np.exp(4j * np.pi * (grid.hkl @ np.array(centre)))).to(answer.device)
        hands.append(answer.conj() * turn)
    origins = permissible_origins(grid.group)
    index = grid.hkl @ origins.directions.T
    best = torch.full((len(f),), -2.0, dtype=torch.float64, device=f.device)
    found = answer
    for hand in hands:
        for shift in origins.shifts:
            angle = torch.from_numpy(-2.0 * np.pi * (grid.hkl @ shift)).to(f.device)
            moved = hand * torch.polar(torch.ones_like(angle), angle)
            r, turns = _along(phasor * moved.conj() * weight, index)
            if turns is not None:
                moved = moved * torch.polar(torch.ones_like(turns), turns)
            found = torch.where((r > best)[:, None], moved, found)
            best = torch.maximum(best, r)
    return Aligned(best.float(), found.to(torch.complex64))


def _phasors(f: Tensor) -> Tensor:
    size = f.abs()
    return torch.where(size > 0, f / size.clamp(min=1e-30), torch.zeros_like(f)).to(torch.complex128)


def _along(terms: Tensor, index: I64) -> tuple[Tensor, Tensor | None]:
    """max of Re Σ terms·exp(2πi k·y) over p free directions, k (U, p); also the angles −2πk·y (T, U).

    A Fourier transform, then ever smaller steps.
    """
    if index.shape[1] == 0:
        return terms.real.sum(dim=1), None
    shape = tuple(int(4 * t + 4) for t in np.abs(index).max(axis=0))
    flat = np.ravel_multi_index(tuple((index % np.array(shape)).T), shape)
    total = torch.zeros(len(terms), int(np.prod(shape)), dtype=terms.dtype, device=terms.device)
    total.index_add_(1, torch.from_numpy(flat).to(terms.device), terms)
    score = torch.fft.ifftn(total.reshape(-1, *shape), dim=tuple(range(1, len(shape) + 1)), norm="forward")
    best, at = score.real.flatten(1).max(dim=1)
    places = np.stack(np.unravel_index(at.cpu().numpy(), shape), axis=1) / np.array(shape)
    place = torch.from_numpy(places).to(terms.device)
    turns = 2.0 * np.pi * torch.from_numpy(index).double().to(terms.device)
    for step in (0.5, 0.25, 0.125):
        for axis, size in enumerate(shape):
            for sign in (-1.0, 1.0):
                moved = place.clone()
                moved[:, axis] += sign * step / size
                value = (terms * torch.exp(1j * (moved @ turns.T))).real.sum(dim=1)
                better = value > best
                place, best = torch.where(better[:, None], moved, place), torch.maximum(best, value)
    return best, -(place @ turns.T)


@lru_cache(maxsize=256)
def inversion_point(group: SpaceGroup) -> tuple[float, float, float] | None:
    """A point through which the inverted structure has the same space group; null in the 22 chiral types.

    Inversion at s takes (R, t) to (R, −t + 2(I − R)s), which must be an operator of the group again.
    """
    known = {_key(r, t) for r, t in zip(group.rotations, group.translations, strict=True)}
    eighths = sorted(itertools.product(range(8), repeat=3), key=sum)
    for point in eighths:
        s = np.array(point) / 16.0
        moved = (
            (r, -t + 2.0 * (np.eye(3) - r) @ s)
            for r, t in zip(group.rotations, group.translations, strict=True)
        )
        if all(_key(r, t) in known for r, t in moved):
            return float(s[0]), float(s[1]), float(s[2])
    return None


def _key(rotation: F64, shift: F64) -> tuple[bytes, tuple[int, ...]]:
    steps = np.rint(np.asarray(shift) * 48.0).astype(int) % 48
    return np.asarray(rotation, dtype=np.int64).tobytes(), tuple(steps.tolist())
