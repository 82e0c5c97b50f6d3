"""Every command that writes, at a place where something else is: it is refused, and nothing is changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from xtalpriors.cli import run

FILES = {
    "manifest": "manifest --source cod:tree --output {}",
    "mine": "mine --source cod:tree --workers 1 --database {}",
    "subset": "subset --database crystals.duckdb --name p21c-10 --output {}",
    "fit": "fit --subset p21c-10.parquet --bootstrap 100 --output {}",
    "generate": "generate --bundle bundle.json --count 3 --workers 1 --output {}",
    "evaluate": "evaluate --model network --subset p21c-10.parquet --output {}",
    "predict": "predict tree/0.cif --model network --output {}",
    "map": "predict tree/0.cif --model network --output phases.cif --map {}",
}
"""Commands that write a file: what they read lies in the folder of the fixture."""
EXTENSIONS = {"mine": "duckdb", "fit": "json", "predict": "cif", "map": "ccp4"}

FOLDERS = {
    "generate": "generate --bundle bundle.json --count 3 --workers 1 --output {}",
    "cifs": "generate --bundle bundle.json --count 3 --workers 1 --format cif --output {}",
    "train": "train --preset smoke --output {}",
    "matrix": "matrix --preset smoke --output {}",
    "report": "report --database crystals.duckdb --bundle bundle.json --output {}",
}
"""Commands that write a folder."""


def _state(folder: Path) -> dict[str, bytes | str | None]:
    """Everything below a folder: content of files, targets of links, None for the rest."""
    return {
        path.relative_to(folder).as_posix(): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(folder.rglob("*"))
    }


def _refused(line: str, output: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command on an output and check that it is wrong use and changes nothing; its message."""
    before = _state(folder)
    assert run([output if word == "{}" else word for word in line.split()]) == 2
    assert _state(folder) == before
    message = " ".join(capsys.readouterr().err.split())
    assert output.split("/")[-1] in message and "a bug" not in message and "Traceback" not in message
    return message


def _foreign(what: str, path: Path) -> None:
    """Put something of somebody else at a path."""
    match what:
        case "text":
            path.write_text("three years of notes\n")
        case "JSON":
            path.write_text('{"priors": "of another program"}\n')
        case "database" | "subset" | "bundle" | "network":
            own = {"database": "crystals.duckdb", "subset": "p21c-10.parquet", "bundle": "bundle.json"}
            shutil.copy(own.get(what, "network/model.safetensors"), path)
        case "folder":
            path.mkdir()
            (path / "notes.txt").write_text("notes")
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/null")
        case "link to nowhere":
            path.symlink_to("/nowhere/at all/x")
        case "link to itself":
            path.symlink_to(path)
        case "link to notes":
            Path("notes.txt").write_text("three years of notes\n")
            path.symlink_to("notes.txt")


OWN = {"mine": "database", "subset": "subset", "fit": "bundle"}
"""Whose output the foreign file of a name would be."""
FOREIGN = (
    *("text", "JSON", "database", "subset", "bundle", "network", "folder", "pipe", "device"),
    *("link to nowhere", "link to itself", "link to notes"),
)


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("command", FILES)
def test_a_file_of_somebody_else_is_left_alone(
    command: str, what: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if OWN.get(command) == what:
        pytest.skip("its own kind, which it may replace")
    output = f"mine.{EXTENSIONS.get(command, 'parquet')}"
    if command == "generate" and what == "folder":
        output = "structures"  # a folder is a place for a run, but not one with files of another kind
    _foreign(what, Path(output))
    _refused(FILES[command], output, here, capsys)


@pytest.mark.parametrize("command", FILES)
def test_a_name_that_no_file_can_have(command: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in the place of the output's folder, and the name that others take for standard output."""
    Path("notes.txt").write_text("three years of notes\n")
    for output in (f"notes.txt/x/mine.{EXTENSIONS.get(command, 'parquet')}", "-"):
        _refused(FILES[command], output, here, capsys)


@pytest.mark.parametrize(
    ("command", "output", "beside"),
    [
        ("mine", "new.duckdb", "new.digest.json"),
        ("subset", "new.parquet", "new.sites.parquet"),
        ("fit", "new.json", "new.metrics.json"),
        ("fit", "new.json", "new.provenance.json"),
        ("evaluate", "new.parquet", "new.json"),
        ("evaluate", "new.parquet", "new.maps.parquet"),
        ("map", "new.ccp4", "phases.cif"),
    ],
)
def test_what_is_written_beside_the_output_replaces_nothing(
    command: str, output: str, beside: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(beside).write_text('{"mine": "of somebody else"}')
    before = _state(here)
    assert run([output if word == "{}" else word for word in FILES[command].split()]) == 2
    assert beside in capsys.readouterr().err
    assert _state(here) == before


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *(("generate", name) for name in ("notes.txt", "run.json")),
        *(("cifs", name) for name in ("notes.txt", "000000000000.cif")),
        *(
            ("train", name)
            for name in ("config.yaml", "metrics.json", "log.jsonl", "curve.csv", "digest.json")
        ),
        *(
            ("train", name)
            for name in ("model.safetensors", "model-card.json", "model-card.md", "checkpoints")
        ),
        ("train", "checkpoints/step-000000001.safetensors"),
        *(("matrix", name) for name in ("matrix.json", "matrix.csv", "matrix.md")),
        *(("report", name) for name in ("index.html", "files.json", "figures", "phasing/index.html")),
    ],
)
def test_a_file_in_a_folder_is_left_alone(
    command: str, name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("out") / name
    path.parent.mkdir(parents=True)
    path.write_text("three years of notes\n")
    before = _state(here)
    assert run(["out" if word == "{}" else word for word in FOLDERS[command].split()]) == 2
    message = " ".join(capsys.readouterr().err.split())
    assert "out" in message and "a bug" not in message
    assert _state(here) == before


@pytest.mark.parametrize("what", ["text", "pipe", "link to nowhere", "link to itself"])
@pytest.mark.parametrize("command", FOLDERS)
def test_what_is_no_folder_is_left_alone(
    command: str, what: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _foreign(what, Path("out"))
    _refused(FOLDERS[command], "out", here, capsys)
