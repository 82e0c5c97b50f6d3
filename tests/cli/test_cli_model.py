"""The network's commands as a person uses them: train, stop, resume, evaluate, predict, and wrong use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import gemmi
import numpy as np
import pytest
from phasing_crystals import CELL, P21C, card_of, cif_text, structures, untrained, write_cif
from training import TINY

from xtalpriors.cli import run
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.weights import save_model
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.training.journal import read_log
from xtalpriors.paths import published

TEN = Reflections(P21C, 10)
CELL_OPTION = "5.91 7.23 8.64 90 98.7 90"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    yield


def _error(capsys: pytest.CaptureFixture[str]) -> str:
    """Standard error as one line, without the wrapping."""
    text = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in text and "a bug" not in text, text
    return text


def _subsets() -> None:
    """Make `s/p21c-10.parquet` with two entries and `s/p21c-20.parquet` with none."""
    Path("tree").mkdir()
    Path("tree/1.cif").write_text(cif_text(name="one"))
    Path("tree/2.cif").write_text(cif_text("P 1 21/n 1", name="two").replace("0.2134", "0.2214"))
    assert run(["mine", "--source", "cod:tree", "--database", "d.duckdb", "--workers", "1"]) == 0
    for name in ("p21c-10", "p21c-20"):
        assert run(["subset", "--database", "d.duckdb", "--name", name, "--output", f"s/{name}.parquet"]) == 0


def test_train_with_scores_on_real_structures_and_evaluate(capsys: pytest.CaptureFixture[str]) -> None:
    _subsets()
    train = ["train", "--preset", "tiny.yaml", "--output", "run"]
    assert run([*train, "--test", "s/p21c-10.parquet"]) == 0
    scores = [(r["step"], r["set"], r["n"]) for r in read_log(Path("run/log.jsonl")) if "set" in r]
    assert scores == [(s, *one) for s in (2, 4) for one in (("generated", 32), ("experimental", 2))]
    assert "experimental_median_r" in Path("run/curve.csv").read_text().splitlines()[0]
    assert run(train) == 2
    assert "run holds a run already: say --resume" in _error(capsys)
    evaluate = ["evaluate", "--model", "run", "--subset"]
    assert run([*evaluate, "s/p21c-10.parquet", "--output", "e/one.parquet"]) == 0
    out = capsys.readouterr().out
    assert "phases all zero" in out and "random phases" in out
    before = Path("s/p21c-10.parquet").read_bytes()
    for options, status, words in (
        (["s/p21c-20.parquet", "--output", "e/two.parquet"], 1, "There is no structure to test in s/p21c-20"),
        (["s/none.parquet", "--output", "e/two.parquet"], 1, "There is no subset s/none.parquet"),
        (["s/p21c-10.parquet", "--output", "s/p21c-10.parquet"], 2, "s/p21c-10.parquet would be replaced"),
        (["s/p21c-10.parquet", "--output", "tiny.yaml/x"], 2, "tiny.yaml/x cannot be written"),
        (["s/p21c-10.parquet", "--output", "e/two.parquet", "--device", "tpu"], 2, "no device 'tpu'"),
    ):
        assert run([*evaluate, *options]) == status
        assert words in _error(capsys)
    assert Path("s/p21c-10.parquet").read_bytes() == before
    assert sorted(p.name for p in Path("e").iterdir()) == ["one.json", "one.maps.parquet", "one.parquet"]


@pytest.mark.slow
def test_matrix_scores_every_strategy_on_real_structures(capsys: pytest.CaptureFixture[str]) -> None:
    _subsets()
    matrix = ["matrix", "--preset", "tiny.yaml", "--output", "m", "--seeds", "1", "--test"]
    assert run([*matrix, "s/none.parquet"]) == 1
    assert "There is no subset s/none.parquet" in _error(capsys)
    assert not Path("m").exists()
    assert run([*matrix, "s/p21c-10.parquet"]) == 0
    out = capsys.readouterr().out
    assert "## p21c-10 (N = 2)" in out and "## larger cells" in out
    rows = [r for r in json.loads(Path("m/matrix.json").read_text())["rows"] if r["test_set"] == "p21c-10"]
    strategies = {(r["cell"], r["filling"]) for r in rows}
    assert (
        len(strategies) == 10
    )  # the paper's nine and packed molecules; its bundle has no priors for `fitted`
    assert not any("fitted" in name for strategy in strategies for name in strategy)
    assert all(r["solved"] in (0.0, 0.5, 1.0) for r in rows)  # of two structures


TINY_RUN = ["--preset", "tiny.yaml", "--output", "x"]
DIVERGING = ["optimiser.learning_rate=1.0e+30", "schedule.kind=constant", "optimiser.clip_norm=null"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--preset", "none", "--output", "x"], 2, ("no preset 'none'", "smoke")),
        (["--preset", "none.yaml", "--output", "x"], 2, ("no preset file none.yaml", "smoke")),
        (["--preset", "tiny.yaml"], 2, ("--output must be given too",)),
        (["--preset", "tiny.yaml", "--output", "tiny.yaml/x"], 2, ("tiny.yaml/x", "cannot be written")),
        ([*TINY_RUN, "--set", "optimser.x=3"], 2, ("`optimser` is no option; did you mean `optimiser`?",)),
        (
            [*TINY_RUN, "--set", "optimiser.batchsize=3"],
            2,
            ("`optimiser.batchsize`", "`optimiser.batch_size`"),
        ),
        ([*TINY_RUN, "--set", "structures=many"], 2, ("`structures` must be a whole number",)),
        ([*TINY_RUN, "--set", "structures=[1"], 2, ("--set structures=[1", "YAML")),
        ([*TINY_RUN, "--set", "structures"], 2, ("--set takes KEY=VALUE",)),
        ([*TINY_RUN, "--set", "data.generator.space_group=P 21 21 21"], 2, ("is not centrosymmetric",)),
        ([*TINY_RUN, *(w for o in DIVERGING for w in ("--set", o))], 1, ("is not a finite number",)),
        ([*TINY_RUN, "--bundle", "none.json"], 1, ("there is no bundle none.json",)),
        ([*TINY_RUN, "--bundle", "newer.json"], 1, ("newer.json has bundle schema 99", "Upgrade")),
        ([*TINY_RUN, "--bundle", "edited.json"], 1, ("edited.json was changed", "never edited by hand")),
        ([*TINY_RUN, "--bundle", "cut.json"], 1, ("cut.json was cut short or damaged",)),
        ([*TINY_RUN, "--test", "none.parquet"], 1, ("There is no subset none.parquet",)),
        ([*TINY_RUN, "--device", "tpu"], 2, ("no device 'tpu'",)),
    ],
)
def test_training_that_cannot_be(
    arguments: list[str], status: int, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    text = published().read_text(encoding="utf-8")
    Path("newer.json").write_text(json.dumps(json.loads(text) | {"schema_version": 99}))
    Path("edited.json").write_text(text.replace("0.394", "0.395"), encoding="utf-8")
    Path("cut.json").write_text(text[:1000], encoding="utf-8")
    assert run(["train", *arguments]) == status
    message = _error(capsys)
    assert all(word in message for word in words), message
    assert not list(Path().glob("**/*.safetensors")) and not list(Path().glob("**/*.part"))


def test_a_run_is_not_taken_for_another_nor_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    train = ["train", "--preset", "tiny.yaml", "--output", "run"]
    assert run(train) == 0
    before = Path("run/model.safetensors").read_bytes()
    assert run([*train, "--resume", "--set", "seed=7"]) == 2
    assert "was trained with seed = 1, not 7" in _error(capsys)
    for file in Path("run/checkpoints").iterdir():
        file.unlink()
    for options in ([], ["--resume"]):
        assert run([*train, *options]) == 2
        assert "run holds a network without checkpoints, which would be replaced" in _error(capsys)
    assert Path("run/model.safetensors").read_bytes() == before


@pytest.fixture
def network() -> None:
    save_model(Path("network"), untrained(TEN), card_of(TEN))


@pytest.mark.slow
def test_all_1205_phases_of_a_structure_and_of_a_list(network: None) -> None:
    """A CIF, and a list of its |F| to 1.4 Å in P2₁/a with a′ = c, b′ = −b, c′ = a: h k l is l −k h there."""
    write_cif(Path())
    predict = ["predict", "--model", "network"]
    assert run([*predict, "made.cif", "--output", "a.cif", "--map", "a.ccp4"]) == 0
    d = calculate(TEN, structures(cif_text()).crystals, d_min_angstrom=1.4)
    listed = zip(TEN.hkl.tolist(), d.amplitudes[0], d.measured[0], strict=True)
    Path("a.hkl").write_text("\n".join(f"{l} {-k} {h} {f:.5f}" for (h, k, l), f, seen in listed if seen))
    a, b, c, beta = CELL
    setting = ["--cell", f"{c} {b} {a} 90 {beta} 90", "--space-group", "P 1 21/a 1"]
    assert run([*predict, "a.hkl", "--output", "b.fcf", "--map", "b.ccp4", *setting]) == 0
    tags = ["index_h", "index_k", "index_l", "phase_calc", "include_status", "F_meas"]
    for phases, density in (("a.cif", "a.ccp4"), ("b.fcf", "b.ccp4")):
        loop = gemmi.cif.read(phases).sole_block().find("_refln_", tags)
        assert [[int(row[i]) for i in range(3)] for row in loop] == TEN.hkl.tolist()
        status = [row[4] for row in loop if row[3] in ("0", "180")]
        assert (len(loop), len(status)) == (1205, 1205 - 84), "all but the absences"
        assert status.count("x") > 500 and status.count("o") > 100, "phase extension"
        both = [i for i, row in enumerate(loop) if row[4] == "o" and d.measured[0, i]]
        assert len(both) == d.measured[0].sum()
        np.testing.assert_allclose([float(loop[i][5]) for i in both], d.amplitudes[0, both], rtol=1e-4)
        grid = gemmi.read_ccp4_map(density, setup=True).grid
        np.testing.assert_allclose(grid.unit_cell.parameters, (a, b, c, 90, beta, 90), atol=1e-3)


def test_the_name_of_a_file_decides_nothing(network: None) -> None:
    for name in ("made", "other"):
        Path(f"{name}.cif").write_text(cif_text(name=name), encoding="utf-8")
        assert run(["predict", f"{name}.cif", "--model", "network", "--output", f"{name}.out.cif"]) == 0
    loops = [Path(f"{name}.out.cif").read_text().split("loop_")[-1] for name in ("made", "other")]
    assert loops[0] == loops[1] and loops[0].count("\n") > 1205


LISTS = {
    "empty": "# nothing\n",
    "zero": "1 2 3 0.0",
    "outside": "11 0 2 5.0\n9 9 2 4.0",
    "nan": "2 0 0 1\n1 2 3 nan",
    "large": "2 0 0 1\n1 2 3 1e300",
    "negative": "2 0 0 1\n1 2 3 -4",
    "index": "2 0 0 1\n999999999999999999999 2 3 5",
    "ok": "2 0 0 10\n1 1 1 7\n-1 2 3 4\n",
    "absences": "2 0 0 10 1\n1 1 1 7 1\n0 3 0 9 1\n0 0 1 8 1\n",
}
KNOWN = ["--space-group", "P 1 21/c 1"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["none.cif"], 1, "none.cif cannot be read"),
        (["."], 1, ". cannot be read"),
        (["ok.hkl"], 2, "ok.hkl, format f: the space group is not known. Give the crystal's"),
        (["empty.hkl", *KNOWN], 1, "empty.hkl holds no reflection"),
        (["zero.hkl", *KNOWN], 1, "none is a reflection that the network takes (|F| > 0"),
        (["outside.hkl", *KNOWN], 1, "2 unique reflections outside: "),
        (["nan.hkl", *KNOWN], 1, "nan.hkl, line 2: 'nan' is no measurement of 1 2 3"),
        (["large.hkl", *KNOWN], 1, "large.hkl, line 2: '1e300' is no measurement"),
        (["index.hkl", *KNOWN], 1, "index.hkl, line 2: '999999999999999999999 2 3' are no Miller indices"),
        (["negative.hkl", *KNOWN], 1, "the amplitude |F| of 1 2 3 is -4"),
        (["nosites.cif"], 1, "neither a structure nor measured reflections (made: no atom sites). Give"),
        (["acentric.cif"], 2, "acentric.cif, block made: the structure is in P 1 21 1, which is not centro"),
        (["ok.hkl", *KNOWN, "--cell", "1 2 3"], 2, "--cell takes six numbers"),
        (["ok.hkl", *KNOWN, "--cell", "0 7 8 90 90 90"], 2, "the cell 0 7 8 90 90 90 has no volume"),
        (["ok.hkl", *KNOWN, "--cell", "nan 7 8 90 90 90"], 2, "has no volume"),
        (
            ["ok.hkl", *KNOWN, "--cell", "5.9 7.2 8.6 80 98.7 90"],
            2,
            "does not have the symmetry of P 1 21/c 1",
        ),
        (
            ["absences.hkl", *KNOWN],
            2,
            "2 observations of systematic absences, mean I/σ = 4.2, mean I = 0.973",
        ),
        (["absences.hkl", *KNOWN], 2, "(strongest: 0 3 0, 0 0 1)"),
        (["ok.hkl", *KNOWN, "--accept", "all"], 2, "--accept is absences or distribution, not 'all'"),
        (
            ["made.cif", "--space-group", "P 1 21/n 1"],
            2,
            "says the space group P 1 21/c 1, and P 1 21/n 1 was",
        ),
        (["made.cif", "--cell", "5.9 7.2 9.6 90 98.7 90"], 2, "and 5.9 7.2 9.6 90 98.7 90 was given"),
        (["ok.hkl", "--space-group", "P 1 21/n 1"], 2, "the cell is needed"),
        (["ok.hkl", "--space-group", "P 7", "--cell", CELL_OPTION], 2, "`P 7` is no space group"),
        (["ok.hkl", *KNOWN, "--map", "m.ccp4"], 2, "a map needs the cell"),
        (["ok.hkl", *KNOWN, "--hkl", "xx"], 2, "--hkl is one of f, f2, hklf3, hklf4"),
        (["ok.hkl", *KNOWN, "--device", "tpu"], 2, "no device 'tpu'"),
        (["ok.hkl", *KNOWN, "--model", "none"], 2, "There is no network 'none'"),
        (["ok.hkl", *KNOWN, "--output", "ok.hkl"], 2, "ok.hkl would be replaced by the output"),
        (["ok.hkl", *KNOWN, "--output", "ok.hkl/x.cif"], 2, "ok.hkl/x.cif cannot be written"),
    ],
)
def test_predictions_that_cannot_be(
    arguments: list[str], status: int, words: str, network: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in LISTS.items():
        Path(f"{name}.hkl").write_text(text)
    whole = cif_text()
    Path("made.cif").write_text(whole)
    Path("nosites.cif").write_text(whole[: whole.rindex("loop_")])
    acentric = whole.replace("'-x,-y,-z'\n", "").replace("'x,-y+1/2,z+1/2'\n", "")
    acentric = acentric.replace("-x,y+1/2,-z+1/2", "-x,y+1/2,-z").replace("P 1 21/c 1", "P 1 21 1")
    Path("acentric.cif").write_text(acentric)
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file()}
    options = {"--model": "network", "--output": "out.cif"}
    missing = [word for name, value in options.items() if name not in arguments for word in (name, value)]
    assert run(["predict", *arguments, *missing]) == status
    message = _error(capsys)
    assert words in message, message
    assert {path: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before
