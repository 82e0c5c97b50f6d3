"""Write a range of structures to disk: in shards, atomically, and continuing where an earlier run stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.atomic_write import replacing, write_text
from xtalpriors.cluster import check_same_version, run_on_cluster
from xtalpriors.compilation import compiling_alone, is_compiled, mark_compiled
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import ALGORITHM, GeneratorConfig
from xtalpriors.generator.counters import COUNTERS
from xtalpriors.generator.generate import CHUNK, Generator
from xtalpriors.generator.output.cif import to_cif
from xtalpriors.generator.output.parquet import GENERATED, open_writer, schema_of, to_table
from xtalpriors.generator.output.run_folder import (
    RUN,
    SHARD,
    check_range,
    claim,
    discard,
    holds,
    identity_of,
    is_complete,
    refuse_overlap,
    shard_path,
)
from xtalpriors.generator.output.run_report import GenerateReport
from xtalpriors.outputs import check_folder, check_output
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.progress import Advance, Progress, silent

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["SHARD_SIZE", "GenerateReport", "generate_to"]

SHARD_SIZE = 16 * CHUNK
"""Structures per shard: what is lost at most when a run is stopped."""

_KERNELS = "xtalpriors.generator.kernels.range"
_PACKED_KERNELS = "xtalpriors.generator.kernels.packed"
Format = Literal["parquet", "cif"]


class _Run(NamedTuple):
    bundle: PriorBundle
    generator: Generator
    identity: dict[str, Any]
    workers: int
    advance: Advance
    totals: dict[str, int]
    cluster: Client | None


class _Ranges(NamedTuple):
    start: int
    n: int
    shard_size: int

    def shards(self) -> Iterator[tuple[int, int]]:
        """First index and number of structures of each shard."""
        end = self.start + self.n
        return ((k, min(self.shard_size, end - k)) for k in range(self.start, end, self.shard_size))


def generate_to(
    output: Path,
    bundle: PriorBundle,
    config: GeneratorConfig,
    *,
    seed: int = 0,
    start: int = 0,
    count: int,
    workers: int | None = None,
    file_format: Format | None = None,
    shard_size: int = SHARD_SIZE,
    overwrite: bool = False,
    cluster: Client | None = None,
    progress: Progress = silent,
) -> GenerateReport:
    """Write structures `start` … `start + count − 1` of a run.

    Parameters
    ----------
    output
        `FILE.parquet`: one file. A folder: with `parquet`, one file per shard, so that machines can share a
        range; with `cif`, one file per structure.
    bundle, config, seed
        As for `generate`.
    workers
        Threads; null: one per core. They change nothing but the time.
    file_format
        Null: `parquet`.
    shard_size
        Structures per shard. A shard appears under its name only when it is complete; a run that was stopped
        continues after the last complete one.
    overwrite
        Replace the structures of another run (`FILE.parquet` only), instead of refusing.
    cluster
        Client of a cluster (see `cluster.open_cluster`), whose workers write the shards into a folder that
        they see under the same path; null: this machine does. The bytes are the same.
    progress
        `xtalpriors.progress.bar` or `silent`.

    Raises
    ------
    UsageError
        Nothing to generate, more than the disk holds, or the output holds another run or a range that
        overlaps.
    XtalpriorsError
        As `Generator`, or the output cannot be written.
    """
    output = Path(output)
    check_range(output, start, count, shard_size)
    single = output.suffix == ".parquet" and not output.is_dir()
    if single and file_format == "cif":
        raise UsageError(f"{output} is a Parquet file name; with the format `cif` give a folder.")
    if output.suffix == ".cif":
        raise UsageError(f"{output} is the name of one CIF. For CIFs say `--format cif`, and name a folder.")
    if single:
        check_output(output, GENERATED)
    else:
        check_folder(output)
    generator = Generator(bundle, config, seed)
    identity = identity_of(generator, bundle)
    _compile(generator, progress)
    with _readable_errors(output), progress("generate", count, "structure") as advance:
        threads = workers or os.cpu_count() or 1
        totals = dict.fromkeys(COUNTERS, 0)
        run = _Run(bundle, generator, identity, threads, advance, totals, cluster)
        ranges = _Ranges(start, count, shard_size)
        if file_format == "cif":
            claim(output, identity)
            resumed = sum(_cif_shard(run, output, first, n) for first, n in ranges.shards())
        elif single:
            resumed = _one_file(run, output, ranges, overwrite=overwrite)
        else:
            claim(output, identity)
            refuse_overlap(output, *ranges)
            resumed = _parquet_shards(run, output, ranges)
    return GenerateReport(output, count, resumed, run.totals)


def _compile(generator: Generator, progress: Progress) -> None:
    """Compile the kernels, and say that this takes a while, where no run on this machine has done so."""
    kernels = _KERNELS if generator.specification.packed is None else _PACKED_KERNELS
    if is_compiled(kernels):
        return
    with (
        progress("compile the kernels, once on this machine: about a minute", None, "kernel"),
        compiling_alone(kernels),
    ):
        generator.batch(0, 1)
        mark_compiled(kernels)


@contextmanager
def _readable_errors(output: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or error
        raise XtalpriorsError(
            f"cannot write structures to {output}: {reason}. Complete shards are kept; free space or "
            "choose another output, and run the same command again to continue."
        ) from error


def _add(totals: dict[str, int], more: dict[str, int]) -> None:
    for name, value in more.items():
        totals[name] += value


def _parquet_shards(run: _Run, folder: Path, ranges: _Ranges) -> int:
    """Write all shards, here or on a cluster; returns how many structures were there already."""
    if run.cluster is None:
        return sum(_parquet_shard(run, folder, first, n) for first, n in ranges.shards())
    generator = run.generator
    work = partial(
        _shard_of_worker,
        ALGORITHM,
        run.bundle,
        generator.config,
        generator.seed,
        folder.resolve(),
        run.workers,
    )
    resumed = 0
    for count, there, totals in run_on_cluster(run.cluster, work, ranges.shards()):
        resumed += there
        _add(run.totals, totals)
        run.advance(count)
    return resumed


def _shard_of_worker(
    algorithm: int,
    bundle: PriorBundle,
    config: GeneratorConfig,
    seed: int,
    folder: Path,
    workers: int,
    shard: tuple[int, int],
) -> tuple[int, int, dict[str, int]]:
    """On a worker: write one shard; its size, how many structures were there already, and the counters."""
    check_same_version("generator", algorithm, ALGORITHM)
    generator = Generator(bundle, config, seed)
    _compile(generator, silent)
    totals = dict.fromkeys(COUNTERS, 0)
    with silent("generate", shard[1], "structure") as advance:
        run = _Run(bundle, generator, identity_of(generator, bundle), workers, advance, totals, None)
        return shard[1], _parquet_shard(run, folder, *shard), totals


def _parquet_shard(run: _Run, folder: Path, first: int, count: int) -> int:
    """Write one shard; returns how many structures were there already."""
    path = shard_path(folder, first, count)
    if is_complete(path, count):
        run.advance(count)
        return count
    schema = schema_of(run.generator.specification.group, run.identity)
    with replacing(path, SHARD) as part, open_writer(part, schema) as writer:
        for batch in run.generator.batches(first, count, workers=run.workers):
            writer.write_table(to_table(batch, run.identity))
            _add(run.totals, batch.totals)
            run.advance(len(batch))
    return 0


def _one_file(run: _Run, output: Path, ranges: _Ranges, *, overwrite: bool) -> int:
    """Write shards beside the file, then join them; a single one that is new takes the place of the file."""
    folder = output.with_name(output.name + ".parts")
    if overwrite or not any(folder.glob("structures-*")):  # a run that failed at once leaves none
        _forget_other_run(folder, run.identity)
    if not overwrite and holds(output, run.identity, ranges.start, ranges.n):
        run.advance(ranges.n)
        return ranges.n
    claim(folder, run.identity)
    resumed = _parquet_shards(run, folder, ranges)
    schema = schema_of(run.generator.specification.group, run.identity)
    if resumed == 0 and ranges.n <= ranges.shard_size:
        with replacing(output, GENERATED) as part:
            shard_path(folder, ranges.start, ranges.n).replace(part)
        discard(folder)
        return 0
    with replacing(output, GENERATED) as part, open_writer(part, schema) as writer:
        for first, n in ranges.shards():
            for table in _tables(shard_path(folder, first, n)):
                writer.write_table(table)
    discard(folder)
    return resumed


def _forget_other_run(folder: Path, identity: dict[str, Any]) -> None:
    """Delete the shards that a stopped run left beside its file, unless they are this run's."""
    path = folder / "run.json"
    if not path.exists():
        return
    check_output(path, RUN)
    try:
        claim(folder, identity)
    except UsageError:
        discard(folder)


def _tables(shard: Path) -> Iterator[pa.Table]:
    """Row groups of a shard; a damaged one is deleted, so that the next run writes it again."""
    try:
        file = pq.ParquetFile(shard)
        for k in range(file.num_row_groups):
            yield file.read_row_group(k)
    except (OSError, pa.ArrowException) as error:
        shard.unlink(missing_ok=True)
        raise XtalpriorsError(
            f"the shard {shard.name} was damaged ({error}) and is deleted. Run the same command again: it "
            "writes that shard anew and keeps the others."
        ) from error


def _cif_shard(run: _Run, folder: Path, first: int, count: int) -> int:
    """Write the CIFs of one shard; returns how many were there already."""
    missing = [k for k in range(first, first + count) if not (folder / f"{k:012d}.cif").exists()]
    run.advance(count - len(missing))
    if not missing:
        return count
    wanted = set(missing)
    for batch in run.generator.batches(missing[0], missing[-1] - missing[0] + 1, workers=run.workers):
        for structure in batch:
            if structure.index in wanted:
                text = to_cif(structure, run=run.identity)
                write_text(folder / f"{structure.index:012d}.cif", text, SHARD)
                run.advance()
        _add(run.totals, batch.totals)
    return count - len(missing)
