"""The least-oblique cell among those that keep the operators of P 1 2₁/c 1, for many cells at once.

All cells of the group in this setting have a′ = p a + q c and c′ = r a + s c with r even, s odd and
determinant ±1 (compositions of a′ = ±a + m c and c′ = ±c + 2n a). Since a c sin β is the same for all of
them, β is nearest 90° where a′c′ is smallest: with u, v the shortest vectors of the plane, (c′, a′) is
(u, v), (v, u), or the shorter of u ± v with u, by the class of c modulo 2.
"""

from __future__ import annotations

import math

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel

__all__ = ["least_oblique_cells"]

Plane = tuple[int, int, int, int]


@kernel()
def _dot(cell: F64, u: F64, v: F64) -> float:
    """Scalar product in Å² of two vectors in units of the axes."""
    total = (
        u[0] * v[0] * cell[0] * cell[0] + u[1] * v[1] * cell[1] * cell[1] + u[2] * v[2] * cell[2] * cell[2]
    )
    for k, i, j in ((3, 1, 2), (4, 0, 2), (5, 0, 1)):
        mixed = u[i] * v[j] + u[j] * v[i]
        if mixed != 0.0 and cell[k] != 90.0:
            total += mixed * (cell[i] * cell[j]) * math.cos(math.radians(cell[k]))
    return float(total)


@kernel()
def _plane_dot(aa: float, ac: float, cc: float, u: tuple[int, int], v: tuple[int, int]) -> float:
    return float(aa * u[0] * v[0] + ac * (u[0] * v[1] + u[1] * v[0]) + cc * u[1] * v[1])


@kernel()
def _folded(new_a: tuple[int, int], new_c: tuple[int, int], acute: bool) -> Plane:
    """Axes with β ≥ 90°: a is turned around where β is acute, c keeps its old direction."""
    if new_c[1] < 0:
        new_c = (-new_c[0], -new_c[1])
        acute = not acute
    if acute:
        new_a = (-new_a[0], -new_a[1])
    return (new_a[0], new_a[1], new_c[0], new_c[1])


@kernel()
def _plane(aa: float, ac: float, cc: float) -> Plane:
    """Integers p, q, r, s from the metric a·a, a·c, c·c of the plane; zeros where it cannot be a metric."""
    u, v = (1, 0), (0, 1)
    for _ in range(1000):  # Gauss's reduction; each round but the last shortens a vector
        if _plane_dot(aa, ac, cc, v, v) < _plane_dot(aa, ac, cc, u, u) * (1 - 1e-12):
            u, v = v, u
        k = int(np.rint(_plane_dot(aa, ac, cc, u, v) / _plane_dot(aa, ac, cc, u, u)))
        if k == 0:
            break
        v = (v[0] - k * u[0], v[1] - k * u[1])
    best_value, best_size, best = np.inf, 0, (0, 0, 0, 0)
    vectors = (u, v, (u[0] + v[0], u[1] + v[1]), (u[0] - v[0], u[1] - v[1]))
    for new_c in vectors:
        if new_c[0] % 2 != 0 or new_c[1] % 2 == 0:
            continue
        for new_a in vectors:
            if abs(new_a[0] * new_c[1] - new_a[1] * new_c[0]) != 1:
                continue
            candidate = _folded(new_a, new_c, _plane_dot(aa, ac, cc, new_a, new_c) > 0)
            size = candidate[0] ** 2 + candidate[1] ** 2 + candidate[2] ** 2 + candidate[3] ** 2
            value = _plane_dot(aa, ac, cc, new_a, new_a) * _plane_dot(aa, ac, cc, new_c, new_c)
            # a tie in the angle goes to the cell nearest the reference cell
            if value < best_value * (1 + (1e-9 if size < best_size else -1e-9)):
                best_value, best_size, best = value, size, candidate
    return best


@kernel()
def least_oblique_cells(cells: F64, axes: F64) -> tuple[F64, I64]:
    """P 1 2₁/c 1 cells with β nearest 90°, folded to β ≥ 90°, of structures in settings of no. 14.

    Parameters
    ----------
    cells
        (n, 6) in Å and degrees, of positive volume.
    axes
        (n, 3, 3) axes of the reference setting, one a row, in units of the cell's.

    Returns
    -------
    cells (n, 6), and (n, 4) p, q, r, s: a′ = p a + q c and c′ = r a + s c of the reference setting's axes.
    """
    out, planes = np.empty_like(cells), np.empty((len(cells), 4), dtype=np.int64)
    for e in range(len(cells)):
        cell, a, b, c = cells[e], axes[e, 0], axes[e, 1], axes[e, 2]
        aa, bb, cc, ac = _dot(cell, a, a), _dot(cell, b, b), _dot(cell, c, c), _dot(cell, a, c)
        p, q, r, s = _plane(aa, ac, cc)
        new_aa = p * p * aa + 2 * p * q * ac + q * q * cc
        new_cc = r * r * aa + 2 * r * s * ac + s * s * cc
        new_ac = p * r * aa + (p * s + q * r) * ac + q * s * cc
        # an angle that is 90° but for rounding stays 90°
        cosine = new_ac / math.sqrt(new_aa * new_cc)
        out[e, 0], out[e, 1], out[e, 2] = math.sqrt(new_aa), math.sqrt(bb), math.sqrt(new_cc)
        out[e, 3], out[e, 5] = 90.0, 90.0
        out[e, 4] = 90.0 if abs(cosine) < 1e-14 else math.degrees(math.acos(cosine))
        planes[e, 0], planes[e, 1], planes[e, 2], planes[e, 3] = p, q, r, s
    return out, planes
