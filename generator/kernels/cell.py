"""Kernels that draw a cell: sections 3.2–3.4 of Melgalvis & Reķis 2026, and the other crystal systems.

A cell is passed around as (a, b, c, cos α, cos β, cos γ); angles in degrees exist only in the output.
`reference.cells` says the same in plain NumPy, equation by equation.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from xtalpriors import compilation
from xtalpriors.generator.kernels.arithmetic import arctan, cube_root, draw, draw_between
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.joint import fitted_cell
from xtalpriors.generator.kernels.random import bounded, seek, uniform
from xtalpriors.generator.specification.kernel_inputs import (
    CUBIC,
    LATENT,
    MONOCLINIC,
    ORTHORHOMBIC,
    TRICLINIC,
    UNIAXIAL,
)

__all__ = ["angle_degree", "cell_volume", "cells", "draw_cell"]


@kernel()
def angle_degree(cosine):
    """arccos in degrees, by the arctangent; exactly 90 for 0 and 120 for −½."""
    if cosine == 0.0:
        return 90.0
    if cosine == -0.5:
        return 120.0
    return 90.0 - math.degrees(arctan(cosine / math.sqrt((1.0 - cosine) * (1.0 + cosine))))


@kernel()
def cell_volume(cell):
    """Volume in Å³."""
    a, b, c, ca, cb, cg = cell
    return a * b * c * math.sqrt(1.0 - ca * ca - cb * cb - cg * cg + 2.0 * ca * cb * cg)


@kernel()
def _ratio_draw(table, u, low, high):
    """A ratio ≥ 1 from its table, cut to [low, high]."""
    return draw_between(table, u, low, max(low, high))


@kernel()
def _sorted_lengths(spec, volume, stream):
    """a₁ ≤ a₂ ≤ a₃ with a₁a₂a₃ = V (eqs 6–13; eq. 13 with the bound √(V/a₁) that keeps a₂ ≤ a₃)."""
    low, high, r = spec.length_min, spec.length_max, spec.ratio_max
    u1, u2 = uniform(stream), uniform(stream)
    if spec.ratios_from_table:
        limit = min(r, math.sqrt(volume / low**3), high**3 / volume)
        first = _ratio_draw(spec.ratio_middle, u1, 1.0, limit)
        limit = min(r, volume / (low**3 * first * first), math.sqrt(high**3 / (volume * first)))
        second = _ratio_draw(spec.ratio_longest, u2, 1.0, limit)
        a1 = cube_root(volume / (first * first * second))
        a2 = a1 * first
    else:
        root = cube_root(volume)
        a1_min = max(max(low, volume / (high * high)), max(root / r, math.sqrt(volume / (r * high))))
        a1 = a1_min + u1 * max(root - a1_min, 0.0)
        a2_min = max(a1, max(volume / (a1 * high), math.sqrt(volume / (r * a1))))
        a2_max = min(high, min(r * a1, math.sqrt(volume / a1)))
        a2 = a2_min + u2 * max(a2_max - a2_min, 0.0)
    return a1, a2, volume / (a1 * a2)


@kernel()
def _permuted(a1, a2, a3, k):
    if k == 0:
        return a1, a2, a3
    if k == 1:
        return a1, a3, a2
    if k == 2:
        return a2, a1, a3
    if k == 3:
        return a2, a3, a1
    if k == 4:
        return a3, a1, a2
    return a3, a2, a1


@kernel()
def _three_lengths(spec, stream):
    """Lengths of the orthogonal cell that is skewed afterwards."""
    low, high = spec.length_min, spec.length_max
    if spec.from_volume:
        volume = draw(spec.volume, uniform(stream))
        a1, a2, a3 = _sorted_lengths(spec, volume, stream)
        a, b, c = _permuted(a1, a2, a3, bounded(stream, 6))
    else:
        a = low + uniform(stream) * (high - low)
        b = low + uniform(stream) * (high - low)
        c = low + uniform(stream) * (high - low)
    # a₃ = V/(a₁a₂) can leave the bounds by a unit in the last place
    return min(max(a, low), high), min(max(b, low), high), min(max(c, low), high)


@kernel()
def _skew(spec, table, length, other, u):
    """A skew ≤ 0 (eq. 15): no angle beyond β_max, no length beyond a_max; `other` is a second skew
    squared."""
    limit = spec.skew_max
    if not spec.keep_lengths:
        limit = min(limit, math.sqrt(max(spec.length_max**2 / length**2 - 1.0 - other, 0.0)))
    if spec.skew_from_table:
        return -draw_between(table, u, 0.0, limit)
    return -u * limit


@kernel()
def _stretched(spec, length, stretch):
    """Length after the skew: |S·a| (volume kept), or as before (eq. 16)."""
    return length if spec.keep_lengths else min(length * stretch, spec.length_max)


@kernel()
def _monoclinic(spec, stream):
    """Eqs 14–16, for any unique axis."""
    a, b, c = _three_lengths(spec, stream)
    skewed = b if spec.axis == 2 else c
    s = _skew(spec, spec.skew_s3, skewed, 0.0, uniform(stream))
    stretch = math.sqrt(1.0 + s * s)
    skewed = _stretched(spec, skewed, stretch)
    cosine = s / stretch
    if spec.axis == 0:
        return a, b, skewed, cosine, 0.0, 0.0
    if spec.axis == 1:
        return a, b, skewed, 0.0, cosine, 0.0
    return a, skewed, c, 0.0, 0.0, cosine


@kernel()
def _triclinic(spec, stream):
    """Eq. 17: b = b₀(s₂, 1, 0), c = c₀(s₃, s₁, 1); s₁ = 0 there, and as an extension drawn like the
    others."""
    a, b, c = _three_lengths(spec, stream)
    s2 = _skew(spec, spec.skew_s2, b, 0.0, uniform(stream))
    s3 = _skew(spec, spec.skew_s3, c, 0.0, uniform(stream))
    s1 = 0.0
    if spec.skew_b_against_c:
        s1 = _skew(spec, spec.skew_s1, c, s3 * s3, uniform(stream))
    stretch_b = math.sqrt(1.0 + s2 * s2)
    stretch_c = math.sqrt(1.0 + s1 * s1 + s3 * s3)
    ca = (s2 * s3 + s1) / (stretch_b * stretch_c)
    return (
        a,
        _stretched(spec, b, stretch_b),
        _stretched(spec, c, stretch_c),
        ca,
        s3 / stretch_c,
        s2 / stretch_b,
    )


@kernel()
def _uniaxial(spec, stream):
    """Two equal lengths p and a unique one q: V = factor·p²q, p uniform within the bounds on p, q and their
    ratio."""
    low, high, r = spec.length_min, spec.length_max, spec.ratio_max
    if spec.from_volume:
        box = draw(spec.volume, uniform(stream)) / spec.factor
        if spec.ratios_from_table:
            ratio, longest = _uniaxial_ratio(spec, box, stream)
            p = cube_root(box / ratio) if longest else cube_root(box * ratio)
        else:
            root, turn = cube_root(box), cube_root(r)
            p_min = max(max(low, math.sqrt(box / high)), root / turn)
            p_max = min(min(high, math.sqrt(box / low)), root * turn)
            p = p_min + uniform(stream) * max(p_max - p_min, 0.0)
        q = box / (p * p)
    else:
        p = low + uniform(stream) * (high - low)
        q = low + uniform(stream) * (high - low)
    p, q = min(max(p, low), high), min(max(q, low), high)
    cosine = 0.0 if spec.factor == 1.0 else -0.5
    if spec.axis == 0:
        return q, p, p, cosine, 0.0, 0.0
    if spec.axis == 1:
        return p, q, p, 0.0, cosine, 0.0
    return p, p, q, 0.0, 0.0, cosine


@kernel()
def _uniaxial_ratio(spec, box, stream):
    """Longer over shorter length from the tables, and whether the unique axis is the longer one."""
    low, high, r = spec.length_min, spec.length_max, spec.ratio_max
    longest = bounded(stream, 2) == 0
    if longest:  # p = (box/ratio)^⅓ ≥ low, q = p·ratio ≤ high
        limit = min(r, min(box / low**3, math.sqrt(high**3 / box)))
        return _ratio_draw(spec.ratio_longest, uniform(stream), 1.0, limit), True
    limit = min(r, min(high**3 / box, math.sqrt(box / low**3)))
    return _ratio_draw(spec.ratio_middle, uniform(stream), 1.0, limit), False


@kernel()
def _rhombohedral_shape(s):
    """cos α and V/a³ for s = cot α."""
    cosine = s / math.sqrt(1.0 + s * s)
    return cosine, math.sqrt(max(1.0 - 3.0 * cosine**2 + 2.0 * cosine**3, 0.0))


@kernel()
def _furthest(limit, shape_min):
    """The s between 0 and `limit` where V/a³ falls to `shape_min` (it falls on either side of 0), by
    bisection."""
    if _rhombohedral_shape(limit)[1] >= shape_min:
        return limit
    inside, outside = 0.0, limit
    for _ in range(60):
        middle = 0.5 * (inside + outside)
        if _rhombohedral_shape(middle)[1] >= shape_min:
            inside = middle
        else:
            outside = middle
    return inside


@kernel()
def _rhombohedral(spec, stream):
    """a = b = c, α = β = γ: V = a³√(1 − 3cos²α + 2cos³α), cot α uniform where a stays within its bounds."""
    low, high = spec.length_min, spec.length_max
    s_min, s_max = spec.skew_rhombohedral
    if not spec.from_volume:
        a = low + uniform(stream) * (high - low)
        cosine, _ = _rhombohedral_shape(s_min + uniform(stream) * (s_max - s_min))
        return a, a, a, cosine, cosine, cosine
    volume = draw(spec.volume, uniform(stream))
    if not spec.keep_lengths:
        shape_min = volume / high**3
        s_min, s_max = _furthest(s_min, shape_min), _furthest(s_max, shape_min)
    cosine, shape = _rhombohedral_shape(s_min + uniform(stream) * (s_max - s_min))
    a = cube_root(volume if spec.keep_lengths else volume / shape)
    a = min(max(a, low), high)
    return a, a, a, cosine, cosine, cosine


@kernel()
def draw_cell(spec, stream, latent):
    """One cell (a, b, c in Å; cos α, cos β, cos γ) of a `CellSpec`; `latent` takes what is drawn with it."""
    if spec.joint.cholesky.size > 0:
        return fitted_cell(spec, stream, latent)
    if spec.system == MONOCLINIC:
        return _monoclinic(spec, stream)
    if spec.system == TRICLINIC:
        return _triclinic(spec, stream)
    if spec.system == ORTHORHOMBIC:
        a, b, c = _three_lengths(spec, stream)
        return a, b, c, 0.0, 0.0, 0.0
    if spec.system == UNIAXIAL:
        return _uniaxial(spec, stream)
    if spec.system == CUBIC:
        if spec.from_volume:
            a = cube_root(draw(spec.volume, uniform(stream)))
        else:
            a = spec.length_min + uniform(stream) * (spec.length_max - spec.length_min)
        a = min(max(a, spec.length_min), spec.length_max)
        return a, a, a, 0.0, 0.0, 0.0
    return _rhombohedral(spec, stream)


@compilation.kernel(nogil=True)
def cells(spec, stream, start, count):
    """Cells (count, 6) in Å and degrees of the structures from `start` on, before any redraw."""
    from_stream, latent = np.empty((count, 6)), np.empty(LATENT)
    for i in range(count):
        seek(stream, start + i)
        a, b, c, ca, cb, cg = draw_cell(spec, stream, latent)
        from_stream[i, 0], from_stream[i, 1], from_stream[i, 2] = a, b, c
        from_stream[i, 3], from_stream[i, 4], from_stream[i, 5] = (
            angle_degree(ca),
            angle_degree(cb),
            angle_degree(cg),
        )
    return from_stream
