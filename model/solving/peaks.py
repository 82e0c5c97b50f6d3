"""Peaks of a density map: local maxima, their places between the points, one of each set of equivalents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.model.charge_flipping.density_map import DensityMap
from xtalpriors.model.solving.model import nearest_images, site_of

__all__ = ["Peaks", "find_peaks"]

RADIUS_ANGSTROM = 0.7
"""Of the sphere in which a peak is integrated."""
CLOSEST_ANGSTROM = 0.75
"""Of two peaks nearer than this the weaker is dropped."""


class Peaks(NamedTuple):
    """Peaks, the largest product of height and integral first.

    A ripple around a heavy atom has a large integral and little height, noise the contrary.

    Attributes
    ----------
    fract
        (n, 3).
    heights
        Density at the maximum, (n,).
    integrals
        Density summed over a sphere of 0.7 Å, times the volume of a point, (n,).
    weights
        1 / number of operators that keep the site, (n,).
    projections
        (n, 3, 3), as in `model.Atoms`.
    """

    fract: F64
    heights: F64
    integrals: F64
    weights: F64
    projections: F64


def find_peaks(density: DensityMap, most: int, *, smallest: float = 0.0) -> Peaks:
    """The strongest peaks of a map, at most so many, none below a height."""
    values, group, cell = density
    top = maximum_filter(values, size=3, mode="wrap") == values
    top &= values > max(smallest, 0.0)
    places = np.argwhere(top)
    heights = values[top]
    order = np.argsort(-heights, kind="stable")[: (most + 10) * group.order * 2]
    sphere = _sphere(density)
    found: list[tuple[F64, float, float, float, F64]] = []
    accepted = np.zeros((0, 3))
    for place, height in zip(places[order], heights[order], strict=True):
        fract = _between_points(values, place)
        if len(accepted) and nearest_images(group, cell, fract, accepted).min() < CLOSEST_ANGSTROM:
            continue
        site = site_of(group, cell, fract)
        if len(accepted) and nearest_images(group, cell, site.fract, accepted).min() < CLOSEST_ANGSTROM:
            continue
        integral = _integral(values, site.fract, sphere, cell)
        found.append((site.fract, float(height), integral, site.weight, site.projection))
        accepted = np.concatenate([accepted, site.fract[None]])
        if len(found) >= most:
            break
    if not found:
        return Peaks(np.zeros((0, 3)), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros((0, 3, 3)))
    columns = [np.array(column) for column in zip(*found, strict=True)]
    order = np.argsort(-columns[1] * np.maximum(columns[2], 0.0), kind="stable")
    return Peaks(*(column[order] for column in columns))


def _between_points(values: F32, place: I64) -> F64:
    """Fractional coordinates of a maximum, by parabolas along the axes."""
    shape = np.array(values.shape)
    fract = np.empty(3)
    for axis in range(3):
        step = np.eye(3, dtype=np.int64)[axis]
        low, middle, high = (float(values[tuple((place + k * step) % shape)]) for k in (-1, 0, 1))
        bend = low - 2.0 * middle + high
        offset = 0.5 * (low - high) / bend if bend < 0 else 0.0
        fract[axis] = (place[axis] + np.clip(offset, -0.5, 0.5)) / shape[axis]
    return fract


def _sphere(density: DensityMap) -> I64:
    """Steps (k, 3) from a point to those within the sphere of integration."""
    values, _, cell = density
    shape = np.array(values.shape)
    reciprocal = cell.reciprocal()
    reach = np.ceil(RADIUS_ANGSTROM * np.array([reciprocal.a, reciprocal.b, reciprocal.c]) * shape).astype(
        int
    )
    steps = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1).reshape(
        -1, 3
    )
    away = (steps / shape) @ cell.orthogonalization.T
    inside: I64 = steps[(away**2).sum(axis=1) <= RADIUS_ANGSTROM**2]
    return inside


def _integral(values: F32, fract: F64, sphere: I64, cell: UnitCell) -> float:
    shape = np.array(values.shape)
    at = (np.rint(fract * shape).astype(int) + sphere) % shape
    return float(values[at[:, 0], at[:, 1], at[:, 2]].sum() * cell.volume / values.size)
