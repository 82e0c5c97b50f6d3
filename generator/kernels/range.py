"""The kernel that generates structures: a pure function of (specification, key, index).

It draws a cell, the numbers of atoms (eqs 18, 19), special positions, the skeleton, hydrogens and U_iso, and
writes into flat arrays one structure after another. No allocation per atom; the workspace grows when a
structure needs it. `generate` calls it and makes a `StructureBatch` of what it wrote.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F32, F64, I16, U8
from xtalpriors.generator.counters import GENERAL, N_HYDROGEN, N_TARGET, REDRAWS
from xtalpriors.generator.kernels.arithmetic import chosen, draw, draw_between, draw_row
from xtalpriors.generator.kernels.cell import angle_degree, cell_volume, draw_cell
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.contact import BLOCK
from xtalpriors.generator.kernels.contents import fill_cell, most_atoms, numbers_of_atoms
from xtalpriors.generator.kernels.coordinate import fill_fitted
from xtalpriors.generator.kernels.fill import TURN, Workspace, frame_of
from xtalpriors.generator.kernels.random import ONE, position, reserve, seek, uniform, unit
from xtalpriors.generator.kernels.settle import MOST_NEAR
from xtalpriors.generator.specification.kernel_inputs import FITTED, LATENT, MOST_POSITIONS

__all__ = ["AtomArrays", "generate_range", "new_workspace"]


class AtomArrays(NamedTuple):
    """Where the atoms of all structures are written, one after another."""

    fract: F64
    """(m, 3)."""
    element: U8
    """(m,) atomic numbers."""
    u_iso: F32
    """(m,) in Å²."""
    multiplicity: I16
    """(m,)."""
    site: U8
    """(m,) as in `StructureBatch`."""


def new_workspace(n_atoms: int, order: int) -> Workspace:
    """Memory for structures of up to `n_atoms` atoms."""
    m = (n_atoms + 1) * order + int(BLOCK)
    return Workspace(
        np.zeros((3, m), np.int32),
        np.zeros(m, np.float32),
        np.empty((n_atoms, 4), np.int64),
        np.empty(n_atoms, np.float64),
        np.empty(LATENT),
        np.zeros(m, np.uint8),
        np.zeros(n_atoms, np.uint8),
        np.zeros(n_atoms + 1, np.int64),
        np.zeros(n_atoms, np.int64),
        np.zeros((3, MOST_NEAR), np.float32),
        np.zeros(MOST_NEAR, np.uint8),
        np.zeros((n_atoms, 3)),
        np.zeros(MOST_POSITIONS, np.int64),
    )


@kernel()
def _record(spec, workspace, order, n_atoms, first, out, stream):
    """Write the atoms of one structure, with their U_iso: one mean, and deviations cut so that none is below
    `u_min`.

    Special atoms keep the exact coordinates that they were placed with.
    """
    fract, element, u_iso, multiplicity, site = out
    content, special, atoms = spec.content, spec.special, workspace.atoms
    if spec.cell.joint.u_mean >= 0:
        mean = max(workspace.latent[spec.cell.joint.u_mean], content.u_min)
    else:
        mean = max(draw(content.u_mean, uniform(stream)), content.u_min)
    spread, n_spreads = np.int64(0), spec.neighbours.u_spreads.size
    if content.filling == FITTED:
        row = spec.cell.joint.u_spread
        drawn = workspace.latent[row] if row >= 0 else spec.neighbours.u_spread_usual
        spread = chosen(spec.neighbours.u_spreads, drawn)
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
        if content.filling == FITTED:
            ratio = draw_row(spec.neighbours.u_ratio, workspace.element_of_atom[k] * n_spreads + spread, u)
            u_iso[first + k] = max(mean * ratio, content.u_min)
        elif free:
            u_iso[first + k] = mean + draw(content.u_deviation, u)
        else:
            u_iso[first + k] = mean + draw_between(content.u_deviation, u, content.u_min - mean, math.inf)


@kernel(nogil=True)
def generate_range(spec, stream, workspace, start, count, offsets, cells, counters, out, needed):
    """Generate structures `start` … `start + count − 1` until the output is full.

    Parameters
    ----------
    spec
        `Spec`.
    stream
        Random numbers with the run's key (`random.new_stream`).
    workspace
        `new_workspace`.
    offsets, cells, counters
        int64 (count + 1,), float64 (count, 6) in Å and degrees, int32 (count, 8).
    out
        `AtomArrays`.
    needed
        int64 (1,): where it stops early, the atoms that the next structure may have.

    Returns
    -------
    done
        Number of structures written; where it is below `count`, the next one needs more room than is left in
        the output or than the workspace has.
    """
    content, special, order = spec.content, spec.special, spec.symmetry.translations.shape[1]
    capacity = workspace.atom_radii.size
    offsets[0] = 0
    for i in range(count):
        seek(stream, start + i)
        first, n_atoms = offsets[i], 0
        for redraw in range(content.redraws + 1):
            cell = draw_cell(spec.cell, stream, workspace.latent)
            volume = cell_volume(cell)
            if content.filling == FITTED:
                n_target, n_hydrogen = most_atoms(spec, volume, workspace.latent)
            else:
                n_target, n_hydrogen = numbers_of_atoms(spec, volume, workspace.latent, stream)
            wanted = n_target + n_hydrogen + special.most
            if first + wanted > out.fract.shape[0] or wanted > capacity:
                needed[0] = wanted
                return i
            row = counters[i]
            row[:] = 0
            row[N_TARGET], row[N_HYDROGEN], row[REDRAWS] = n_target, n_hydrogen, redraw
            frame = frame_of(cell, volume)
            if content.filling == FITTED:
                n_atoms = fill_fitted(
                    spec, n_target, n_hydrogen, volume, workspace, frame, out.fract, first, row, stream
                )
            else:
                n_atoms = fill_cell(
                    spec, n_target, n_hydrogen, workspace, frame, out.fract, first, row, stream
                )
            if n_atoms > 0:
                break
        _record(spec, workspace, order, n_atoms, first, out, stream)
        cells[i, 0], cells[i, 1], cells[i, 2] = cell[0], cell[1], cell[2]
        for k in range(3, 6):
            cells[i, k] = angle_degree(cell[k])
        offsets[i + 1] = first + n_atoms
    return count
