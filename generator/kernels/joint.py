"""Kernels that draw a cell and the amount of its contents together, from the bundle's prior `cell`.

A Gaussian copula: correlated normal numbers, their shares Φ(z), and the quantile of each variable at its
share. Φ and its inverse are tables, so that +, −, × and ÷ are all that it takes.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

from xtalpriors.generator.kernels.arithmetic import chosen, draw, draw_row, table_probability
from xtalpriors.generator.kernels.compilation import kernel
from xtalpriors.generator.kernels.random import uniform
from xtalpriors.generator.specification.kernel_inputs import (
    CUBIC,
    LEAST_SHAPE,
    MONOCLINIC,
    RHOMBOHEDRAL,
    TRICLINIC,
    UNIAXIAL,
)

__all__ = ["fitted_cell"]


@kernel()
def _draw_variables(joint, latent, stream):
    """One value of each variable of the copula, into latent[:k]."""
    n = joint.cholesky.shape[0]
    for i in range(n):
        latent[i] = draw(joint.normal, uniform(stream))
    for i in range(n - 1, -1, -1):
        z = 0.0
        for j in range(i + 1):
            z += joint.cholesky[i, j] * latent[j]
        latent[i] = z
    for i in range(n):
        latent[i] = draw_row(joint.tables, i, table_probability(joint.normal, latent[i]))


@kernel()
def _place(axis, rank, lengths):
    """Length of the axis that has this rank (0 shortest) among a, b and c."""
    a1, a2, a3 = lengths
    return a1 if rank[axis] == 0 else a2 if rank[axis] == 1 else a3


@kernel()
def _three_lengths(longest, latent, rank):
    """a, b, c of a cell from its longest length, its sorted ratios and the rank of each axis."""
    a2 = longest / max(latent[2], 1.0)
    lengths = a2 / max(latent[1], 1.0), a2, longest
    return _place(0, rank, lengths), _place(1, rank, lengths), _place(2, rank, lengths)


@kernel()
def _cosine_between(i, j, rank, latent):
    """Cosine of the angle between two axes: variables 3, 4 and 5 are those between ranks 01, 02 and 12."""
    return latent[2 + rank[i] + rank[j]]


@kernel()
def _oblique(spec, longest, latent, stream):
    """Triclinic, monoclinic and orthorhombic cells, and whether the angles enclose a volume."""
    rank = spec.joint.ranks[chosen(spec.joint.orders, uniform(stream))]
    a, b, c = _three_lengths(longest, latent, rank)
    if spec.system == TRICLINIC:
        ca, cb = _cosine_between(1, 2, rank, latent), _cosine_between(0, 2, rank, latent)
        cg = _cosine_between(0, 1, rank, latent)
        square = 1.0 - ca * ca - cb * cb - cg * cg + 2.0 * ca * cb * cg
        return a, b, c, ca, cb, cg, square >= LEAST_SHAPE
    if spec.system != MONOCLINIC:
        return a, b, c, 0.0, 0.0, 0.0, True
    cosine = latent[3]
    if spec.axis == 0:  # the unique axis is b in the prior; the others follow it cyclically
        return b, c, a, -cosine, 0.0, 0.0, cosine * cosine <= 1.0 - LEAST_SHAPE
    if spec.axis == 1:
        return a, b, c, 0.0, -cosine, 0.0, cosine * cosine <= 1.0 - LEAST_SHAPE
    return c, a, b, 0.0, 0.0, -cosine, cosine * cosine <= 1.0 - LEAST_SHAPE


@kernel()
def _of_equal_axes(spec, longest, latent):
    """Uniaxial, cubic and rhombohedral cells, and whether the angles enclose a volume."""
    if spec.system == CUBIC:
        return longest, longest, longest, 0.0, 0.0, 0.0, True
    ratio = latent[1]
    p = longest / max(ratio, 1.0)
    q = p * ratio
    if spec.system == RHOMBOHEDRAL:  # of the hexagonal axes p and q
        a = math.sqrt(p * p / 3.0 + q * q / 9.0)
        cosine = 1.0 - 4.5 / (3.0 + ratio * ratio)
        square = 1.0 - 3.0 * cosine * cosine + 2.0 * cosine * cosine * cosine
        return a, a, a, cosine, cosine, cosine, square >= LEAST_SHAPE
    cosine = 0.0 if spec.factor == 1.0 else -0.5
    if spec.axis == 0:
        return q, p, p, cosine, 0.0, 0.0, True
    if spec.axis == 1:
        return p, q, p, 0.0, cosine, 0.0, True
    return p, p, q, 0.0, 0.0, cosine, True


@kernel()
def fitted_cell(spec, stream, latent):
    """A cell (a, b, c in Å; cosines) from the copula, its variables left in `latent`.

    Cells with a length out of bounds, or with angles that enclose no volume, are drawn again, `tries` times
    at most; the lengths of the last are cut to the bounds.
    """
    joint = spec.joint
    a = b = c = ca = cb = cg = 0.0
    found = False
    for _ in range(joint.tries):
        _draw_variables(joint, latent, stream)
        longest = latent[0] * joint.longest_scale
        if spec.system == UNIAXIAL or spec.system == CUBIC or spec.system == RHOMBOHEDRAL:
            drawn = _of_equal_axes(spec, longest, latent)
        else:
            drawn = _oblique(spec, longest, latent, stream)
        if not drawn[6]:
            continue
        found = True
        a, b, c, ca, cb, cg = drawn[0], drawn[1], drawn[2], drawn[3], drawn[4], drawn[5]
        shortest = min(a, b, c)
        if spec.system == RHOMBOHEDRAL:  # the bounds are those of its hexagonal axes
            shortest = longest / max(latent[1], 1.0) * min(latent[1], 1.0)
        if shortest >= spec.length_min and joint.longest_min <= longest <= spec.length_max:
            return a, b, c, ca, cb, cg
    low, high = spec.length_min, spec.length_max
    if not found:
        return low, low, low, 0.0, 0.0, 0.0
    if spec.system == RHOMBOHEDRAL:
        return a, b, c, ca, cb, cg
    return min(max(a, low), high), min(max(b, low), high), min(max(c, low), high), ca, cb, cg
