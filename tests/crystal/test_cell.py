from __future__ import annotations

import math

import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtalpriors.crystal.cells.cell import (
    UnitCell,
    cell_volumes,
    cells_from_metric,
    metric_tensors,
    orthogonalization_matrices,
    reciprocal_metric_tensors,
)

LENGTHS = st.floats(2.0, 60.0)
ANGLES = st.floats(65.0, 115.0)


@given(st.tuples(LENGTHS, LENGTHS, LENGTHS, ANGLES, ANGLES, ANGLES))
def test_agrees_with_gemmi(parameters: tuple[float, ...]) -> None:
    cell, oracle = UnitCell(*parameters), gemmi.UnitCell(*parameters)
    assert cell.is_valid
    assert cell.volume == pytest.approx(oracle.volume, rel=1e-10)
    np.testing.assert_allclose(cell.orthogonalization, oracle.orth.mat.tolist(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(cell.reciprocal().parameters, oracle.reciprocal().parameters, rtol=1e-8)
    star = reciprocal_metric_tensors([parameters])[0]
    for hkl in ((1, 0, 0), (0, -2, 1), (3, 1, -4)):
        assert np.array(hkl) @ star @ np.array(hkl) == pytest.approx(oracle.calculate_1_d2(hkl), rel=1e-9)


def test_volume_of_sucrose() -> None:
    # C12H22O11, COD 3500015: 7.789, 8.743, 10.883 Å, 102.760°; V = a b c sin β by hand
    by_hand = 7.789 * 8.743 * 10.883 * math.sin(math.radians(102.760))
    assert UnitCell(7.789, 8.743, 10.883, 90, 102.760, 90).volume == pytest.approx(by_hand, rel=1e-12)


def test_angles_that_cannot_meet() -> None:
    assert not UnitCell(5, 5, 5, 60, 60, 130).is_valid
    assert math.isnan(UnitCell(5, 5, 5, 60, 60, 130).volume)
    assert np.isnan(cell_volumes([[5, 5, 5, 60, 60, 130]])).all()
    assert np.isnan(reciprocal_metric_tensors([[5, 5, 5, 60, 60, 130]])).all()


@pytest.mark.parametrize("bad", [(math.nan, 5, 5), (0, 5, 5), (-5, 5, 5), (math.inf, 5, 5)])
def test_impossible_lengths(bad: tuple[float, float, float]) -> None:
    assert not UnitCell(*bad).is_valid


def test_metric_round_trip_keeps_right_angles() -> None:
    cells = np.array([[4.0, 5.0, 6.0, 90.0, 101.5, 90.0], [7.0, 8.0, 9.0, 81.0, 92.0, 103.0]])
    back = cells_from_metric(metric_tensors(cells))
    np.testing.assert_allclose(back, cells, rtol=1e-12)
    assert back[0, 3] == 90.0
    assert back[0, 5] == 90.0


def test_transformed_by_hand() -> None:
    # primitive cell of a face-centred cube of 4 Å: a/√2 and 60°
    primitive = UnitCell(4, 4, 4).transformed([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    np.testing.assert_allclose(primitive.parameters, [4 / math.sqrt(2)] * 3 + [60.0] * 3)


def test_orthogonalization_reproduces_the_metric() -> None:
    cells = np.array([[4.0, 5.0, 6.0, 78.0, 101.5, 120.0], [7.0, 8.0, 9.0, 81.0, 92.0, 103.0]])
    o = orthogonalization_matrices(cells)
    np.testing.assert_allclose(np.einsum("nij,nik->njk", o, o), metric_tensors(cells), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(o), cell_volumes(cells), rtol=1e-12)
