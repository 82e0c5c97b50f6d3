"""Real processes, real deaths: a file kills its reader, the parent is killed, a user stops the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mining_double import EAGER, LAZY, Failing, cif
from tables import contents

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.process import Limits
from xtalpriors.mining.work.task import Reader

QUICK = Limits(cpu_seconds=2, wall_seconds=20, memory_bytes=150 * 2**20, task_files=8)


def make_tree(root: Path, n: int, *, then: dict[int, str] | None = None, every: str = "") -> TreeSource:
    root.mkdir()
    for i in range(n):
        (root / f"{i:03d}.cif").write_text(cif(f"s{i}", then=(then or {}).get(i, every)))
    return TreeSource(root)


def rejections(database: Path) -> dict[str, tuple[str, str]]:
    with open_database(database) as connection:
        rows = connection.execute("SELECT file_id, stage, code FROM rejection").fetchall()
    return {file_id: (stage, code) for file_id, stage, code in rows}


DEATHS = {
    3: ("SEGV", ("crash", "signal")),
    4: ("exit", ("crash", "exit")),
    9: ("KILL", ("memory", "killed")),
    12: ("eat", ("memory", "limit")),
    15: ("spin", ("timeout", "timeout")),
    16: ("raise", ("crash", "exception")),
    21: ("lose", ("parse", "nothing")),
    23: ("null", ("crash", "exception")),
}


@pytest.mark.parametrize(("reader", "at"), [(LAZY, list(DEATHS)), (EAGER, [3, 12, 23])])
def test_each_death_costs_one_file(tmp_path: Path, reader: Reader, at: list[int]) -> None:
    deaths = {i: DEATHS[i] for i in at}
    tree = make_tree(tmp_path / "cod", 24, then={i: then for i, (then, _) in deaths.items()})
    report = mine([tree], None, tmp_path / "db", workers=2, reader=reader, limits=QUICK)
    assert rejections(tmp_path / "db") == {f"{i:03d}.cif": reason for i, (_, reason) in deaths.items()}
    assert report.n_entries == 24 - len(deaths)
    with open_database(tmp_path / "db") as connection:
        ((hashed,),) = connection.execute("SELECT count(content_hash) FROM file").fetchall()
        details = connection.execute("SELECT detail FROM rejection WHERE file_id = '016.cif'").fetchall()
    assert details == ([("ValueError: this file raises at 0x… with \\udce9",)] if 16 in at else [])
    assert hashed == 24  # so that a file which crashes is not tried in every run
    assert mine([tree], None, tmp_path / "db", workers=2, reader=reader, limits=QUICK).is_noop


@pytest.mark.slow
def test_file_that_waits_for_ever_is_given_up(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "cod", 3, then={1: "hang"})
    limits = Limits(wall_seconds=4)
    assert mine([tree], None, tmp_path / "db", workers=1, reader=LAZY, limits=limits).n_entries == 2
    assert rejections(tmp_path / "db") == {"001.cif": ("timeout", "timeout")}


def test_workers_that_cannot_start_are_an_error_and_no_rejections(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "cod", 3)
    with pytest.raises(XtalpriorsError, match=r"cannot start.*no_such_module"):
        mine([tree], None, tmp_path / "db", workers=1, reader=Reader("no_such_module:extract", "1"))
    assert rejections(tmp_path / "db") == {}


def test_source_that_fails_as_a_whole_ends_the_run_and_rejects_nothing(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "cod", 4)
    with pytest.raises(XtalpriorsError, match="the disk was pulled out"):
        mine([Failing(tree.root)], None, tmp_path / "db", workers=1, reader=LAZY, limits=Limits(task_files=1))
    assert rejections(tmp_path / "db") == {}


RUN = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from mining_double import LAZY
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.process import Limits
{setup}
try:
    report = mine([TreeSource(Path({root!r}))], None, Path({database!r}), workers=2, reader=LAZY,
                  limits=Limits(task_files=2))
except XtalpriorsError as error:
    sys.exit(f"stopped: {{error}}")
print(report.digest)
"""


