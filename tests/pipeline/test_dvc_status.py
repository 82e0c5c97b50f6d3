"""What an edit makes DVC run again, seen on a copy of the repository in which every stage counts as done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dvc.repo import Repo

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "crystal", "mining", "priors", "generator", "model", "reports", "presets")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with a stand-in for each output that is not in git, and a lock file that records all of it."""
    tmp_path = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, tmp_path / name)
    with _inside(tmp_path):
        repo = Repo.init(no_scm=True)
        for out in repo.index.outs:
            path = Path(out.fs_path)
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(path.name, encoding="utf-8")
        Repo().commit(force=True)
    return tmp_path


def _to_run(folder: Path) -> set[str]:
    """Kinds of stages of which a dependency or an output differs from what the lock file records."""
    with _inside(folder):
        status = Repo().status()
    changes = {stage: [c for c in found if isinstance(c, dict)] for stage, found in status.items()}
    return {stage.partition("@")[0] for stage, found in changes.items() if found}


@contextmanager
def _edited(file: Path) -> Iterator[None]:
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "\n# edited\n", encoding="utf-8")
    yield
    file.write_text(text, encoding="utf-8")


def test_an_edit_of_the_bootstrap_fits_anew_and_trains_nothing(done: Path) -> None:
    assert _to_run(done) == set()
    with _edited(done / "priors" / "fitting" / "bootstrap.py"):
        assert _to_run(done) == {"fit"}


def test_an_edit_of_a_prior_reaches_all_that_read_a_bundle(done: Path) -> None:
    with _edited(done / "priors" / "kinds" / "cell_volume.py"):
        assert _to_run(done) == {"fit", "generate", "train", "evaluate", "report"}


def test_an_edit_of_a_figure_draws_the_report_anew_and_nothing_else(done: Path) -> None:
    with _edited(done / "reports" / "figures" / "volume.py"):
        assert _to_run(done) == {"report"}
