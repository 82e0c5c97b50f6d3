"""A full disk, a pipe that nobody reads, files protected against writing: nothing lost, nothing half."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xtalpriors.cli import run

COMMANDS = {
    "manifest": "manifest --source cod:tree --output out/new.parquet",
    "mine": "mine --source cod:tree --workers 1 --database out/new.duckdb",
    "subset": "subset --database crystals.duckdb --name p21c-10 --output out/new.parquet",
    "fit": "fit --subset p21c-10.parquet --bootstrap 100 --output out/new.json",
    "generate": "generate --bundle bundle.json --count 200 --workers 1 --output out/new.parquet",
    "cifs": "generate --bundle bundle.json --count 3 --workers 1 --format cif --output out/new",
    "train": "train --preset tiny.yaml --output out/new",
    "evaluate": "evaluate --model network --subset p21c-10.parquet --output out/new.parquet",
    "predict": "predict tree/0.cif --model network --output out/new.cif --map out/new.ccp4",
    "report": "report --database crystals.duckdb --bundle p21c-10.json --output out/new",
}
AGAIN = {"manifest", "subset", "fit", "predict"}
"""Commands quick enough to be tried over an earlier output too."""


@contextmanager
def _disk_with(size_bytes: int) -> Iterator[None]:
    """No file can grow beyond a size, as on a disk that is full (the error is `File too large`)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_said_and_leaves_nothing_half(
    command: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = COMMANDS[command].split()
    if command in AGAIN:
        assert run(line) == 0
    elif command not in ("mine", "report"):  # so that the kernels are compiled, which takes space too
        assert run([word.replace("out/", "warm/") for word in line]) == 0
        capsys.readouterr()
    before = _files(here)
    if command in ("manifest", "subset"):
        Path("tree/1.cif").unlink()  # so that there is something to write
        before.pop("tree/1.cif")
    with _disk_with(300):
        assert run(line) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "a bug" not in message and "Traceback" not in message
    assert any(words in message for words in ("full", "space")), message
    after = _files(here)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if ".part" in Path(name).name or "writing-" in name]
    if command == "manifest":
        assert run(line) == 0, "it goes on when there is space again"


@pytest.mark.slow
def test_what_is_printed_to_a_closed_pipe_stops_no_work(here: Path) -> None:
    command = [sys.executable, "-m", "xtalpriors", *COMMANDS["cifs"].split()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=300) == 0
    assert len(list((here / "out" / "new").glob("*.cif"))) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_result_that_cannot_be_printed_is_said(here: Path) -> None:
    command = [sys.executable, "-m", "xtalpriors", "priors", "show", "bundle.json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 1
    assert "the result cannot be printed (No space left on device)" in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", ["subset", "fit", "predict"])
def test_an_own_file_that_is_protected_is_left_alone(
    command: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = COMMANDS[command].split()
    assert run(line) == 0
    output = Path(line[line.index("--output") + 1])
    output.chmod(0o444)
    before = _files(here)
    assert run(line) == 2
    assert f"{output} is protected against writing" in " ".join(capsys.readouterr().err.split())
    assert _files(here) == before
    output.chmod(0o644)
    assert run(line) == 0


@pytest.mark.slow
def test_a_place_where_nothing_can_be_made_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """/proc, where not even the superuser can make a file."""
    if not Path("/proc/self").exists():
        pytest.skip("the system has no /proc")
    for command, line in COMMANDS.items():
        if command == "evaluate":
            continue  # it finds out at the end, as subset and fit do
        assert run([word.replace("out/new", "/proc/new") for word in line.split()]) in (1, 2)
        message = " ".join(capsys.readouterr().err.split())
        assert "/proc/new" in message and "a bug" not in message


def test_a_link_is_followed_and_stays(here: Path) -> None:
    """A bundle that lies on another disk, with a link in its place here, is replaced there."""
    (here / "disk").mkdir()
    shutil.copy("p21c-10.json", "disk/kept.json")
    Path("linked.json").symlink_to("disk/kept.json")
    assert run(["fit", "--subset", "p21c-10.parquet", "--bootstrap", "200", "--output", "linked.json"]) == 0
    assert Path("linked.json").is_symlink()
    assert Path("disk/kept.json").read_bytes() != Path("p21c-10.json").read_bytes()
    assert [p.name for p in Path("disk").iterdir()] == ["kept.json"]
