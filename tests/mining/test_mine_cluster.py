from __future__ import annotations

from pathlib import Path

import pytest
from mining_double import LAZY, cif

from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.process import Limits

distributed = pytest.importorskip("distributed", reason="needs the extra `cluster`")


def test_cluster_gives_the_same_database(tmp_path: Path) -> None:
    from xtalpriors.mining.work.dask import DaskExecutor

    (tmp_path / "cod").mkdir()
    for i in range(40):
        (tmp_path / "cod" / f"{i:02d}.cif").write_text(cif(f"s{i}", then="SEGV" if i == 7 else ""))
    tree = TreeSource(tmp_path / "cod")
    limits = Limits(task_files=2)
    here = mine([tree], None, tmp_path / "here", workers=1, reader=LAZY, limits=limits)
    with distributed.Client(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as client:
        executor = DaskExecutor(client, LAZY.extract, limits)
        there = mine([tree], None, tmp_path / "there", reader=LAZY, limits=limits, executor=executor)
    assert there.n_rejections == 1
    assert there.digest == here.digest
