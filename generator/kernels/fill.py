"""Kernels that place one atom: section 3.5 of Melgalvis & Reķis 2026. `reference.reference` says the
same in plain NumPy.

Positions are fixed-point numbers, int64 in units of 2^-32 of an axis: the whole part keeps a molecule in one
piece, the low 32 bits are what the distance tests look at. Applying a symmetry operator is integer
arithmetic, exact modulo a lattice translation. Functions take few arrays, because a call costs its arguments.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F32, F64, I32, I64, U8
from xtalpriors.generator.kernels.arithmetic import chosen
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.contact import clash, shells, too_close
from xtalpriors.generator.kernels.random import (
    ONE,
    THREE,
    TWO,
    position,
    reserve,
    scaled,
    set_position,
    uniform,
    unit,
    word,
)

__all__ = [
    "GUARD",
    "NONE",
    "TURN",
    "Frame",
    "Workspace",
    "choose",
    "choose_other",
    "direction",
    "expand",
    "frame_of",
    "place_molecular",
    "place_random",
    "shells_of",
]

TURN = 2.0**32
"""Fixed-point units of one lattice translation."""

GUARD = 5e-6
"""Relative margin on every distance limit, above the rounding of float32 squares (1e-6 in oblique cells):
what a kernel accepts keeps the rule in float64 too."""

NONE = np.int64(0)
"""Zero images, as int64: a plain 0 is a type of its own, for which every function would be compiled again."""

_SPHERE_TRIES = 64


class Workspace(NamedTuple):
    """Memory for one structure while it grows."""

    images: I32
    """(3, m) fixed-point coordinates of all atoms and their symmetry images, in the order of placing."""
    radii: F32
    """(m,) covalent radius of each image in Å."""
    atoms: I64
    """(n, 4) fixed-point coordinates of each atom, and its atomic number + 256 · number of its position."""
    atom_radii: F64
    """(n,) covalent radius of each atom in Å."""
    latent: F64
    """What was drawn together with the cell."""
    element_of_image: U8
    """(m,) row of each image's element in the tables of neighbours."""
    element_of_atom: U8
    """(n,) the same of each atom."""
    first_image: I64
    """(n + 1,) the images of atom k are first_image[k] … first_image[k + 1] − 1."""
    free_bonds: I64
    """(n,) bonds that each atom has left."""
    near: F32
    """(3, k) vectors to an atom from its neighbours, fixed-point units."""
    element_near: U8
    """(k,) rows of the elements of these neighbours."""
    bond: F64
    """(n, 3) unit vector along one bond of each atom; 0 where it has none."""
    orbits: I64
    """(p,) orbits of each special position that are to be occupied."""


class Frame(NamedTuple):
    """What distances and bonds need of a cell."""

    metric: tuple[np.float32, np.float32, np.float32, np.float32, np.float32, np.float32]
    """g00, g11, g22, 2·g12, 2·g02, 2·g01 in Å²·2^-64."""
    reciprocal: tuple[float, float, float]
    """|a*|, |b*|, |c*| in Å⁻¹."""
    fractional: tuple[float, float, float, float, float, float]
    """The upper-triangular elements 00, 01, 02, 11, 12, 22 of the matrix that takes Cartesian vectors in Å to
    fractional ones in fixed-point units (a along x, b in the xy plane)."""


@kernel()
def frame_of(cell, volume):
    """The `Frame` of a cell: a, b, c in Å and the cosines of its angles; volume in Å³."""
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
    return Frame(metric, reciprocal, fractional)


@kernel()
def shells_of(cutoff, reciprocal):
    """Images along each axis that can lie within a cutoff in Å."""
    a, b, c = reciprocal
    return shells(cutoff, a), shells(cutoff, b), shells(cutoff, c)


@kernel()
def choose(cumulative, stream):
    """Number of an element in its table (step 1 of random filling, step 3 of molecules)."""
    return chosen(cumulative, uniform(stream))


@kernel()
def choose_other(cumulative, taken, stream):
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


