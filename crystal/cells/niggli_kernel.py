"""Compiled Niggli reduction of metric tensors; `niggli` is the way to call it."""

from __future__ import annotations

import math

import numpy as np

from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.determinant import determinant

__all__ = ["reduce_metrics"]

EPSILON = 1e-5
"""Tolerance of comparisons in units of V^⅔ (Grosse-Kunstleve et al. 2004 recommend 10⁻⁵)."""
MAX_STEPS = 1000
"""Far above the need: after the pairwise reduction a Niggli reduction takes fewer than twenty steps."""

_determinant = kernel()(determinant)


@kernel()
def _pairwise(g, m):  # type: ignore[no-untyped-def]
    """Subtract whole multiples of one axis from another while that shortens it.

    This strips off extreme obliqueness in few rounds, where the steps below would need one for each multiple.
    """
    for _ in range(200):
        changed = False
        for i in range(3):
            for j in range(3):
                if i == j:
                    continue
                k = np.rint(g[i, j] / g[i, i])
                if k == 0.0 or g[j, j] - 2.0 * k * g[i, j] + k * k * g[i, i] >= g[j, j] * (1.0 - 1e-12):
                    continue
                for r in range(3):
                    g[r, j] -= k * g[r, i]
                for r in range(3):
                    g[j, r] -= k * g[i, r]
                for r in range(3):
                    m[r, j] -= k * m[r, i]
                changed = True
        if not changed:
            return


@kernel()
def _combine(m, target, source, sign):  # type: ignore[no-untyped-def]
    """Add a multiple of one new axis to another."""
    for r in range(3):
        m[r, target] += sign * m[r, source]


@kernel()
def _swap(m, i, j):  # type: ignore[no-untyped-def]
    """Exchange two axes and turn all three around, which keeps the hand."""
    for r in range(3):
        m[r, i], m[r, j] = m[r, j], m[r, i]
        for c in range(3):
            m[r, c] = -m[r, c]


@kernel()
def _signs(v, m, e):  # type: ignore[no-untyped-def]
    """Steps 3 and 4: make ξ, η, ζ all positive, or all of them ≤ 0, by turning two axes around."""
    n_zero = 0
    n_positive = 0
    for i in range(3, 6):
        if v[i] > e:
            n_positive += 1
        elif v[i] >= -e:
            n_zero += 1
    all_positive = n_zero == 0 and n_positive % 2 == 1
    s0, s1, s2 = 1.0, 1.0, 1.0
    if all_positive:
        s0 = -1.0 if v[3] < -e else 1.0
        s1 = -1.0 if v[4] < -e else 1.0
        s2 = -1.0 if v[5] < -e else 1.0
    else:
        free = -1
        if v[3] > e:
            s0 = -1.0
        elif v[3] >= -e:
            free = 0
        if v[4] > e:
            s1 = -1.0
        elif v[4] >= -e:
            free = 1
        if v[5] > e:
            s2 = -1.0
        elif v[5] >= -e:
            free = 2
        if s0 * s1 * s2 < 0.0:
            if free == 0:
                s0 = -1.0
            elif free == 1:
                s1 = -1.0
            else:
                s2 = -1.0
    for r in range(3):
        m[r, 0] *= s0
        m[r, 1] *= s1
        m[r, 2] *= s2
    v[3] *= s1 * s2
    v[4] *= s0 * s2
    v[5] *= s0 * s1


