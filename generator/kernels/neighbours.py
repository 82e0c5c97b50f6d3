"""Kernels that score a place by the atoms around it.

The score is the sum over all neighbours of ln g, with g the pair correlation of the two elements in the
bundle. Scores are integers, so that no order of summation changes a choice.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.contact import shift
from xtalpriors.generator.kernels.fill import TURN, shells_of

__all__ = ["beyond", "reach_of", "score_of"]

_ONE = np.float32(1.0)


@kernel(forceinline=True)
def beyond(d, k):
    """The k-th nearest image along an axis, whose nearest one is d away, in fixed-point units."""
    return d - shift(k) * math.copysign(_ONE, d)


@kernel()
def reach_of(cutoff, reciprocal):
    """How far along each axis an image within the cutoff can be, in fixed-point units, and how many such
    images an atom can have along it."""
    a, b, c = reciprocal
    nx, ny, nz = shells_of(cutoff, reciprocal)
    far = np.float32(cutoff * a * TURN), np.float32(cutoff * b * TURN), np.float32(cutoff * c * TURN)
    return far[0], far[1], far[2], nx, ny, nz


@kernel()
def score_of(x, y, z, e, first, last, workspace, metric, neighbours, reach):
    """Score of an atom of element e at (x, y, z) against images first … last − 1.

    Far below zero where one of them is much too near. Images beyond `reach` are not looked at, so that small
    cells, where several images of an atom can be near, cost little more.
    """
    n_bins, hard, square_max = neighbours.score.shape[2] - 1, neighbours.hard, neighbours.square_max
    images, codes = workspace.images, workspace.element_of_image
    g00, g11, g22, g12, g02, g01 = metric
    reach_x, reach_y, reach_z, nx, ny, nz = reach
    total = np.int32(0)
    for j in range(np.uint64(first), np.uint64(last)):
        nearest_x = np.float32(np.int32(x - images[0, j]))
        nearest_y = np.float32(np.int32(y - images[1, j]))
        nearest_z = np.float32(np.int32(z - images[2, j]))
        if abs(nearest_x) > reach_x or abs(nearest_y) > reach_y or abs(nearest_z) > reach_z:
            continue  # the nearest image along an axis is out of reach, and so are all others
        b = codes[j]
        step = neighbours.steps[e, b]
        for kx in range(nx):
            dx = beyond(nearest_x, kx) if kx > 0 else nearest_x
            if abs(dx) > reach_x:
                break
            for ky in range(ny):
                dy = beyond(nearest_y, ky) if ky > 0 else nearest_y
                if abs(dy) > reach_y:
                    break
                plane = dx * (g00 * dx + g01 * dy) + g11 * dy * dy
                along = g02 * dx + g12 * dy
                for kz in range(nz):
                    dz = beyond(nearest_z, kz) if kz > 0 else nearest_z
                    if abs(dz) > reach_z:
                        break
                    square = plane + dz * (along + g22 * dz)
                    if square < square_max:
                        total += neighbours.score[e, b, min(int(square * step), n_bins)]
                        if total < hard:
                            return total
    return total
