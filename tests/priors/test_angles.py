"""Folded monoclinic angles and skews of reduced cells, by hand and by geometry."""

from __future__ import annotations

from collections.abc import Callable

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtalpriors.priors.distributions.distribution import Exponential
from xtalpriors.priors.fitting.fit import fit_table
from xtalpriors.priors.fitting.subset_table import SubsetTable
from xtalpriors.priors.fitting.triclinic_skew import LARGEST_SKEW, skews

Make = Callable[..., SubsetTable]


def test_the_declared_angle_is_folded_whatever_the_unique_axis(table_of: Make) -> None:
    """β = 85°, γ = 95° (unique axis c) and α = 100° are 95°, 95°, 100°; orthorhombic ones no evidence."""
    angles = np.array([[90, 85, 90], [90, 90, 95], [100, 90, 90], [90, 90, 90]] * 20, float)
    systems = (["monoclinic"] * 3 + ["orthorhombic"]) * 20
    table = table_of(
        80,
        strings={"crystal_system": systems},
        sg_number=[14, 14, 14, 19] * 20,
        alpha_degree=angles[:, 0],
        beta_degree=angles[:, 1],
        gamma_degree=angles[:, 2],
        least_oblique_beta_degree=[110, 111, np.nan, np.nan] * 20,
    )
    prior = fit_table(table, bootstrap=200).priors.monoclinic_angle
    assert prior is not None and prior.declared.beta is not None and prior.declared.beta.mean is not None
    assert prior.declared.beta.n == 60
    assert prior.declared.beta.mean.value == pytest.approx((95 + 95 + 100) / 3)
    assert prior.declared.skew.mean is not None
    by_hand = (2 * np.tan(np.radians(5)) + np.tan(np.radians(10))) / 3
    assert prior.declared.skew.mean.value == pytest.approx(by_hand)
    assert prior.least_oblique is not None and prior.least_oblique.beta is not None
    assert prior.least_oblique.beta.n == 40


def test_angles_beyond_the_limit_are_counted_not_fitted(table_of: Make) -> None:
    """A tenth of the cells at 140° does not move the fit, which ends at 125°; it is stated as a share."""
    rng = np.random.default_rng(0)
    beta = 90 + np.degrees(np.arctan(rng.uniform(0, 0.3, 270)))
    systems = ["monoclinic"] * 300

    def fit(values: np.ndarray, n: int):
        table = table_of(
            n,
            strings={"crystal_system": systems[:n]},
            sg_number=14,
            alpha_degree=90,
            gamma_degree=90,
            beta_degree=values,
        )
        prior = fit_table(table, bootstrap=200).priors.monoclinic_angle
        assert prior is not None
        return prior.declared

    with_oblique, without = fit(np.append(beta, [140.0] * 30), 300), fit(beta, 270)
    assert with_oblique.share_beyond_beta_max.value == pytest.approx(0.1)
    assert with_oblique.skew.n_left_out == 30
    assert dict(with_oblique.skew.parametric)["rate"].value == dict(without.skew.parametric)["rate"].value


def test_ratios_beyond_r_are_counted_not_fitted(table_of: Make) -> None:
    """By hand: 1:1.5:1.5 cells and, one in four, 1:2:2 cells, whose a₂/a₁ lies beyond r = 1.8."""
    lengths = np.array([[4, 6, 6], [6, 4, 6], [6, 6, 4], [4, 8, 8]] * 20, float)
    table = table_of(80, a_angstrom=lengths[:, 0], b_angstrom=lengths[:, 1], c_angstrom=lengths[:, 2])
    prior = fit_table(table, bootstrap=200).priors.axis_ratio
    assert prior is not None and prior.middle_over_shortest is not None and prior.longest is not None
    assert prior.share_beyond_ratio_max is not None
    assert prior.share_beyond_ratio_max.value == pytest.approx(0.25)
    assert prior.middle_over_shortest.n_left_out == 20
    assert (prior.length_min_angstrom, prior.length_max_angstrom) == (4, 8)
    assert prior.longest.mean is not None
    assert prior.longest.mean.value == pytest.approx(6.5)
    wider = fit_table(table, bootstrap=200, ratio_max=2.5).priors.axis_ratio
    assert wider is not None and wider.share_beyond_ratio_max is not None
    assert wider.share_beyond_ratio_max.value == 0


angle = st.floats(60, 120)


