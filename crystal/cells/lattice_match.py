"""Whether two lattices are the same within tolerances, whatever reduced bases they were given in.

Reduced cells jump: two measurements of one nearly rectangular lattice may come as a type I and a type II
Niggli cell, and near a tie of lengths the axes swap. So cells are not compared parameter by parameter. Two
lattices match when the second has *some* basis with lengths and angles near those of the first one's Niggli
basis; that statement does not depend on which of the equivalent reduced bases either came in.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.crystal.cells.determinant import determinant

__all__ = ["LATTICE_TOLERANCE", "has_matching_basis", "lattices_match", "may_match"]


LATTICE_TOLERANCE = (0.03, 2.0, 0.05)
"""Relative difference of lengths, difference of angles in degrees, relative difference of volumes."""

_MAX_CANDIDATES = 32
_determinant = kernel()(determinant)


def lattices_match(
    first: npt.ArrayLike, second: npt.ArrayLike, tolerance: tuple[float, float, float] = LATTICE_TOLERANCE
) -> bool:
    """Whether two primitive reduced cells describe one lattice.

    Parameters
    ----------
    first, second
        (6,) Niggli cells, Å and degrees.
    tolerance
        Lengths (relative), angles (degrees), volumes (relative).
    """
    metric = metric_tensors(np.array([first, second], dtype=np.float64))
    volumes = np.sqrt(np.linalg.det(metric))
    if not volumes.max() <= volumes.min() * (1.0 + tolerance[2]):
        return False
    return bool(has_matching_basis(metric[0], metric[1], tolerance[0], math.radians(tolerance[1])))


@kernel(nogil=True)
def may_match(first: F64, second: F64, lengths: float) -> bool:
    """Whether the lengths of two reduced cells let their lattices match; arguments as `has_matching_basis`.

    Those of a reduced cell are the successive minima of its lattice, so that no basis of the second lattice
    has shorter ones. Most pairs of crystals are told apart here, at a hundredth of the cost.
    """
    longest = (1.0 + lengths) * (1.0 + 1e-6)
    squared = longest * longest
    return bool(
        second[0, 0] <= squared * first[0, 0]
        and second[1, 1] <= squared * first[1, 1]
        and second[2, 2] <= squared * first[2, 2]
    )


@kernel(nogil=True)
def has_matching_basis(first: F64, second: F64, lengths: float, angles: float) -> bool:
    """Whether the lattice of metric tensor `second` has a basis like that of `first`.

    Both (3, 3), of reduced cells: vectors of length up to that of c have coefficients up to 2. `lengths` is
    relative, `angles` in radians.
    """
    vectors = np.empty((3, _MAX_CANDIDATES, 3), dtype=np.int64)
    count = np.zeros(3, dtype=np.int64)
    target = np.empty(3)
    for k in range(3):
        target[k] = math.sqrt(first[k, k])
    for h in range(-2, 3):
        for k in range(-2, 3):
            for l in range(-2, 3):
                if h == 0 and k == 0 and l == 0:
                    continue
                length = math.sqrt(max(_dot(second, h, k, l, h, k, l), 0.0))
                for axis in range(3):
                    # −v is as good as v for the first axis: half of the vectors will do there.
                    if axis == 0 and (h < 0 or (h == 0 and (k < 0 or (k == 0 and l < 0)))):
                        continue
                    if abs(length - target[axis]) <= lengths * target[axis] and count[axis] < _MAX_CANDIDATES:
                        vectors[axis, count[axis], 0] = h
                        vectors[axis, count[axis], 1] = k
                        vectors[axis, count[axis], 2] = l
                        count[axis] += 1
    alpha = _angle(first[1, 2], target[1] * target[2])
    beta = _angle(first[0, 2], target[0] * target[2])
    gamma = _angle(first[0, 1], target[0] * target[1])
    for i in range(count[0]):
        u = vectors[0, i]
        for j in range(count[1]):
            v = vectors[1, j]
            if abs(_between(second, u, v) - gamma) > angles:
                continue
            for n in range(count[2]):
                w = vectors[2, n]
                if (
                    abs(_between(second, u, w) - beta) > angles
                    or abs(_between(second, v, w) - alpha) > angles
                ):
                    continue
                if abs(_determinant(u, v, w)) == 1:
                    return True
    return False


@kernel(nogil=True)
def _dot(g: F64, h: int, k: int, l: int, p: int, q: int, r: int) -> float:
    product: float = (
        h * (g[0, 0] * p + g[0, 1] * q + g[0, 2] * r)
        + k * (g[1, 0] * p + g[1, 1] * q + g[1, 2] * r)
        + l * (g[2, 0] * p + g[2, 1] * q + g[2, 2] * r)
    )
    return product


@kernel(nogil=True)
def _angle(product: float, lengths: float) -> float:
    return math.acos(min(1.0, max(-1.0, product / lengths)))


@kernel(nogil=True)
def _between(g: F64, u: I64, v: I64) -> float:
    product = _dot(g, u[0], u[1], u[2], v[0], v[1], v[2])
    lengths = math.sqrt(
        _dot(g, u[0], u[1], u[2], u[0], u[1], u[2]) * _dot(g, v[0], v[1], v[2], v[0], v[1], v[2])
    )
    angle: float = _angle(product, lengths)
    return angle
