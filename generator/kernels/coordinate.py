"""Kernels that fill a cell by what was measured of neighbours: the filling `fitted`.

Every atom has some candidate places, most of them at a bond length from an atom that it bonds with, and at a
measured angle to a bond that this one has already. A place is scored by its neighbours
(`kernels.neighbours`), and one is taken with a probability proportional to the product of the g (Rosenbluth &
Rosenbluth 1955, doi 10.1063/1.1741967); then all atoms are moved a little (`kernels.settle`). Bonds,
coordination and contacts come out near those measured, and few atoms are dropped.
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
from xtalpriors.generator.kernels.amounts import choose_element, set_and_counts, wanted_orbits
from xtalpriors.generator.kernels.arithmetic import chosen, draw, draw_row
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.fill import direction, expand
from xtalpriors.generator.kernels.neighbours import reach_of, score_of
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
from xtalpriors.generator.kernels.settle import settle
from xtalpriors.generator.kernels.special import draw_point

__all__ = ["fill_fitted"]

_LOWEST = np.int32(-(2**30))
PARTNERS = 6
"""Atoms looked at for one that the new atom bonds with."""


@kernel()
def _partner(neighbours, e, workspace, n_atoms, stream, p):
    """An atom with bonds left that an atom of element e bonds with, or -1 where a few looked at have none."""
    for _ in range(PARTNERS):
        p = reserve(stream, p, 1)
        a = scaled(stream, p, n_atoms)
        p += ONE
        free = e == neighbours.hydrogen or workspace.free_bonds[a] > 0
        if free and neighbours.bonded[e, workspace.element_of_atom[a]]:
            return a, p
    return np.int64(-1), p


@kernel()
def _bond_direction(cosines, code, reference, stream, p):
    """Unit vector at a measured angle to another bond of the same atom; anywhere if it has none."""
    dx, dy, dz, p = direction(stream, p)
    vx, vy, vz = reference[0], reference[1], reference[2]
    along = dx * vx + dy * vy + dz * vz
    p = reserve(stream, p, 1)
    cosine = draw_row(cosines, code, unit(stream, p))
    p += ONE
    square = 1.0 - along * along
    if (vx == 0.0 and vy == 0.0 and vz == 0.0) or square < 1e-6:
        return dx, dy, dz, p
    across = math.sqrt(max(1.0 - cosine * cosine, 0.0) / square)
    dx, dy, dz = (dx - along * vx) * across, (dy - along * vy) * across, (dz - along * vz) * across
    return dx + cosine * vx, dy + cosine * vy, dz + cosine * vz, p


@kernel()
def _candidate(neighbours, e, only_bonded, turn, workspace, n_atoms, frame, stream):
    """One place: at a bond length from a partner, or (each fourth time, and without a partner) anywhere.

    Returns whether there is one, the place, and the partner (-1: none) with the direction from it.
    """
    p = position(stream)
    a = np.int64(-1)
    if n_atoms > 0 and (only_bonded or turn % 4 != 3):
        a, p = _partner(neighbours, e, workspace, n_atoms, stream, p)
    p = reserve(stream, p, 3)
    if a < 0:
        x, y, z = word(stream, p), word(stream, p + ONE), word(stream, p + TWO)
        set_position(stream, p + THREE)
        return not only_bonded, x, y, z, a, (0.0, 0.0, 0.0)
    f00, f01, f02, f11, f12, f22 = frame.fractional
    code = workspace.element_of_atom[a]
    length = draw_row(neighbours.length[e], code, unit(stream, p))
    dx, dy, dz, p = _bond_direction(neighbours.cosines, code, workspace.bond[a], stream, p + ONE)
    set_position(stream, p)
    atoms = workspace.atoms
    x = atoms[a, 0] + np.int64(length * (f00 * dx + f01 * dy + f02 * dz))
    y = atoms[a, 1] + np.int64(length * (f11 * dy + f12 * dz))
    z = atoms[a, 2] + np.int64(length * f22 * dz)
    return True, x, y, z, a, (dx, dy, dz)


@kernel()
def _begin(workspace, n_atoms, e, first, last, neighbours, stream):
    """Enter the images of a new atom, and draw how many bonds it is to have."""
    for j in range(first, last):
        workspace.element_of_image[j] = e
    workspace.first_image[n_atoms], workspace.first_image[n_atoms + 1] = first, last
    workspace.free_bonds[n_atoms] = chosen(neighbours.numbers[e], uniform(stream))
    workspace.bond[n_atoms, :] = 0.0
    workspace.element_of_atom[n_atoms] = e


@kernel()
def _bind(workspace, atom, partner, direction):
    """Count the bond between an atom and the partner it was placed by."""
    bond, free = workspace.bond, workspace.free_bonds
    free[atom] -= 1
    free[partner] -= 1
    first = bond[partner, 0] == 0.0 and bond[partner, 1] == 0.0 and bond[partner, 2] == 0.0
    for k in range(3):
        bond[atom, k] = -direction[k]
        if first:
            bond[partner, k] = direction[k]


@kernel()
def _place_general(neighbours, e, hydrogen, symmetry, workspace, placed, frame, reach, stream):
    """Place one atom of element e on the general position; returns whether a place was found.

    While the best place is worse than one without neighbours (a score below 0), more are looked at.
    """
    rotations, translations, n_pure = symmetry
    images, atoms, metric = workspace.images, workspace.atoms, frame.metric
    n_atoms, n_images = placed
    last = n_images + translations.shape[1]
    _begin(workspace, n_atoms, e, n_images, last, neighbours, stream)
    best, bx, by, bz = _LOWEST, np.int64(0), np.int64(0), np.int64(0)
    partner, towards = np.int64(-1), (0.0, 0.0, 0.0)
    for turn in range(neighbours.most_candidates):
        if turn >= neighbours.candidates and best >= 0:
            break
        good, x, y, z, a, bond = _candidate(neighbours, e, hydrogen, turn, workspace, n_atoms, frame, stream)
        if not good:
            continue
        score = neighbours.noise[bounded(stream, neighbours.noise.size)]
        score += score_of(x, y, z, e, 0, n_images, workspace, metric, neighbours, reach)
        if score < neighbours.hard:
            continue
        expand(x, y, z, rotations, translations, images, n_images)
        # an atom and an image of its own are one pair for two atoms
        score += score_of(x, y, z, e, n_images + n_pure, last, workspace, metric, neighbours, reach) // 2
        if score > best:
            best, bx, by, bz, partner, towards = score, x, y, z, a, bond
    if best < neighbours.hard // 2:
        return False
    expand(bx, by, bz, rotations, translations, images, n_images)
    atoms[n_atoms, 0], atoms[n_atoms, 1], atoms[n_atoms, 2] = bx, by, bz
    atoms[n_atoms, 3] = neighbours.atomic_number[e] + 256 * GENERAL
    if partner >= 0:
        _bind(workspace, n_atoms, partner, towards)
    return True


@kernel()
def _place_special(neighbours, special, p, e, symmetry, workspace, placed, frame, reach, fract, atom, stream):
    """Place one atom of element e on special position p; returns whether a place was found."""
    r, t, n_pure = symmetry
    images, metric = workspace.images, frame.metric
    n_atoms, n_images = placed
    last = n_images + special.multiplicity[p]
    _begin(workspace, n_atoms, e, n_images, last, neighbours, stream)
    best = _LOWEST
    bu = bv = bw = 0.0
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
        score += score_of(x, y, z, e, 0, n_images, workspace, metric, neighbours, reach)
        score += score_of(x, y, z, e, n_images + n_pure, last, workspace, metric, neighbours, reach) // 2
        if score > best:
            best, bu, bv, bw = score, u, v, w
        atoms = workspace.atoms
        atoms[n_atoms, 0], atoms[n_atoms, 1], atoms[n_atoms, 2] = x, y, z
    workspace.atoms[n_atoms, 3] = neighbours.atomic_number[e] + 256 * p
    return best >= neighbours.hard // 2


@kernel()
def _fill_special(
    neighbours, special, row, listed, symmetry, workspace, frame, reach, fract, first, counters, stream
):
    """Occupy the special positions wanted; numbers of atoms and images, and their points in the cell."""
    n_atoms, n_images, k, left = 0, 0, -1, 0
    for p in range(special.freedom.size):
        for _ in range(workspace.orbits[p]):
            if listed < 0:
                k = choose_element(neighbours.special, row, neighbours, stream)
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
def _fill_general(
    neighbours, row, listed, wanted, n_most, symmetry, workspace, placed, frame, reach, counters, stream
):
    """Place the non-hydrogen atoms on general positions; numbers of atoms and images."""
    n_atoms, n_images = placed
    order = symmetry.translations.shape[1]
    n_general = min(max(int((wanted - n_images) / order + uniform(stream)), 0), n_most)
    if listed >= 0:
        n_general = neighbours.counts_general[listed].sum()
    if n_general == 0 and n_images == 0:
        n_general = 1
    counters[N_TARGET] = n_general
    # systematic draws: every element comes out within one of its share of the atoms, on average exactly
    below, remainder = 0, uniform(stream)
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
            else:
                counters[DROPPED] += 1
        below = upto
    return n_atoms, n_images


@kernel()
def fill_fitted(spec, n_most, n_hydrogen_most, volume, workspace, frame, fract, first, counters, stream):
    """Place all atoms of one structure; returns their number, 0 for an empty one.

    The number of atoms is that of the volume per atom drawn with the cell, those on special positions counted
    by their multiplicity. `n_most` and `n_hydrogen_most` are what the workspace has room for.
    """
    neighbours, special, symmetry = spec.neighbours, spec.special, spec.symmetry
    latent, joint = workspace.latent, spec.cell.joint
    order = symmetry.translations.shape[1]
    reach = reach_of(neighbours.cutoff, frame.reciprocal)
    n_special = wanted_orbits(special, workspace.orbits, stream)
    share = latent[joint.composition] if joint.composition >= 0 else uniform(stream)
    points = 0
    for p in range(special.freedom.size):
        points += workspace.orbits[p] * special.multiplicity[p]
    row, listed, wanted = set_and_counts(
        neighbours, share, n_special, volume, latent[joint.packing], points, order, n_most, stream
    )
    n_atoms = n_images = points = 0
    for _ in range(neighbours.fillings):
        counters[DROPPED] = counters[DROPPED_SPECIAL] = 0
        n_atoms, points = _fill_special(
            neighbours, special, row, listed, symmetry, workspace, frame, reach, fract, first, counters,
            stream,
        )  # fmt: skip
        n_atoms, n_images = _fill_general(
            neighbours, row, listed, wanted, n_most, symmetry, workspace, (n_atoms, points), frame, reach,
            counters, stream,
        )  # fmt: skip
        worst = settle(neighbours, symmetry, workspace, n_atoms, n_images, frame, reach, stream)
        if worst >= neighbours.strained and counters[DROPPED] == 0:
            break
    heavy = n_images
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
    counters[N_HYDROGEN] = n_hydrogen
    return n_atoms if heavy > 0 else 0