@given(angle, angle, angle)
@settings(max_examples=200, deadline=None)
def test_skews_are_the_triangular_basis_of_gemmi(alpha: float, beta: float, gamma: float) -> None:
    cos = np.cos(np.radians([alpha, beta, gamma]))
    if 1 - (cos**2).sum() + 2 * cos.prod() < 0.01:
        return
    basis = np.array(gemmi.UnitCell(7, 8, 9, alpha, beta, gamma).orth.mat.tolist())
    s1, s2, s3 = skews(np.array([[alpha, beta, gamma]]))[0]
    expected = [basis[1, 2] / basis[2, 2], basis[0, 1] / basis[1, 1], basis[0, 2] / basis[2, 2]]
    assert [s1, s2, s3] == pytest.approx(np.abs(expected), abs=1e-9)


def test_skews_of_reduced_cells_stay_within_their_bounds() -> None:
    """10⁴ random lattices, Niggli-reduced by gemmi; and the three corners where a bound is met."""
    rng = np.random.default_rng(4)
    angles = []
    while len(angles) < 10_000:
        cell = gemmi.UnitCell(*rng.uniform(3, 20, 3), *rng.uniform(50, 130, 3))
        if not cell.volume > 1:
            continue
        vector = gemmi.GruberVector(cell, None)
        vector.niggli_reduce()
        angles.append(vector.get_cell().parameters[3:])
    found = skews(np.array(angles))
    for column, name in enumerate(("s1", "s2", "s3")):
        assert np.all(found[:, column] <= LARGEST_SKEW[name] + 1e-6), name
        assert found[:, column].max() > 0.8 * LARGEST_SKEW[name]
    quarter = np.degrees(np.arccos(-0.25))
    corners = skews(np.array([[120.0, quarter, quarter], [90.0, 90.0, 60.0], [60.0, 60.0, 90.0]]))
    assert np.diag(corners) == pytest.approx([LARGEST_SKEW[name] for name in ("s1", "s2", "s3")])
    assert np.diag(corners) == pytest.approx([0.75, 1 / np.tan(np.pi / 3), np.sqrt(0.5)])


def test_each_statistic_is_cut_at_its_own_bound(table_of: Make) -> None:
    """|s₁| ≤ 3/4, |s₂| ≤ 1/√3, |s₃| ≤ 1/√2 of reduced cells; ratios within 1…r; tan(β − 90°) up to β_max."""
    rng = np.random.default_rng(3)
    systems = ["triclinic"] * 60 + ["monoclinic"] * 60
    lengths = rng.uniform(5, 7, (120, 3))
    columns = {f"niggli_{name}_degree": rng.uniform(80, 100, 120) for name in ("alpha", "beta", "gamma")}
    columns |= {f"{axis}_angstrom": lengths[:, i] for i, axis in enumerate("abc")}
    table = table_of(
        120,
        strings={"crystal_system": systems},
        sg_number=[2] * 60 + [14] * 60,
        alpha_degree=90,
        beta_degree=rng.uniform(91, 109, 120),
        gamma_degree=90,
        **columns,
    )
    priors = fit_table(table, bootstrap=100, ratio_max=1.6, beta_max_degree=110).priors
    assert priors.triclinic_skew and priors.axis_ratio and priors.monoclinic_angle
    expected = [
        (priors.triclinic_skew.s1, 0.0, 0.75),
        (priors.triclinic_skew.s2, 0.0, 1 / np.sqrt(3)),
        (priors.triclinic_skew.s3, 0.0, np.sqrt(0.5)),
        (priors.axis_ratio.middle_over_shortest, 1.0, 1.6),
        (priors.axis_ratio.longest_over_middle, 1.0, 1.6),
        (priors.monoclinic_angle.declared.skew, 0.0, np.tan(np.radians(20))),
    ]
    for prior, low, high in expected:
        assert prior is not None and isinstance(prior.parametric, Exponential)
        assert (prior.parametric.low, prior.parametric.high) == pytest.approx((low, high), rel=1e-5)


def test_share_of_acute_reduced_cells(table_of: Make) -> None:
    table = table_of(
        60,
        strings={"crystal_system": ["triclinic"] * 60},
        sg_number=2,
        niggli_alpha_degree=[80.0] * 45 + [95.0] * 15,
        niggli_beta_degree=np.linspace(80, 89, 60),
        niggli_gamma_degree=np.linspace(70, 89, 60),
    )
    prior = fit_table(table, bootstrap=200).priors.triclinic_skew
    assert prior is not None and prior.share_acute is not None
    assert prior.share_acute.value == pytest.approx(0.75)
    for skew in (prior.s2, prior.s3):
        sample = skew.sample(100, rng=np.random.default_rng(0))
        assert sample.shape == (100,)
        assert np.all((sample >= 0) & (sample <= 0.7072))
