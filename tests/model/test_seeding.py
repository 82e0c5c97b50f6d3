"""Phase seeding: which phases are seeds, what comes of them, and what a study of it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from phasing_crystals import write_cif
from torch import Tensor

from xtalpriors.cli import run
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, artificial_crystals
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.charge_flipping.trials import normalised, phase_by_charge_flipping
from xtalpriors.model.seeding.network_seeds import DualSpaceSeeds, rows_of_network, seeding_network
from xtalpriors.model.seeding.real_crystals import read_real_crystals
from xtalpriors.model.seeding.rows import read_rows
from xtalpriors.model.seeding.seeded_flipping import extend_seeds
from xtalpriors.model.seeding.seeds import binned, order_of_seeds, seed_phasors, strong_half
from xtalpriors.model.seeding.settings import study_settings
from xtalpriors.model.seeding.shares import share_text, side_by_side, solved_shares, with_centre
from xtalpriors.model.seeding.study import agreement_with_truth, run_study
from xtalpriors.reports.sections.seeding import seeding_sections


@pytest.fixture(scope="module")
def hard() -> list[KnownCrystal]:
    """Crystals of P2₁2₁2₁ with V = 1000 Å³, of which one trial of charge flipping solves few."""
    return list(
        artificial_crystals("P 21 21 21", 4, 1.0, (970.0, 1030.0), lengths_angstrom=(4.0, 50.0), seed=3)
    )


@pytest.mark.parametrize(
    ("degree", "bins", "centre"),
    [
        (50.0, 4, 90.0),
        (44.0, 4, 0.0),
        (-100.0, 4, -90.0),
        (50.0, 3, 0.0),
        (70.0, 3, 120.0),
        (100.0, 2, 180.0),
    ],
)
def test_a_phase_goes_to_the_nearest_centre_of_a_bin(degree: float, bins: int, centre: float) -> None:
    assert np.degrees(binned(np.radians([degree]), bins))[0] == pytest.approx(centre)


def test_binning_errs_by_at_most_half_a_bin(hard: list[KnownCrystal]) -> None:
    crystal = hard[0]
    e = normalised(crystal.grid, crystal.amplitudes, crystal.cell)
    order = order_of_seeds(e, np.random.default_rng(0))
    for bins in (2, 3, 4):
        seeds = seed_phasors(crystal.grid, crystal.f, order, 0.3, bins)
        error = torch.angle(seeds * crystal.f.conj()).abs()[seeds != 0].rad2deg()
        assert 0.7 * 180 / bins < float(error.max()) <= 180 / bins + 1e-3


def test_seeds_are_among_the_strongest_half_and_the_more_hold_the_fewer(hard: list[KnownCrystal]) -> None:
    crystal = hard[0]
    e = normalised(crystal.grid, crystal.amplitudes, crystal.cell)
    order = order_of_seeds(e, np.random.default_rng(0))
    few, many = (seed_phasors(crystal.grid, crystal.f, order, f, None) != 0 for f in (0.1, 0.3))
    assert int(few.sum()) == round(0.1 * (len(e) // 2))
    assert bool(many[few].all())
    assert float(e[many].min()) >= float(e.median())
    assert len(strong_half(e)) == len(e) // 2


def test_centric_seeds_keep_a_phase_that_symmetry_allows(hard: list[KnownCrystal]) -> None:
    crystal = hard[0]
    e = normalised(crystal.grid, crystal.amplitudes, crystal.cell)
    order = order_of_seeds(e, np.random.default_rng(0))
    seeds = seed_phasors(crystal.grid, crystal.f, order, 1.0, 3)
    centric = torch.from_numpy(crystal.grid.allowed != 0) & (seeds != 0) & (crystal.amplitudes > 0.1)
    error = torch.angle(seeds * crystal.f.conj()).abs()[centric]
    assert int(centric.sum()) > 20
    assert float(error.max()) < 1e-3


def test_a_fifth_of_the_phases_in_quadrants_solves_what_flipping_does_not(hard: list[KnownCrystal]) -> None:
    """Carrozzini et al. 2025: 10 to 30 % of the phases with 3 or 4 values are enough."""
    without, seeded, upside_down = [], [], []
    for number, crystal in enumerate(hard):
        rng = np.random.default_rng(number)
        found = phase_by_charge_flipping(crystal.grid, crystal.amplitudes, crystal.cell, rng=rng)
        without.append(float(map_correlation(crystal.grid, found.f, crystal.f, crystal.amplitudes)[0]))
        e = normalised(crystal.grid, crystal.amplitudes, crystal.cell)
        order = order_of_seeds(e, rng)
        seeds = torch.stack([seed_phasors(crystal.grid, t, order, 0.2, 4) for t in (crystal.f, -crystal.f)])
        f = extend_seeds(crystal.grid, crystal.amplitudes, crystal.cell, seeds)
        r = agreement_with_truth(f, crystal.f)
        seeded.append(r[0])
        upside_down.append(r[1])
    assert sum(r >= 0.8 for r in without) <= 2
    assert sum(r >= 0.8 for r in seeded) == len(hard)
    assert max(upside_down) < 0.5  # phases of the negative density lead nowhere


def test_seeds_fix_the_origin_where_it_is_free() -> None:
    crystal = next(artificial_crystals("P 1", 1, 1.0, (180.0, 200.0)))
    e = normalised(crystal.grid, crystal.amplitudes, crystal.cell)
    order = order_of_seeds(e, np.random.default_rng(1))
    shift = torch.from_numpy(np.exp(-2j * np.pi * (crystal.grid.hkl @ np.array([0.21, 0.4, 0.13]))))
    moved = (crystal.f * shift).to(torch.complex64)
    seeds = seed_phasors(crystal.grid, moved, order, 0.3, None)[None]
    f = extend_seeds(crystal.grid, crystal.amplitudes, crystal.cell, seeds)
    assert agreement_with_truth(f, moved)[0] > 0.9
    assert agreement_with_truth(f, crystal.f)[0] < 0.5


def test_seeds_without_amplitudes_are_no_start(hard: list[KnownCrystal]) -> None:
    crystal = hard[0]
    nothing = torch.zeros(1, len(crystal.f), dtype=torch.complex64)
    with pytest.raises(XtalpriorsError, match="no seed whose amplitude was measured"):
        extend_seeds(crystal.grid, crystal.amplitudes, crystal.cell, nothing)


@dataclass(frozen=True)
class _Oracle:
    """Knows the true phases from another origin, is surest of the strongest, and of a third says nothing."""

    shift: tuple[float, float, float]
    name: str = "oracle"

    def fits(self, space_group: str) -> bool:
        return True

    def phases(self, crystal: KnownCrystal, rng: np.random.Generator) -> Tensor | None:
        turn = torch.from_numpy(np.exp(-2j * np.pi * (crystal.grid.hkl @ np.array(self.shift))))
        sure = (crystal.amplitudes / crystal.amplitudes.max()).clamp(min=1e-3)
        said = torch.from_numpy(np.arange(len(sure)) % 3 > 0)
        return (crystal.f / crystal.f.abs() * turn * sure * said).to(torch.complex64)


def test_network_seeds_are_judged_from_their_own_origin(hard: list[KnownCrystal]) -> None:
    crystal = hard[0]
    rows = rows_of_network(_Oracle((0.5, 0.0, 0.5)), crystal, crystal, (0.1, 0.3), np.random.default_rng(0))
    own, few, many = rows
    assert own.keys() == {"seeds", "r"}
    weight = crystal.amplitudes.square()
    known = float((weight * torch.from_numpy(np.arange(len(weight)) % 3 > 0)).sum() / weight.sum())
    assert own["r"] == pytest.approx(known, abs=1e-3)
    assert few["seed_error_degree"] < 0.1
    assert few["n_seeds"] < many["n_seeds"]
    assert many["r"] > 0.9


def test_the_shipped_network_seeds_in_another_order_of_reflections() -> None:
    """Its grid lists reflections otherwise than the crystal does; its phases must survive the way back."""
    crystal = next(artificial_crystals("P 1 21/c 1", 1, 1.0, (280.0, 320.0)))
    network = seeding_network("shipped")
    assert isinstance(network, DualSpaceSeeds)
    found = network.phases(crystal, np.random.default_rng(0))
    assert found is not None
    r = float(map_correlation(crystal.grid, found[None], crystal.f, crystal.amplitudes)[0])
    assert r > 0.9
    assert float(found.abs().max()) <= 1.0 + 1e-4


def _rows(**same: Any) -> list[dict[str, Any]]:
    base = {
        "source": "artificial", "crystal": "0", "space_group": "P 1", "volume_class_angstrom3": 500.0,
        "volume_angstrom3": 500.0, "d_min_angstrom": 1.0, "overlap_degree": 0.0, "overlapped": 0.0,
        "seeds": "truth", "fraction": 0.1, "bins": 4, "n_seeds": 9, "seed_error_degree": 20.0,
    }  # fmt: skip
    return [{**base, **same, "crystal": str(i), "r": 0.85 if i < 13 else 0.2} for i in range(16)]


def test_a_share_has_its_wilson_interval() -> None:
    """13 of 16: 0.8125 with Wilson's 95 % interval 0.570 to 0.934 (Newcombe 1998, method 3)."""
    (row,) = solved_shares(_rows()).to_dict("records")
    assert (row["n"], row["solved"]) == (16, 13 / 16)
    assert (row["low"], row["high"]) == (pytest.approx(0.570, abs=5e-4), pytest.approx(0.934, abs=5e-4))
    assert share_text(row) == ".81 [.57, .93]"
    assert share_text({"solved": 1.0, "low": 0.8, "high": 1.0}) == "1.00 [.80, 1.00]"


