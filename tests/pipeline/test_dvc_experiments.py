"""DVC as a user works with it, on a copy of the repository: `exp run -S`, `metrics diff`, `plots show`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from dvc.repo import Repo

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "crystal", "mining", "priors", "generator", "model", "reports", "presets")
STAGE = "generate@amcsd-lognormal-equal"
METRICS = Path("priors/fitted/amcsd/p21c-10.metrics.json")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy in a git repository of its own."""
    if shutil.which("git") is None:
        pytest.skip("needs git, which `dvc exp` keeps experiments in")
    folder = tmp_path_factory.mktemp("experiments")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "dvc.lock", "params.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    Repo.init(str(folder)).close()
    commit = ["-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-q", "-m", "copy"]
    for arguments in (["add", "-A"], commit):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


@pytest.fixture(autouse=True)
def _inside(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "test")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "test@example.org")
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")


def _dvc(*arguments: str) -> str:
    """What `dvc ARGUMENTS` prints; it must end well."""
    done = subprocess.run([sys.executable, "-m", "dvc", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_an_experiment_runs_a_stage_with_another_value() -> None:
    before = Path("params.yaml").read_text(encoding="utf-8").splitlines()
    _dvc("exp", "run", "--set-param", "generate.count=3", "--single-item", STAGE)
    assert pq.read_metadata("data/amcsd/generated/lognormal-equal.parquet").num_rows == 3
    after = Path("params.yaml").read_text(encoding="utf-8").splitlines()
    changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert changed == [("  count: 2000", "  count: 3")], "every comment stays where it was"


def test_metrics_are_compared_with_the_last_commit() -> None:
    values = json.loads(METRICS.read_text(encoding="utf-8"))
    values["cell_volume"]["mu"] += 0.25
    METRICS.write_text(json.dumps(values), encoding="utf-8")
    found = json.loads(_dvc("metrics", "diff", "--json", "--targets", str(METRICS)))
    assert found[str(METRICS)]["cell_volume.mu"]["diff"] == pytest.approx(0.25)


def test_every_plot_is_drawn_and_can_be_read() -> None:
    _dvc("plots", "show", "--out", "drawn")
    page = Path("drawn/index.html").read_text(encoding="utf-8")
    for text in ("Volume of the cell", "Monoclinic angle", "Elements on general positions", "V / Å³"):
        assert text in page or json.dumps(text)[1:-1] in page, text
    assert page.count("vegaEmbed(") == 8


def test_the_graph_can_be_read_on_a_screen() -> None:
    lines = _dvc("dag", "--collapse-foreach-matrix").splitlines()
    assert {"mine", "subset", "fit", "report"} <= {word for line in lines for word in line.split(" ")}
    assert max(map(len, lines)) <= 160
