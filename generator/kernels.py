"""The kernel that generates structures: a pure function of (specification, key, index).

It draws a cell, the numbers of atoms (eqs 18, 19), special positions, the skeleton, hydrogens and U_iso, and
writes into flat arrays one structure after another. No allocation per atom; the workspace grows when a
structure needs it. `generate` calls it and makes a `StructureBatch` of what it wrote.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from xtalpriors.generator.arithmetic import draw, draw_between
from xtalpriors.generator.compilation import kernel
from xtalpriors.generator.counters import (
    CHANGES,
    DROPPED,
    DROPPED_HYDROGEN,
    GENERAL,
    N_HYDROGEN,
    N_TARGET,
    REDRAWS,
)
from xtalpriors.generator.kernels_cell import angle_degree, cell_volume, draw_cell
from xtalpriors.generator.kernels_contact import BLOCK
from xtalpriors.generator.kernels_fill import (
    GUARD,
    TURN,
    choose,
    choose_other,
    frame_of,
    place_molecular,
    place_random,
    shells_of,
)
from xtalpriors.generator.kernels_special import fill_special
from xtalpriors.generator.random_numbers import ONE, position, reserve, seek, uniform, unit
from xtalpriors.generator.spec import EQUAL_ATOMS, MOLECULES

__all__ = ["generate_range", "new_workspace"]

HYDROGEN = 1


def new_workspace(n_atoms: int, order: int) -> tuple[npt.NDArray[Any], ...]:
    """Memory for structures of up to `n_atoms` atoms: images, their radii; positions with code, radii of the
    atoms."""
    m = (n_atoms + 1) * order + int(BLOCK)
    return (
        np.zeros((3, m), np.int32),
        np.zeros(m, np.float32),
        np.empty((n_atoms, 4), np.int64),
        np.empty(n_atoms, np.float64),
    )


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
    n_atoms, hydrogen, table, tries, limit, symmetry, images, atoms, placed, metric, near, counters, stream
):
    """`n_atoms` atoms at random positions; returns numbers of atoms and images."""
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
    n_atoms, hydrogen, table, settings, symmetry, images, radii, atoms, atom_radii, placed,
    metric, reciprocal, fractional, counters, stream,
):  # fmt: skip
    """Steps 2 to 7: `n_atoms` atoms, each bonded to one placed before (hydrogens: to a non-hydrogen atom).

    `settings` are the tries, the elements tried, the bond range, the rule of `clash`, the end of the gap and
    the radius of hydrogen; `placed` and the result the numbers of atoms and images and the largest radius.
    """
    n_placed, n_images, radius_max = placed
    tries, elements_tried, bond, rule, gap_high, hydrogen_radius = settings
    n_skeleton = n_placed
    for _ in range(n_atoms):
        n_partners = n_skeleton if hydrogen else n_placed
        if hydrogen and n_partners == 0:
            counters[DROPPED_HYDROGEN] += 1
            continue
        e = -1 if hydrogen else choose(table.cumulative, stream)
        found, x, y, z, radius = False, np.int64(0), np.int64(0), np.int64(0), hydrogen_radius
        for attempt in range(1 if hydrogen else elements_tried):
            if attempt > 0:
                e = choose_other(table.cumulative, e, stream)
                if e < 0:
                    break
                counters[CHANGES] += 1
            if not hydrogen:
                radius = table.radius[e]
            far = shells_of(gap_high * (1.0 + GUARD) * (radius + max(radius, radius_max)), reciprocal)
            found, x, y, z = place_molecular(
                tries, bond, rule, radius, symmetry, atoms, atom_radii, n_partners,
                images, radii, n_images, metric, fractional, far, stream,
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
def _record(content, special, order, atoms, n_atoms, first, out, stream):
    """Write the atoms of one structure, with their U_iso: one mean, and deviations cut so that none is below
    `u_min`.

    Special atoms keep the exact coordinates that they were placed with.
    """
    fract, element, u_iso, multiplicity, site = out
    mean = max(draw(content.u_mean, uniform(stream)), content.u_min)
    free = content.u_min - mean <= content.u_deviation[0]
    q = position(stream)
    for k in range(n_atoms):
        code = atoms[k, 3]
        p = code // 256
        element[first + k] = code % 256
        if p == GENERAL:
            fract[first + k, 0], fract[first + k, 1] = atoms[k, 0] / TURN, atoms[k, 1] / TURN
            fract[first + k, 2] = atoms[k, 2] / TURN
            multiplicity[first + k], site[first + k] = order, GENERAL
        else:
            multiplicity[first + k], site[first + k] = special.multiplicity[p], special.site[p]
        q = reserve(stream, q, 1)
        u = unit(stream, q)
        q += ONE
        if free:
            u_iso[first + k] = mean + draw(content.u_deviation, u)
        else:
            u_iso[first + k] = mean + draw_between(content.u_deviation, u, content.u_min - mean, math.inf)


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
def _numbers(content, volume, order, stream):
    """N′ and N_H (eqs 18 and 19)."""
    v_atom = draw(content.packing, uniform(stream))
    x_h = draw(content.hydrogen, uniform(stream))
    n_target = int(volume / (v_atom * order))
    if content.filling == EQUAL_ATOMS:
        return n_target, 0
    return n_target, int(n_target * x_h / (1.0 - x_h))


@kernel(nogil=True)
def generate_range(spec, stream, workspace, start, count, offsets, cells, counters, out, needed):
    """Generate structures `start` … `start + count − 1` until the output is full.

    Parameters
    ----------
    spec
        `Spec`.
    stream
        Random numbers with the run's key (`random_numbers.new_stream`).
    workspace
        `new_workspace`.
    offsets, cells, counters
        int64 (count + 1,), float64 (count, 6) in Å and degrees, int32 (count, 8).
    out
        fract float64 (m, 3), element uint8 (m,), u_iso float32 (m,) in Å², multiplicity int16 (m,), site
        uint8 (m,).
    needed
        int64 (1,): where it stops early, the atoms that the next structure may have.

    Returns
    -------
    done
        Number of structures written; where it is below `count`, the next one needs more room than is left in
        the output or than the workspace has.
    """
    images, radii, atoms, atom_radii = workspace
    content, special, symmetry = spec.content, spec.special, spec.symmetry
    general, on_special, order = spec.general_elements, spec.special_elements, symmetry.translations.shape[1]
    capacity = atom_radii.size
    n_special_max = special.freedom.size * special.cumulative.shape[1]
    limits = _limits(content)
    limit, rule = limits
    settings = (
        content.tries, content.elements_tried, content.bond, rule, content.gap[1], content.hydrogen_radius
    )  # fmt: skip
    offsets[0] = 0
    for i in range(count):
        seek(stream, start + i)
        first, n_atoms = offsets[i], 0
        for redraw in range(content.redraws + 1):
            cell = draw_cell(spec.cell, stream)
            volume = cell_volume(cell)
            n_target, n_hydrogen = _numbers(content, volume, order, stream)
            wanted = n_target + n_hydrogen + n_special_max
            if first + wanted > out[0].shape[0] or wanted > capacity:
                needed[0] = wanted
                return i
            row = counters[i]
            row[:] = 0
            row[N_TARGET], row[N_HYDROGEN], row[REDRAWS] = n_target, n_hydrogen, redraw
            metric, reciprocal, fractional = frame_of(cell, volume)
            placed = (0, 0, 0.0)
            if n_special_max > 0:
                placed = fill_special(
                    special, on_special, content.special_tries, limits, content.gap[1], symmetry,
                    images, radii, atoms, atom_radii, metric, reciprocal, out[0], first, row, stream,
                )  # fmt: skip
            if content.filling == MOLECULES:
                for hydrogen in (False, True):
                    placed = _fill_molecular(
                        n_hydrogen if hydrogen else n_target, hydrogen, general, settings, symmetry,
                        images, radii, atoms, atom_radii, placed, metric, reciprocal, fractional, row, stream,
                    )  # fmt: skip
                    if not _dense_enough(content, special, order, atoms, placed[0], n_target):
                        break
                n_atoms = placed[0]
            else:
                near = shells_of(content.min_distance * (1.0 + GUARD), reciprocal)
                both, tries = (placed[0], placed[1]), content.tries
                for hydrogen in (False, True):
                    wanted = n_hydrogen if hydrogen else n_target
                    both = _fill_random(
                        wanted, hydrogen, general, tries, limit, symmetry, images, atoms, both,
                        metric, near, row, stream,
                    )  # fmt: skip
                    if not _dense_enough(content, special, order, atoms, both[0], n_target):
                        break
                n_atoms = both[0]
            if _dense_enough(content, special, order, atoms, n_atoms, n_target):
                break
            n_atoms = 0
        _record(content, special, order, atoms, n_atoms, first, out, stream)
        cells[i, 0], cells[i, 1], cells[i, 2] = cell[0], cell[1], cell[2]
        cells[i, 3], cells[i, 4], cells[i, 5] = (
            angle_degree(cell[3]),
            angle_degree(cell[4]),
            angle_degree(cell[5]),
        )
        offsets[i + 1] = first + n_atoms
    return count
