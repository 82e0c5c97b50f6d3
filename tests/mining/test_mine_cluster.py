"""Mining and generation on Dask workers that are real processes, started here or by a stand-in of Slurm."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from mining_double import LAZY, cif, deadly

from xtalpriors.cli import run
from xtalpriors.cluster import open_cluster, run_on_cluster
from xtalpriors.errors import UsageError, XtalpriorsError, XtalpriorsWarning
from xtalpriors.generator import configure, generate_to
from xtalpriors.generator.output.shards import _shard_of_worker
from xtalpriors.mining.database.digest import digest_file
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.dask import DaskExecutor, _run_group
from xtalpriors.mining.work.process import Limits
from xtalpriors.priors import published_bundle

pytestmark = pytest.mark.slow

distributed = pytest.importorskip("distributed", reason="needs the extra `test`")
QUIET = {"dashboard_address": ":0", "silence_logs": 50}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two workers, each a process; Dask gives an item to one more worker when one has died of it."""
    import dask

    allowed = {"distributed.scheduler.allowed-failures": 1}
    with (
        dask.config.set(allowed),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **QUIET) as local,
    ):
        yield local


@pytest.fixture
def address(cluster: Any) -> str:
    """Where the scheduler is, once both workers are there: Dask starts one anew that a test has killed."""
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
    return str(cluster.scheduler_address).replace("tcp://", "dask://")


def test_a_worker_that_dies_loses_nothing_and_the_database_is_the_same(
    tmp_path: Path, cluster: Any, address: str
) -> None:
    (tmp_path / "cod").mkdir()
    for i in range(48):  # three groups of 16
        then = "SEGV" if i == 7 else "wait 0.01"
        (tmp_path / "cod" / f"{i:02d}.cif").write_text(cif(f"s{i}", then=then))
    tree, limits = TreeSource(tmp_path / "cod"), Limits(task_files=1)
    here = mine([tree], None, tmp_path / "here", workers=1, reader=LAZY, limits=limits)
    killed: list[int] = []
    with open_cluster(address) as client:
        pids = list(client.run(os.getpid).values())
        assert len(set(pids)) == 2 and os.getpid() not in pids

        @contextmanager
        def progress(*_: object) -> Iterator[Callable[..., None]]:
            def advance(n: int = 1, note: str | None = None) -> None:
                if not killed:
                    killed.append(pids[0])
                    os.kill(pids[0], signal.SIGKILL)

            yield advance

        executor = DaskExecutor(client, LAZY.extract, limits)
        there = mine(
            [tree], None, tmp_path / "there", reader=LAZY, limits=limits, executor=executor, progress=progress
        )
    assert killed and there.n_rejections == 1 and there.n_read == 48
    assert there.digest == here.digest


def test_an_item_that_kills_its_workers_is_worked_on_by_the_caller(address: str) -> None:
    """One that exits leaves nobody to say so: it must not be waited for."""
    deadline = time.monotonic() + 30
    with open_cluster(address) as client:
        work = partial(deadly, os.getpid())
        found = dict(run_on_cluster(client, work, iter(range(5)), lambda: time.monotonic() > deadline))
    assert found.keys() == set(range(5)) and found[3] == os.getpid()


def test_a_scheduler_without_workers_is_said() -> None:
    with distributed.LocalCluster(n_workers=0, **QUIET) as empty:
        address = str(empty.scheduler_address).replace("tcp://", "dask://")
        where = address.removeprefix("dask://")
        with (
            pytest.warns(XtalpriorsWarning, match=f"no worker yet: start one with `dask worker {where}`"),
            open_cluster(address),
        ):
            pass


def test_workers_of_another_version_are_refused(cluster: Any, address: str, tmp_path: Path) -> None:
    other = tmp_path / "xtalpriors-9.9.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: xtalpriors\nVersion: 9.9\n")
    with distributed.Client(cluster) as client:
        changed = list(client.run(exec, f"import sys; sys.path.insert(0, {str(tmp_path)!r})"))
        try:
            with pytest.raises(XtalpriorsError, match=r"has version 9\.9 of xtalpriors, and this machine"):
                open_cluster(address).__enter__()
        finally:
            client.run(exec, "import sys; del sys.path[0]", workers=changed)
    with pytest.raises(XtalpriorsError, match="of the reader, and the run has version older"):
        _run_group(LAZY.extract, Limits(), "older", [])
    with pytest.raises(XtalpriorsError, match="of the generator, and the run has version 1"):
        _shard_of_worker(1, published_bundle(), configure(), 0, tmp_path, 1, (0, 16))


def test_a_cluster_that_has_no_worker_or_goes_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xtalpriors.cluster._POLL_SECONDS", 0.1)
    monkeypatch.setattr("xtalpriors.cluster._EMPTY_SECONDS", 0.3)
    with (
        distributed.LocalCluster(n_workers=0, processes=False, **QUIET) as empty,
        distributed.Client(empty) as client,
    ):
        with pytest.raises(XtalpriorsError, match=r"no worker for 0\.3 s. What came back from it is kept"):
            list(run_on_cluster(client, abs, iter([1])))

        def stop() -> bool:
            empty.close()
            return False

        with pytest.raises(XtalpriorsError, match="The scheduler of the cluster is gone"):
            list(run_on_cluster(client, abs, iter([1]), stop))