@kernel()
def _step(v, m, e):  # type: ignore[no-untyped-def]
    """One pass of steps 1 to 8 on (A, B, C, ξ, η, ζ); True when the cell is reduced."""
    if v[0] > v[1] + e or (abs(v[0] - v[1]) <= e and abs(v[3]) > abs(v[4]) + e):
        v[0], v[1] = v[1], v[0]
        v[3], v[4] = v[4], v[3]
        _swap(m, 0, 1)
    if v[1] > v[2] + e or (abs(v[1] - v[2]) <= e and abs(v[4]) > abs(v[5]) + e):
        v[1], v[2] = v[2], v[1]
        v[4], v[5] = v[5], v[4]
        _swap(m, 1, 2)
        return False
    _signs(v, m, e)
    a, b, xi, eta, zeta = v[0], v[1], v[3], v[4], v[5]
    if abs(xi) > b + e or (abs(xi - b) <= e and 2 * eta < zeta - e) or (abs(xi + b) <= e and zeta < -e):
        s = 1.0 if xi > 0 else -1.0
        v[2] += b - xi * s
        v[4] -= zeta * s
        v[3] -= 2 * b * s
        _combine(m, 2, 1, -s)
        return False
    if abs(eta) > a + e or (abs(eta - a) <= e and 2 * xi < zeta - e) or (abs(eta + a) <= e and zeta < -e):
        s = 1.0 if eta > 0 else -1.0
        v[2] += a - eta * s
        v[3] -= zeta * s
        v[4] -= 2 * a * s
        _combine(m, 2, 0, -s)
        return False
    if abs(zeta) > a + e or (abs(zeta - a) <= e and 2 * xi < eta - e) or (abs(zeta + a) <= e and eta < -e):
        s = 1.0 if zeta > 0 else -1.0
        v[1] += a - zeta * s
        v[3] -= eta * s
        v[5] -= 2 * a * s
        _combine(m, 1, 0, -s)
        return False
    total = xi + eta + zeta + a + b
    if total < -e or (abs(total) <= e and 2 * (a + eta) + zeta > e):
        v[2] += a + b + xi + eta + zeta
        v[3] += 2 * b + zeta
        v[4] += 2 * a + zeta
        _combine(m, 2, 0, 1.0)
        _combine(m, 2, 1, 1.0)
        return False
    return True


@kernel()
def _reduce(g, m):  # type: ignore[no-untyped-def]
    """Reduce one metric tensor in place; m becomes the change of basis. False if it belongs to no lattice."""
    for i in range(3):
        if not (g[i, i] > 0.0 and math.isfinite(g[i, i])):
            return False
    det = _determinant(g[0], g[1], g[2])
    if not (det > 1e-12 * g[0, 0] * g[1, 1] * g[2, 2] and math.isfinite(det)):
        return False
    _pairwise(g, m)
    v = np.empty(6)
    v[0], v[1], v[2] = g[0, 0], g[1, 1], g[2, 2]
    v[3], v[4], v[5] = 2 * g[1, 2], 2 * g[0, 2], 2 * g[0, 1]
    e = EPSILON * det ** (1.0 / 3.0)
    steps = 0
    while steps < MAX_STEPS and not _step(v, m, e):
        steps += 1
    return steps < MAX_STEPS


@kernel()
def reduce_metrics(metrics, bases):  # type: ignore[no-untyped-def]
    """Niggli-reduce the lattices of metric tensors (n, 3, 3) in place.

    `bases` (n, 3, 3) comes as the identity or a primitive basis, whose metric `metrics` already is, and
    leaves as the basis of the reduced cell. Returns (n,) bool: False where a tensor belongs to no lattice.
    """
    n = len(metrics)
    reduced = np.empty(n, dtype=np.bool_)
    g = np.empty((3, 3))
    m = np.empty((3, 3))
    product = np.empty((3, 3))
    for k in range(n):
        for i in range(3):
            for j in range(3):
                g[i, j] = metrics[k, i, j]
                m[i, j] = 1.0 if i == j else 0.0
        reduced[k] = _reduce(g, m)
        if not reduced[k]:
            for i in range(3):
                for j in range(3):
                    metrics[k, i, j] = bases[k, i, j] = np.nan
            continue
        # from the metric given, not from the running one, whose rounding errors add up
        for i in range(3):
            for j in range(3):
                product[i, j] = (
                    metrics[k, i, 0] * m[0, j] + metrics[k, i, 1] * m[1, j] + metrics[k, i, 2] * m[2, j]
                )
        for i in range(3):
            for j in range(3):
                metrics[k, i, j] = m[0, i] * product[0, j] + m[1, i] * product[1, j] + m[2, i] * product[2, j]
        for i in range(3):
            for j in range(3):
                product[i, j] = bases[k, i, 0] * m[0, j] + bases[k, i, 1] * m[1, j] + bases[k, i, 2] * m[2, j]
        for i in range(3):
            for j in range(3):
                bases[k, i, j] = product[i, j]
    return reduced
