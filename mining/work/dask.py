"""Mining on a cluster: tasks run on Dask workers, each in its own crash-isolated process there.

Every machine must see the sources under the same paths; the database is written by the caller alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from xtalpriors.cluster import check_same_version, run_on_cluster
from xtalpriors.mining.database.schema import EXTRACTOR_VERSION
from xtalpriors.mining.work.ipc import from_ipc, to_ipc
from xtalpriors.mining.work.pool import LocalPool
from xtalpriors.mining.work.process import Limits
from xtalpriors.mining.work.task import Task, TaskResult

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["DaskExecutor"]

_GROUP = 16  # tasks a Dask worker does with one process: starting it takes a second


class DaskExecutor:
    """Executor for `mine(..., executor=DaskExecutor(client))`.

    Parameters
    ----------
    client
        A `distributed.Client`, as of `cluster.open_cluster`.
    extract
        `module:function` that reads files.
    limits
        See `Limits`.
    """

    def __init__(
        self, client: Client, extract: str = "xtalpriors.mining.cif:extract", limits: Limits | None = None
    ) -> None:
        self._client = client
        self._work = partial(_run_group, extract, limits or Limits(), EXTRACTOR_VERSION)

    def run(self, tasks: Iterator[Task], stop: Callable[[], bool]) -> Iterator[TaskResult]:
        """Yield results as they come, with two groups of tasks for each Dask worker under way."""
        groups = iter(lambda: list(islice(tasks, _GROUP)), [])
        for results in run_on_cluster(self._client, self._work, groups, stop):
            for n_files, tables in results:
                entries, sites, rejections, files = map(from_ipc, tables)
                yield TaskResult(n_files, entries, sites, rejections, files, sum(map(len, tables)))


def _run_group(
    extract: str, limits: Limits, version: str, group: list[Task]
) -> list[tuple[int, list[bytes]]]:
    """On a Dask worker: the tasks in one process beside it, which may die without taking it along."""
    check_same_version("reader", version, EXTRACTOR_VERSION)
    with LocalPool(extract, 1, limits) as pool:
        return [
            (result.n_files, [to_ipc(table).to_pybytes() for table in result[1:5]])
            for result in pool.run(iter(group), lambda: False)
        ]