def test_groups_with_a_centre_count_once_whatever_the_bins() -> None:
    rows = _rows(space_group="P -1", bins=2) + _rows(space_group="P -1", bins=0) + _rows(bins=2)
    frame = side_by_side(with_centre(rows), ("centre",))
    assert frame[["centre", "n", "phases"]].to_numpy().tolist() == [
        ["centrosymmetric", 16, "exact"],
        ["non-centrosymmetric", 16, "2 values"],
    ]


STUDY = {
    "space_groups": ("P 21 21 21", "P -1"),
    "volumes_angstrom3": (500.0,),
    "d_min_angstrom": (1.5,),
    "fractions": (0.2,),
    "bins": (4, 2),
    "structures": 2,
}


def test_a_study_that_was_stopped_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    whole = run_study(study_settings(**STUDY), tmp_path / "whole")
    run_study(study_settings(**STUDY | {"space_groups": ("P 21 21 21",)}), tmp_path / "parts")
    before = (tmp_path / "parts/seeding.parquet").stat().st_mtime_ns
    run_study(study_settings(**STUDY | {"space_groups": ("P 21 21 21",)}), tmp_path / "parts")
    assert (tmp_path / "parts/seeding.parquet").stat().st_mtime_ns == before  # nothing is done twice
    run_study(study_settings(**STUDY), tmp_path / "parts")
    assert (tmp_path / "parts/seeding.parquet").read_bytes() == (
        tmp_path / "whole/seeding.parquet"
    ).read_bytes()
    assert len(whole) == 2 * 2 * (1 + 2)
    with pytest.raises(UsageError, match=r"a study with structures = 2, and not 3"):
        run_study(study_settings(**STUDY | {"structures": 3}), tmp_path / "whole")


