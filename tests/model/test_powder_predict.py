"""A powder pattern from a file to densities: spinel from lines and from a profile, files, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import gemmi
import numpy as np
import pytest
from powder_crystals import cubic_crystals

from xtalpriors.cli import run
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.canonical import canonical_coordinates
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.density_maps import iam_density
from xtalpriors.model.powder.displacement import displacement_of, sharpened
from xtalpriors.model.powder.fourier.run import FILE_NAME, FourierRunConfig, load_fourier, train_fourier_run
from xtalpriors.model.powder.pattern import powder_lines
from xtalpriors.model.powder.predict import SAME_R, predict_pattern
from xtalpriors.model.powder.profile import without_second_wavelength
from xtalpriors.model.powder.residual import agreement
from xtalpriors.model.powder.scoring.score import best_score

CU = 1.5406
SPINEL_CELL = UnitCell(8.0831, 8.0831, 8.0831)


def spinel() -> tuple[np.ndarray, np.ndarray]:
    """MgAl2O4 in origin choice 2 of Fd-3m: Mg 8a, Al 16d, O 32e with u = 0.2624 (Finger et al. 1986)."""
    group = SpaceGroup.from_number(227)
    numbers, points = [], []
    for z, x in ((12, 0.125), (13, 0.5), (8, 0.2624)):
        images = (np.full(3, x) @ group.rotations.transpose(0, 2, 1) + group.translations) % 1.0
        unique = np.unique(np.round(images, 6) % 1.0, axis=0)
        points.append(unique)
        numbers.append(np.full(len(unique), z))
    return np.concatenate(numbers), np.concatenate(points)


def measured(folder: Path, *, profile: bool) -> Path:
    """Its pattern with Cu Kα1 to 120°, atoms with U = 0.003 Å²; as lines, or as a noisy profile."""
    numbers, fract = spinel()
    lines = powder_lines(SPINEL_CELL, SpaceGroup.from_number(227), numbers, fract, CU)
    kept = lines.two_theta < 120.0
    x = lines.two_theta[kept]
    y = lines.intensity[kept] * np.exp(-16.0 * np.pi**2 * 0.003 * (np.sin(np.radians(x / 2.0)) / CU) ** 2)
    y = 1000.0 * y / y.max()
    if profile:
        grid = np.arange(15.0, 120.0, 0.02)
        counts = 20.0 + 80.0 * np.exp(-grid / 30.0)
        for centre, area in zip(x, y, strict=True):
            half = 0.06 + 0.04 * np.tan(np.radians(centre / 2.0))
            counts += 40.0 * area * 0.06 / half / (1.0 + ((grid - centre) / half) ** 2)
        x, y = grid, np.random.default_rng(0).poisson(counts).astype(np.float64)
    file = folder / ("spinel.xy" if profile else "spinel.csv")
    file.write_text("".join(f"{a:.4f} {b:.4f}\n" for a, b in zip(x, y, strict=True) if profile or b > 0.5))
    return file


@pytest.fixture(scope="module")
def crystals() -> PowderCrystals:
    return cubic_crystals()


@pytest.fixture(scope="module")
def model(crystals: PowderCrystals, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    config = FourierRunConfig.model_validate({"training": {"examples": 2, "epochs": 1}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("xtalpriors.model.powder.data_config.powder_crystals", lambda *_: crystals)
        trained = train_fourier_run(config, folder)
        assert trained.card.training_crystals == len(load_fourier(folder)[1])
        assert train_fourier_run(config, folder).card == trained.card, "a finished run is not done again"
    return folder


@pytest.mark.parametrize("profile", [False, True])
def test_spinel_from_its_pattern(model: Path, tmp_path: Path, profile: bool) -> None:
    found = predict_pattern(measured(tmp_path, profile=profile), CU, "Mg Al2 O4", model)
    assert found.pattern.kind == ("profile" if profile else "lines")
    first = found.tries[0]
    assert first.cell.a == pytest.approx(SPINEL_CELL.a, abs=0.01)
    assert first.agreement.residual < 0.12
    residuals = [one.agreement.residual for one in found.tries]
    beyond = [r for r in residuals if r > min(residuals) + SAME_R]
    assert residuals[-len(beyond) :] == sorted(beyond) if beyond else first.agreement.residual < 0.12
    numbers, fract = spinel()
    fract = canonical_coordinates(SpaceGroup.from_number(227), SPINEL_CELL, numbers, fract)
    truth = iam_density(SPINEL_CELL, numbers, fract)
    assert best_score(truth, [first.density]).ssim > 0.98


def test_agreement_of_a_true_map_is_exact(crystals: PowderCrystals) -> None:
    for i in range(3):
        own = agreement(crystals.density(i), crystals.patterns[i], crystals.cell(i))
        assert own.residual < 1e-3 and np.allclose(own.observed, own.calculated, atol=1e-3)
        other = agreement(crystals.density(i + 1), crystals.patterns[i], crystals.cell(i))
        assert other.residual > 0.3


def test_lines_of_the_second_wavelength_are_taken_away() -> None:
    """Three lines of Cu Kα₁ with those of Kα₂ at arcsin(sin θ · λ₂/λ₁), half as strong, without noise."""
    two_theta = np.arange(20.0, 110.0, 0.02)

    def line(centre: float) -> np.ndarray:
        return 1.0 / (1.0 + ((two_theta - centre) / 0.06) ** 2)

    first, both = np.zeros_like(two_theta), np.zeros_like(two_theta)
    for centre in (30.0, 60.0, 95.0):
        second = 2.0 * np.degrees(np.arcsin(np.sin(np.radians(centre / 2.0)) * 1.5444 / CU))
        first += line(centre)
        both += line(centre) + 0.5 * line(second)
    found = without_second_wavelength(two_theta, both, CU, 1.5444)
    assert np.abs(found - first).max() < 0.06 < np.abs(both - first).max()


def test_a_measured_fall_with_the_angle_is_found_and_taken_away(crystals: PowderCrystals) -> None:
    """I ∝ exp(−4π²U/d²) of atoms that move by U = 0.01 Å²."""
    pattern, cell, density = crystals.patterns[2], crystals.cell(2), crystals.density(2)
    middle = (np.arange(1024) + 0.5) * 180.0 / 1024
    s = 2.0 * np.sin(np.radians(middle / 2.0)) / 0.71073
    moving = (pattern * np.exp(-4.0 * np.pi**2 * 0.01 * s**2)).astype(np.float32)
    moving /= moving.max()
    assert displacement_of(agreement(density, pattern, cell)) == 0.0
    u = displacement_of(agreement(density, moving, cell))
    assert u == pytest.approx(0.01, abs=0.0011)
    assert np.abs(sharpened(moving, 0.01) - pattern).max() < 1e-5


def test_files_of_an_answer(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, output = measured(tmp_path, profile=False), tmp_path / "answer"
    command = ["powder", "predict", str(file), "--wavelength", str(CU), "--formula", "Mg Al2 O4"]
    assert run([*command, "--model", str(model), "--output", str(output)]) == 0
    assert "a = 8.08" in capsys.readouterr().out
    tries = json.loads((output / "tries.json").read_text())["tries"]
    ccp4 = gemmi.read_ccp4_map(str(output / tries[0]["map"]))
    assert ccp4.grid.unit_cell.a == pytest.approx(tries[0]["cell"][0], abs=1e-3)
    assert ccp4.grid.array.shape == (50, 50, 50)
    electrons = float(ccp4.grid.array.mean()) * tries[0]["cell"][0] ** 3
    assert electrons == pytest.approx(8 * (12 + 2 * 13 + 4 * 8), rel=0.03)
    page = (output / "report.html").read_text()
    assert page.count("<svg") == 1 + 3 * len(tries) and "Mg Al2 O4" in page
    (output / "tries.json").write_text("mine")
    assert run([*command, "--model", str(model), "--output", str(output)]) == 2
    assert "is left as it is" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ("20 5\n30 4\n", {"--wavelength": None}, "wavelength of bad.xy is missing"),
        ("20 0\n30 0\n", {}, "has no peak"),
        ("20 5\n30 -4\n", {}, "line 2: the intensity is -4, and cannot be negative"),
        ("20 5\n19 4\n", {}, "must ascend"),
        ("0 5\n20 5\n190 4\n", {}, "line 3: 2θ is 190°"),
        ("20 5\n30 4\n", {"--k-alpha-2": "1.39"}, "Kα₂ is up to 2 % longer"),
        ("20 5\n30 4\n", {"--formula": "Xx2 O"}, "names an element that does not exist"),
        ("20 5\n30 4\n", {"--formula": "Na0 Cl0"}, "sum of its counts is zero"),
        (  # quartz
            "20.86 160\n26.64 1000\n36.54 80\n39.47 80\n40.29 40\n42.45 60\n45.79 40\n50.14 140\n54.87 40\n"
            "59.96 90\n64.03 20\n67.74 70\n68.14 80\n68.31 60\n",
            {"--formula": "Si O2"},
            "No cubic cell",
        ),
    ],
)
def test_bad_input_is_a_sentence(
    model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rows: str,
    options: dict[str, str | None],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.xy").write_text(rows)
    given = {
        "--wavelength": "1.5406",
        "--formula": "Na Cl",
        "--model": str(model),
        "--output": "out",
    } | options
    words = [word for key, value in given.items() if value is not None for word in (key, value)]
    assert run(["powder", "predict", "bad.xy", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not Path("out").exists()


def test_weights_of_another_run_are_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match="is no network crystalnet-fourier"):
        load_fourier(tmp_path)
    content = bytearray((model / FILE_NAME).read_bytes())
    content[-1] ^= 1
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(XtalpriorsError, match="one of the two was changed"):
        load_fourier(tmp_path)
