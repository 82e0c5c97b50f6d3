"""The command line as a person uses it: help, wrong use, bad input, and the whole way to a report."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import typer
from doc_blocks import parse_command

from xtalpriors.cli import app, run
from xtalpriors.cli.examples import EXAMPLES
from xtalpriors.mining import MiningInterruptedError
from xtalpriors.paths import published

ROOT = Path(__file__).resolve().parents[2]
VERBS = ("manifest", "mine", "subset", "fit", "generate", "report", "priors")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every command runs in an empty folder: no params.yaml but the test's own."""
    monkeypatch.chdir(tmp_path)
    yield


def _error(capsys: pytest.CaptureFixture[str]) -> str:
    """Standard error as one line, without the wrapping."""
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("verb", VERBS)
def test_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    assert "Usage: xtalpriors" in capsys.readouterr().out


def test_ctrl_c_says_that_the_run_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("xtalpriors.generator.output.shards.generate_to", interrupted)
    bundle = str(published())
    assert run(["generate", "--bundle", bundle, "--count", "1", "--output", "a.parquet"]) == 130
    assert f"Go on with: xtalpriors generate --bundle {bundle} --count 1" in _error(capsys)


@pytest.mark.parametrize("arguments", [[], ["priors"]])
def test_no_command_prints_the_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert "Usage: xtalpriors" in printed.out + printed.err
    assert "xtalpriors:" not in printed.err


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(verb in out for verb in VERBS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["mien"], ("No such command 'mien'", "mine")),
        (["mine", "--wokers", "2"], ("--wokers", "--workers")),
        (["mine", "--workers", "0"], ("--workers",)),
        (["mine", "--source", "amcsd"], ("--database must be given too",)),
        (["mine", "--source", "codd:.", "--database", "x.duckdb"], ("codd", "cod")),
        (["mine", "--database", "x.duckdb"], ("--source must be given too",)),
        (["mine", "--manifest", "x.parquet"], ("--source and --database must be given too",)),
        (["manifest", "--output", "x.parquet"], ("--source must be given too",)),
        (["report", "--output", "x"], ("--database and --bundle must be given too",)),
        (["generate", "--count", "5"], ("--bundle and --output must be given too",)),
        (["generate", "--cell", "axes-uniform"], ("--bundle and --count and --output must be given too",)),
        (["mine"], ("There is no params.yaml",)),
        (["generate", "--bundle", "x.json"], ("--count and --output must be given too",)),
    ],
)
def test_wrong_use(arguments: list[str], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    message = _error(capsys)
    assert all(word in message for word in words), message
    assert "Traceback" not in message


def test_misspelt_parameter_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("bootstrap:", "boostrap:"), encoding="utf-8")
    assert run(["fit"]) == 2
    message = _error(capsys)
    assert "`fit.boostrap`" in message and "`fit.bootstrap`" in message


def test_misspelt_key_of_a_corpus_names_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(
        text.replace("    sources:\n", "    sorces:\n", 1), encoding="utf-8"
    )
    assert run(["fit"]) == 2
    message = _error(capsys)
    assert "`corpora.amcsd.sorces`" in message and "`corpora.NAME.sources`" in message


def test_mining_stopped_by_a_signal_exits_as_documented(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise MiningInterruptedError("Interrupted: 3 of 5 files are read and stored.")

    monkeypatch.setattr("xtalpriors.mining.run.mine", stopped)
    assert run(["mine", "--source", "amcsd", "--database", "x.duckdb"]) == 130
    assert "3 of 5" in _error(capsys)


def test_unknown_corpus_lists_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    assert run(["mine", "--corpus", "cdo"]) == 2
    assert "amcsd" in _error(capsys)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: None, ("tree",)),
        (lambda p: p.mkdir(), ("tree", "no CIF")),
        (lambda p: p.write_text("data_x"), ("tree",)),
    ],
    ids=["missing folder", "empty folder", "a file"],
)
def test_sources_that_are_none(
    make: object, words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "tree")  # type: ignore[operator]
    assert run(["mine", "--source", "cod:tree", "--database", "x.duckdb"]) in (1, 2)
    message = _error(capsys)
    assert all(word in message for word in words), message


