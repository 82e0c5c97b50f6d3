"""Amplitudes as of a powder: which reflections share a peak, and what becomes of their intensities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xtalpriors.cli import run
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.as_powder import PowderLike, powder_observations
from xtalpriors.model.measured.powder_overlap import overlap_groups, powder_intensities, two_theta_degree
from xtalpriors.model.measured.read_reflections import Observations


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


def _measured() -> Observations:
    """200 and −200 of one crystal, 020 at nearly the same 2θ, and 111."""
    hkl = np.array([[2, 0, 0], [-2, 0, 0], [0, 2, 0], [1, 1, 1]])
    intensity = np.array([10.0, 14.0, 3.0, 5.0])
    return Observations(hkl, intensity, np.array([0.1, 0.1, 0.3, 0.2]), 0, "made", "|F|²")


CELL = UnitCell(8.0, 8.001, 9.0, 90.0, 90.0, 90.0)


def test_measured_reflections_are_merged_and_partitioned() -> None:
    made, share = powder_observations(
        _measured(), CELL, SpaceGroup.from_number(16), 1.5406, PowderLike(width_degree=0.05)
    )
    found = {tuple(h): (i, s) for h, i, s in zip(made.hkl.tolist(), made.intensity, made.sigma, strict=True)}
    # 200 merges to 12, weights alike; with 020, multiplicities 2 and 2, (2·12 + 2·3)/4
    assert found[2, 0, 0][0] == found[0, 2, 0][0] == pytest.approx(7.5, rel=0.03)
    assert found[1, 1, 1] == (pytest.approx(5.0), pytest.approx(0.2))
    assert share == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("wavelength", "like", "said"),
    [
        (None, PowderLike(0.05), "the wavelength is not known"),
        (1.5406, PowderLike(-1.0), "a width in degrees of 2θ, from 0 to 5, not -1"),
        (1.5406, PowderLike(0.05, noise=3.0), "from 0 to 1, not 3"),
        (20.0, PowderLike(0.05), "no reflection is measured beyond 10 Å"),
    ],
)
def test_a_powder_that_cannot_be_made_is_said(wavelength: float | None, like: PowderLike, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        powder_observations(_measured(), CELL, SpaceGroup.from_number(16), wavelength, like)


def test_solve_as_powder_needs_the_laue_class(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "x.hkl"
    data.write_text(
        "".join(f"{h:4d}{k:4d}{l:4d}{9.0:8.2f}{0.1:8.2f}\n" for h, k, l in [(1, 0, 0), (0, 1, 1)])
    )
    line = ["solve", str(data), "--cell", "8 8.001 9 90 90 90", "--output", str(tmp_path / "o")]
    assert run([*line, "--as-powder", "0.05"]) == 2
    assert "--as-powder needs --space-group or --laue" in " ".join(capsys.readouterr().err.split())
    assert run([*line, "--noise", "0.05"]) == 2
    assert "--noise goes with --as-powder" in " ".join(capsys.readouterr().err.split())
