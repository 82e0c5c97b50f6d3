"""Structure factors of monoclinic centrosymmetric crystals in separable form, one structure at a time.

In a monoclinic cell, b unique, |s|² = s²(h, l) + s²(k), so exp(-B|s|²) is a product of a function of (h, l)
and one of k. With the inversion centre at the origin and the second operator (-x, y + t₂, -z + t₃)

    F = 4 Σⱼ wⱼ fⱼ(|s|) exp(-2π²Uⱼ|s|²) · { cos A cos K    where 2(k t₂ + l t₃) is even
                                           { -sin A sin K   where it is odd;   A = 2π(hx + lz), K = 2πky

so an atom costs one row over h for each l and one multiplication and addition for each reflection; the four
Gaussians of a form factor are split in the same way, once for each element. Lanes run along h.
Nothing is allocated here: the caller brings the scratch.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xtalpriors.crystal.scattering.kernels_common import (
    TWO_PI_SQUARED,
    Atoms,
    aligned_row,
    group_by_element,
    whole_blocks,
)
from xtalpriors.crystal.scattering.lane_functions import constant, exp, fill_phases
from xtalpriors.crystal.scattering.lanes import (
    LANES,
    inlined,
    inner,
    lane_numbers,
    load,
    put,
    spread,
    store,
    where_within,
)
from xtalpriors.crystal.scattering.reciprocal import SPHERE_TOLERANCE, IndexBox

_K_TILE = 4
"""Rows of k that are summed together, in registers."""


class SeparableOperators(NamedTuple):
    """A group 2/m, b unique, with an inversion at the origin and an operator (-x, y + t₂, -z + t₃)."""

    odd_k: int  # 2 t₂, 0 or 1
    odd_l: int  # 2 t₃, 0 or 1
    lattice_points: int  # per cell


class MonoclinicScratch(NamedTuple):
    """Working memory of one thread; rows are float32, of whole blocks of 16, one after another."""

    order: Any  # (atom,) int64, atoms by element
    starts: Any  # (element + 1,) int64, where an element begins in `order`
    atom: Any  # (atom,): -2π²U
    element: Any  # (element, 5): -b and c of the form factor
    cos_h: Any  # (atom, h)
    sin_h: Any
    along_k: Any  # (atom, parity, k): cos and -sin, times 4·weight and the k part of the Debye-Waller factor
    cos_l: Any  # (atom, l)
    sin_l: Any
    gaussian_k: Any  # (element, Gaussian, k)
    gaussian_h: Any  # (element, Gaussian, 16) of one l and block of h
    along_h: Any  # (atom, parity, 16) of one l and block of h: cos and sin, damped
    total: Any  # (k, h): F of one l


def monoclinic_scratch(atoms: int, elements: int, box: IndexBox) -> MonoclinicScratch:
    """Scratch for structures of at most so many atoms and elements."""
    h_row = whole_blocks(2 * max(-box.h_min, box.h_max) + 1)
    k_row = whole_blocks(max(-box.k_min, box.k_max) + 1)
    l_row = whole_blocks(max(-box.l_min, box.l_max) + 1)
    return MonoclinicScratch(
        order=np.zeros(atoms, dtype=np.int64),
        starts=np.zeros(elements + 1, dtype=np.int64),
        atom=aligned_row(atoms),
        element=aligned_row(5 * elements),
        cos_h=aligned_row(atoms * h_row),
        sin_h=aligned_row(atoms * h_row),
        along_k=aligned_row(atoms * 2 * k_row),
        cos_l=aligned_row(atoms * l_row),
        sin_l=aligned_row(atoms * l_row),
        gaussian_k=aligned_row(elements * 4 * k_row),
        gaussian_h=aligned_row(elements * 4 * LANES),
        along_h=aligned_row(atoms * 2 * LANES),
        total=aligned_row(k_row * h_row),
    )


@inner
def _fill_atoms(atoms: Any, count: int, factor: float, widths: Any, b_star2: float, scratch: Any) -> None:
    """Tables of cos and sin of each atom along h, k and l, the weights and the damping in those of k."""
    h_first, h_width, k_width, l_width = widths
    for i in range(count):
        j = scratch.order[i]
        x, y, z = atoms.fract[j, 0], atoms.fract[j, 1], atoms.fract[j, 2]
        even, odd = 2 * i * k_width, (2 * i + 1) * k_width
        fill_phases(x, h_first, h_width, scratch.cos_h, i * h_width, scratch.sin_h, i * h_width)
        fill_phases(y, 0, k_width, scratch.along_k, even, scratch.along_k, odd)
        fill_phases(z, 0, l_width, scratch.cos_l, i * l_width, scratch.sin_l, i * l_width)
        scratch.atom[i] = -TWO_PI_SQUARED * atoms.u_iso[j]
        exponent = constant(scratch.atom[i] * b_star2)
        weight = constant(factor * atoms.weights[j])
        for block in range(0, k_width, LANES):
            k = lane_numbers() + constant(float(block))
            damped = weight * exp(k * k * exponent)
            store(scratch.along_k, even + block, load(scratch.along_k, even + block) * damped)
            store(scratch.along_k, odd + block, load(scratch.along_k, odd + block) * (constant(0.0) - damped))


@inner
def _fill_elements(
    numbers: Any, table: Any, elements: int, k_width: int, b_star2: float, scratch: Any
) -> None:
    """a·exp(-b k²b*²) of the four Gaussians of each element."""
    for e in range(elements):
        number = numbers[scratch.order[scratch.starts[e]]]
        scratch.element[5 * e + 4] = table[number, 8]
        for g in range(4):
            scratch.element[5 * e + g] = -table[number, 4 + g]
            amplitude, exponent = constant(table[number, g]), constant(-table[number, 4 + g] * b_star2)
            for block in range(0, k_width, LANES):
                k = lane_numbers() + constant(float(block))
                store(scratch.gaussian_k, (4 * e + g) * k_width + block, amplitude * exp(k * k * exponent))


@inlined
def _fill_block(s2: Any, block: int, l: int, elements: int, widths: Any, scratch: Any) -> None:
    """The h part of each atom and each Gaussian, for one l and the block of h with |s|² = s2 at k = 0."""
    _, h_width, _, l_width = widths
    for i in range(scratch.starts[elements]):
        damping = exp(s2 * spread(scratch.atom, i))
        cos_l, sin_l = spread(scratch.cos_l, i * l_width + l), spread(scratch.sin_l, i * l_width + l)
        cos_h, sin_h = load(scratch.cos_h, i * h_width + block), load(scratch.sin_h, i * h_width + block)
        store(scratch.along_h, 2 * i * LANES, (cos_h * cos_l - sin_h * sin_l) * damping)
        store(scratch.along_h, (2 * i + 1) * LANES, (sin_h * cos_l + cos_h * sin_l) * damping)
    for e in range(elements):
        for g in range(4):
            gaussian = exp(s2 * spread(scratch.element, 5 * e + g))
            store(scratch.gaussian_h, (4 * e + g) * LANES, gaussian)


@inlined
def _sum_tile(
    k: int,
    parity: Any,
    elements: int,
    k_width: int,
    target: int,
    h_width: int,
    scratch: Any,
) -> None:
    """F of k … k + 3 and one block of h, to total[target], total[target + h_width] …"""
    t0 = t1 = t2 = t3 = constant(0.0)
    for e in range(elements):
        g0 = g1 = g2 = g3 = constant(0.0)
        for i in range(scratch.starts[e], scratch.starts[e + 1]):
            a, b = 2 * i + parity[0], 2 * i + parity[1]
            x, y = load(scratch.along_h, a * LANES), load(scratch.along_h, b * LANES)
            a, b = a * k_width + k, b * k_width + k
            g0 = g0 + x * spread(scratch.along_k, a)
            g1 = g1 + y * spread(scratch.along_k, b + 1)
            g2 = g2 + x * spread(scratch.along_k, a + 2)
            g3 = g3 + y * spread(scratch.along_k, b + 3)
        f0 = f1 = f2 = f3 = spread(scratch.element, 5 * e + 4)
        for g in range(4 * e, 4 * e + 4):
            x, a = load(scratch.gaussian_h, g * LANES), g * k_width + k
            f0 = f0 + x * spread(scratch.gaussian_k, a)
            f1 = f1 + x * spread(scratch.gaussian_k, a + 1)
            f2 = f2 + x * spread(scratch.gaussian_k, a + 2)
            f3 = f3 + x * spread(scratch.gaussian_k, a + 3)
        t0, t1, t2, t3 = t0 + f0 * g0, t1 + f1 * g1, t2 + f2 * g2, t3 + f3 * g3
    store(scratch.total, target, t0)
    store(scratch.total, target + h_width, t1)
    store(scratch.total, target + 2 * h_width, t2)
    store(scratch.total, target + 3 * h_width, t3)


@inner
def monoclinic_structure(
    i: int,
    atoms: Atoms,
    metric: Any,
    limit: float,
    operators: Any,
    box: IndexBox,
    table: Any,
    scratch: Any,
    target: Any,
) -> None:
    """F of structure i for the reflections of the box with |s|² <= limit; the others are left as they are.

    Parameters
    ----------
    metric
        Reciprocal metric tensor (3, 3), Å⁻².
    operators
        `SeparableOperators`.
    target
        Box of float32 (h, k, l), flat.
    """
    a2, b2, c2, ac = metric[0, 0], metric[1, 1], metric[2, 2], metric[0, 2]
    limit *= 1.0 + SPHERE_TOLERANCE
    # the largest h of a sphere is a·|s|, and a² = c*²/(a*²c*² - (a*·c*)²)
    determinant = a2 * c2 - ac * ac
    h_top = min(int(np.sqrt(limit * c2 / determinant)), max(box.h_max, -box.h_min))
    k_top = min(int(np.sqrt(limit / b2)), max(box.k_max, -box.k_min))
    l_top = min(int(np.sqrt(limit * a2 / determinant)), max(box.l_max, -box.l_min))
    h_width, k_width = whole_blocks(2 * h_top + 1), whole_blocks(k_top + 1)
    widths = (-h_top, h_width, k_width, whole_blocks(l_top + 1))
    first, last = atoms.offsets[i], atoms.offsets[i + 1]
    elements = group_by_element(atoms.numbers, first, last, scratch.order, scratch.starts)
    _fill_atoms(atoms, last - first, 4.0 * operators.lattice_points, widths, b2, scratch)
    _fill_elements(atoms.numbers, table, elements, k_width, b2, scratch)
    for l in range(l_top + 1):
        h_best = min(max(-np.rint(ac * l / a2), -h_top), h_top)
        room = limit - (a2 * h_best * h_best + c2 * l * l + 2.0 * ac * h_best * l)
        if room < 0.0:
            continue
        rows = min(int(np.sqrt(room / b2)), k_top) + 1
        parity = ((l * operators.odd_l) & 1, (l * operators.odd_l + operators.odd_k) & 1)
        for block in range(0, h_width, LANES):
            h = lane_numbers() + constant(float(block - h_top))
            s2 = h * (h * constant(a2) + constant(2.0 * ac * l)) + constant(c2 * l * l)
            _fill_block(s2, block, l, elements, widths, scratch)
            for k in range(0, rows, _K_TILE):
                at = k * h_width + block
                _sum_tile(k, parity, elements, k_width, at, h_width, scratch)
        _scatter(l, rows, h_top, h_width, metric, limit, box, scratch.total, target)


@inner
def _scatter(
    l: int,
    rows: int,
    h_top: int,
    h_width: int,
    metric: Any,
    limit: float,
    box: IndexBox,
    total: Any,
    target: Any,
) -> None:
    """Copy the rows (k, h) of one l into the box, 0 outside the sphere."""
    a2, b2, c2, ac = metric[0, 0], metric[1, 1], metric[2, 2], metric[0, 2]
    if l < box.l_min or l > box.l_max:
        return
    middle, inverse = -ac * l / a2, 1.0 / a2
    k_stride = box.l_max - box.l_min + 1
    h_stride = k_stride * (box.k_max - box.k_min + 1)
    h_from, h_to = max(-h_top, box.h_min), min(h_top, box.h_max)
    for k in range(max(0, box.k_min), min(rows - 1, box.k_max) + 1):
        half = np.sqrt(max((limit - b2 * k * k - c2 * l * l) * inverse + middle * middle, 0.0))
        first, last = constant(np.ceil(middle - half)), constant(np.floor(middle + half))
        for block in range(0, h_width, LANES):
            h = lane_numbers() + constant(float(block - h_top))
            inside = where_within(h, last, load(total, k * h_width + block))
            store(total, k * h_width + block, where_within(first, h, inside))
        # the same count for every row: a loop to `last` would end by a mispredicted branch each time
        source = k * h_width + h_top + h_from
        at = (h_from - box.h_min) * h_stride + (k - box.k_min) * k_stride + l - box.l_min
        for _ in range(h_to - h_from + 1):
            put(target, at, total[source])
            source += 1
            at += h_stride
