"""Fixed points, lines and planes of symmetry operators in the torus of fractional coordinates ℝ³/ℤ³.

A connected fixed set is held by its equations N x ≡ c modulo integers (`Subspace`), in a unique form, so that
sets are compared, intersected and moved by operators exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from xtalpriors.crystal.cells.determinant import adjugate, determinant
from xtalpriors.crystal.symmetry.integer import (
    annihilator,
    congruence_solutions,
    hermite_normal_form,
    smith_normal_form,
)
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, Operator

__all__ = ["AffineMap", "Subspace", "fixed_subspaces", "image", "intersections", "parametrize", "subspace_of"]

Vector = tuple[Fraction, Fraction, Fraction]


class Subspace(NamedTuple):
    """{x : N x ≡ c mod ℤ}: `rows` is N in Hermite form, `right` is c in [0, 1). No rows: the whole space."""

    rows: tuple[tuple[int, ...], ...]
    right: tuple[Fraction, ...]

    @property
    def degrees_of_freedom(self) -> int:
        """0 a point, 1 a line, 2 a plane, 3 the whole space."""
        return 3 - len(self.rows)


class AffineMap(NamedTuple):
    """Points D u + p of a subspace: `directions` are the columns of D (one for each free parameter)."""

    directions: tuple[tuple[int, ...], ...]
    point: Vector


def _canonical(rows: Sequence[Sequence[int]], right: Sequence[Fraction]) -> Subspace:
    return Subspace(*hermite_normal_form(rows, right)) if rows else Subspace((), ())


def fixed_subspaces(operator: Operator) -> list[Subspace]:
    """Connected sets of points that an operator maps onto themselves modulo lattice translations."""
    r, t = operator
    matrix = [[int(i == j) - r[3 * i + j] for j in range(3)] for i in range(3)]
    right = [Fraction(x, DENOMINATOR) for x in t]
    return [_canonical(rows, values) for rows, values in congruence_solutions(matrix, right)]


def image(subspace: Subspace, operator: Operator) -> Subspace:
    """The subspace moved by a symmetry operator (whose rotation is unimodular)."""
    r, t = operator
    inverse = _inverse_rotation(r)
    rows = [[sum(n[k] * inverse[k][j] for k in range(3)) for j in range(3)] for n in subspace.rows]
    shift = [Fraction(x, DENOMINATOR) for x in t]
    right = [
        c + sum((x * s for x, s in zip(row, shift, strict=True)), Fraction(0))
        for row, c in zip(rows, subspace.right, strict=True)
    ]
    return _canonical(rows, right)


def _inverse_rotation(r: tuple[int, ...]) -> list[list[int]]:
    m = (r[0:3], r[3:6], r[6:9])
    det = determinant(*m)
    return [[x * det for x in row] for row in adjugate(m)]


def intersections(first: Subspace, second: Subspace) -> list[Subspace]:
    """Connected parts of what two subspaces share."""
    rows = [*first.rows, *second.rows]
    if not rows:
        return [first]
    parts = congruence_solutions(rows, [*first.right, *second.right])
    return [_canonical(n, c) for n, c in parts]


def subspace_of(directions: Sequence[Sequence[Fraction | int]], point: Sequence[Fraction]) -> Subspace:
    """The subspace through a point along independent directions (closed modulo integers)."""
    rows = annihilator(directions)
    right = [sum((n * x for n, x in zip(row, point, strict=True) if n and x), Fraction(0)) for row in rows]
    return _canonical(rows, right)


def parametrize(subspace: Subspace) -> AffineMap:
    """Points of a subspace by free parameters that are coordinates, as in (x, x, z) or (x, 2x, 1/4).

    The directions span every lattice vector of the subspace, so parameters in [0, 1) cover it evenly.
    """
    directions, point = _solve(subspace)
    for pivots in combinations(range(3), len(directions)):
        normalized = _with_pivots(directions, pivots)
        if normalized is not None:
            base = list(point)
            for direction, pivot in zip(normalized, pivots, strict=True):
                factor = base[pivot]
                base = [x - factor * d for x, d in zip(base, direction, strict=True)]
            x, y, z = (value % 1 for value in base)
            return AffineMap(tuple(tuple(d) for d in normalized), (x, y, z))
    x, y, z = (value % 1 for value in point)
    return AffineMap(tuple(tuple(d) for d in directions), (x, y, z))


def _solve(subspace: Subspace) -> tuple[list[list[int]], list[Fraction]]:
    """Lattice basis of the directions and one point."""
    if not subspace.rows:
        return [[1, 0, 0], [0, 1, 0], [0, 0, 1]], [Fraction(0)] * 3
    u, diagonal, v, _ = smith_normal_form(subspace.rows)
    rank = len(subspace.rows)
    y = [
        sum((a * c for a, c in zip(u[i], subspace.right, strict=True) if a and c), Fraction(0)) / diagonal[i]
        for i in range(rank)
    ]
    point = [sum((v[i][k] * y[k] for k in range(rank) if v[i][k] and y[k]), Fraction(0)) for i in range(3)]
    return [[v[i][k] for i in range(3)] for k in range(rank, 3)], point


def _with_pivots(directions: list[list[int]], pivots: tuple[int, ...]) -> list[list[int]] | None:
    """The same lattice of directions with unit entries at the pivots, None where that needs fractions."""
    if len(pivots) == 0:
        return []
    if len(pivots) == 3:
        return [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    if len(pivots) == 1:
        lead = directions[0][pivots[0]]
        return [[x * lead for x in directions[0]]] if abs(lead) == 1 else None
    (a, b), (c, d) = ([row[p] for p in pivots] for row in directions)
    det = a * d - b * c
    if abs(det) != 1:
        return None
    first, second = directions
    return [
        [det * (d * x - b * y) for x, y in zip(first, second, strict=True)],
        [det * (a * y - c * x) for x, y in zip(first, second, strict=True)],
    ]
