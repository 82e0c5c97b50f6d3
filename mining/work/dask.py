"""Mining on a cluster: tasks run on Dask workers, each in its own crash-isolated process there.

Every machine must see the sources under the same paths; the database is written by the caller alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from xtalpriors.mining.work.ipc import from_ipc, to_ipc
from xtalpriors.mining.work.pool import LocalPool
from xtalpriors.mining.work.process import Limits
from xtalpriors.mining.work.task import Task, TaskResult

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DaskExecutor"]

_GROUP = 16  # tasks a Dask worker does with one process: starting it takes a second


class DaskExecutor:
    """Executor for `mine(..., executor=DaskExecutor(client, "xtalpriors.mining.cif:extract"))`.

    Parameters
    ----------
    client
        A `distributed.Client`, as of `dask_jobqueue.SLURMCluster`.
    extract
        `module:function` that reads files.
    limits
        See `Limits`.
    """

    def __init__(self, client: Client, extract: str, limits: Limits | None = None) -> None:
        self._client, self._extract, self._limits = client, extract, limits or Limits()

    def run(self, tasks: Iterator[Task], stop: Callable[[], bool]) -> Iterator[TaskResult]:
        """Yield results as they come, with two groups of tasks for each Dask worker under way."""
        from distributed import as_completed

        under_way = as_completed(raise_errors=True)
        ahead = 2 * max(1, sum(self._client.nthreads().values()))
        for _ in range(ahead):
            self._submit(tasks, under_way)
        for future in under_way:
            for n_files, tables in future.result():
                entries, sites, rejections, files = map(from_ipc, tables)
                yield TaskResult(n_files, entries, sites, rejections, files, sum(map(len, tables)))
            if stop():
                under_way.clear()
                return
            self._submit(tasks, under_way)

    def _submit(self, tasks: Iterator[Task], under_way: Any) -> None:
        group = list(islice(tasks, _GROUP))
        if group:
            under_way.add(self._client.submit(_run_group, group, self._extract, self._limits, pure=False))


def _run_group(group: list[Task], extract: str, limits: Limits) -> list[tuple[int, list[bytes]]]:
    """On a Dask worker: the tasks in one process beside it, which may die without taking it along."""
    with LocalPool(extract, 1, limits) as pool:
        return [
            (result.n_files, [to_ipc(table).to_pybytes() for table in result[1:5]])
            for result in pool.run(iter(group), lambda: False)
        ]
