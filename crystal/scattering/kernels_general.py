"""Structure factors of one structure in any space group and any cell.

Lanes run along l, the fastest axis of the box, so that a row (h, k) is stored as it comes. For each row

    F = Σ_elements f(|s|) Σ_atoms w exp(-2πi²U|s|²) Σ_images E(h x) E(k y) E(l z),   E(p) = exp(2πi p)

over the images of an atom under representatives of the operators: one for each rotation, and of each pair
related by an inversion centre at the origin, where only the real part is summed.
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
    spread,
    store,
    where_within,
)
from xtalpriors.crystal.scattering.reciprocal import SPHERE_TOLERANCE, IndexBox


class Representatives(NamedTuple):
    """Operators to sum over, (x, y, z) → Rx + t, and what each stands for."""

    rotations: Any  # (r, 3, 3) float64
    translations: Any  # (r, 3) float64
    factor: float  # centring vectors × 2 where the inversion at the origin is left out


class GeneralScratch(NamedTuple):
    """Working memory of one thread; rows are float32, of whole blocks of 16, one after another."""

    order: Any  # (atom,) int64, atoms by element
    starts: Any  # (element + 1,) int64
    atom: Any  # (atom, 2): -2π²U, and the weight times the operators' factor
    element: Any  # (element, 9): a, -b and c of the form factor
    cos_h: Any  # (image, h)
    sin_h: Any
    cos_k: Any  # (image, k)
    sin_k: Any
    cos_l: Any  # (image, l)
    sin_l: Any


def general_scratch(atoms: int, elements: int, representatives: int, box: IndexBox) -> GeneralScratch:
    """Scratch for structures of at most so many atoms and elements."""
    images = atoms * representatives
    rows = [aligned_row(images * whole_blocks(length)) for length in box.shape for _ in range(2)]
    order, starts = np.zeros(atoms, dtype=np.int64), np.zeros(elements + 1, dtype=np.int64)
    return GeneralScratch(order, starts, aligned_row(2 * atoms), aligned_row(9 * elements), *rows)


@inner
def _fill_images(atoms: Any, count: int, operators: Any, box: IndexBox, widths: Any, scratch: Any) -> None:
    """cos and sin of 2πhx, 2πky and 2πlz of every image of every atom."""
    r = len(operators.translations)
    for i in range(count * r):
        rotation, shift = operators.rotations[i % r], operators.translations[i % r]
        p = atoms.fract[scratch.order[i // r]]
        x = rotation[0, 0] * p[0] + rotation[0, 1] * p[1] + rotation[0, 2] * p[2] + shift[0]
        y = rotation[1, 0] * p[0] + rotation[1, 1] * p[1] + rotation[1, 2] * p[2] + shift[1]
        z = rotation[2, 0] * p[0] + rotation[2, 1] * p[1] + rotation[2, 2] * p[2] + shift[2]
        at = i * widths[0]
        fill_phases(x, box.h_min, widths[0], scratch.cos_h, at, scratch.sin_h, at)
        at = i * widths[1]
        fill_phases(y, box.k_min, widths[1], scratch.cos_k, at, scratch.sin_k, at)
        at = i * widths[2]
        fill_phases(z, box.l_min, widths[2], scratch.cos_l, at, scratch.sin_l, at)


@inlined
def _sum_images(
    first: int, last: int, h: int, k: int, block: int, real: bool, widths: Any, scratch: Any
) -> Any:
    """Real and imaginary part of Σ E(hx)E(ky)E(lz) over images for 16 l; h, k, block: places in the box."""
    re = im = constant(0.0)
    for i in range(first, last):
        cos_h, sin_h = spread(scratch.cos_h, i * widths[0] + h), spread(scratch.sin_h, i * widths[0] + h)
        cos_k, sin_k = spread(scratch.cos_k, i * widths[1] + k), spread(scratch.sin_k, i * widths[1] + k)
        cos_l, sin_l = load(scratch.cos_l, i * widths[2] + block), load(scratch.sin_l, i * widths[2] + block)
        cos_hk = cos_h * cos_k - sin_h * sin_k
        sin_hk = sin_h * cos_k + cos_h * sin_k
        re = re + cos_hk * cos_l - sin_hk * sin_l
        if not real:
            im = im + sin_hk * cos_l + cos_hk * sin_l
    return re, im


@inner
def _fill_constants(atoms: Any, count: int, elements: int, factor: float, table: Any, scratch: Any) -> None:
    """What a row needs of each atom and element, in float32."""
    for i in range(count):
        j = scratch.order[i]
        scratch.atom[2 * i] = -TWO_PI_SQUARED * atoms.u_iso[j]
        scratch.atom[2 * i + 1] = factor * atoms.weights[j]
    for e in range(elements):
        coefficients = table[atoms.numbers[scratch.order[scratch.starts[e]]]]
        for g in range(4):
            scratch.element[9 * e + g] = coefficients[g]
            scratch.element[9 * e + 4 + g] = -coefficients[4 + g]
        scratch.element[9 * e + 8] = coefficients[8]


@inlined
def _sum_row(
    s2: Any, h: int, k: int, block: int, elements: int, images: int, real: bool, widths: Any, scratch: Any
) -> Any:
    """Real and imaginary part of F for 16 l with these |s|²; h, k and block as in `_sum_images`."""
    total_re = total_im = constant(0.0)
    for e in range(elements):
        sum_re = sum_im = constant(0.0)
        for i in range(scratch.starts[e], scratch.starts[e + 1]):
            damping = spread(scratch.atom, 2 * i + 1) * exp(s2 * spread(scratch.atom, 2 * i))
            re, im = _sum_images(i * images, (i + 1) * images, h, k, block, real, widths, scratch)
            sum_re = sum_re + re * damping
            sum_im = sum_im + im * damping
        f = spread(scratch.element, 9 * e + 8)
        for g in range(9 * e, 9 * e + 4):
            f = f + spread(scratch.element, g) * exp(s2 * spread(scratch.element, g + 4))
        total_re = total_re + f * sum_re
        total_im = total_im + f * sum_im
    return total_re, total_im


@inner
def general_structure(
    i: int, atoms: Atoms, metric: Any, limit: float, operators: Any, real: bool, box: IndexBox, table: Any,
    scratch: Any, target_re: Any, target_im: Any,
) -> None:  # fmt: skip
    """F of structure i for every reflection of the box: 0 outside the sphere |s|² <= limit.

    Parameters
    ----------
    metric
        Reciprocal metric tensor (3, 3), Å⁻².
    real
        F is real: `operators` leaves out the inversions, at the origin; target_im is not touched.
    target_re, target_im
        Box of float32 (h, k, l), flat, with 16 more elements: a row runs over its end into the next one,
        which is stored after it.
    """
    limit *= 1.0 + SPHERE_TOLERANCE
    shape = (box.h_max - box.h_min + 1, box.k_max - box.k_min + 1, box.l_max - box.l_min + 1)
    widths = (whole_blocks(shape[0]), whole_blocks(shape[1]), whole_blocks(shape[2]))
    first, last = atoms.offsets[i], atoms.offsets[i + 1]
    elements = group_by_element(atoms.numbers, first, last, scratch.order, scratch.starts)
    _fill_images(atoms, last - first, operators, box, widths, scratch)
    _fill_constants(atoms, last - first, elements, operators.factor, table, scratch)
    images, c2 = len(operators.translations), constant(metric[2, 2])
    start = 0
    for h in range(shape[0]):
        for k in range(shape[1]):
            low, high, base, slope = _l_range(h + box.h_min, k + box.k_min, metric, limit)
            for block in range(0, shape[2], LANES):
                l_first = block + box.l_min
                re = im = constant(0.0)
                if low <= min(l_first + LANES - 1, box.l_max) and high >= l_first:
                    l = lane_numbers() + constant(float(l_first))
                    s2 = l * (l * c2 + constant(slope)) + constant(base)
                    re, im = _sum_row(s2, h, k, block, elements, images, real, widths, scratch)
                    re = where_within(constant(low), l, where_within(l, constant(high), re))
                    im = where_within(constant(low), l, where_within(l, constant(high), im))
                store(target_re, start + block, re)
                if not real:
                    store(target_im, start + block, im)
            start += shape[2]


@inlined
def _l_range(h: int, k: int, metric: Any, limit: float) -> Any:
    """First and last l (as floats) of a row within the sphere, and |s|² = base + slope·l + c*²l²."""
    c2 = metric[2, 2]
    base = metric[0, 0] * h * h + metric[1, 1] * k * k + 2.0 * metric[0, 1] * h * k
    half_slope = metric[0, 2] * h + metric[1, 2] * k
    room = (limit - base) * c2 + half_slope * half_slope
    if room < 0.0:
        return 1.0, 0.0, base, 2.0 * half_slope
    half = np.sqrt(room)
    return np.ceil((-half_slope - half) / c2), np.floor((-half_slope + half) / c2), base, 2.0 * half_slope
