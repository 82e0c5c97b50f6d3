"""The start of the workers: what they compile counts as no file's time, and is compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest
from mining_double import cif
from mining_slow_double import SLOW

from xtalpriors import compilation
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.pool import Limits, LocalPool
from xtalpriors.mining.work.task import Task


@pytest.fixture
def tree(tmp_path: Path) -> TreeSource:
    for i in range(8):
        path = tmp_path / "tree" / f"{i}.cif"
        path.parent.mkdir(exist_ok=True)
        path.write_text(cif(f"s{i}"))
    return TreeSource(tmp_path / "tree", "cod")


def test_compiling_is_not_the_time_of_the_first_file(tree: TreeSource, tmp_path: Path) -> None:
    limits = Limits(cpu_seconds=0.5, task_files=2)
    report = mine([tree], None, tmp_path / "db", workers=1, limits=limits, reader=SLOW)
    assert (report.n_entries, report.n_rejections) == (8, 0)


@pytest.mark.parametrize("one_first", [True, False])
def test_the_first_worker_compiles_alone(
    tree: TreeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_first: bool
) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("WARM_UP_LOG", str(log))
    tasks = (Task(i, tree, ((f"{i}.cif", None),)) for i in range(8))
    with LocalPool(SLOW.extract, 2, one_first=one_first) as pool:
        assert sum(result.n_files for result in pool.run(tasks, lambda: False)) == 8
    times = sorted(tuple(map(float, line.split())) for line in log.read_text().splitlines())
    overlap = len(times) > 1 and times[1][0] < times[0][1]
    assert not overlap, "the others wait, where they are started with it too"


def test_what_is_compiled_is_noted_for_these_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    compilation.kernel_folder.cache_clear()
    try:
        assert not compilation.is_compiled("xtalpriors.mining.cif")
        compilation.mark_compiled("xtalpriors.mining.cif")
        assert compilation.is_compiled("xtalpriors.mining.cif")
        assert not compilation.is_compiled("xtalpriors.mining.rows.batch")
    finally:
        compilation.kernel_folder.cache_clear()
