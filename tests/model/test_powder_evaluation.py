"""Networks for powder patterns beside trivial answers: rows, summaries, failures, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from powder_crystals import cubic_crystals

from xtalpriors.cli import run
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.crystalnet.config import PRESETS, WHAT, CrystalNetConfig
from xtalpriors.model.powder.crystalnet.train import train_crystalnet
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.evaluation import evaluate_powder
from xtalpriors.model.powder.scoring.evaluate import TestSet as Crystals
from xtalpriors.model.powder.scoring.evaluate import score_set, sections_of
from xtalpriors.model.powder.scoring.files import SCORES, SECTIONS, read_rows
from xtalpriors.model.powder.scoring.methods import LOOKED_UP, Try, coarser
from xtalpriors.model.powder.scoring.summary import paired_difference, summarise
from xtalpriors.preset_files import load_preset_file

POINTS = 10
TINY = {
    "network.width": 4,
    "epochs": 1,
    "batch_size": 16,
    "points_per_edge": 2,
    "validation.crystals": 1,
    "validation.points": 8,
}


@pytest.fixture(scope="module")
def crystals() -> PowderCrystals:
    return cubic_crystals(20)


class Oracle:
    """Knows the truth of all crystals, and gives it as its second try, turned; some it cannot answer."""

    name = "oracle"

    def __init__(self, crystals: PowderCrystals, unknown: int) -> None:
        self.crystals, self.unknown = crystals, unknown

    def tries(self, pattern: np.ndarray, composition: Composition, points: int) -> list[Try]:
        i = next(k for k, one in enumerate(self.crystals.patterns) if np.array_equal(one, pattern))
        assert composition == self.crystals.composition(i)
        if i == self.unknown:
            raise UsageError("No cell explains the lines.")
        truth = coarser(self.crystals.density(i), points)
        turned = truth.transpose(1, 2, 0)
        return [Try(truth + 0.5 * truth.mean(), "with an error"), Try(turned, "the truth")]


def test_first_try_best_try_and_failure(crystals: PowderCrystals) -> None:
    few = crystals.take([0, 1, 2])
    mean = crystals.density(5, POINTS)
    test = Crystals("S", few, frozenset(few.prototype.tolist()), mean)
    found = score_set(test, [Oracle(few, unknown=1)], points=POINTS)
    assert [(s.index, s.tries) for s in found] == [(0, 2), (1, 1), (2, 2)]
    for score in (found[0], found[2]):
        assert score.failure is None and score.first.ssim < 0.9999
        assert score.best.ssim == pytest.approx(1.0, abs=1e-9) and score.best.psnr > 100.0
    assert found[1].failure == "No cell explains the lines." and found[1].first == found[1].best
    rows = list(sections_of(test, [2], [Oracle(few, unknown=1)], points=POINTS))
    assert [(r["what"], r["rank"]) for r in rows] == [("truth", 0), ("oracle", 1), ("oracle", 2)]
    assert rows[2]["values"] == rows[0]["values"], "a turned map is shown as it fits best"
    # voxels of the map of 50 points, as methods answer, and not a map of fewer Fourier coefficients
    step = 50 // POINTS
    voxel = few.density(2)[step, 3 * step, rows[0]["height"] * step]
    assert rows[0]["values"][POINTS + 3] == pytest.approx(voxel, rel=0.01)


def test_summary_by_hand() -> None:
    found = summarise([1.0, 0.9, 0.5], [np.inf, 30.0, 20.0], ["a", "a", "b"])
    assert found.n == 3 and found.ssim == pytest.approx(0.8) and found.good == pytest.approx(1 / 3)
    assert found.psnr == pytest.approx(50.0) and found.ssim_by_type == pytest.approx((0.95 + 0.5) / 2)


def test_difference_is_paired() -> None:
    """Scores that vary much more than they differ: the interval is that of the differences."""
    rng = np.random.default_rng(0)
    theirs = rng.random(400)
    found = paired_difference(theirs + 0.02 + 0.01 * rng.standard_normal(400), theirs)
    assert 0.018 < found.low < found.mean < found.high < 0.022


def test_evaluation_of_a_run(
    crystals: PowderCrystals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xtalpriors.model.powder.data_config.powder_crystals", lambda *_: crystals)
    for name, formula in (("whole", "ratios"), ("less", "none")):
        train_crystalnet(
            load_preset_file("smoke", PRESETS, CrystalNetConfig, WHAT, {**TINY, "formula": formula}),
            tmp_path / name,
            device="cpu",
        )
    models = [tmp_path / "whole", tmp_path / "less"]
    found = evaluate_powder(models, tmp_path / "scores", crystals=3, points=POINTS, device="cpu")
    rows = read_rows(tmp_path / "scores", SCORES).to_pandas()
    networks = {"crystalnet-2024", "crystalnet-2024, no formula"}
    assert set(rows["method"]) == {*LOOKED_UP.values(), *networks}
    assert set(rows.loc[rows["is_network"], "method"]) == networks
    assert len(rows) == 24 and (rows["best_ssim"] >= rows["ssim"]).all()
    assert rows.groupby("method")["tries"].first().to_dict()["crystalnet-2024"] == 5
    shown = read_rows(tmp_path / "scores", SECTIONS).to_pandas()
    assert set(shown["what"]) == {"truth", "crystalnet-2024"}, "what was told less is scored, and not shown"
    numbers = json.loads((tmp_path / "scores" / "metrics.json").read_text())["sets"]["S"]
    own = rows[rows["method"] == "mean map"]
    assert numbers["n"] == 3 and numbers["bar"] in LOOKED_UP.values()
    assert numbers["methods"]["mean map"]["first"]["ssim"] == pytest.approx(own["ssim"].mean())
    assert "mean map" in str(found)
    # the same crystals made otherwise: some of the test may have been trained on
    monkeypatch.setattr(
        "xtalpriors.model.powder.data_config.powder_crystals", lambda *_: crystals.take(np.arange(19, -1, -1))
    )
    with pytest.raises(XtalpriorsError, match="was trained on other crystals than this version makes"):
        evaluate_powder(models, tmp_path / "scores", crystals=3, points=POINTS, device="cpu")


def test_a_coarser_map_has_the_same_voxels() -> None:
    field = np.arange(50.0**3, dtype=np.float32).reshape(50, 50, 50)
    assert np.array_equal(coarser(field, 25)[3, 4, 5], field[6, 8, 10])
    with pytest.raises(UsageError, match="--points 20"):
        coarser(field, 20)


def test_no_network_and_no_such_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="No network is given"):
        evaluate_powder([], tmp_path / "scores")
    for arguments, message in (
        (["--model", "none", "--output", "scores"], "There is no CrystalNet none"),
        (["--model", "none", "--output", "s", "--set", "periodic=1"], "did you mean `periodic_rotations`?"),
    ):
        assert run(["powder", "evaluate", *arguments]) in (1, 2)
        assert message in " ".join(capsys.readouterr().err.split())
    assert run(["powder", "train", "--preset", "tpu", "--output", str(tmp_path / "x")]) == 2
    assert "crystalnet-2024, crystalnet-cpu, crystalnet-fourier, fourier-smoke, smoke" in " ".join(
        capsys.readouterr().err.split()
    )
