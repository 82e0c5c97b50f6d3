"""Kernels that fill a cell: eqs 18 and 19, then special positions, skeleton and hydrogens."""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import numpy as np

from xtalpriors.generator.counters import CHANGES, DROPPED, DROPPED_HYDROGEN, GENERAL
from xtalpriors.generator.kernels.amounts import MOST_LOOSE
from xtalpriors.generator.kernels.arithmetic import draw
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.fill import (
    GUARD,
    choose,
    choose_other,
    place_molecular,
    place_random,
    shells_of,
)
from xtalpriors.generator.kernels.random import uniform
from xtalpriors.generator.kernels.special import fill_special
from xtalpriors.generator.specification.kernel_inputs import EQUAL_ATOMS, MOLECULES

__all__ = ["HYDROGEN", "fill_cell", "most_atoms", "numbers_of_atoms"]

HYDROGEN = 1


@kernel()
def _limits(content):
    """Squared minimum distance in Å², and squared factors of the molecule rule, each widened by `GUARD`."""
    rule = (
        np.float32((content.bond[0] * (1.0 + GUARD)) ** 2),
        np.float32((content.gap[0] * (1.0 - GUARD)) ** 2),
        np.float32((content.gap[1] * (1.0 + GUARD)) ** 2),
    )
    return np.float32((content.min_distance * (1.0 + GUARD)) ** 2), rule


@kernel()
def _fill_random(
    n_atoms, hydrogen, table, tries, limit, symmetry, workspace, placed, metric, near, counters, stream
):
    """`n_atoms` atoms at random positions; returns numbers of atoms and images."""
    images, atoms = workspace.images, workspace.atoms
    n_placed, n_images = placed
    for _ in range(n_atoms):
        element = np.int64(HYDROGEN)
        if not hydrogen:
            element = table.atomic_number[choose(table.cumulative, stream)]
        found, x, y, z = place_random(tries, limit, symmetry, images, n_images, metric, near, stream)
        if not found:
            counters[DROPPED_HYDROGEN if hydrogen else DROPPED] += 1
            continue
        atoms[n_placed, 0], atoms[n_placed, 1], atoms[n_placed, 2] = x, y, z
        atoms[n_placed, 3] = element + 256 * GENERAL
        n_images += symmetry.translations.shape[1]
        n_placed += 1
    return n_placed, n_images


@kernel()
def _fill_molecular(
    n_atoms, hydrogen, content, table, rule, symmetry, workspace, frame, placed, counters, stream
):
    """Steps 2 to 7: `n_atoms` atoms, the first anywhere (step 2), each other bonded to one placed
    before (hydrogens: to a non-hydrogen atom).

    `rule` is that of `clash`; `placed` and the result are the numbers of atoms and images and the largest
    radius.
    """
    atoms, atom_radii = workspace.atoms, workspace.atom_radii
    n_placed, n_images, radius_max = placed
    gap_high, hydrogen_radius = content.gap[1], content.hydrogen_radius
    n_skeleton = n_placed
    for k in range(n_atoms):
        n_partners = n_skeleton if hydrogen else n_placed if k > 0 else 0
        if hydrogen and n_partners == 0:
            counters[DROPPED_HYDROGEN] += 1
            continue
        e = -1 if hydrogen else choose(table.cumulative, stream)
        found, x, y, z, radius = False, np.int64(0), np.int64(0), np.int64(0), hydrogen_radius
        for attempt in range(1 if hydrogen else content.elements_tried):
            if attempt > 0:
                e = choose_other(table.cumulative, e, stream)
                if e < 0:
                    break
                counters[CHANGES] += 1
            if not hydrogen:
                radius = table.radius[e]
            far = shells_of(gap_high * (1.0 + GUARD) * (radius + max(radius, radius_max)), frame.reciprocal)
            found, x, y, z = place_molecular(
                content.tries, content.bond, rule, radius, symmetry, workspace, n_partners, n_images,
                frame, far, stream,
            )  # fmt: skip
            if found:
                break
        if not found:
            counters[DROPPED_HYDROGEN if hydrogen else DROPPED] += 1
            continue
        radius_max = max(radius_max, radius)
        atoms[n_placed, 0], atoms[n_placed, 1], atoms[n_placed, 2] = x, y, z
        atoms[n_placed, 3] = (HYDROGEN if hydrogen else table.atomic_number[e]) + 256 * GENERAL
        atom_radii[n_placed] = radius
        n_images += symmetry.translations.shape[1]
        n_placed += 1
    return n_placed, n_images, radius_max


