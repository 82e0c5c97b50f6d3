"""Two machines that do the same work write the same record: a small copy of the pipeline, run by DVC."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from phasing_crystals import cif_text

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ("here", "there")


def repro(project: Path) -> str:
    """`dvc repro` of the stages from the sources to a subset; what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "subset"],
        cwd=project,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two folders with the same code, parameters and CIF files, whose times differ."""
    made = []
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    wanted = {name: stages[name] for name in ("mine", "subset")}
    for day, machine in enumerate(MACHINES):
        project = tmp_path_factory.mktemp(machine)
        for deps in (wanted["mine"]["do"]["deps"], wanted["subset"]["deps"]):
            for dep in [d for d in deps if "${" not in d and not (project / d).exists()]:
                copy = shutil.copytree if (ROOT / dep).is_dir() else shutil.copyfile
                (project / dep).parent.mkdir(parents=True, exist_ok=True)
                copy(ROOT / dep, project / dep)
        (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": wanted}), encoding="utf-8")
        params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
        params |= {"corpora": {"small": {"sources": ["cod:cif"]}}, "subsets": {"all-50": {}}}
        (project / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
        (project / "cif").mkdir()
        for i, hm in enumerate(("P 1 21/c 1", "P 1 21/n 1")):
            file = project / "cif" / f"{i}.cif"
            file.write_text(cif_text(hm, name=f"s{i}"), encoding="utf-8")
            os.utime(file, (86_400 * (day + 1), 86_400 * (day + 1)))
        shutil.copyfile(ROOT / ".dvcignore", project / ".dvcignore")
        subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], cwd=project, check=True)
        repro(project)
        made.append(project)
    return made


def test_two_machines_write_the_same_record(projects: list[Path]) -> None:
    here, there = projects
    assert (here / "dvc.lock").read_bytes() == (there / "dvc.lock").read_bytes()
    recorded = yaml.safe_load((here / "dvc.lock").read_text(encoding="utf-8"))["stages"]
    outs = [out["path"] for stage in recorded.values() for out in stage["outs"]]
    folder = "data/small/subsets"
    assert outs == ["data/small/digest.json", f"{folder}/all-50.parquet", f"{folder}/all-50.sites.parquet"]


def test_a_database_that_was_removed_is_made_again(projects: list[Path]) -> None:
    project = projects[0]
    before = (project / "dvc.lock").read_bytes()
    (project / "data/small/crystals.duckdb").unlink()
    told = repro(project)
    assert (project / "data/small/crystals.duckdb").is_file()
    assert "2 of 2 files read" in told and "Stage 'subset@small-all-50' didn't change" in told
    assert (project / "dvc.lock").read_bytes() == before
