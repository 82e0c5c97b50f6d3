"""The kernel of the filling `packed`: molecules of a library, and now and then metal atoms, packed in cells.

Each structure is a pure function of (specification, key, index), as those of `range`. A draw of a cell says
the shape and how much the molecules shall fill. They are drawn, turned at random and placed at random, and
the cell then shrinks or expands until they touch along each axis. Where that leaves too much of the cell
empty, or a length leaves its bounds, they are moved a little from the best placement so far, and after some
tries other molecules and another cell are drawn.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

from xtalpriors.generator.counters import GENERAL, N_HYDROGEN, N_TARGET, REDRAWS
from xtalpriors.generator.kernels.arithmetic import cube_root
from xtalpriors.generator.kernels.cell import angle_degree, cell_volume, draw_cell
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.fill import choose
from xtalpriors.generator.kernels.random import bounded, seek, uniform
from xtalpriors.generator.kernels.rigid_bodies import (
    ALL_AXES,
    axes_of,
    contract,
    rotate_by_operators,
    volume_of,
)
from xtalpriors.generator.specification.kernel_inputs import INORGANIC, METAL_ORGANIC, ORGANIC

__all__ = ["packed_range"]

HYDROGEN = 1
_DENSEST = 0.85
"""Share of a cell that bodies fill at most: where a cell begins to expand."""
_TYPICAL = 0.66
"""Share of a cell that bodies are chosen to fill."""
_STEPS = 16
_LARGEST_STEP = 0.85
"""Factor by which a length shrinks in one step at most."""
_STEP = 0.3
"""Shift along each axis, as a share of its length, and turn in radians from the best placement, at most."""
_SPHERE_TRIES = 64


@kernel()
def _add_atom(packed, bodies, n_bodies, n_atoms, atomic_number):
    """A body of one atom; returns the number of atoms and the volume that it takes, in Å³."""
    bodies.element[n_atoms] = atomic_number
    bodies.rest[n_atoms, :] = 0.0
    bodies.reach[n_bodies] = packed.atom_reach[atomic_number]
    bodies.first[n_bodies + 1] = n_atoms + 1
    return n_atoms + 1, packed.atom_volume[atomic_number]


@kernel()
def _add_molecule(packed, bodies, n_bodies, n_atoms, molecule):
    """A body that is a molecule of the library; returns as `_add_atom`."""
    first = packed.offsets[molecule]
    for k in range(first, packed.offsets[molecule + 1]):
        bodies.element[n_atoms] = packed.element[k]
        for axis in range(3):
            bodies.rest[n_atoms, axis] = packed.xyz[k, axis]
        n_atoms += 1
    bodies.reach[n_bodies] = packed.reach[molecule]
    bodies.first[n_bodies + 1] = n_atoms
    return n_atoms, packed.volume[molecule]


@kernel()
def _count_up_to(ascending, limit):
    """How many of some ascending numbers are at most `limit`."""
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] <= limit:
            low = middle + 1
        else:
            high = middle
    return low


@kernel()
def _choose_bodies(packed, bodies, kind, wanted, stream):
    """Bodies of about `wanted` Å³ in all.

    Molecules are drawn from all that are not larger than what is still wanted, until less than a quarter is;
    one metal atom comes first in metal-organic structures. Inorganic ones are single atoms, the first a
    metal. Returns the numbers of bodies and atoms and their volume; 0 bodies where nothing fits.
    """
    n_bodies, n_atoms, volume = 0, 0, 0.0
    bodies.first[0] = 0
    if kind != ORGANIC:
        metal = packed.metals.atomic_number[choose(packed.metals.cumulative, stream)]
        n_atoms, volume = _add_atom(packed, bodies, 0, 0, metal)
        n_bodies = 1
    while n_bodies < bodies.reach.size and 4.0 * (wanted - volume) > wanted:
        if kind == INORGANIC:
            if n_bodies > packed.most_ions:
                break
            ion = packed.anions.atomic_number[choose(packed.anions.cumulative, stream)]
            n_atoms, more = _add_atom(packed, bodies, n_bodies, n_atoms, ion)
        else:
            fitting = _count_up_to(packed.volume, wanted - volume)
            if fitting == 0:
                break
            molecule = bounded(stream, fitting)
            size = packed.offsets[molecule + 1] - packed.offsets[molecule]
            if n_atoms + size > bodies.element.size:
                break
            n_atoms, more = _add_molecule(packed, bodies, n_bodies, n_atoms, molecule)
        n_bodies, volume = n_bodies + 1, volume + more
    if kind == METAL_ORGANIC and n_bodies == 1:
        return 0, 0, 0.0
    return n_bodies, n_atoms, volume


@kernel()
def _turn(quaternion, step, stream):
    """Draw a unit quaternion: of any rotation where `step` is 0, of one by about `step` radians otherwise.

    Any rotation: a point uniform on the sphere in four dimensions (Marsaglia 1972, doi
    10.1214/aoms/1177692644).
    """
    quaternion[0], total = 1.0, 1.0
    for k in range(0, 4, 2):
        for _ in range(_SPHERE_TRIES):
            u, v = 2.0 * uniform(stream) - 1.0, 2.0 * uniform(stream) - 1.0
            s = u * u + v * v
            if 0.0 < s < 1.0:
                break
        if step > 0.0:  # three of four numbers, all small beside the first
            u, v = 0.5 * step * u, 0.5 * step * v
            if k == 0:
                quaternion[1] = u
                total += u * u
            else:
                quaternion[2], quaternion[3] = u, v
                total += u * u + v * v
            continue
        scale = 1.0 if k == 0 else math.sqrt((1.0 - total) / s)
        quaternion[k], quaternion[k + 1] = u * scale, v * scale
        total = s if k == 0 else 1.0
    if step > 0.0:
        quaternion /= math.sqrt(total)


@kernel()
def _place(bodies, n_bodies, step, stream):
    """Turn and place each body: anywhere where `step` is 0, otherwise near to where it was at its best."""
    q = bodies.quaternion
    for b in range(n_bodies):
        for axis in range(3):
            u = uniform(stream)
            bodies.centre[b, axis] = u if step == 0.0 else bodies.best_centre[b, axis] + step * (u - 0.5)
        _turn(q, step, stream)
        w, x, y, z = q[0], q[1], q[2], q[3]
        xx, xy, xz = 1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)
        yx, yy, yz = 2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)
        zx, zy, zz = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)
        source = bodies.rest if step == 0.0 else bodies.best_offset
        for k in range(bodies.first[b], bodies.first[b + 1]):
            u, v, t = source[k, 0], source[k, 1], source[k, 2]
            bodies.offset[0, k, 0] = xx * u + xy * v + xz * t
            bodies.offset[0, k, 1] = yx * u + yy * v + yz * t
            bodies.offset[0, k, 2] = zx * u + zy * v + zz * t


@kernel()
def _keep(bodies, n_bodies, n_atoms):
    """Remember a placement as the best so far."""
    for b in range(n_bodies):
        for axis in range(3):
            bodies.best_centre[b, axis] = bodies.centre[b, axis]
    for axis in range(3):
        bodies.best_lengths[axis] = bodies.lengths[axis]
    for k in range(n_atoms):
        for axis in range(3):
            bodies.best_offset[k, axis] = bodies.offset[0, k, axis]


@kernel()
def _longest_free(lengths, stuck):
    """The longest axis that is not stuck; -1 where all are."""
    axis = -1
    for k in range(3):
        if not stuck[k] and (axis < 0 or lengths[k] > lengths[axis]):
            axis = k
    return axis


@kernel()
def _packed_volume(spec, packed, bodies, n_bodies, axes, dense):
    """Volume of a cell in which the placed bodies touch each other, in Å³; infinity where it would be far too
    large. Its lengths are in `bodies.lengths`; in the beginning they have the ratios of `bodies.shape`. None
    is ever below its bound.

    All lengths change together first, then always the longest of those that have no contact along them yet,
    by steps, so that no length shrinks at the cost of the others. `dense` is a volume that no packing
    reaches.
    """
    lengths, stuck = bodies.lengths, bodies.stuck
    scale = cube_root(dense / volume_of(bodies.shape, axes))
    for k in range(3):
        lengths[k] = max(bodies.shape[k] * scale, spec.cell.length_min)
        stuck[k] = False
    for step in range(_STEPS):
        axis, bottom, top = ALL_AXES, 1.0, packed.largest_factor
        if step > 0:
            axis, top = _longest_free(lengths, stuck), 1.0
            if axis < 0:
                break
            bottom = max(_LARGEST_STEP, dense / volume_of(lengths, axes))
            bottom = max(bottom, spec.cell.length_min / lengths[axis])
            if bottom >= 1.0:
                stuck[axis] = True
                continue
        t = contract(bodies, n_bodies, lengths, axes, axis, bottom, top, spec.symmetry, packed)
        if step == 0 and t > top:
            return math.inf
        for k in range(3):
            if axis == ALL_AXES or k == axis:
                lengths[k] *= t
        if step > 0 and t > bottom:
            stuck[axis] = True
    return volume_of(lengths, axes)


@kernel()
def _write(packed, bodies, n_bodies, lengths, cell, order, first, out, stream):
    """Write the atoms of one structure: each body in one piece, U_iso uniform for each atom."""
    fract, element, u_iso, multiplicity, site = out
    bx, by, cx, cy, cz = axes_of(cell)
    low, high = packed.u_iso
    for b in range(n_bodies):
        for k in range(bodies.first[b], bodies.first[b + 1]):
            z = bodies.offset[0, k, 2] / cz
            y = (bodies.offset[0, k, 1] - z * cy) / by
            x = bodies.offset[0, k, 0] - y * bx - z * cx
            row = first + k
            fract[row, 0] = bodies.centre[b, 0] + x / lengths[0]
            fract[row, 1] = bodies.centre[b, 1] + y / lengths[1]
            fract[row, 2] = bodies.centre[b, 2] + z / lengths[2]
            element[row] = bodies.element[k]
            multiplicity[row], site[row] = order, GENERAL
            u_iso[row] = low + uniform(stream) * (high - low)


@kernel()
def _structure(spec, packed, bodies, stream, latent, row):
    """Draw one structure into `bodies`; returns its number of bodies, 0 where all tries failed, and its
    cell."""
    content, order = spec.content, spec.symmetry.translations.shape[1]
    u = uniform(stream)
    kind = ORGANIC
    if u < packed.inorganic_share:
        kind = INORGANIC
    elif u < packed.inorganic_share + packed.metal_organic_share:
        kind = METAL_ORGANIC
    row[:] = 0
    cell = (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
    for _ in range(content.redraws + 1):
        cell = draw_cell(spec.cell, stream, latent)
        wanted = _TYPICAL * cell_volume(cell) / order
        n_bodies, n_atoms, volume = _choose_bodies(packed, bodies, kind, wanted, stream)
        if n_bodies == 0:
            row[REDRAWS] += 1
            continue
        axes = axes_of(cell)
        best, dense = math.inf, order * volume / _DENSEST
        for _ in range(content.tries):
            step = 0.0 if best == math.inf else _STEP * uniform(stream)
            for k in range(3):
                bodies.shape[k] = cell[k] if step == 0.0 else bodies.best_lengths[k]
            _place(bodies, n_bodies, step, stream)
            rotate_by_operators(bodies, n_atoms, spec.symmetry, axes)
            v = _packed_volume(spec, packed, bodies, n_bodies, axes, dense)
            longest = max(bodies.lengths[0], bodies.lengths[1], bodies.lengths[2]) / spec.cell.length_max
            if longest <= 1.0 and v * packed.coefficient_min <= order * volume:
                return n_bodies, n_atoms, cell
            row[REDRAWS] += 1
            if longest > 1.0:
                v *= longest * longest * longest
            if step == 0.0 or v < best:
                best = v
                _keep(bodies, n_bodies, n_atoms)
    return 0, 0, cell


@kernel(nogil=True)
def packed_range(spec, packed, stream, bodies, start, count, offsets, cells, counters, out, needed):
    """Generate structures `start` … `start + count − 1` until the output is full.

    As `range.generate_range`, with a `PackedSpec` and the memory of `Bodies`; a structure that failed in all
    tries is written without atoms.
    """
    order, room = spec.symmetry.translations.shape[1], bodies.element.size
    offsets[0] = 0
    for i in range(count):
        first = offsets[i]
        if first + room > out.fract.shape[0]:
            needed[0] = room
            return i
        seek(stream, start + i)
        row = counters[i]
        n_bodies, n_atoms, cell = _structure(spec, packed, bodies, stream, bodies.latent, row)
        for k in range(n_atoms):
            row[N_HYDROGEN if bodies.element[k] == HYDROGEN else N_TARGET] += 1
        _write(packed, bodies, n_bodies, bodies.lengths, cell, order, first, out, stream)
        for k in range(3):
            cells[i, k] = bodies.lengths[k]
            cells[i, k + 3] = angle_degree(cell[k + 3])
        offsets[i + 1] = first + n_atoms
    return count
