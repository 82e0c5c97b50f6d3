"""Kernel that occupies special positions, before any other atom (section 3.5 of Melgalvis & Reķis 2026)."""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from xtalpriors.generator.counters import CONTACTS, DROPPED_SPECIAL
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.contact import clash, too_close
from xtalpriors.generator.kernels.fill import NONE, TURN, choose, shells_of
from xtalpriors.generator.kernels.random import uniform

__all__ = ["draw_point", "fill_special", "orbits_wanted", "share_of_position"]


@kernel()
def orbits_wanted(cumulative, p, stream):
    """How many orbits of position p are occupied: 0 or 1 for a point, any number for one with freedom."""
    u = uniform(stream)
    k = 0
    while k < cumulative.shape[1] and u >= cumulative[p, k]:
        k += 1
    return k


@kernel()
def share_of_position(orbits, letters, is_point, stream):
    """How many of the orbits that a Wyckoff set still has fall to one position when `letters` are left.

    Every choice is as likely: of distinct letters for points, of a letter for each orbit otherwise.
    """
    if orbits == 0 or letters == 1:
        return orbits
    if is_point:
        return 1 if uniform(stream) * letters < orbits else 0
    here = 0
    for _ in range(orbits):
        if uniform(stream) * letters < 1.0:
            here += 1
    return here


@kernel()
def _fixed(value):
    return np.int64(math.floor(value * TURN + 0.5))


@kernel()
def draw_point(special, p, u, v, w, fract, atom):
    """The point of position p with free coordinates u, v, w into fract[atom]; and the same in fixed point."""
    for i in range(3):
        value = special.linear[p, 3 * i] * u + special.linear[p, 3 * i + 1] * v
        value += special.linear[p, 3 * i + 2] * w + special.constant[p, i]
        fract[atom, i] = value - math.floor(value)
    return _fixed(fract[atom, 0]), _fixed(fract[atom, 1]), _fixed(fract[atom, 2])


@kernel()
def _place(special, p, tries, limit, symmetry, images, n_images, metric, near, fract, atom, stream):
    """Place one atom on position p, nearer than √limit to no other image and to none of its own.

    The pure lattice translations of the atom onto itself are left out; a point without freedom is tried once.
    The distinct images are written behind the first `n_images`. Returns (found, x, y, z).
    """
    r, t, n_pure = symmetry
    last = n_images + special.multiplicity[p]
    for _ in range(tries if special.freedom[p] > 0 else 1):
        u = v = w = 0.0
        if special.freedom[p] > 0:
            u, v, w = uniform(stream), uniform(stream), uniform(stream)
        x, y, z = draw_point(special, p, u, v, w, fract, atom)
        if too_close(x, y, z, images, NONE, n_images, metric, limit, near):
            continue
        for j in range(n_images, last):
            k = special.cosets[p, j - n_images]
            images[0, j] = np.int32(r[0, k] * x + r[1, k] * y + r[2, k] * z + t[0, k])
            images[1, j] = np.int32(r[3, k] * x + r[4, k] * y + r[5, k] * z + t[1, k])
            images[2, j] = np.int32(r[6, k] * x + r[7, k] * y + r[8, k] * z + t[2, k])
        if not too_close(x, y, z, images, n_images + n_pure, last, metric, limit, near):
            return True, x, y, z
    return False, np.int64(0), np.int64(0), np.int64(0)


@kernel()
def fill_special(
    special, table, tries, limits, gap_high, symmetry, workspace, frame, fract, first, counters, stream
):
    """Occupy the special positions of one structure.

    `limits` are the squared minimum distance, which is kept, and the `rule` of `clash`, whose violations are
    only counted. Returns the numbers of atoms and of images placed, and the largest covalent radius.
    """
    limit, rule = limits
    metric, reciprocal, _ = frame
    images, radii, atoms, atom_radii = workspace[:4]
    n_pure = symmetry.n_pure
    n_atoms, n_images, radius_max = 0, 0, 0.0
    near = shells_of(math.sqrt(limit), reciprocal)
    pattern, left = -1, 0  # -1: the positions are occupied independently
    if special.patterns.size > 0:
        pattern = choose(special.patterns, stream)
    for p in range(special.freedom.size):
        if pattern < 0:
            wanted = orbits_wanted(special.cumulative, p, stream)
        else:
            if p == 0 or special.set_number[p] != special.set_number[p - 1]:
                left = special.pattern_orbits[pattern, special.set_number[p]]
            wanted = share_of_position(left, special.letters_left[p], special.freedom[p] == 0, stream)
            left -= wanted
        for _ in range(wanted):
            e = choose(table.cumulative, stream)
            found, x, y, z = _place(
                special, p, tries, limit, symmetry, images, n_images, metric, near, fract,
                first + n_atoms, stream,
            )  # fmt: skip
            if not found:
                counters[DROPPED_SPECIAL] += 1
                continue
            last = n_images + special.multiplicity[p]
            radius = table.radius[e]
            radius_max = max(radius_max, radius)
            r = np.float32(radius)
            radii[n_images:last] = r
            if radius > 0.0:  # radii are zero where no molecules are made
                far = shells_of(gap_high * (radius + radius_max), reciprocal)
                broken = clash(x, y, z, r, images, radii, NONE, n_images, metric, rule, far)
                if broken or clash(x, y, z, r, images, radii, n_images + n_pure, last, metric, rule, far):
                    counters[CONTACTS] += 1
            atoms[n_atoms, 0], atoms[n_atoms, 1], atoms[n_atoms, 2] = x, y, z
            atoms[n_atoms, 3] = table.atomic_number[e] + 256 * p
            atom_radii[n_atoms] = radius
            n_images = last
            n_atoms += 1
    return n_atoms, n_images, radius_max
