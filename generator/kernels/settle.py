"""Kernel that moves the atoms of a filled cell to better places nearby.

Atoms are placed one after another, so the first know nothing of the last. Here every atom on a general
position is taken out in turn and put where it was or at one of some places nearby, with a probability
proportional to the product of the g, as when it was placed. Moves become smaller from sweep to sweep.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from xtalpriors.generator.counters import GENERAL
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.fill import expand
from xtalpriors.generator.kernels.neighbours import beyond, reach_of, score_of
from xtalpriors.generator.kernels.random import (
    ONE,
    THREE,
    TWO,
    bounded,
    position,
    reserve,
    set_position,
    unit,
)

__all__ = ["MOST_NEAR", "settle"]

MOST_NEAR = 1024
"""Room for the neighbours of an atom; some sixty are usual."""


@kernel()
def _collect(x, y, z, first, last, found, workspace, metric, square_max, reach):
    """Write the vectors from images first … last − 1 to (x, y, z) behind the first `found`; returns their
    number."""
    images, codes, near = workspace.images, workspace.element_of_image, workspace.near
    g00, g11, g22, g12, g02, g01 = metric
    reach_x, reach_y, reach_z, nx, ny, nz = reach
    for j in range(np.uint64(first), np.uint64(last)):
        nearest_x = np.float32(np.int32(x - images[0, j]))
        nearest_y = np.float32(np.int32(y - images[1, j]))
        nearest_z = np.float32(np.int32(z - images[2, j]))
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
                    if plane + dz * (along + g22 * dz) < square_max and found < MOST_NEAR:
                        near[0, found], near[1, found], near[2, found] = dx, dy, dz
                        workspace.element_near[found] = codes[j]
                        found += 1
    return found


@kernel()
def _score_near(dx, dy, dz, e, found, workspace, metric, neighbours):
    """Score of an atom of element e that is moved by (dx, dy, dz), against the neighbours collected."""
    n_bins, square_max = neighbours.score.shape[2] - 1, neighbours.square_max
    near, codes = workspace.near, workspace.element_near
    g00, g11, g22, g12, g02, g01 = metric
    total = np.int32(0)
    for k in range(np.uint64(found)):
        u, v, w = near[0, k] + dx, near[1, k] + dy, near[2, k] + dz
        square = u * (g00 * u + g01 * v) + g11 * v * v + w * (g02 * u + g12 * v + g22 * w)
        if square < square_max:
            b = codes[k]
            total += neighbours.score[e, b, min(int(square * neighbours.steps[e, b]), n_bins)]
    return total


@kernel()
def _displacement(size, frame, stream):
    """A vector in a cube of ± size Å, in fixed-point units."""
    p = reserve(stream, position(stream), 3)
    dx, dy = size * (2.0 * unit(stream, p) - 1.0), size * (2.0 * unit(stream, p + ONE) - 1.0)
    dz = size * (2.0 * unit(stream, p + TWO) - 1.0)
    set_position(stream, p + THREE)
    f00, f01, f02, f11, f12, f22 = frame.fractional
    return np.int64(f00 * dx + f01 * dy + f02 * dz), np.int64(f11 * dy + f12 * dz), np.int64(f22 * dz)


@kernel()
def _move(i, size, n_images, neighbours, symmetry, workspace, frame, reach, wide, square, stream):
    """Choose among the place of atom i and some nearby; returns the score of the place."""
    rotations, translations, n_pure = symmetry
    atoms, metric, images = workspace.atoms, frame.metric, workspace.images
    first, last = workspace.first_image[i], workspace.first_image[i + 1]
    e = workspace.element_of_atom[i]
    x0, y0, z0 = atoms[i, 0], atoms[i, 1], atoms[i, 2]
    found = _collect(x0, y0, z0, 0, first, 0, workspace, metric, square, wide)
    found = _collect(x0, y0, z0, last, n_images, found, workspace, metric, square, wide)
    best, bare, bx, by, bz = np.int32(-(2**30)), np.int32(0), x0, y0, z0
    for turn in range(neighbours.moves + 1):
        dx = dy = dz = np.int64(0)
        if turn > 0:
            dx, dy, dz = _displacement(size, frame, stream)
        noise = neighbours.noise[bounded(stream, neighbours.noise.size)]
        score = _score_near(
            np.float32(dx), np.float32(dy), np.float32(dz), e, found, workspace, metric, neighbours
        )
        x, y, z = x0 + dx, y0 + dy, z0 + dz
        expand(x, y, z, rotations, translations, images, first)
        score += score_of(x, y, z, e, first + n_pure, last, workspace, metric, neighbours, reach) // 2
        if score + noise > best:
            best, bare, bx, by, bz = score + noise, score, x, y, z
    atoms[i, 0], atoms[i, 1], atoms[i, 2] = bx, by, bz
    expand(bx, by, bz, rotations, translations, images, first)
    return bare


@kernel()
def settle(neighbours, symmetry, workspace, n_atoms, n_images, frame, reach, stream):
    """Move the atoms on general positions, `sweeps` times each; returns the lowest score in the end."""
    worst = np.int32(0)
    for sweep in range(neighbours.sweeps):
        size = neighbours.move * (neighbours.sweeps - sweep) / neighbours.sweeps
        cutoff = neighbours.cutoff + math.sqrt(3.0) * size
        wide = reach_of(cutoff, frame.reciprocal)
        square = np.float32(cutoff * cutoff)
        worst = np.int32(0)
        for i in range(n_atoms):
            if workspace.atoms[i, 3] // 256 == GENERAL:
                score = _move(
                    i, size, n_images, neighbours, symmetry, workspace, frame, reach, wide, square, stream
                )
                worst = min(worst, score)
    return worst
