"""Fits every prior of a subset and writes the bundle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from xtalpriors.atomic_write import write_text
from xtalpriors.canonical_json import canonical_json
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError
from xtalpriors.mining.subsets.files import read_metadata, sites_path
from xtalpriors.mining.subsets.sample import MOST_STRUCTURES, sample_of
from xtalpriors.outputs import FileKind, check_outputs, json_with
from xtalpriors.priors.bundle import (
    BUNDLE,
    CreatedFrom,
    PriorBundle,
    Priors,
    make_bundle,
    save_bundle,
)
from xtalpriors.priors.fitting import (
    axis_ratio,
    cell_volume,
    diffraction,
    displacement,
    distances,
    elements,
    hydrogen,
    monoclinic_angle,
    packing,
    space_groups,
    special_positions,
    triclinic_skew,
)
from xtalpriors.priors.fitting.as_measured import bonds, cell, contents, coordination
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.conventions import within_bounds
from xtalpriors.priors.fitting.subset_table import SubsetTable, read_subset, unreadable
from xtalpriors.priors.tell.metrics import METRICS, check_plots, metrics_path, write_tables
from xtalpriors.progress import Progress, silent
from xtalpriors.provenance import code_commit, versions

__all__ = ["fit_subset", "fit_table", "provenance_path"]

PROVENANCE = FileKind("the record of a fit", json_with("bundle", "priors_digest", "commit", "packages"))
PACKAGES = ("xtalpriors", "gemmi", "duckdb", "pyarrow", "numpy", "scipy", "pydantic")
"""Packages whose versions the record of a fit names."""

FITS: dict[str, Callable[[Context], Any]] = {
    "cell_volume": cell_volume.fit,
    "axis_ratio": axis_ratio.fit,
    "monoclinic_angle": monoclinic_angle.fit,
    "triclinic_skew": triclinic_skew.fit,
    "elements": elements.fit,
    "special_positions": special_positions.fit,
    "displacement": displacement.fit,
    "packing": packing.fit,
    "hydrogen": hydrogen.fit,
    "space_groups": space_groups.fit,
    "diffraction": diffraction.fit,
    "contents": contents.fit,  # before `cell`, which has the place of a structure's elements in it
    "cell": cell.fit,
}
"""The fit of each prior but `distances`, `bonds` and `coordination`, which need the coordinates."""
OF_SITES = ("elements", "displacement", "contents", "cell", "distances", "bonds", "coordination")
"""Priors that sites have a part in: of a large subset they are those of a sample. They share nothing with the
others, and most of their time is spent in kernels: one thread fits them while another fits the rest."""


def fit_subset(
    subset: Path,
    output: Path,
    *,
    parent: Path | None = None,
    seed: int = 0,
    bootstrap: int = 1000,
    best_of_cluster: bool = False,
    ratio_max: float = 1.8,
    beta_max_degree: float = 125.0,
    progress: Progress = silent,
) -> PriorBundle:
    """Fit every prior to a subset and write the bundle.

    Beside `NAME.json` go `NAME.provenance.json` (what varies from run to run), `NAME.metrics.json` (flat
    numbers for `dvc metrics`) and the folder `NAME.plots` (CSV for `dvc plots`).

    A prior that cannot be fitted is null in the bundle, with its reason in `unavailable`; the others are not
    touched by it. An empty subset gives a bundle without priors. Of a subset with more than 20,000
    structures, the priors that sites have a part in are fitted to a sample (`sample_of`), and the bundle says
    so under `warnings`.

    Parameters
    ----------
    subset
        `NAME.parquet` as `write_subset` writes it, its sites beside it.
    output
        The bundle, JSON.
    parent
        Subset towards which statistics with fewer than 50 clusters are pooled. Without it, the one that the
        definition names as `pool_to`, where that file lies in the same folder.
    seed, bootstrap
        Of the bootstrap over clusters: seed, and number of replicates.
    best_of_cluster
        Only the best determination of each cluster counts; else each counts 1/size of its cluster.
    ratio_max, beta_max_degree
        r and β_max: where the fits of the axis ratios and of the monoclinic skew are truncated.

    Raises
    ------
    XtalpriorsError
        A file is missing or unreadable, or the bundle cannot be written.
    UsageError
        A parameter is out of range, or files of another kind are where the output goes.
    """
    _check(bootstrap, ratio_max, beta_max_degree)
    subset, output = Path(subset), Path(output)
    kinds = [(output, BUNDLE), (provenance_path(output), PROVENANCE), (metrics_path(output), METRICS)]
    check_outputs(kinds, [subset, sites_path(subset)])
    check_plots(output)
    with TemporaryDirectory(prefix="xtalpriors-fit-") as folder:
        own = _read(subset, Path(folder) / "own", best_of_cluster)
        parent = parent if parent is not None else _parent_beside(subset, own.table)
        larger = _read(parent, Path(folder) / "parent", best_of_cluster) if parent is not None else None
        settings = (seed, bootstrap, ratio_max, beta_max_degree)
        context = _context(own.table, larger.table if larger else None, *settings)
        of_sites = replace(
            _context(own.with_sites, larger.with_sites if larger else None, *settings),
            unavailable=context.unavailable,
            warnings=context.warnings,
        )
        fits = FITS | {name: partial(_in, of_sites, fit) for name, fit in FITS.items() if name in OF_SITES}
        fits["distances"] = lambda _: distances.fit(own.coordinates)
        wider = larger.coordinates if larger else None
        fits["bonds"] = lambda _: bonds.fit(own.coordinates, wider)
        fits["coordination"] = lambda _: coordination.fit(own.coordinates, wider)
        with progress(f"fit {own.table.name}", len(fits), "prior") as advance:
            found, seconds = _fit_all(context, fits, advance)
    if own.sampled:
        context.warnings.update({name: own.sampled for name in OF_SITES if name in found})
    bundle = _bundle(context, found, "best-of-cluster" if best_of_cluster else "cluster")
    save_bundle(bundle, output)
    write_tables(bundle, output)
    write_provenance(output, bundle, seconds)
    return bundle


def fit_table(
    table: SubsetTable,
    *,
    parent: SubsetTable | None = None,
    seed: int = 0,
    bootstrap: int = 1000,
    ratio_max: float = 1.8,
    beta_max_degree: float = 125.0,
) -> PriorBundle:
    """Fit every prior that needs no coordinates to columns in memory; writes nothing."""
    _check(bootstrap, ratio_max, beta_max_degree)
    context = _context(table, parent, seed, bootstrap, ratio_max, beta_max_degree)
    found, _ = _fit_all(context, FITS, lambda n=1: None)
    return _bundle(context, found, "cluster")


def _check(bootstrap: int, ratio_max: float, beta_max_degree: float) -> None:
    if bootstrap < 100:
        raise UsageError(f"bootstrap = {bootstrap}: at least 100 replicates are needed for a 95 % interval")
    if not ratio_max > 1:
        raise UsageError(
            f"ratio_max = {ratio_max:g}: the largest axis ratio must be above 1 (the paper's is 1.8)"
        )
    if not 90 < beta_max_degree < 180:
        raise UsageError(
            f"beta_max_degree = {beta_max_degree:g}: must lie between 90 and 180 (the paper's is 125)"
        )


def _fit_all(
    context: Context, fits: dict[str, Callable[[Context], Any]], advance: Callable[..., None]
) -> tuple[dict[str, Any], dict[str, float]]:
    """Each prior or nothing, and the CPU seconds that it took."""
    found: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    if context.own.n_entries == 0:
        context.unavailable.update(
            dict.fromkeys(fits, "the subset holds no structure: the report says which filter left none")
        )
        return found, seconds

    stopped = threading.Event()

    def fit_some(names: Iterable[str]) -> None:
        """Some of the priors, one after another; no further ones once the other thread was stopped."""
        for name in names:
            if stopped.is_set():
                return
            start = time.thread_time()
            try:
                found[name] = fits[name](context)
            except Unavailable as reason:
                context.unavailable[name] = str(reason)
            seconds[name] = time.thread_time() - start
            advance(1)

    with ThreadPoolExecutor(max_workers=1) as second_thread:
        of_sites = second_thread.submit(fit_some, [name for name in fits if name in OF_SITES])
        try:
            fit_some(name for name in fits if name not in OF_SITES)
            of_sites.result()
        except BaseException:  # Ctrl-C above all, which comes in the main thread alone
            stopped.set()
            raise
    return found, seconds


class _Read(NamedTuple):
    """A subset as it was read.

    Attributes
    ----------
    table
        Columns of all its structures.
    with_sites
        The same with columns of the sites; of a large subset those of a sample.
    coordinates
        The files of the structures in `with_sites`.
    sampled
        What to say where they are a sample.
    """

    table: SubsetTable
    with_sites: SubsetTable
    coordinates: Path
    sampled: str | None


def _read(subset: Path, folder: Path, best_of_cluster: bool) -> _Read:
    """Read a subset; the files of a sample go into `folder`, and all structures are read meanwhile."""
    read_metadata(subset)
    with ThreadPoolExecutor(max_workers=1) as second_thread:
        sampling = second_thread.submit(sample_of, subset, folder, MOST_STRUCTURES)
        table = read_subset(subset, with_sites=False, best_of_cluster=best_of_cluster)
        try:
            sample = sampling.result()
        except (OSError, pa.ArrowException, KeyError) as error:
            raise unreadable(subset, error) from error
    if sample is None:
        table = read_subset(subset, best_of_cluster=best_of_cluster)
        return _Read(table, table, subset, None)
    return _Read(
        table,
        read_subset(sample.subset, best_of_cluster=best_of_cluster),
        sample.subset,
        f"fitted to a sample of {sample.n_structures:,} of the {counted(sample.n_whole, 'structure')}",
    )


def _context(
    own: SubsetTable, parent: SubsetTable | None, seed: int, bootstrap: int, ratio_max: float, beta_max: float
) -> Context:
    within = _within(parent, own) if parent is not None else None
    return Context(own, parent, within, seed, bootstrap, ratio_max, beta_max)


def _in(context: Context, fit: Callable[[Context], Any], _: Context) -> Any:
    """Fit in a context of its own."""
    return fit(context)


def _parent_beside(subset: Path, own: SubsetTable) -> Path | None:
    name = own.definition.get("pool_to")
    path = subset.with_name(f"{name}.parquet")
    return path if name and path.is_file() else None


def _within(parent: SubsetTable, own: SubsetTable) -> SubsetTable:
    """The parent's structures that meet the subset's bounds on the lengths: others would move V."""
    lengths = np.column_stack([parent.number(f"{axis}_angstrom") for axis in "abc"])
    return parent.where(within_bounds(own.definition, lengths))


def _bundle(context: Context, found: dict[str, Any], weighting: Any) -> PriorBundle:
    own = context.own
    created = CreatedFrom(
        corpus=str(own.origin.get("corpus", "unknown")),
        revision=own.origin.get("revision"),
        subset_digest=own.origin.get("subset_digest"),
        structures=own.origin.get("n_entries"),
        clusters=own.origin.get("n_clusters"),
        subset=dict(own.definition) or None,
        parent=context.parent.name if context.parent is not None else None,
        extractor_version=own.origin.get("extractor_version"),
        weighting=weighting,
        seed=context.seed,
        bootstrap=context.bootstrap,
    )
    return make_bundle(
        own.name, created, Priors(**found), unavailable=context.unavailable, warnings=context.warnings
    )


def provenance_path(bundle: Path) -> Path:
    """`NAME.json` has `NAME.provenance.json`."""
    return bundle.with_name(bundle.name.removesuffix(".json") + ".provenance.json")


def write_provenance(output: Path, bundle: PriorBundle, seconds: dict[str, float]) -> Path:
    """Write commit, versions, date and CPU seconds of each prior beside a bundle."""
    path = provenance_path(output)
    commit, changed = code_commit()
    content = {
        "bundle": output.name,
        "priors_digest": bundle.priors_digest,
        "commit": commit,
        "code_changed": changed,
        "packages": versions(PACKAGES),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu_seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
    write_text(path, canonical_json(content, indent=1) + "\n", PROVENANCE)
    return path
