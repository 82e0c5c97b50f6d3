from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.crystal.symmetry.integer import (
    annihilator,
    congruence_solutions,
    hermite_normal_form,
    smith_normal_form,
)

ROWS = st.lists(st.lists(st.integers(-4, 4), min_size=3, max_size=3), min_size=1, max_size=6)


@given(ROWS)
def test_smith_form(rows: list[list[int]]) -> None:
    u, diagonal, v, v_inverse = (np.array(x, dtype=object) for x in smith_normal_form(rows))
    expected = np.zeros((len(rows), 3), dtype=object)
    for i, d in enumerate(diagonal):
        expected[i, i] = d
    assert (u @ np.array(rows, dtype=object) @ v == expected).all()
    assert (v @ v_inverse == np.eye(3, dtype=int)).all()
    assert abs(round(np.linalg.det(u.astype(float)))) == 1
    assert all(d >= 0 for d in diagonal)


@given(ROWS, st.permutations(range(6)), st.integers(-3, 3))
def test_hermite_form_does_not_depend_on_the_basis(rows: list[list[int]], order: list[int], k: int) -> None:
    other = [rows[i] for i in order if i < len(rows)]
    if len(other) > 1:
        other[0] = [x + k * y for x, y in zip(other[0], other[1], strict=True)]
    assert hermite_normal_form(rows)[0] == hermite_normal_form(other)[0]


@given(ROWS, st.lists(st.integers(0, 11), min_size=6, max_size=6))
def test_congruences(rows: list[list[int]], numerators: list[int]) -> None:
    right = [Fraction(n, 12) for n in numerators[: len(rows)]]
    solutions = congruence_solutions(rows, right)
    for n, c in solutions:
        # a point of N x = c, by least squares on full-rank rows
        x = (
            np.linalg.lstsq(np.array(n, dtype=float), np.array([float(v) for v in c]), rcond=None)[0]
            if n
            else np.zeros(3)
        )
        residual = np.array(rows, dtype=float) @ x - np.array([float(b) for b in right])
        assert np.abs(residual - np.rint(residual)).max() < 1e-6
    grid = np.array(np.meshgrid(*[np.arange(4)] * 3)).reshape(3, -1) / 4
    residual = np.array(rows, dtype=float) @ grid - np.array([[float(b)] for b in right])
    solved_by_search = (np.abs(residual - np.rint(residual)).max(axis=0) < 1e-9).any()
    assert not (solved_by_search and not solutions)


@given(st.lists(st.integers(-3, 3), min_size=3, max_size=3).filter(any))
def test_annihilator(direction: list[int]) -> None:
    rows = annihilator([direction])
    assert len(rows) == 2
    assert all(sum(a * b for a, b in zip(row, direction, strict=True)) == 0 for row in rows)
    # every orthogonal integer vector is a combination: the 2 × 2 minors have no common factor
    normal = np.cross(rows[0], rows[1])
    assert np.gcd.reduce(normal) == 1
