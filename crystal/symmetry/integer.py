"""Exact integer linear algebra in three dimensions: Smith and Hermite normal forms, annihilators.

Plain Python integers, because the matrices are tiny and must be exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from math import gcd, lcm

import numpy as np

from xtalpriors.arrays import F64

__all__ = [
    "Matrix",
    "annihilator",
    "congruence_solutions",
    "hermite_normal_form",
    "lattice_basis",
    "smith_normal_form",
]

Matrix = list[list[int]]


def _identity(n: int) -> Matrix:
    return [[int(i == j) for j in range(n)] for i in range(n)]


def smith_normal_form(matrix: Sequence[Sequence[int]]) -> tuple[Matrix, list[int], Matrix, Matrix]:
    """Smith form without the divisibility chain: U A V = diag(d).

    Parameters
    ----------
    matrix
        A (m, n) of integers.

    Returns
    -------
    U (m, m), d (min(m, n) entries ≥ 0), V (n, n) and V⁻¹ (n, n), where U and V are unimodular. The entries of
    d need not divide each other: solving congruences does not ask for it.
    """
    a = [list(map(int, row)) for row in matrix]
    m, n = len(a), len(a[0])
    u, v, v_inverse = _identity(m), _identity(n), _identity(n)
    for k in range(min(m, n)):
        while _bring_pivot(a, u, v, v_inverse, k):
            _clear_column(a, u, k)
            _clear_row(a, v, v_inverse, k)
            if not any(a[i][k] for i in range(k + 1, m)) and not any(a[k][k + 1 :]):
                break
        if a[k][k] < 0:
            a[k] = [-x for x in a[k]]
            u[k] = [-x for x in u[k]]
    return u, [a[k][k] for k in range(min(m, n))], v, v_inverse


def _bring_pivot(a: Matrix, u: Matrix, v: Matrix, v_inverse: Matrix, k: int) -> bool:
    """Move the smallest nonzero entry of the rest to (k, k); False where the rest is zero."""
    m, n = len(a), len(a[0])
    places = [(abs(a[i][j]), i, j) for i in range(k, m) for j in range(k, n) if a[i][j]]
    if not places:
        return False
    _, i, j = min(places)
    a[k], a[i] = a[i], a[k]
    u[k], u[i] = u[i], u[k]
    for rows in (a, v):
        for row in rows:
            row[k], row[j] = row[j], row[k]
    v_inverse[k], v_inverse[j] = v_inverse[j], v_inverse[k]
    return True


def _clear_column(a: Matrix, u: Matrix, k: int) -> None:
    for i in range(k + 1, len(a)):
        factor = a[i][k] // a[k][k]
        if factor:
            a[i] = [x - factor * y for x, y in zip(a[i], a[k], strict=True)]
            u[i] = [x - factor * y for x, y in zip(u[i], u[k], strict=True)]


def _clear_row(a: Matrix, v: Matrix, v_inverse: Matrix, k: int) -> None:
    for j in range(k + 1, len(a[0])):
        factor = a[k][j] // a[k][k]
        if factor:
            for rows in (a, v):
                for row in rows:
                    row[j] -= factor * row[k]
            v_inverse[k] = [x + factor * y for x, y in zip(v_inverse[k], v_inverse[j], strict=True)]


def congruence_solutions(
    matrix: Sequence[Sequence[int]], right: Sequence[Fraction]
) -> list[tuple[Matrix, list[Fraction]]]:
    """All x with A x ≡ b modulo integers, as cosets of subtori of ℝⁿ/ℤⁿ.

    Returns
    -------
    A list of (N, c), each the set {x : N x ≡ c mod ℤ}, where the rows of N span all integer vectors that are
    orthogonal to the free directions (so each set is connected). Empty where there is no solution.
    """
    u, diagonal, _, v_inverse = smith_normal_form(matrix)
    image = [sum((x * b for x, b in zip(row, right, strict=True)), Fraction(0)) for row in u]
    rank_rows = [i for i, d in enumerate(diagonal) if d]
    if any(image[i].denominator != 1 for i in range(len(image)) if i not in rank_rows):
        return []
    rows = [v_inverse[i] for i in rank_rows]
    choices = [[(image[i] + k) / diagonal[i] for k in range(diagonal[i])] for i in rank_rows]
    return [(rows, list(values)) for values in product(*choices)]


def hermite_normal_form(
    rows: Sequence[Sequence[int]], right: Sequence[Fraction] | None = None
) -> tuple[tuple[tuple[int, ...], ...], tuple[Fraction, ...]]:
    """Unique form of the equations N x ≡ c mod ℤ: row Hermite form, c in [0, 1).

    Without c it gives a basis of the lattice that the rows span, followed by rows of zeros.
    """
    a = [list(row) for row in rows]
    c = [Fraction(0)] * len(a) if right is None else list(right)
    k = 0
    for j in range(3):
        if k == len(a):
            break
        while True:
            nonzero = [i for i in range(k, len(a)) if a[i][j]]
            if not nonzero:
                break
            pivot = min(nonzero, key=lambda i: abs(a[i][j]))
            a[k], a[pivot], c[k], c[pivot] = a[pivot], a[k], c[pivot], c[k]
            for i in range(k + 1, len(a)):
                _subtract(a, c, i, k, a[i][j] // a[k][j])
            if not any(a[i][j] for i in range(k + 1, len(a))):
                break
        if a[k][j]:
            if a[k][j] < 0:
                a[k], c[k] = [-x for x in a[k]], -c[k]
            for i in range(k):
                _subtract(a, c, i, k, a[i][j] // a[k][j])
            k += 1
    return tuple(tuple(row) for row in a), tuple(x % 1 for x in c)


def _subtract(a: Matrix, c: list[Fraction], i: int, k: int, factor: int) -> None:
    if factor:
        a[i] = [x - factor * y for x, y in zip(a[i], a[k], strict=True)]
        c[i] -= factor * c[k]


def lattice_basis(shifts: Iterable[Sequence[int]], denominator: int) -> F64:
    """Basis (3, 3) of the lattice that the three unit vectors and some shifts span: one vector a column.

    The shifts are integers in units of 1/`denominator`. The basis is right-handed, because the Hermite form
    has positive pivots.
    """
    axes = [[denominator * x for x in row] for row in _identity(3)]
    lattice, _ = hermite_normal_form([*axes, *(list(t) for t in shifts)])
    basis: F64 = np.array(lattice[:3], dtype=np.float64).T / denominator
    return basis


def annihilator(directions: Sequence[Sequence[Fraction | int]]) -> Matrix:
    """Basis (3 − d rows) of all integer vectors orthogonal to d independent directions in space."""
    integral = []
    for direction in directions:
        values = [Fraction(x) for x in direction]
        scale = lcm(*(x.denominator for x in values))
        scaled = [int(x * scale) for x in values]
        common = gcd(*scaled)
        integral.append([x // common for x in scaled])
    if not integral:
        return _identity(3)
    _, diagonal, v, _ = smith_normal_form(integral)
    free = [j for j in range(3) if j >= len(diagonal) or not diagonal[j]]
    return [[v[i][j] for i in range(3)] for j in free]
