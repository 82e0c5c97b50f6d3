"""Kernels that place one atom: section 3.5 of Melgalvis & Reķis 2026. `reference` says the same in plain NumPy.

Positions are fixed-point numbers, int64 in units of 2^-32 of an axis: the whole part keeps a molecule in one
piece, the low 32 bits are what the distance tests look at. Applying a symmetry operator is integer
arithmetic, exact modulo a lattice translation. Functions take few arrays, because a call costs its arguments.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from xtalpriors.generator.kernels_contact import clash, shells, too_close
from xtalpriors.generator.random_numbers import bounded, next_word, uniform

__all__ = ["GUARD", "TURN", "choose", "choose_other", "frame_of", "place_molecular", "place_random", "shells_of"]

TURN = 2.0**32
"""Fixed-point units of one lattice translation."""

GUARD = 5e-6
"""Relative margin on every distance limit, above the rounding of float32 squares (1e-6 in oblique cells): what a
kernel accepts keeps the rule in float64 too."""

_SPHERE_TRIES = 64


@njit(cache=True)
def frame_of(cell, volume):  # type: ignore[no-untyped-def]
    """What distances and bonds need of a cell.

    Returns
    -------
    metric
        float32 g00, g11, g22, 2·g12, 2·g02, 2·g01 in Å²·2^-64.
    reciprocal
        |a*|, |b*|, |c*| in Å⁻¹.
    fractional
        The six upper-triangular elements 00, 01, 02, 11, 12, 22 of the matrix that takes Cartesian vectors in
        Å to fractional ones in fixed-point units (a along x, b in the xy plane).
    """
    a, b, c, ca, cb, cg = cell
    scale = TURN**-2
    metric = (
        np.float32(a * a * scale),
        np.float32(b * b * scale),
        np.float32(c * c * scale),
        np.float32(2.0 * b * c * ca * scale),
        np.float32(2.0 * a * c * cb * scale),
        np.float32(2.0 * a * b * cg * scale),
    )
    sg = math.sqrt(1.0 - cg * cg)
    reciprocal = (
        b * c * math.sqrt(1.0 - ca * ca) / volume,
        a * c * math.sqrt(1.0 - cb * cb) / volume,
        a * b * sg / volume,
    )
    z = volume / (a * b * sg)  # height of c over the ab plane
    y = c * (ca - cb * cg) / sg
    fractional = (
        TURN / a,
        -TURN * cg / (a * sg),
        TURN * (cg * y / sg - c * cb) / (a * z),
        TURN / (b * sg),
        -TURN * y / (b * sg * z),
        TURN / z,
    )
    return metric, reciprocal, fractional


@njit(cache=True)
def shells_of(cutoff, reciprocal):  # type: ignore[no-untyped-def]
    """Images along each axis that can lie within a cutoff in Å."""
    a, b, c = reciprocal
    return shells(cutoff, a), shells(cutoff, b), shells(cutoff, c)


@njit(cache=True)
def choose(cumulative, stream):  # type: ignore[no-untyped-def]
    """Number of an element in its table (step 1 of random filling, step 3 of molecules)."""
    u = uniform(stream)
    k = 0
    while k < cumulative.size - 1 and u >= cumulative[k]:
        k += 1
    return k


@njit(cache=True)
def choose_other(cumulative, taken, stream):  # type: ignore[no-untyped-def]
    """As `choose`, among the elements other than `taken`; -1 where there is no other."""
    if cumulative.size == 1:
        return -1
    before = cumulative[taken - 1] if taken > 0 else 0.0
    share = cumulative[taken] - before
    u = uniform(stream) * (1.0 - share)
    if u >= before:
        u += share
    k = 0
    while k < cumulative.size - 1 and (u >= cumulative[k] or k == taken):
        k += 1
    return k if k != taken else taken - 1


@njit(cache=True)
def _expand(x, y, z, rotations, translations, images, first):  # type: ignore[no-untyped-def]
    """Write the images of (x, y, z) under every operator to images[:, first:first + n]."""
    for k in range(rotations.shape[0]):
        j = np.uint64(first + k)
        r0, r1, r2 = rotations[k, 0], rotations[k, 1], rotations[k, 2]
        r3, r4, r5 = rotations[k, 3], rotations[k, 4], rotations[k, 5]
        r6, r7, r8 = rotations[k, 6], rotations[k, 7], rotations[k, 8]
        images[0, j] = np.int32(r0 * x + r1 * y + r2 * z + translations[k, 0])
        images[1, j] = np.int32(r3 * x + r4 * y + r5 * z + translations[k, 1])
        images[2, j] = np.int32(r6 * x + r7 * y + r8 * z + translations[k, 2])


@njit(cache=True)
def place_random(tries, limit, symmetry, images, n_images, metric, n_shells, stream):  # type: ignore[no-untyped-def]
    """Steps 2 and 3 of random filling: uniform coordinates, tried until no image is nearer than √limit (float32).

    The images of the accepted point are written behind the first `n_images`. Returns (found, x, y, z).
    """
    rotations, translations, n_pure = symmetry
    n = rotations.shape[0]
    for _ in range(tries):
        x, y, z = next_word(stream), next_word(stream), next_word(stream)
        if too_close(x, y, z, images, 0, n_images, metric, limit, n_shells):
            continue
        _expand(x, y, z, rotations, translations, images, n_images)
        if not too_close(x, y, z, images, n_images + n_pure, n_images + n, metric, limit, n_shells):
            return True, x, y, z
    return False, np.int64(0), np.int64(0), np.int64(0)


@njit(cache=True)
def _direction(stream):  # type: ignore[no-untyped-def]
    """A point uniform on the unit sphere, without trigonometry (Marsaglia 1972, doi 10.1214/aoms/1177692644)."""
    for _ in range(_SPHERE_TRIES):
        u, v = 2.0 * uniform(stream) - 1.0, 2.0 * uniform(stream) - 1.0
        s = u * u + v * v
        if s < 1.0:
            q = 2.0 * math.sqrt(1.0 - s)
            return u * q, v * q, 1.0 - 2.0 * s
    return 0.0, 0.0, 1.0


@njit(cache=True)
def _bonded(atoms, partner, length, fractional, stream):  # type: ignore[no-untyped-def]
    """Step 5: the point at a distance `length` from a placed atom, in a random direction."""
    f00, f01, f02, f11, f12, f22 = fractional
    dx, dy, dz = _direction(stream)
    x = atoms[partner, 0] + np.int64(math.floor(length * (f00 * dx + f01 * dy + f02 * dz)))
    y = atoms[partner, 1] + np.int64(math.floor(length * (f11 * dy + f12 * dz)))
    z = atoms[partner, 2] + np.int64(math.floor(length * f22 * dz))
    return x, y, z


@njit(cache=True)
def place_molecular(  # type: ignore[no-untyped-def]
    tries, bond, rule, radius, symmetry, atoms, atom_radii, n_partners,
    images, radii, n_images, metric, fractional, n_shells, stream,
):  # fmt: skip
    """Steps 4 to 6 for one element: bonded to one of the first `n_partners` atoms, or anywhere if there is none.

    `rule` is that of `clash`, `bond` the range of a bond length over R_A + R_i. The images of the accepted
    point are written behind the first `n_images`. Returns (found, x, y, z).
    """
    rotations, translations, n_pure = symmetry
    low, high = bond
    r = np.float32(radius)
    n = rotations.shape[0]
    for _ in range(tries):
        if n_partners == 0:
            x, y, z = next_word(stream), next_word(stream), next_word(stream)
        else:
            partner = bounded(stream, n_partners)
            length = low + uniform(stream) * (high - low)
            length *= atom_radii[partner] + radius
            x, y, z = _bonded(atoms, partner, length, fractional, stream)
        if clash(x, y, z, r, images, radii, 0, n_images, metric, rule, n_shells):
            continue
        _expand(x, y, z, rotations, translations, images, n_images)
        for j in range(n_images, n_images + n):
            radii[j] = r
        if not clash(x, y, z, r, images, radii, n_images + n_pure, n_images + n, metric, rule, n_shells):
            return True, x, y, z
    return False, np.int64(0), np.int64(0), np.int64(0)