@kernel()
def expand(x, y, z, rotations, translations, images, first):
    """Write the images of (x, y, z) under every operator to images[:, first:first + n]."""
    x, y, z = np.int32(x), np.int32(y), np.int32(z)
    r, t = rotations, translations
    for k in range(np.uint64(t.shape[1])):
        j = np.uint64(first) + k
        images[0, j] = np.int32(r[0, k] * x + r[1, k] * y + r[2, k] * z + t[0, k])
        images[1, j] = np.int32(r[3, k] * x + r[4, k] * y + r[5, k] * z + t[1, k])
        images[2, j] = np.int32(r[6, k] * x + r[7, k] * y + r[8, k] * z + t[2, k])


@kernel()
def place_random(tries, limit, symmetry, images, n_images, metric, n_shells, stream):
    """Steps 2 and 3 of random filling: uniform coordinates, tried until no image is nearer than √limit
    (float32).

    The images of the accepted point are written behind the first `n_images`. Returns (found, x, y, z).
    """
    rotations, translations, n_pure = symmetry
    n = translations.shape[1]
    x = y = z = np.int64(0)
    p = position(stream)
    found = False
    for _ in range(tries):
        p = reserve(stream, p, 3)
        x, y, z = word(stream, p), word(stream, p + ONE), word(stream, p + TWO)
        p += THREE
        if too_close(x, y, z, images, NONE, n_images, metric, limit, n_shells):
            continue
        expand(x, y, z, rotations, translations, images, n_images)
        if not too_close(x, y, z, images, n_images + n_pure, n_images + n, metric, limit, n_shells):
            found = True
            break
    set_position(stream, p)
    return found, x, y, z


@kernel(forceinline=True)
def direction(stream, p):
    """A point uniform on the unit sphere, without trigonometry (Marsaglia 1972, doi
    10.1214/aoms/1177692644)."""
    for _ in range(_SPHERE_TRIES):
        p = reserve(stream, p, 2)
        u, v = 2.0 * unit(stream, p) - 1.0, 2.0 * unit(stream, p + ONE) - 1.0
        p += TWO
        s = u * u + v * v
        if s < 1.0:
            q = 2.0 * math.sqrt(1.0 - s)
            return u * q, v * q, 1.0 - 2.0 * s, p
    return 0.0, 0.0, 1.0, p


@kernel(forceinline=True)
def _steps(value):
    """Fixed-point steps, truncated (towards zero: a shift of 2^-32 of an axis at most)."""
    return np.int64(value)


@kernel()
def place_molecular(
    tries, bond, rule, radius, symmetry, workspace, n_partners, n_images, frame, n_shells, stream
):  # fmt: skip
    """Steps 4 to 6 for one element: bonded to one of the first `n_partners` atoms; where that is 0, anywhere.

    `rule` is that of `clash`, `bond` the range of a bond length over R_A + R_i. The images of the accepted
    point are written behind the first `n_images`. Returns (found, x, y, z).
    """
    rotations, translations, n_pure = symmetry
    images, radii, atoms, atom_radii = workspace[:4]
    low, high = bond
    metric = frame.metric
    f00, f01, f02, f11, f12, f22 = frame.fractional
    r = np.float32(radius)
    n = translations.shape[1]
    x = y = z = np.int64(0)
    found = False
    p = position(stream)
    for _ in range(tries):
        p = reserve(stream, p, 3)
        if n_partners == 0:
            x, y, z = word(stream, p), word(stream, p + ONE), word(stream, p + TWO)
            p += THREE
        else:
            a = np.uint64(scaled(stream, p, n_partners))  # step 4
            length = (low + unit(stream, p + ONE) * (high - low)) * (atom_radii[a] + radius)
            dx, dy, dz, p = direction(stream, p + TWO)  # step 5
            x = atoms[a, 0] + _steps(length * (f00 * dx + f01 * dy + f02 * dz))
            y = atoms[a, 1] + _steps(length * (f11 * dy + f12 * dz))
            z = atoms[a, 2] + _steps(length * f22 * dz)
        if clash(x, y, z, r, images, radii, NONE, n_images, metric, rule, n_shells):  # step 6
            continue
        expand(x, y, z, rotations, translations, images, n_images)
        for j in range(np.uint64(n_images), np.uint64(n_images + n)):
            radii[j] = r
        if not clash(x, y, z, r, images, radii, n_images + n_pure, n_images + n, metric, rule, n_shells):
            found = True
            break
    set_position(stream, p)
    return found, x, y, z