@kernel()
def _dense_enough(content, special, order, atoms, n_atoms, n_target):
    """Is there a non-hydrogen atom, and were enough of those wanted placed (special ones by their
    multiplicity)?"""
    in_cell = 0
    for k in range(n_atoms):
        code = atoms[k, 3]
        if code % 256 != HYDROGEN:
            p = code // 256
            in_cell += order if p == GENERAL else special.multiplicity[p]
    return in_cell > 0 and in_cell >= content.min_placed_share * n_target * order


@kernel()
def most_atoms(spec, volume, latent):
    """Non-hydrogen atoms and hydrogens that the filling `fitted` may place on general positions, at most."""
    order = spec.symmetry.translations.shape[1]
    smallest = min(latent[spec.cell.joint.packing], spec.neighbours.set_volume[0])
    n = int(MOST_LOOSE * volume / (smallest * order)) + 2
    largest = spec.neighbours.hydrogen_fraction[spec.neighbours.hydrogen_fraction.size - 1]
    return n, int((n + spec.special.most) * largest / (1.0 - largest)) + 1


@kernel()
def _numbers_as_drawn(spec, volume, latent, stream):
    """Numbers of non-hydrogen atoms and of hydrogens in the asymmetric unit, as drawn with the cell.

    Their remainders are rounded at random, up as often as they are large, so that the volume per atom and the
    mole fraction of hydrogen are on average those drawn: eqs 18 and 19 round down.
    """
    joint, order = spec.cell.joint, spec.symmetry.translations.shape[1]
    wanted = volume / (latent[joint.packing] * order)
    n_target = int(wanted + uniform(stream))
    x_h = 0.0
    if joint.hydrogen >= 0:
        x_h = min(latent[joint.hydrogen], joint.hydrogen_max)
    return n_target, int(n_target * x_h / (1.0 - x_h) + uniform(stream))


@kernel()
def numbers_of_atoms(spec, volume, latent, stream):
    """N′ and N_H (eqs 18 and 19)."""
    if spec.cell.joint.packing >= 0:
        n_target, n_hydrogen = _numbers_as_drawn(spec, volume, latent, stream)
        return n_target, 0 if spec.content.filling == EQUAL_ATOMS else n_hydrogen
    content, order = spec.content, spec.symmetry.translations.shape[1]
    v_atom = draw(content.packing, uniform(stream))
    x_h = draw(content.hydrogen, uniform(stream))
    n_target = int(volume / (v_atom * order))
    if content.filling == EQUAL_ATOMS:
        return n_target, 0
    return n_target, int(n_target * x_h / (1.0 - x_h))


@kernel(forceinline=True)
def fill_cell(spec, n_target, n_hydrogen, workspace, frame, fract, first, counters, stream):
    """Place all atoms of one structure in the workspace; returns their number, 0 for an empty or sparse one.

    `frame` is that of `frame_of`; special atoms write their exact coordinates to fract[first …].
    """
    content, special, symmetry = spec.content, spec.special, spec.symmetry
    general, order = spec.general_elements, symmetry.translations.shape[1]
    limits = _limits(content)
    limit, rule = limits
    near = shells_of(content.min_distance * (1.0 + GUARD), frame.reciprocal)
    placed = (0, 0, 0.0)
    if special.freedom.size > 0:
        placed = fill_special(
            special, spec.special_elements, content.special_tries, limits, content.gap[1], symmetry,
            workspace, frame, fract, first, counters, stream,
        )  # fmt: skip
    for hydrogen in (False, True):
        wanted = n_hydrogen if hydrogen else n_target
        if content.filling == MOLECULES:
            placed = _fill_molecular(
                wanted, hydrogen, content, general, rule, symmetry, workspace, frame, placed, counters, stream
            )
        else:
            n_placed, n_images = _fill_random(
                wanted, hydrogen, general, content.tries, limit, symmetry, workspace, (placed[0], placed[1]),
                frame.metric, near, counters, stream,
            )  # fmt: skip
            placed = (n_placed, n_images, 0.0)
        if not _dense_enough(content, special, order, workspace.atoms, placed[0], n_target):
            return 0
    return placed[0]
