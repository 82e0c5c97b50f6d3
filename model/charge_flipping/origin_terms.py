"""Terms of the sum whose maximum is the origin of a space group in a density of P1.

They follow from the group and its reflections alone, so that a grid makes them once for all its densities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import I64
from xtalpriors.crystal.scattering.reciprocal import largest_indices
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["OriginTerms", "origin_terms"]

FINER: int = 2
"""Points per axis over those of the density: the sum has twice its highest frequencies."""


class OriginTerms(NamedTuple):
    """The sum's terms: F(first)* · (F(second) or its conjugate) · turn, at places of a finer half grid."""

    first: Tensor
    second: Tensor
    conjugate: Tensor
    turn: Tensor
    place: Tensor
    of_term: Tensor
    conjugate_place: Tensor
    shape: tuple[int, int, int]


def origin_terms(group: SpaceGroup, hkl: I64, grid_shape: tuple[int, int, int]) -> OriginTerms | None:
    """The terms; null where the group has pure translations only.

    Parameters
    ----------
    group
        Space group.
    hkl
        Its whole sphere of reflections without symmetry, one of each Friedel pair, (V, 3).
    grid_shape
        Points of the density's grid.
    """
    shape = (FINER * grid_shape[0], FINER * grid_shape[1], FINER * grid_shape[2])
    # number of a reflection by its indices, −1 outside the sphere; negative indices count from the end
    top = largest_indices(group, hkl)
    numbers = np.full(2 * top + 1, -1, dtype=np.int64)
    numbers[tuple(hkl.T)] = np.arange(len(hkl))
    first, second, conjugate, turn, places = [], [], [], [], []
    for rotation, shift in zip(group.rotations, group.translations, strict=True):
        if np.array_equal(rotation, np.eye(3)):
            continue
        moved = hkl @ rotation
        plus, minus = numbers[tuple(moved.T)], numbers[tuple(-moved.T)]
        there = np.flatnonzero((plus >= 0) | (minus >= 0))
        first.append(there)
        second.append(np.where(plus >= 0, plus, minus)[there])
        conjugate.append(plus[there] < 0)
        turn.append(np.exp(2j * np.pi * (hkl[there] @ shift)))
        places.append((moved - hkl)[there])
    if not first:
        return None
    g = np.concatenate(places)
    # every term with its conjugate at −g, of both what lies in the half grid
    both = np.concatenate([g, -g])
    wrapped = both % np.array(shape)
    kept = np.flatnonzero(wrapped[:, 2] <= shape[2] // 2)
    h, k, l = wrapped[kept].T
    return OriginTerms(
        torch.from_numpy(np.concatenate(first)),
        torch.from_numpy(np.concatenate(second)),
        torch.from_numpy(np.concatenate(conjugate)),
        torch.from_numpy(np.concatenate(turn).astype(np.complex64)),
        torch.from_numpy((h * shape[1] + k) * (shape[2] // 2 + 1) + l),
        torch.from_numpy(kept % len(g)),
        torch.from_numpy(kept >= len(g)),
        shape,
    )
