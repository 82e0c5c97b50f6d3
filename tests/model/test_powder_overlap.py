"""Amplitudes as of a powder: which reflections share a peak, and what becomes of their intensities."""

from __future__ import annotations

import numpy as np
import pytest

from xtalpriors.errors import UsageError
from xtalpriors.model.measured.powder_overlap import overlap_groups, powder_intensities, two_theta_degree


def test_two_theta_is_that_of_bragg() -> None:
    """NIST SRM 640 silicon with Cu Kα₁: 111 at 28.443° and 220 at 47.304° (a = 5.43095 Å)."""
    s2 = np.array([3.0, 8.0]) / 5.43095**2
    assert two_theta_degree(s2, 1.5405981) == pytest.approx([28.443, 47.304], abs=1.5e-3)


def test_a_peak_holds_what_follows_within_its_width() -> None:
    position = np.array([10.20, 10.00, 10.05, 10.11, 10.30, 10.31])
    assert overlap_groups(position, 0.1).tolist() == [1, 0, 0, 1, 2, 2]


def test_reflections_that_overlap_share_their_sum_evenly() -> None:
    s2 = np.array([0.250000, 0.250001, 0.360000])
    intensity, multiplicity = np.array([9.0, 1.0, 5.0]), np.array([2.0, 4.0, 4.0])
    found = powder_intensities(intensity, s2, multiplicity, width_degree=0.1, wavelength_angstrom=1.5406)
    # 2·9 + 4·1 = 22 over six reflections
    assert found.intensity == pytest.approx([22 / 6, 22 / 6, 5.0])
    assert (found.intensity * multiplicity).sum() == pytest.approx((intensity * multiplicity).sum())
    assert found.overlapped == pytest.approx(2 / 3)
    alone = powder_intensities(intensity, s2, multiplicity, width_degree=0.0, wavelength_angstrom=1.5406)
    assert alone.intensity.tolist() == intensity.tolist()
    assert alone.overlapped == 0.0


def test_noise_of_a_mean_peak_is_what_was_asked_for() -> None:
    n = 20_000
    s2 = np.linspace(0.1, 1.0, n)
    found = powder_intensities(
        np.full(n, 7.0),
        s2,
        np.full(n, 4.0),
        width_degree=0.0,
        wavelength_angstrom=1.0,
        noise=0.05,
        rng=np.random.default_rng(0),
    )
    assert float(found.intensity.std() / 7.0) == pytest.approx(0.05, rel=0.03)
    assert found.sigma == pytest.approx(0.05 * 7.0)


def test_a_wavelength_that_cannot_reach_the_data_is_said() -> None:
    with pytest.raises(
        UsageError, match=r"no reflection is measured beyond 0.77 Å, and the data go to 0.5 Å"
    ):
        two_theta_degree(np.array([4.0]), 1.5406)