def test_the_command_writes_a_page_and_its_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = "--space-group 14 --volume 500 --d-min 1.5 --fraction 0.2 --bins 4 --structures 2"
    line = ["seed-study", *options.split(), "--overlap", "0", "--overlap", "0.2"]
    assert run([*line, "--output", "study"]) == 0
    assert "no seeds" in capsys.readouterr().out
    page = (tmp_path / "study/index.html").read_text(encoding="utf-8")
    assert 'id="powder-overlap"' in page
    assert 'id="seeding"' in page
    table = pd.read_csv(tmp_path / "study/figures/shares.csv")
    rows, settings = read_rows(tmp_path / "study")
    assert settings["fractions"] == [0.2]
    assert table["n"].sum() == len(rows) == 2 * 2 * 2
    assert table.loc[table["overlap_degree"] == 0.0, "overlapped"].eq(0.0).all()
    assert table.loc[table["overlap_degree"] == 0.2, "overlapped"].gt(0.0).all()


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_real_crystals_come_from_what_was_mined(tmp_path: Path) -> None:
    (tmp_path / "cifs").mkdir()
    cif = write_cif(tmp_path / "cifs")
    database = tmp_path / "crystals.duckdb"
    mine([parse_source(str(tmp_path / "cifs"))], None, database, workers=1)
    found = read_real_crystals(database, ("P 1 21/c 1", "P 1"), (250.0, 500.0))
    assert set(found.structures) == {"P 1 21/c 1"}
    volume = float(found.structures["P 1 21/c 1"].volume_angstrom3[0])
    ((name, crystal),) = found.of_case("P 1 21/c 1", volume, 1.2, 5)
    assert cif.name.removesuffix(".cif") in name
    assert crystal.d_min_angstrom == 1.2
    assert list(found.of_case("P 1", volume, 1.2, 5)) == []
    assert list(found.of_case("P 1 21/c 1", 2.0 * volume, 1.2, 5)) == []
    with pytest.raises(UsageError, match="no structure in P 1 whose cell has a volume near 250"):
        read_real_crystals(database, ("P 1",), (250.0,))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--fraction 0", "must be greater than 0 (given: 0.0)"),
        ("--fraction 1.5", "at most 1 (given: 1.5)"),
        ("--bins 1", "--bins is exact or a number of values from 2, not '1': one value says nothing."),
        ("--bins few", "--bins is exact or a number of values from 2, not 'few'"),
        ("--volume 10", "The generator makes no structure of V = 10 Å³ in P 1 21/c 1"),
        ("--volume 900000", "The generator makes no structure of V = 900000 Å³"),
        ("--volume -5", "must be greater than 0"),
        ("--space-group P99", "P99"),
        ("--real nowhere", "There is no file or folder 'nowhere'"),
        ("--network nowhere", "nowhere"),
        ("--overlap 0.1 --d-min 0.7", "no reflection is measured beyond 0.77 Å, and the study goes to 0.7 Å"),
        ("--structures 0", "must be at least 1"),
    ],
)
def test_bad_input_is_a_sentence(
    options: str,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = options.split()
    groups = [] if "--space-group" in given else ["--space-group", "14"]
    assert run(["seed-study", "--output", "study", *groups, "--structures", "1", *given]) in (1, 2)
    error = _said(capsys)
    assert said in error
    assert "bug" not in error
    assert not Path("study/index.html").exists()


def test_a_page_without_seeds_has_no_section_on_them() -> None:
    keys = [section.key for section in seeding_sections(_rows(seeds="oracle"))]
    assert keys == ["networks"]