def test_a_bundle_edited_by_hand_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["priors", "validate", str(published())]) == 0
    edited = tmp_path / "edited.json"
    edited.write_text(published().read_text(encoding="utf-8").replace("0.394", "0.395"), encoding="utf-8")
    assert run(["priors", "validate", str(edited)]) == 1
    message = _error(capsys)
    assert "edited.json" in message and "digest" in message


def test_another_schema_version_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with duckdb.connect("other.duckdb") as connection:
        connection.execute("CREATE TABLE something (x INTEGER)")
    assert run(["subset", "--database", "other.duckdb", "--name", "all-10", "--output", "x.parquet"]) == 1
    assert "other.duckdb" in _error(capsys)
    assert not Path("x.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "No such command 'trian'. Did you mean 'train'? See `xtalpriors --help`."),
        (["priors", "shw"], "Did you mean 'show'? See `xtalpriors priors --help`."),
        (["mine", "--workers", "many"], "--workers must be a whole number. See `xtalpriors mine --help`."),
        (["evaluate", "--volume", "5"], "requires 2 arguments. See `xtalpriors evaluate --help`."),
        (["priors", "show", "d.duckdb"], "d.duckdb is a DuckDB database, and not a prior bundle: give the"),
        (["priors", "show", "p.json"], "p.json is JSON, and not a prior bundle: give the file that"),
        (["fit", "--subset", "w.parquet", "--output", "x.json"], "w.parquet is a Parquet file, and not a"),
        (["fit", "--subset", "s.parquet", "--output", "x.json"], "s.parquet is a file of another kind, and"),
        (["subset", "--database", "w.parquet", "--name", "all-10", "--output", "x"], "and not a database"),
        (
            ["mine", "--source", "amcsd", "--database", "x", "--manifest", "w.parquet"],
            "w.parquet is a Parquet file, and not a manifest",
        ),
        (
            [
                *("generate", "--bundle", "melgalvis-2026", "--count", "1", "--output", "x"),
                "--cell",
                "volume",
            ],
            "The generator: `cell` must be 'axes-uniform', 'volume-uniform', ",
        ),
        (
            ["generate", "--bundle", "melgalvis-2026", "--count", "1", "--output", "x.cif"],
            "For CIFs say `--format cif`",
        ),
        (["train", "--preset", "p.json", "--output", "x"], "p.json is no preset: a file of options is YAML"),
        (["predict", "d.duckdb", "--model", "x", "--output", "y.cif"], "There is no network 'x'"),
    ],
)
def test_what_is_wrong_is_said_in_words_of_its_reader(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    duckdb.connect("d.duckdb").close()
    pq.write_table(pa.table({f"column_{k}": [1] for k in range(50)}), "w.parquet")
    Path("p.json").write_text("{}")
    Path("s.parquet").write_text("notes")
    before = sorted(Path().iterdir())
    assert run(arguments) in (1, 2)
    message = _error(capsys)
    assert words in message, message
    assert "column_7" not in message and len(message) < 600
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("command", EXAMPLES)
def test_help_has_two_examples_that_the_command_takes(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "<bool>" not in text
    assert max(map(len, text.splitlines())) <= 80
    lines = EXAMPLES[command].replace("\\\n", " ").splitlines()
    examples = [line.split(" | ")[0] for line in lines if line.strip().startswith("xtalpriors")]
    assert len(examples) >= 2 and all(line.strip() in text for line in EXAMPLES[command].splitlines())
    for example in examples:
        words = shlex.split(example)[1:]
        if words != ["--install-completion"]:
            parse_command(words)


def test_every_command_has_examples() -> None:
    group: Any = typer.main.get_command(app)
    inner = [f"{name} {one}" for name in ("priors", "powder") for one in group.commands[name].commands]
    names = {*group.commands, *inner}
    assert names <= set(EXAMPLES) and len(names) > 12


def test_an_unusable_folder_for_machine_code_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "file"), "XDG_CACHE_HOME": str(tmp_path)}
    code = (
        "from xtalpriors.compilation import kernel_folder as f; import xtalpriors.cli as c;"
        "c.run = lambda a: [f('xtalpriors.arrays'), f('xtalpriors.errors')] and 0; c.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0
    words = " ".join(done.stderr.split())
    assert words.count("where nothing can be written: the machine code of the kernels is kept elsewhere") == 1
    assert words.startswith("xtalpriors: NUMBA_CACHE_DIR is")
