"""Kernels that pack rigid bodies: the cell shrinks or expands until they touch.

A body is a molecule or a single atom, with a centre in fractional coordinates and atoms at Cartesian offsets
from it. When a length of the cell changes, the centres move with the cell and the bodies stay rigid. The
vector between two atoms is then v(t) = p + t·q, with t the factor on the length (or on all three), and they
are nearer than R where |p|² + 2t p·q + t²|q|² < R²: between the two roots of a quadratic in t. The smallest
factor without a contact is the largest root over all pairs, so no step by step approach is needed.

The factors of one length alone leave every rotation as it is in the axes of triclinic, monoclinic and
orthorhombic groups, where the matrices of the operators are diagonal.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.specification.kernel_inputs import LATENT

__all__ = ["ALL_AXES", "Bodies", "axes_of", "contract", "new_bodies", "rotate_by_operators", "volume_of"]

ALL_AXES = -1
_ROUNDING = 1e-9
"""How far a contact that is touched already may seem to be broken."""


class Bodies(NamedTuple):
    """Memory for the bodies of one structure."""

    first: I64
    """(n + 1,) body b has the atoms first[b] … first[b + 1] − 1."""
    centre: F64
    """(n, 3) fractional."""
    reach: F64
    """(n,) radius in Å of the sphere about the centre that holds the atoms and their contacts."""
    element: I64
    """(m,) atomic numbers."""
    rest: F64
    """(m, 3) offsets in Å as in the library."""
    offset: F64
    """(order, m, 3) offsets in Å in each image of the body."""
    lengths: F64
    """(3,) of the cell while it shrinks and expands, Å."""
    latent: F64
    """What is drawn together with the cell."""
    shape: F64
    """(3,) lengths whose ratios the cell begins with, Å."""
    best_centre: F64
    best_offset: F64
    best_lengths: F64
    """`centre`, `offset[0]` and `lengths` of the best placement so far."""
    quaternion: F64
    """(4,) rotation of one body."""
    stuck: Bool
    """(3,) whether bodies touch along an axis."""


def new_bodies(n_atoms: int, n_bodies: int, order: int) -> Bodies:
    """Memory for structures of up to `n_atoms` atoms in `n_bodies` bodies."""
    return Bodies(
        np.zeros(n_bodies + 1, np.int64),
        np.empty((n_bodies, 3)),
        np.empty(n_bodies),
        np.empty(n_atoms, np.int64),
        np.empty((n_atoms, 3)),
        np.empty((order, n_atoms, 3)),
        np.empty(3),
        np.empty(LATENT),
        np.empty(3),
        np.empty((n_bodies, 3)),
        np.empty((n_atoms, 3)),
        np.empty(3),
        np.empty(4),
        np.zeros(3, np.bool_),
    )


@kernel()
def axes_of(cell):
    """Unit vectors along a, b and c (a along x, b in the xy plane) as ((ax,), (bx, by), (cx, cy, cz))."""
    _, _, _, ca, cb, cg = cell
    sg = math.sqrt(1.0 - cg * cg)
    cy = (ca - cb * cg) / sg
    return cg, sg, cb, cy, math.sqrt(1.0 - cb * cb - cy * cy)


@kernel(forceinline=True)
def volume_of(lengths, axes):
    """Volume in Å³ of a cell with lengths (3,) along `axes_of`."""
    return lengths[0] * lengths[1] * lengths[2] * axes[1] * axes[4]


@kernel(forceinline=True)
def _cartesian(x, y, z, axes):
    """x·a + y·b + z·c of the unit vectors."""
    bx, by, cx, cy, cz = axes
    return x + y * bx + z * cx, y * by + z * cy, z * cz


@kernel()
def rotate_by_operators(bodies, n_atoms, symmetry, axes):
    """Offsets of every image from those under the identity, `offset[0]`."""
    rotations = symmetry.rotations
    bx, by, cx, cy, cz = axes
    for k in range(1, rotations.shape[1]):
        for a in range(n_atoms):
            dx, dy, dz = bodies.offset[0, a, 0], bodies.offset[0, a, 1], bodies.offset[0, a, 2]
            z = dz / cz
            y = (dy - z * cy) / by
            x = dx - y * bx - z * cx
            # the operators of these groups change signs alone
            x, y, z = rotations[0, k] * x, rotations[4, k] * y, rotations[8, k] * z
            bodies.offset[k, a, 0], bodies.offset[k, a, 1], bodies.offset[k, a, 2] = _cartesian(x, y, z, axes)


@kernel()
def _raised(bodies, a, b, k, p, q, best, high, packed):
    """`best`, or the largest root below `high` of any pair of atoms of body a and image k of body b."""
    px, py, pz = p
    qx, qy, qz = q
    qq = qx * qx + qy * qy + qz * qz
    for i in range(bodies.first[a], bodies.first[a + 1]):
        ex = px - bodies.offset[0, i, 0]
        ey = py - bodies.offset[0, i, 1]
        ez = pz - bodies.offset[0, i, 2]
        one = bodies.element[i]
        for j in range(bodies.first[b], bodies.first[b + 1]):
            vx, vy, vz = ex + bodies.offset[k, j, 0], ey + bodies.offset[k, j, 1], ez + bodies.offset[k, j, 2]
            r2 = packed.contact2[one, bodies.element[j]]
            half = qx * vx + qy * vy + qz * vz
            rest = vx * vx + vy * vy + vz * vz - r2
            now = qq * best * best + 2.0 * half * best + rest
            if now >= 0.0 and qq * best + half >= 0.0:
                continue  # beyond the larger root
            inside = half * half - qq * rest
            if inside <= 0.0:
                continue
            root = (math.sqrt(inside) - half) / qq
            if best < root <= high:
                best = root
    return best


@kernel(forceinline=True)
def _nearest2(p, q, low, high):
    """Smallest |p + t·q|² for low ≤ t ≤ high."""
    px, py, pz = p
    qx, qy, qz = q
    t = -(px * qx + py * qy + pz * qz) / (qx * qx + qy * qy + qz * qz)
    t = min(max(t, low), high)
    x, y, z = px + t * qx, py + t * qy, pz + t * qz
    return x * x + y * y + z * z


@kernel()
def contract(bodies, n_bodies, lengths, axes, axis, low, high, symmetry, packed):
    """Smallest factor t ≥ `low` on one length, or on all (`ALL_AXES`), from which on no contact is broken.

    Parameters
    ----------
    bodies
        `Bodies`, their offsets rotated.
    lengths
        (3,) Å; with a single axis no contact may be broken at t = 1.
    axes
        `axes_of`.
    low, high
        Range of t. With a single axis `high` is 1, and contacts at larger t do not matter; with all axes the
        search ends where t is above `high`.
    """
    r, translations = symmetry.rotations, packed.translations
    bx, by, cx, cy, cz = axes
    # heights of the cell over each length: 1/(L·|a*|)
    height_z = cz
    height_y = by * cz / math.sqrt(cy * cy + cz * cz)
    sa = by * cx - bx * cy
    height_x = by * cz / math.sqrt(by * by * cz * cz + bx * bx * cz * cz + sa * sa)
    best = low
    single = axis != ALL_AXES
    limit = high * (1.0 + _ROUNDING) if single else math.inf
    limit_all = math.inf if single else high
    for a in range(n_bodies):
        for b in range(a, n_bodies):
            reach = bodies.reach[a] + bodies.reach[b]
            mx = reach / (lengths[0] * height_x * (1.0 if axis == 1 or axis == 2 else low))
            my = reach / (lengths[1] * height_y * (1.0 if axis == 0 or axis == 2 else low))
            mz = reach / (lengths[2] * height_z * (1.0 if axis == 0 or axis == 1 else low))
            for k in range(r.shape[1]):
                x = r[0, k] * bodies.centre[b, 0] + translations[0, k] - bodies.centre[a, 0]
                y = r[4, k] * bodies.centre[b, 1] + translations[1, k] - bodies.centre[a, 1]
                z = r[8, k] * bodies.centre[b, 2] + translations[2, k] - bodies.centre[a, 2]
                for nx in range(math.ceil(-x - mx), math.floor(mx - x) + 1):
                    for ny in range(math.ceil(-y - my), math.floor(my - y) + 1):
                        for nz in range(math.ceil(-z - mz), math.floor(mz - z) + 1):
                            if a == b and k == 0 and nx == 0 and ny == 0 and nz == 0:
                                continue
                            fx, fy, fz = (x + nx) * lengths[0], (y + ny) * lengths[1], (z + nz) * lengths[2]
                            p = (0.0, 0.0, 0.0)
                            if axis == 0:
                                p = _cartesian(0.0, fy, fz, axes)
                                q = _cartesian(fx, 0.0, 0.0, axes)
                            elif axis == 1:
                                p = _cartesian(fx, 0.0, fz, axes)
                                q = _cartesian(0.0, fy, 0.0, axes)
                            elif axis == 2:
                                p = _cartesian(fx, fy, 0.0, axes)
                                q = _cartesian(0.0, 0.0, fz, axes)
                            else:
                                q = _cartesian(fx, fy, fz, axes)
                            if q[0] * q[0] + q[1] * q[1] + q[2] * q[2] < 1e-12:
                                continue  # the factor does not move these two
                            if _nearest2(p, q, best, max(best, high)) >= reach * reach:
                                continue
                            best = _raised(bodies, a, b, k, p, q, best, limit, packed)
                            if best > limit_all:
                                return best
    return min(best, high) if single else best
