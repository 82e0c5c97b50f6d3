"""Work on a cluster of Dask workers: a running one by its address, or one that Slurm starts.

Needs the extra `cluster` (`pip install 'xtalpriors[cluster]'`). Workers must have the same version of this
package and see files under the same paths.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from xtalpriors.errors import UsageError, XtalpriorsError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["open_cluster", "run_on_cluster"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_CONNECT_SECONDS = 20
_POLL_SECONDS = 5.0


@contextmanager
def open_cluster(address: str) -> Iterator[Client]:
    """Client of a cluster, which is closed at the end; one that Slurm started is ended with it.

    Parameters
    ----------
    address
        `dask://HOST:PORT`, the address of a Dask scheduler; or `slurm:FILE.yaml`, with the options of
        `dask_jobqueue.SLURMCluster` and `jobs`, the number of Slurm jobs (`docs/slurm.yaml` is one).

    Raises
    ------
    UsageError
        The address is of neither form, the packages are not installed, or the file cannot be used.
    XtalpriorsError
        No scheduler answers, or Slurm does not start jobs.
    """
    kind, _, rest = address.partition(":")
    if kind not in ("dask", "slurm") or not rest:
        raise UsageError(f"'{address}' is no cluster: say dask://HOST:PORT, or slurm:FILE.yaml.")
    for package in ("distributed", *(("dask_jobqueue",) if kind == "slurm" else ())):
        if importlib.util.find_spec(package) is None:
            raise UsageError(
                f"A cluster needs the package {package.replace('_', '-')}, which is not installed here: "
                "`pip install 'xtalpriors[cluster]'`."
            )
    from distributed import Client

    if kind == "slurm":
        with _slurm(Path(rest)) as cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(f"tcp:{rest}", timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise XtalpriorsError(
            f"No Dask scheduler answers at {address} ({error}). Start one with `dask scheduler`, and workers "
            "with `dask worker HOST:PORT`."
        ) from error
    with client:
        yield client


def run_on_cluster(
    client: Client,
    function: Callable[[_Item], _Result],
    items: Iterator[_Item],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[_Result]:
    """Results of a function of each item, as they come; two items for each worker are under way.

    A worker that dies loses nothing: Dask gives its items to others, and an item whose workers died several
    times is worked on here.

    Parameters
    ----------
    client
        Of a cluster.
    function
        Importable by the workers.
    items
        Taken one by one, as workers become free.
    stop
        Asked after each result; the rest is then left.

    Raises
    ------
    XtalpriorsError
        The scheduler is gone.
    """
    from distributed import CancelledError, KilledWorker, wait
    from distributed.comm import CommClosedError

    held: dict[Any, _Item] = {}

    def submit() -> None:
        for item in items:
            held[client.submit(function, item, pure=False)] = item
            return

    for _ in range(2 * max(1, sum(client.nthreads().values()))):
        submit()
    while held and not stop():
        # asked one by one: of a result that was lost with its worker no other notice comes
        future = next((future for future in held if future.done()), None)
        try:
            if future is None:
                wait(list(held), timeout=_POLL_SECONDS, return_when="FIRST_COMPLETED")
                continue
            result = future.result(timeout=_POLL_SECONDS)
        except TimeoutError:
            continue
        except KilledWorker:
            result = function(held[future])
        except (CancelledError, CommClosedError) as error:
            raise XtalpriorsError(
                "The scheduler of the cluster is gone. What came back from it is kept: start a cluster and "
                "run the same command again."
            ) from error
        del held[future]
        yield result
        if not stop():
            submit()


@contextmanager
def _slurm(file: Path) -> Iterator[Any]:
    """A cluster of Slurm jobs by the options of a YAML file."""
    from dask_jobqueue import SLURMCluster

    try:
        options = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read as YAML: {error}") from error
    if not isinstance(options, dict) or not isinstance(options.get("jobs"), int) or options["jobs"] < 1:
        raise UsageError(f"{file} must hold options, and among them `jobs`, the number of Slurm jobs.")
    jobs = options.pop("jobs")
    try:
        cluster = SLURMCluster(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{file}: these options make no SLURMCluster of dask-jobqueue: {error}") from error
    with cluster:
        try:
            cluster.scale(jobs=jobs)
            cluster.wait_for_workers(1, timeout=options.get("death_timeout", 600))
        except (RuntimeError, OSError, TimeoutError) as error:
            raise XtalpriorsError(
                f"Slurm started no worker: {error}. The job script is:\n{cluster.job_script()}"
            ) from error
        yield cluster
