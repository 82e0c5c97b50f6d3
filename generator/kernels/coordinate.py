"""Kernels that fill a cell by what was measured of neighbours: the filling `fitted`.

Every atom has some candidate places, most of them at a bond length from an atom that it bonds with. A
place is scored by the sum of ln g over all neighbours, with g the pair correlation of the two elements in
the bundle, and one is taken with a probability proportional to the product of the g (Rosenbluth & Rosenbluth
1955, doi 10.1063/1.1741967): bonds, coordination and contacts come out near those measured, and few atoms
are dropped. Scores are integers, so that no order of summation changes the choice.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from xtalpriors.generator.counters import (
    DROPPED,
    DROPPED_HYDROGEN,
    DROPPED_SPECIAL,
    GENERAL,
    N_HYDROGEN,
    N_TARGET,
)
from xtalpriors.generator.kernels.arithmetic import chosen, draw, draw_row
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.contact import shift
from xtalpriors.generator.kernels.fill import TURN, choose, direction, expand, shells_of
from xtalpriors.generator.kernels.random import (
    ONE,
    THREE,
    TWO,
    bounded,
    position,
    reserve,
    scaled,
    set_position,
    uniform,
    unit,
    word,
)
from xtalpriors.generator.kernels.special import draw_point, orbits_wanted, share_of_position

__all__ = ["fill_fitted"]

_ONE = np.float32(1.0)
_LOWEST = np.int32(-(2**30))
COUNT_TRIES = 40
"""Numbers of sites drawn before the atoms are drawn by their shares."""
COUNT_TOLERANCE = 0.12
"""Part by which the number of atoms may differ from that of the volume per atom drawn with the cell."""
UNLISTED = 0.25
"""Probability to take numbers of sites that are not listed, about that of listed ones to fit the cell."""
PARTNERS = 6
"""Atoms looked at for one that the new atom bonds with."""


@kernel(forceinline=True)
def _beyond(d, k):
    """The k-th nearest image along an axis, whose nearest one is d away, in fixed-point units."""
    return d - shift(k) * math.copysign(_ONE, d)


@kernel()
def _score(x, y, z, e, images, codes, first, last, metric, neighbours, reach):
    """Sum of the scores of all neighbours; far below zero where one of them is much too near.

    Images beyond `reach` (of `_reach`) are not looked at, so that small cells, where several images of an
    atom can be near, cost little more.
    """
    n_bins, hard, square_max = neighbours.score.shape[2] - 1, neighbours.hard, neighbours.square_max
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
            dx = _beyond(nearest_x, kx) if kx > 0 else nearest_x
            if abs(dx) > reach_x:
                break
            for ky in range(ny):
                dy = _beyond(nearest_y, ky) if ky > 0 else nearest_y
                if abs(dy) > reach_y:
                    break
                plane = dx * (g00 * dx + g01 * dy) + g11 * dy * dy
                along = g02 * dx + g12 * dy
                for kz in range(nz):
                    dz = _beyond(nearest_z, kz) if kz > 0 else nearest_z
                    if abs(dz) > reach_z:
                        break
                    square = plane + dz * (along + g22 * dz)
                    if square < square_max:
                        total += neighbours.score[e, b, min(int(square * step), n_bins)]
                        if total < hard:
                            return total
    return total


@kernel()
def _reach(cutoff, reciprocal):
    """How far along each axis an image within the cutoff can be, in fixed-point units, and how many such
    images an atom can have along it."""
    a, b, c = reciprocal
    nx, ny, nz = shells_of(cutoff, reciprocal)
    far = np.float32(cutoff * a * TURN), np.float32(cutoff * b * TURN), np.float32(cutoff * c * TURN)
    return far[0], far[1], far[2], nx, ny, nz


@kernel()
def _partner(neighbours, e, codes_of_atoms, n_atoms, stream, p):
    """An atom that an atom of element e bonds with, or -1 where a few looked at do not."""
    for _ in range(PARTNERS):
        p = reserve(stream, p, 1)
        a = scaled(stream, p, n_atoms)
        p += ONE
        if neighbours.bonded[e, codes_of_atoms[a]]:
            return a, p
    return np.int64(-1), p


@kernel()
def _candidate(neighbours, e, only_bonded, turn, workspace, n_atoms, frame, stream):
    """One place: at a bond length from a partner, or (each fourth time, and without a partner) anywhere."""
    p = position(stream)
    a = np.int64(-1)
    if n_atoms > 0 and (only_bonded or turn % 4 != 3):
        a, p = _partner(neighbours, e, workspace.element_of_atom, n_atoms, stream, p)
    p = reserve(stream, p, 3)
    if a < 0:
        x, y, z = word(stream, p), word(stream, p + ONE), word(stream, p + TWO)
        set_position(stream, p + THREE)
        return not only_bonded, x, y, z
    f00, f01, f02, f11, f12, f22 = frame.fractional
    length = draw_row(neighbours.length[e], workspace.element_of_atom[a], unit(stream, p))
    dx, dy, dz, p = direction(stream, p + ONE)
    set_position(stream, p)
    atoms = workspace.atoms
    x = atoms[a, 0] + np.int64(length * (f00 * dx + f01 * dy + f02 * dz))
    y = atoms[a, 1] + np.int64(length * (f11 * dy + f12 * dz))
    z = atoms[a, 2] + np.int64(length * f22 * dz)
    return True, x, y, z


@kernel()
def _place_general(neighbours, e, hydrogen, symmetry, workspace, placed, frame, reach, stream):
    """Place one atom of element e on the general position; returns whether a place was found.

    While the best place is worse than one without neighbours (a score below 0), more are looked at.
    """
    rotations, translations, n_pure = symmetry
    images, codes = workspace.images, workspace.element_of_image
    n_atoms, n_images = placed
    last = n_images + translations.shape[1]
    best, bx, by, bz = _LOWEST, np.int64(0), np.int64(0), np.int64(0)
    for j in range(n_images, last):
        codes[j] = e
    for turn in range(neighbours.most_candidates):
        if turn >= neighbours.candidates and best >= 0:
            break
        good, x, y, z = _candidate(neighbours, e, hydrogen, turn, workspace, n_atoms, frame, stream)
        if not good:
            continue
        score = neighbours.noise[bounded(stream, neighbours.noise.size)]
        score += _score(x, y, z, e, images, codes, 0, n_images, frame.metric, neighbours, reach)
        if score < neighbours.hard:
            continue
        expand(x, y, z, rotations, translations, images, n_images)
        # an atom and an image of its own are one pair for two atoms
        score += (
            _score(x, y, z, e, images, codes, n_images + n_pure, last, frame.metric, neighbours, reach) // 2
        )
        if score > best:
            best, bx, by, bz = score, x, y, z
    if best < neighbours.hard // 2:
        return False
    expand(bx, by, bz, rotations, translations, images, n_images)
    atoms = workspace.atoms
    atoms[n_atoms, 0], atoms[n_atoms, 1], atoms[n_atoms, 2] = bx, by, bz
    atoms[n_atoms, 3] = neighbours.atomic_number[e] + 256 * GENERAL
    workspace.element_of_atom[n_atoms] = e
    return True


@kernel()
def _place_special(neighbours, special, p, e, symmetry, workspace, placed, frame, reach, fract, atom, stream):
    """Place one atom of element e on special position p; returns whether a place was found."""
    r, t, n_pure = symmetry
    images, codes = workspace.images, workspace.element_of_image
    n_atoms, n_images = placed
    last = n_images + special.multiplicity[p]
    best = _LOWEST
    bu = bv = bw = 0.0
    for j in range(n_images, last):
        codes[j] = e
    for turn in range(neighbours.candidates + 1 if special.freedom[p] > 0 else 2):
        if turn == neighbours.candidates or (special.freedom[p] == 0 and turn == 1):
            u, v, w = bu, bv, bw  # the best of them once more, now to stay
        else:
            u, v, w = uniform(stream), uniform(stream), uniform(stream)
        x, y, z = draw_point(special, p, u, v, w, fract, atom)
        for j in range(n_images, last):
            k = special.cosets[p, j - n_images]
            images[0, j] = np.int32(r[0, k] * x + r[1, k] * y + r[2, k] * z + t[0, k])
            images[1, j] = np.int32(r[3, k] * x + r[4, k] * y + r[5, k] * z + t[1, k])
            images[2, j] = np.int32(r[6, k] * x + r[7, k] * y + r[8, k] * z + t[2, k])
        score = neighbours.noise[bounded(stream, neighbours.noise.size)]
        score += _score(x, y, z, e, images, codes, 0, n_images, frame.metric, neighbours, reach)
        score += (
            _score(x, y, z, e, images, codes, n_images + n_pure, last, frame.metric, neighbours, reach) // 2
        )
        if score > best:
            best, bu, bv, bw = score, u, v, w
        atoms = workspace.atoms
        atoms[n_atoms, 0], atoms[n_atoms, 1], atoms[n_atoms, 2] = x, y, z
    workspace.atoms[n_atoms, 3] = neighbours.atomic_number[e] + 256 * p
    workspace.element_of_atom[n_atoms] = e
    return best >= neighbours.hard // 2


@kernel()
def _choose_element(table, row, neighbours, stream):
    """An element of a set by its share, as its row in the tables of neighbours."""
    u = uniform(stream)
    k = 0
    while k < neighbours.set_size[row] - 1 and u >= table[row, k]:
        k += 1
    return k


@kernel()
def _orbits(special, pattern, p, left, stream):
    """How many orbits of position p are occupied, and how many the pattern leaves for the rest of its set."""
    if pattern < 0:
        return orbits_wanted(special.cumulative, p, stream), 0
    if p == 0 or special.set_number[p] != special.set_number[p - 1]:
        left = special.pattern_orbits[pattern, special.set_number[p]]
    here = share_of_position(left, special.letters_left[p], special.freedom[p] == 0, stream)
    return here, left - here


@kernel()
def _wanted_orbits(special, wanted, stream):
    """Write how many orbits of each special position are occupied; returns how many in all."""
    pattern, left, total = -1, 0, 0
    if special.patterns.size > 0:
        pattern = choose(special.patterns, stream)
    for p in range(special.freedom.size):
        here, left = _orbits(special, pattern, p, left, stream)
        wanted[p] = here
        total += here
    return total


@kernel()
def _fill_special(
    neighbours, special, row, listed, symmetry, workspace, frame, reach, fract, first, counters, stream
):
    """Occupy the special positions wanted; numbers of atoms and images, and their points in the cell."""
    n_atoms, n_images, k, left = 0, 0, -1, 0
    for p in range(special.freedom.size):
        for _ in range(workspace.orbits[p]):
            if listed < 0:
                k = _choose_element(neighbours.special, row, neighbours, stream)
            while listed >= 0 and left == 0:
                k += 1
                left = neighbours.counts_special[listed, k]
            left -= 1
            e = neighbours.set_elements[row, k]
            if not _place_special(
                neighbours, special, p, e, symmetry, workspace, (n_atoms, n_images), frame, reach, fract,
                first + n_atoms, stream,
            ):  # fmt: skip
                counters[DROPPED_SPECIAL] += 1
                continue
            n_images += special.multiplicity[p]
            n_atoms += 1
    return n_atoms, n_images


@kernel()
def _listed_counts(neighbours, row, stream):
    """Numbers of sites of a set, as their row; -1 for those that are not listed."""
    u = uniform(stream)
    for k in range(neighbours.counts_first[row], neighbours.counts_first[row + 1]):
        if u < neighbours.counts_cumulative[k]:
            return k
    return -1


@kernel()
def _set_and_counts(neighbours, share, n_special, wanted, points, order, n_most, stream):
    """A set of elements near this share, and numbers of sites that fit the cell (-1: by the shares).

    The further it looks, the further from the share that was drawn with the cell. `wanted` is the number of
    atoms in the cell, `points` those of them on special positions.
    """
    sets = neighbours.set_cumulative[1 if n_special > 0 else 0]
    tries = COUNT_TRIES if neighbours.counts_cumulative.size > 0 else 0
    for turn in range(tries):
        at = share + (2.0 * uniform(stream) - 1.0) * turn / COUNT_TRIES
        row = chosen(sets, abs(at) if at < 1.0 else 2.0 - at)
        listed = _listed_counts(neighbours, row, stream)
        if listed < 0:
            if uniform(stream) < UNLISTED:
                return row, listed
            continue
        n = on_special = 0
        for k in range(neighbours.set_size[row]):
            n += neighbours.counts_general[listed, k]
            on_special += neighbours.counts_special[listed, k]
        fits = abs(n * order + points - wanted) <= COUNT_TOLERANCE * wanted
        if fits and on_special == n_special and n <= n_most:
            return row, listed
    return chosen(sets, share), -1


@kernel()
def fill_fitted(spec, n_most, n_hydrogen_most, volume, workspace, frame, fract, first, counters, stream):
    """Place all atoms of one structure; returns their number, 0 for an empty one.

    The number of atoms is that of the volume per atom drawn with the cell, those on special positions counted
    by their multiplicity. `n_most` and `n_hydrogen_most` are what the workspace has room for.
    """
    neighbours, special, symmetry = spec.neighbours, spec.special, spec.symmetry
    latent, joint = workspace.latent, spec.cell.joint
    order = symmetry.translations.shape[1]
    reach = _reach(neighbours.cutoff, frame.reciprocal)
    n_special = _wanted_orbits(special, workspace.orbits, stream)
    share = latent[joint.composition] if joint.composition >= 0 else uniform(stream)
    points = 0
    for p in range(special.freedom.size):
        points += workspace.orbits[p] * special.multiplicity[p]
    wanted = volume / latent[joint.packing]
    row, listed = _set_and_counts(neighbours, share, n_special, wanted, points, order, n_most, stream)
    n_atoms, points = _fill_special(
        neighbours, special, row, listed, symmetry, workspace, frame, reach, fract, first, counters, stream
    )
    n_images = points
    n_general = min(max(int((wanted - points) / order + uniform(stream)), 0), n_most)
    if listed >= 0:
        n_general = neighbours.counts_general[listed].sum()
    if n_general == 0 and points == 0:
        n_general = 1
    # systematic draws: every element comes out within one of its share of the atoms, on average exactly
    below, remainder = 0, uniform(stream)
    heavy = points
    for k in range(neighbours.set_size[row]):
        e = neighbours.set_elements[row, k]
        upto = int(neighbours.general[row, k] * n_general + remainder)
        if listed >= 0:
            upto = below + neighbours.counts_general[listed, k]
        for _ in range(upto - below):
            if _place_general(
                neighbours, e, False, symmetry, workspace, (n_atoms, n_images), frame, reach, stream
            ):
                n_images += order
                n_atoms += 1
                heavy += order
            else:
                counters[DROPPED] += 1
        below = upto
    n_hydrogen = 0
    if neighbours.set_hydrogen[row] and heavy > 0:
        x_h = draw(
            neighbours.hydrogen_fraction, latent[joint.hydrogen] if joint.hydrogen >= 0 else uniform(stream)
        )
        n_hydrogen = min(int(heavy * x_h / ((1.0 - x_h) * order) + uniform(stream)), n_hydrogen_most)
    for _ in range(n_hydrogen):
        if _place_general(
            neighbours,
            neighbours.hydrogen,
            True,
            symmetry,
            workspace,
            (n_atoms, n_images),
            frame,
            reach,
            stream,
        ):
            n_images += order
            n_atoms += 1
        else:
            counters[DROPPED_HYDROGEN] += 1
    counters[N_TARGET], counters[N_HYDROGEN] = n_general, n_hydrogen
    return n_atoms if heavy > 0 else 0
