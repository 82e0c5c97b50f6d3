from __future__ import annotations

import math

import gemmi
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.crystal.chemistry.displacement import B_PER_U, beta_weights, u_weights

CELL = (7.3, 9.1, 11.7, 83.0, 108.0, 95.0)


def u_equivalent(tensors: npt.ArrayLike, cell: npt.ArrayLike) -> npt.NDArray[np.float64]:
    return np.asarray(tensors) @ u_weights([cell])[0]


def test_b_per_u_by_hand() -> None:
    assert pytest.approx(78.95683520871486) == B_PER_U


def test_orthogonal_cell_is_a_third_of_the_trace() -> None:
    u = u_equivalent([[0.01, 0.02, 0.06, 0.005, -0.004, 0.003]], [5, 6, 7, 90, 90, 90])
    assert u[0] == pytest.approx(0.03)


def test_hexagonal_by_hand() -> None:
    # Fischer & Tillmanns 1988: for hexagonal axes U_eq = (U33 + 4/3 (U11 + U22 − U12)) / 3
    u = u_equivalent([[0.010, 0.014, 0.020, 0.004, 0.001, 0.002]], [5, 5, 13, 90, 90, 120])
    assert u[0] == pytest.approx((0.020 + 4 / 3 * (0.010 + 0.014 - 0.004)) / 3)


@given(st.lists(st.floats(-0.01, 0.08), min_size=6, max_size=6))
def test_agrees_with_gemmi_in_an_oblique_cell(tensor: list[float]) -> None:
    cell = gemmi.UnitCell(*CELL)
    u11, u22, u33, u12, u13, u23 = tensor
    oracle = cell.calculate_u_eq(gemmi.SMat33d(u11, u22, u33, u12, u13, u23))
    assert u_equivalent([tensor], CELL)[0] == pytest.approx(oracle, abs=1e-14)


def test_b_and_beta_are_the_same_tensor_in_other_units() -> None:
    tensor = np.array([[0.03, 0.02, 0.05, 0.004, 0.011, -0.006]])
    star = np.array(gemmi.UnitCell(*CELL).reciprocal().parameters[:3])
    i, j = np.array([0, 1, 2, 0, 0, 1]), np.array([0, 1, 2, 1, 2, 2])
    beta = tensor * 2 * math.pi**2 * star[i] * star[j]
    expected = u_equivalent(tensor, CELL)
    np.testing.assert_allclose(u_equivalent(tensor * 8 * math.pi**2, CELL) / B_PER_U, expected)
    np.testing.assert_allclose(beta @ beta_weights([CELL])[0], expected)


def test_missing_components_and_impossible_cells_are_nan() -> None:
    assert np.isnan(u_equivalent([[0.01, np.nan, 0.01, 0, 0, 0]], CELL)).all()
    assert np.isnan(u_equivalent([[0.01] * 6], [5, 5, 5, 60, 60, 130])).all()
