"""Ctrl-C at five moments of each long command: nothing is lost, and the command that is named goes on."""

from __future__ import annotations

import os
import shlex
import signal
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from xtalpriors.cli import run

pytestmark = pytest.mark.slow

GENERATE = "xtalpriors.generator.output.shards"
TRAIN = "xtalpriors.model.training.train"
LOOP = "xtalpriors.model.training.loop"
EVALUATE = "xtalpriors.model.scoring.evaluate_subsets"
FIT = "xtalpriors.priors.fitting.fit"
BUILD = "xtalpriors.reports.build"
MATRIX = "xtalpriors.model.matrix"

COMMANDS = {
    "mine": "mine --source cod:tree --workers 1 --database new.duckdb",
    "fit": "fit --subset p21c-10.parquet --bootstrap 100 --output new.json",
    "generate": "generate --bundle bundle.json --count 40 --workers 1 --output new.parquet",
    "cifs": "generate --bundle bundle.json --count 20 --workers 1 --format cif --output new",
    "train": "train --preset tiny.yaml --output new --set seed=3",
    "evaluate": "evaluate --model network --subset p21c-10.parquet --output new.parquet",
    "report": "report --database crystals.duckdb --bundle p21c-10.json --output new",
    "matrix": "matrix --preset tiny.yaml --seeds 1 --set structures=16 --set validation.count=8 --output new",
}

MOMENTS = [
    ("mine", "xtalpriors.mining.run:list_files", 1),
    ("mine", "xtalpriors.mining.run:make_plan", 1),
    ("mine", "xtalpriors.mining.work.ingest:Ingest.add", 1),
    ("mine", "xtalpriors.mining.database.clusters:build_clusters", 1),
    ("mine", "xtalpriors.mining.run:write_digest", 1),
    ("fit", f"{FIT}:read_subset", 1),
    ("fit", f"{FIT}:_bundle", 1),
    ("fit", "xtalpriors.atomic_write:check_output", 2),
    ("fit", "xtalpriors.written_folder:_exchange", 1),
    ("fit", f"{FIT}:write_provenance", 1),
    ("generate", f"{GENERATE}:identity_of", 1),
    ("generate", f"{GENERATE}:claim", 1),
    ("generate", f"{GENERATE}:to_table", 1),
    ("generate", f"{GENERATE}:replacing", 2),
    ("generate", f"{GENERATE}:discard", 1),
    ("cifs", f"{GENERATE}:to_cif", 7),
    ("train", f"{TRAIN}:make_stream", 1),
    ("train", f"{TRAIN}:generated_set", 1),
    ("train", "xtalpriors.model.training.trainer:Trainer.step", 2),
    ("train", f"{LOOP}:save_checkpoint", 1),
    ("train", "xtalpriors.model.training.journal:Journal.write_curves", 1),
    ("evaluate", f"{EVALUATE}:load_model", 1),
    ("evaluate", f"{EVALUATE}:read_structures", 1),
    ("evaluate", f"{EVALUATE}:evaluate", 1),
    ("evaluate", f"{EVALUATE}:write_evaluation", 1),
    ("evaluate", f"{EVALUATE}:write_projections", 1),
    ("report", f"{BUILD}:gather", 1),
    ("report", f"{BUILD}:cells_section", 1),
    ("report", f"{BUILD}:render_page", 1),
    ("report", f"{BUILD}:write_folder", 1),
    ("report", "xtalpriors.written_folder:_exchange", 1),
    ("matrix", f"{MATRIX}:_generated_sets", 1),
    ("matrix", "xtalpriors.model.training.trainer:Trainer.step", 1),
    ("matrix", f"{MATRIX}:load_model", 1),
    ("matrix", f"{MATRIX}:score_set", 1),
    ("matrix", f"{LOOP}:save_checkpoint", 3),
]
"""Command, function, and at which of its calls the signal comes."""
GOES_ON = ("xtalpriors.written_folder:_exchange", f"{LOOP}:save_checkpoint")


def _interrupt(monkeypatch: pytest.MonkeyPatch, place: str, call: int) -> Callable[[], bool]:
    """Send SIGINT to this process at a call of a function; returns whether it has come to that."""
    module, names = place.split(":")
    *owners, name = names.split(".")
    owner: Any = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    original, calls = getattr(owner, name), [0]

    def wrapped(*arguments: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == call and threading.current_thread() is threading.main_thread():
            os.kill(os.getpid(), signal.SIGINT)
        return original(*arguments, **named)

    monkeypatch.setattr(owner, name, wrapped)
    return lambda: calls[0] >= call


def _files(folder: Path) -> dict[str, bytes]:
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    return dict(sorted(found.items()))


@pytest.mark.parametrize(("command", "place", "call"), MOMENTS)
def test_what_is_interrupted_goes_on(
    command: str,
    place: str,
    call: int,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = _files(here)
    with monkeypatch.context() as patch:
        came = _interrupt(patch, place, call)
        assert run(COMMANDS[command].split()) == 130
        assert came()
    error = capsys.readouterr().err
    assert "Traceback" not in error and "a bug" not in error, error
    after = _files(here)
    assert {name: after[name] for name in before} == before
    litter = [n for n in after if n.endswith((".part", ".wal", ".tmp")) or "/.writing-" in n]
    assert not litter
    named = error.splitlines()[-1]
    assert named.startswith("    xtalpriors ")
    line = shlex.split(named)[1:]
    assert line == COMMANDS[command].split() + (["--resume"] if command == "train" else [])
    if command in ("report", "matrix") and place not in GOES_ON:
        return  # slow: once is enough
    assert run(line) == 0, capsys.readouterr().err
    assert not [name for name in _files(here) if name.endswith(".part")]


def test_a_training_that_was_interrupted_is_that_which_was_not(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = COMMANDS["train"].replace("new", "whole").split()
    assert run(line) == 0
    line = COMMANDS["train"].split()
    with monkeypatch.context() as patch:
        _interrupt(patch, "xtalpriors.model.training.trainer:Trainer.step", 3)
        assert run(line) == 130
    assert run([*line, "--resume"]) == 0
    for name in ("model.safetensors", "curve.csv"):
        assert (here / "new" / name).read_bytes() == (here / "whole" / name).read_bytes()