def test_workers_that_come_later_get_work(cluster: Any) -> None:
    """As the jobs of a queue: two items are under way for each worker that is there now."""
    with distributed.Client(cluster) as client:
        client.wait_for_workers(2, timeout=60)
        taken: list[int] = []
        threads, one = client.nthreads, {"one": 1}
        client.nthreads = lambda: threads() if len(taken) > 2 else one
        results = run_on_cluster(client, abs, (taken.append(i) or i for i in range(20)))
        next(results)
        assert len(taken) == 2
        next(results)
        assert len(taken) == 3
        next(results)
        assert len(taken) == 6  # two came back, and four are under way
        assert len(list(results)) == 17


def test_the_commands_on_a_cluster_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = configure(cell="volume-lognormal", filling="random")
    generate_to(Path("cifs"), published_bundle(), config, seed=3, count=4, file_format="cif")
    (tmp_path / "cifs" / "run.json").unlink()
    shards = partial(generate_to, bundle=published_bundle(), config=config, seed=5, count=40, shard_size=16)
    shards(Path("here"))
    with open_cluster(address) as client:
        shards(Path("there"), cluster=client)
    names = sorted(p.name for p in Path("here").iterdir())
    assert len(names) == 4 and names == sorted(p.name for p in Path("there").iterdir())
    assert all((Path("here") / name).read_bytes() == (Path("there") / name).read_bytes() for name in names)
    one = [
        "generate",
        "--bundle",
        "melgalvis-2026",
        "--space-group",
        "14",
        "--count",
        "40",
        "--seed",
        "5",
        "--output",
    ]
    for output, options in (("here.parquet", []), ("there.parquet", ["--executor", address])):
        assert run([*one, output, *options]) == 0, capsys.readouterr().err
    assert Path("here.parquet").read_bytes() == Path("there.parquet").read_bytes()
    digests = []
    for name, options in (("here", []), ("there", ["--executor", address])):
        assert run(["mine", "--source", "cifs", "--database", f"{name}.duckdb", *options]) == 0
        digests.append(digest_file(Path(f"{name}.duckdb")).read_text())
    assert digests[0] == digests[1] and capsys.readouterr().out.count("4 of 4 files read") == 2


SBATCH = """#!/bin/sh
for script; do :; done
cp "$script" {folder}/job.sh
setsid bash {folder}/job.sh > /dev/null 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/bin/sh
kill -- -"$1"
"""


def test_slurm_starts_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the options of the example, and an `sbatch` that runs its script here."""
    pytest.importorskip("dask_jobqueue", reason="needs the extra `test`")
    for name, text in {"sbatch": SBATCH, "scancel": SCANCEL}.items():
        (tmp_path / name).write_text(text.format(folder=tmp_path))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    example = Path(__file__).resolve().parents[2] / "docs" / "slurm.yaml"
    options = (
        example.read_text(encoding="utf-8").replace("jobs: 8", "jobs: 1").replace("cores: 2", "cores: 1")
    )
    file = tmp_path / "slurm.yaml"
    more = (
        f"interface: lo\nlog_directory: {tmp_path / 'logs'}\nscheduler_options: {{dashboard_address: ':0'}}\n"
    )
    file.write_text(f"{options}\n{more}", encoding="utf-8")
    with open_cluster(f"slurm:{file}") as client:
        found = sorted(run_on_cluster(client, partial(pow, 2), iter(range(3))))
    assert found == [1, 2, 4]
    script = (tmp_path / "job.sh").read_text(encoding="utf-8")
    assert "#SBATCH --mem=4G" in script and "#SBATCH -t 02:00:00" in script
    file.write_text("jobs: 1\ncore: 2\nmemory: 1GB\n")
    with pytest.raises(UsageError, match=r"slurm\.yaml: these options make no SLURMCluster"):
        open_cluster(f"slurm:{file}").__enter__()
    file.write_text("cores: 2\n")
    with pytest.raises(UsageError, match="`jobs`, the number of Slurm jobs"):
        open_cluster(f"slurm:{file}").__enter__()


def test_what_slurm_says_of_jobs_that_it_refuses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs the extra `test`")
    (tmp_path / "sbatch").write_text(
        "#!/bin/sh\necho 'sbatch: error: Batch job submission failed: Invalid account' >&2; exit 1\n"
    )
    (tmp_path / "sbatch").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    file = tmp_path / "slurm.yaml"
    file.write_text(
        "jobs: 2\ncores: 1\nmemory: 1GB\ninterface: lo\nscheduler_options: {dashboard_address: ':0'}\n"
    )
    with pytest.raises(XtalpriorsError, match=r"no job: sbatch: error: .*Invalid account\. Mend the options"):
        open_cluster(f"slurm:{file}").__enter__()


def test_where_slurm_is_not_it_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs the extra `test`")
    monkeypatch.setenv("PATH", str(tmp_path))
    example = Path(__file__).resolve().parents[2] / "docs" / "slurm.yaml"
    with pytest.raises(UsageError, match="no program `sbatch` here: run this on a node"):
        open_cluster(f"slurm:{example}").__enter__()


def test_addresses_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("dask", "slurm:", "ssh://host:1", ""):
        with pytest.raises(UsageError, match="is no cluster: say dask://HOST:PORT, or slurm"):
            open_cluster(address).__enter__()
    for address in ("dask://", "dask://127.0.0.1", "dask://host:port"):
        with pytest.raises(UsageError, match="names no scheduler: write dask://HOST:PORT"):
            open_cluster(address).__enter__()
    with pytest.raises(UsageError, match=r"cannot be read from .*none\.yaml: No such file.*cluster\.md"):
        open_cluster("slurm:none.yaml").__enter__()
    monkeypatch.setattr("xtalpriors.cluster._CONNECT_SECONDS", 1)
    with pytest.raises(XtalpriorsError, match=r"No Dask scheduler answers at dask://127\.0\.0\.1:9"):
        open_cluster("dask://127.0.0.1:9").__enter__()
