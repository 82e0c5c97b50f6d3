"""The start of the workers: what they compile counts as no file's time, and is compiled once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from mining_double import cif
from mining_slow_double import SLOW

from xtalpriors import compilation
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work import process
from xtalpriors.mining.work.pool import Limits, LocalPool
from xtalpriors.mining.work.task import Task
from xtalpriors.mining.work.worker import POSITION, Setup

MODULE = "xtalpriors.mining.cif"


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


def test_one_worker_compiles_while_the_others_wait(
    tree: TreeSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("WARM_UP_LOG", str(log))
    tasks = (Task(i, tree, ((f"{i}.cif", None),)) for i in range(8))
    with LocalPool(SLOW.extract, 2) as pool:
        assert sum(result.n_files for result in pool.run(tasks, lambda: False)) == 8
    times = sorted(tuple(map(float, line.split())) for line in log.read_text().splitlines())
    assert len(times) == 1 or times[0][1] <= times[1][0]


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of machine code in which nothing is compiled."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    compilation.kernel_folder.cache_clear()
    folder = compilation.kernel_folder(MODULE)
    assert folder is not None and folder.is_relative_to(tmp_path)
    yield folder
    compilation.kernel_folder.cache_clear()


def test_who_waited_for_the_kernels_loads_them_beside_others(own_folder: Path) -> None:
    """Each enters with another holding the lock; only the first has to compile."""
    waits: list[int] = []

    def compiled_meanwhile() -> None:
        waits.append(1)
        assert len(waits) < 10
        if len(waits) == 3:
            compilation.mark_compiled(MODULE)

    with (own_folder / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with compilation.compiling_alone(MODULE, compiled_meanwhile):
            assert len(waits) == 3
        with compilation.compiling_alone(MODULE, compiled_meanwhile):
            assert len(waits) == 3
    (own_folder / "compiled").unlink()
    with (
        compilation.compiling_alone(MODULE),
        (own_folder / "compiling").open("w") as lock,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_waiting_for_another_that_compiles_is_no_time_of_a_worker(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(process, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    folder = compilation.kernel_folder("mining_slow_double")  # of the worker, which has this environment
    assert folder is not None
    with (folder / "compiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        worker = process.WorkerProcess(Setup(SLOW.extract, 2**30))
        try:
            seen, limits = 0, Limits(start_seconds=150)
            while seen < 3:  # it has moved three times
                time.sleep(0.02)
                moved = POSITION.unpack_from(worker._position, 0)[1] > seen
                clock[0] += 100 * moved
                seen += moved
                assert not worker.is_stuck(limits)
            clock[0] += 200
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert worker.connection.recv()[0] == "ready"
        finally:
            worker.end()


def test_what_is_compiled_is_noted_for_these_sources(own_folder: Path) -> None:
    assert not compilation.is_compiled(MODULE)
    compilation.mark_compiled(MODULE)
    assert compilation.is_compiled(MODULE)
    assert not compilation.is_compiled("xtalpriors.mining.rows.batch")
