"""Powder patterns from files: columns, profiles with noise and width, wavelengths, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xtalpriors.errors import UsageError
from xtalpriors.model.powder.pattern import PowderLines
from xtalpriors.model.powder.profile import profile_lines
from xtalpriors.model.powder.read_pattern import network_vector, read_pattern, with_wavelength

CU = 1.5406
CENTRES = np.array([27.37, 31.70, 45.45, 53.87, 56.48, 66.23, 73.07, 75.29])
AREAS = np.array([55.0, 560.0, 340.0, 12.0, 95.0, 36.0, 9.0, 80.0])
"""Lines of halite with Cu Kα1 in degrees, and areas in counts × degrees."""


def profile(
    rng: np.random.Generator | None, width: float = 0.12, step: float = 0.02
) -> tuple[np.ndarray, ...]:
    """Pseudo-Voigt peaks, half Lorentzian, on a falling background, with counting noise."""
    x = np.arange(15.0, 85.0, step)
    y = 20.0 + 40.0 * np.exp(-(x - 15.0) / 20.0)
    for centre, area in zip(CENTRES, AREAS, strict=True):
        u = (x - centre) / (width / 2.0)
        gauss = np.exp(-np.log(2.0) * u**2) * np.sqrt(np.log(2.0) / np.pi)
        y += area / (width / 2.0) * (0.5 * gauss + 0.5 / (np.pi * (1.0 + u**2)))
    return x, y if rng is None else rng.poisson(y).astype(np.float64)


def written(folder: Path, x: np.ndarray, y: np.ndarray, name: str = "p.xy") -> Path:
    file = folder / name
    rows = "\n".join(f"{a:.4f} {b:.5g}" for a, b in zip(x, y, strict=True))
    file.write_text(f"# 2theta intensity\n{rows}\n")
    return file


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
@pytest.mark.parametrize("width", [0.08, 0.2])
def test_lines_of_a_profile(seed: int | None, width: float) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    lines = profile_lines(*profile(rng, width))
    assert len(lines.two_theta) == len(CENTRES), lines
    assert np.abs(lines.two_theta - CENTRES).max() < 0.02
    strong = AREAS > 30.0
    assert np.abs(lines.intensity / AREAS - 1.0)[strong].max() < 0.3
    assert np.abs(lines.intensity / AREAS - 1.0).max() < 0.4


def test_noise_alone_has_no_peak(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = np.arange(10.0, 80.0, 0.02)
    file = written(tmp_path, x, rng.poisson(np.full(len(x), 100.0)).astype(float))
    with pytest.raises(UsageError, match="no peak above its noise"):
        read_pattern(file, CU)


def test_a_list_of_lines_is_read_as_it_stands(tmp_path: Path) -> None:
    pattern = read_pattern(written(tmp_path, CENTRES, AREAS), CU)
    assert pattern.kind == "lines"
    assert np.allclose(pattern.lines.two_theta, CENTRES) and np.allclose(pattern.lines.intensity, AREAS)
    assert pattern.d_min_angstrom == pytest.approx(1.2612, abs=1e-4)
    file = tmp_path / "p.csv"
    file.write_text("2theta,intensity,sigma\n27.37,55,1\n31.70;560;2\n\n45.45\t340\tx\n")
    assert read_pattern(file, CU).lines.two_theta.tolist() == [27.37, 31.70, 45.45]


def test_a_profile_is_known_by_its_steps(tmp_path: Path) -> None:
    pattern = read_pattern(written(tmp_path, *profile(np.random.default_rng(0))), CU)
    assert pattern.kind == "profile" and len(pattern.lines.two_theta) == len(CENTRES)


def test_another_wavelength_by_bragg_s_law() -> None:
    """d = 2 Å: sin θ = λ/4; the Lorentz–polarisation factor by hand for both wavelengths."""
    before = np.degrees(2.0 * np.arcsin(CU / 4.0))
    after = np.degrees(2.0 * np.arcsin(0.71073 / 4.0))

    def factor(two_theta: float) -> float:
        t = np.radians(two_theta / 2.0)
        return float((1.0 + np.cos(2.0 * t) ** 2) / (np.sin(t) ** 2 * np.cos(t)))

    moved = with_wavelength(PowderLines(np.array([before]), np.array([3.0])), CU, 0.71073)
    assert moved.two_theta[0] == pytest.approx(after)
    assert moved.intensity[0] == pytest.approx(3.0 * factor(after) / factor(before))
    beyond = with_wavelength(PowderLines(np.array([100.0]), np.array([1.0])), 0.71073, CU)
    assert len(beyond.two_theta) == 0


def test_vector_of_the_networks(tmp_path: Path) -> None:
    vector = network_vector(read_pattern(written(tmp_path, CENTRES, AREAS), CU))
    angles = np.degrees(2.0 * np.arcsin(np.sin(np.radians(CENTRES / 2.0)) * 0.71073 / CU))
    assert vector.shape == (1024,) and vector.max() == 1.0
    assert np.array_equal(np.flatnonzero(vector), np.floor(1024 * angles / 180).astype(int))


@pytest.mark.parametrize(
    ("text", "wavelength", "message"),
    [
        ("10 5\n20 7\n", None, "wavelength .* is missing"),
        ("10 5\n20 7\n", 15.4, "wavelength is 15.4 Å"),
        ("10 5\n20 -7\n", CU, "line 2: the intensity is -7, and cannot be negative"),
        ("# a\n10 5\n9 7\n", CU, "line 3: 2θ is 9° after 10°, and must ascend"),
        ("10 5\n190 7\n", CU, "line 2: 2θ is 190°"),
        ("10 0\n20 0\n", CU, "has no peak: nothing tells"),
        ("data_a\n_cell_length_a 5\n", CU, "no line of two numbers"),
        ("10 1e999\n20 1\n", CU, "too large for a number"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, wavelength: float | None, message: str) -> None:
    file = tmp_path / "p.xy"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_pattern(file, wavelength)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_pattern(tmp_path / "none.xy", CU)
