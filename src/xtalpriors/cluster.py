"""Work on a cluster of Dask workers: a running one by its address, or one that Slurm starts.

Needs the extra `cluster` (`pip install 'xtalpriors[cluster]'`). Workers must have the same version of this
package and see files under the same paths.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from xtalpriors.errors import UsageError, XtalpriorsError, XtalpriorsWarning

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_same_version", "open_cluster", "run_on_cluster"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_HOST_AND_PORT = re.compile(r"//[^/\s]+:\d{1,5}")
_CONNECT_SECONDS = 20
_POLL_SECONDS = 5.0
_EMPTY_SECONDS = 600.0
"""For so long a cluster may be without workers: jobs that wait in a queue may yet bring some."""
_SAME_VERSION = "Install the same xtalpriors on all machines."
_KEPT = "What came back from it is kept: start a cluster and run the same command again."


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
        The address is of neither form, the packages or Slurm are not installed, or the file cannot be used.
    XtalpriorsError
        No scheduler answers, Slurm does not start jobs, or a worker has another version of this package.
    """
    kind, _, rest = address.partition(":")
    if kind not in ("dask", "slurm") or not rest:
        raise UsageError(f"'{address}' is no cluster: say dask://HOST:PORT, or slurm:FILE.yaml.")
    if kind == "dask" and not _HOST_AND_PORT.fullmatch(rest):
        raise UsageError(
            f"'{address}' names no scheduler: write dask://HOST:PORT, such as dask://node1:8786."
        )
    for package in ("distributed", *(("dask_jobqueue",) if kind == "slurm" else ())):
        if importlib.util.find_spec(package) is None:
            raise UsageError(
                f"A cluster needs the package {package.replace('_', '-')}, which is not installed here: "
                "`pip install 'xtalpriors[cluster]'`."
            )
    from distributed import Client

    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it would say is raised here
    if kind == "slurm":
        with _slurm(Path(rest)) as cluster, Client(cluster) as client:
            _check_workers(client)
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
        _check_workers(client)
        if not client.nthreads():
            warnings.warn(
                f"The scheduler at {address} has no worker yet: start one with `dask worker {rest[2:]}`. The "
                f"run waits for it, {_EMPTY_SECONDS / 60:g} minutes.",
                XtalpriorsWarning,
                stacklevel=3,
            )
        yield client


def _check_workers(client: Client) -> None:
    """Refuse workers that have another version of this package, or lack it."""
    here = metadata.version("xtalpriors")
    # a function of the standard library: every worker has it
    for address, there in client.run(metadata.version, "xtalpriors", on_error="return").items():
        if there != here:
            found = f"version {there} of xtalpriors" if isinstance(there, str) else "no xtalpriors"
            raise XtalpriorsError(
                f"The worker at {address} has {found}, and this machine has {here}. {_SAME_VERSION}"
            )


def check_same_version(what: str, of_run: object, of_worker: object) -> None:
    """On a worker: refuse to work for a run whose code would give other bytes.

    Raises
    ------
    XtalpriorsError
        The two differ.
    """
    if of_run != of_worker:
        raise XtalpriorsError(
            f"The worker on {socket.gethostname()} has version {of_worker} of the {what}, and the run has "
            f"version {of_run}. {_SAME_VERSION}"
        )


def run_on_cluster(
    client: Client,
    function: Callable[[_Item], _Result],
    items: Iterator[_Item],
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[_Result]:
    """Results of a function of each item, as they come; two items for each worker are under way.

    A worker that dies loses nothing: Dask gives its items to others, and an item of which more workers died
    than `distributed.scheduler.allowed-failures` of Dask's configuration is worked on here.

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
        The scheduler is gone, or for ten minutes it had no worker.
    """
    from distributed import CancelledError, KilledWorker, wait
    from distributed.comm import CommClosedError

    held: dict[Any, _Item] = {}
    staffed = time.monotonic()

    def submit() -> None:
        """Give out items until there are two for each worker, of which more may have come."""
        nonlocal staffed
        threads = sum(client.nthreads().values())
        if threads:
            staffed = time.monotonic()
        for item in islice(items, max(0, 2 * max(1, threads) - len(held))):
            held[client.submit(function, item, pure=False)] = item

    try:
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
                submit()
                if time.monotonic() - staffed > _EMPTY_SECONDS:
                    raise XtalpriorsError(
                        f"The cluster has had no worker for {_EMPTY_SECONDS:g} s. {_KEPT} If workers end as "
                        f"soon as they get work, see their logs. {_SAME_VERSION}"
                    ) from None
                continue
            except KilledWorker:
                result = function(held[future])
            del held[future]
            yield result
            if not stop():
                submit()
    except (CancelledError, CommClosedError) as error:
        raise XtalpriorsError(f"The scheduler of the cluster is gone. {_KEPT}") from error


async def _submit(cluster: Any, jobs: int) -> None:
    """Submit jobs and raise what `sbatch` says: `scale` leaves that to a task whose errors nobody is told."""
    from distributed.core import Status

    for _ in range(jobs):
        cluster.worker_spec.update(cluster.new_worker_spec())
    try:
        await cluster._correct_state()
    finally:
        for job in cluster.workers.values():
            if job.job_id is None:  # else the cluster cannot be closed
                job.status = Status.failed


@contextmanager
def _slurm(file: Path) -> Iterator[Any]:
    """A cluster of Slurm jobs by the options of a YAML file."""
    from dask_jobqueue import SLURMCluster

    try:
        options = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"The options of the Slurm jobs cannot be read from {file}: {error.strerror}. "
            "docs/cluster.md shows such a file."
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read as YAML: {error}") from error
    if not isinstance(options, dict) or not isinstance(options.get("jobs"), int) or options["jobs"] < 1:
        raise UsageError(f"{file} must hold options, and among them `jobs`, the number of Slurm jobs.")
    if shutil.which("sbatch") is None:
        raise UsageError(
            "There is no program `sbatch` here: run this on a node from which Slurm jobs are submitted."
        )
    jobs = options.pop("jobs")
    try:
        cluster = SLURMCluster(**options)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{file}: these options make no SLURMCluster of dask-jobqueue: {error}") from error
    with cluster:
        try:
            cluster.sync(_submit, cluster, jobs)
            cluster.wait_for_workers(1, timeout=options.get("death_timeout", 600))
        except (RuntimeError, ValueError) as error:
            said = " ".join((str(error).partition("stderr:\n")[2] or str(error)).split())
            raise XtalpriorsError(
                f"Slurm takes no job: {said}. Mend the options in {file} (`jobs`, `queue`, `account`, "
                f"`memory`, `walltime`). The job script is:\n{cluster.job_script()}"
            ) from error
        except (OSError, TimeoutError) as error:
            raise XtalpriorsError(
                f"Slurm started no worker: {error}. The job script is:\n{cluster.job_script()}"
            ) from error
        yield cluster