def start(root: Path, database: Path, setup: str = "") -> subprocess.Popen[str]:
    code = RUN.format(path=sys.path, root=str(root), database=str(database), setup=setup)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def workers_of(note: Path, at_least: int) -> set[int]:
    """Process ids of the workers, once so many files are read."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        lines = note.read_text().split() if note.exists() else []
        if len(lines) >= at_least:
            return {int(line) for line in lines}
        time.sleep(0.02)
    raise AssertionError("the workers did not start")


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: set[int]) -> bool:
    deadline = time.monotonic() + 20
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(is_alive, pids))


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_run_leaves_no_worker_and_is_continued(tmp_path: Path, number: signal.Signals) -> None:
    n, note = 24, tmp_path / "note"
    slow = make_tree(tmp_path / "slow", n, every=f"wait 0.2 # then note {note}")
    with start(slow.root, tmp_path / "db") as process:
        workers = workers_of(note, 5)
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
        _, error = process.communicate(timeout=30)
    assert gone(workers)
    assert process.returncode == (-9 if number == signal.SIGKILL else 1)
    if number != signal.SIGKILL:
        assert error.startswith("stopped: Interrupted: ")
        assert len(error.splitlines()) == 1
    with open_database(tmp_path / "db") as connection:
        ((stored, matched),) = connection.execute(
            "SELECT count(*), count(entry.file_id) FROM file LEFT JOIN entry USING (source, file_id)"
        ).fetchall()
    assert stored == matched < n
    assert stored > 0 or number == signal.SIGKILL
    note.unlink()
    again = mine([slow], None, tmp_path / "db", workers=2, reader=LAZY)
    fresh = mine([slow], None, tmp_path / "fresh", workers=1, reader=LAZY)
    assert again.n_read == n - stored
    assert again.digest == fresh.digest


@pytest.mark.slow
@needs_proc
def test_killed_again_and_again_the_database_is_the_same_and_nobody_else_may_write(tmp_path: Path) -> None:
    """`benchmarks/killed.py` does so at random moments, with the reader itself."""
    tree, note = (
        make_tree(tmp_path / "cod", 24, every=f"wait 0.05 # then note {tmp_path / 'note'}"),
        tmp_path / "note",
    )
    for files_read in (1, 9, 17):
        note.unlink(missing_ok=True)
        with start(tree.root, tmp_path / "db") as process:
            workers = workers_of(note, files_read)
            with pytest.raises(XtalpriorsError, match=rf"open in another process \(PID {process.pid}\)"):
                mine([tree], None, tmp_path / "db", workers=1, reader=LAZY)
            process.kill()
            process.communicate(timeout=30)
        assert gone(workers)
    again = mine([tree], None, tmp_path / "db", workers=1, reader=LAZY)
    fresh = mine([tree], None, tmp_path / "fresh", workers=1, reader=LAZY)
    assert again.digest == fresh.digest and again.n_entries == 24
    assert contents(tmp_path / "db") == contents(tmp_path / "fresh")


@pytest.mark.slow
def test_full_disk_keeps_what_was_stored(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "cod", 30)
    mine([tree], None, tmp_path / "db", workers=1, reader=LAZY)
    (tmp_path / "limit").write_text(str((tmp_path / "db").stat().st_size + 100_000))
    for i in range(30, 200):
        (tree.root / f"{i:03d}.cif").write_text(cif(f"s{i}", sites=400))
    setup = f"""
import resource
limit = int(open({str(tmp_path / "limit")!r}).read())
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
"""
    with start(tree.root, tmp_path / "db", setup) as process:
        _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "is full" in error
    assert len(error.splitlines()) == 1
    with open_database(tmp_path / "db") as connection:
        ((entries, files),) = connection.execute(
            "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM file)"
        ).fetchall()
    assert 30 <= entries == files < 200
    whole = mine([tree], None, tmp_path / "db", workers=2, reader=LAZY)
    assert whole.digest == mine([tree], None, tmp_path / "fresh", workers=2, reader=LAZY).digest
