"""The origin of a space group in a density that was phased in P1, found without knowing the truth.

If the origin is moved to x, F(h) becomes F(h) exp(−2πi h·x), and the right x makes F(hR) = F(h) exp(−2πi h·t)
for every operator (R, t). So x is where Σ F(h)* F(hR) exp(2πi h·t) exp(−2πi (hR − h)·x) is largest, summed
over reflections and operators: one Fourier transform for all points of a grid. Along the free directions of
polar groups the sum is constant, and the origin stays where it happens to be.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64, I64
from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.origin_terms import OriginTerms

__all__ = ["Placed", "place_origin"]


class Placed(NamedTuple):
    """Densities of P1 described from an origin of the group.

    Attributes
    ----------
    f
        Structure factors of the group's unique reflections, averaged over equivalents, complex64 (T, U).
    shift
        Where the origin was in the density of P1, fractions of the cell, float64 (T, 3).
    symmetry
        Mean over the operators of the correlation between the density and its image, −1 to 1, float32 (T,).
        1 in P1, where nothing is asked.
    """

    f: Tensor
    shift: F64
    symmetry: Tensor


def place_origin(grid: ReflectionGrid, f_p1: Tensor) -> Placed:
    """Move densities of P1 to the group's origin and average them over its operators.

    Parameters
    ----------
    grid
        The group's unique reflections; the densities are on `grid.in_p1[0]`.
    f_p1
        Structure factors of P1, complex64 (T, V).
    """
    p1 = grid.in_p1[0]
    terms = grid.origin_terms
    if terms is None:
        shift, symmetry = np.zeros((len(f_p1), 3)), torch.ones(len(f_p1), device=f_p1.device)
    else:
        shift, symmetry = _best(grid, terms, f_p1)
    angle = torch.from_numpy(-2.0 * np.pi * (shift @ p1.hkl.T)).to(f_p1.device).float()
    moved = f_p1 * torch.polar(torch.ones_like(angle), angle)
    return Placed(grid.collect(p1.spread(moved)), shift, symmetry)


def _best(grid: ReflectionGrid, terms: OriginTerms, f: Tensor) -> tuple[F64, Tensor]:
    terms = OriginTerms(*(t.to(f.device) if isinstance(t, Tensor) else t for t in terms))
    second = f[:, terms.second]
    second = torch.where(terms.conjugate, second.conj(), second)
    values = f[:, terms.first].conj() * second * terms.turn
    placed = values[:, terms.of_term]
    placed = torch.where(terms.conjugate_place, placed.conj(), placed)
    half = (*terms.shape[:2], terms.shape[2] // 2 + 1)
    total = torch.zeros(len(f), int(np.prod(half)), 2, device=f.device)
    total.index_add_(1, terms.place, torch.view_as_real(placed.resolve_conj().contiguous()))
    # the transform has exp(+2πi g·x): hence conjugates
    summed = torch.view_as_complex(total).conj().reshape(-1, *half)
    score = torch.fft.irfftn(summed, s=terms.shape, dim=(1, 2, 3), norm="forward")
    best = score.flatten(1).argmax(dim=1).cpu().numpy()
    at = np.stack(np.unravel_index(best, terms.shape), axis=1)
    scale = len(terms.first) / f.shape[1]
    norm = scale * f.abs().square().sum(dim=1)
    peak = score.flatten(1).amax(dim=1) / 2.0
    return _refined(score, at, terms.shape), peak / norm.clamp(min=1e-30)


def _refined(score: Tensor, at: I64, shape: tuple[int, int, int]) -> F64:
    """Fractions of the cell: the maximum of a parabola through the neighbours along each axis."""
    result = np.empty((len(at), 3))
    rows = torch.arange(len(at), device=score.device)
    for axis in range(3):
        values = []
        for step in (-1, 0, 1):
            moved = at.copy()
            moved[:, axis] = (moved[:, axis] + step) % shape[axis]
            i, j, k = torch.from_numpy(moved.T).to(score.device)
            values.append(score[rows, i, j, k].double().cpu().numpy())
        low, middle, high = values
        bend = low - 2.0 * middle + high
        offset = np.where(
            bend < -1e-6 * np.abs(middle), 0.5 * (low - high) / np.where(bend == 0, 1.0, bend), 0.0
        )
        result[:, axis] = (at[:, axis] + np.clip(offset, -0.5, 0.5)) / shape[axis]
    return result
