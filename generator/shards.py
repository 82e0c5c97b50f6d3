"""Write a range of structures to disk: in shards, atomically, and continuing where an earlier run stopped."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.cif import to_cif
from xtalpriors.generator.config import ALGORITHM, GeneratorConfig
from xtalpriors.generator.counters import COUNTERS
from xtalpriors.generator.generate import CHUNK, Generator
from xtalpriors.generator.parquet import schema_of, to_table
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.progress import Advance, Progress, silent

__all__ = ["SHARD_SIZE", "GenerateReport", "generate_to"]

SHARD_SIZE = 16 * CHUNK
"""Structures per shard: what is lost at most when a run is stopped."""

Format = Literal["parquet", "cif"]


class GenerateReport(NamedTuple):
    """What `generate_to` did.

    Attributes
    ----------
    output
        The file or folder.
    n_structures
        Structures there now.
    n_resumed
        Of these, found there from an earlier run.
    totals
        Sums of the counters over the structures generated now (`COUNTERS`).
    """

    output: Path
    n_structures: int
    n_resumed: int
    totals: dict[str, int]


class _Run(NamedTuple):
    generator: Generator
    identity: dict[str, Any]
    workers: int
    advance: Advance
    totals: dict[str, int]


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
    progress
        `xtalpriors.progress.bar` or `silent`.

    Raises
    ------
    UsageError
        Nothing to generate, or the folder holds another run.
    XtalpriorsError
        As `Generator`, or the output cannot be written.
    """
    output = Path(output)
    if count < 1 or start < 0 or shard_size < 1:
        given = f"count is {count}, start is {start} and shard_size is {shard_size}"
        raise UsageError(f"{given}; at least one structure, from 0 on, and one per shard.")
    single = output.suffix == ".parquet" and not output.is_dir()
    if single and file_format == "cif":
        raise UsageError(f"{output} is a Parquet file name; with the format `cif` give a folder.")
    generator = Generator(bundle, config, seed)
    identity = _identity(generator, bundle)
    with _readable_errors(output), progress("generate", count, "structures") as advance:
        run = _Run(generator, identity, workers or os.cpu_count() or 1, advance, dict.fromkeys(COUNTERS, 0))
        ranges = [(k, min(shard_size, start + count - k)) for k in range(start, start + count, shard_size)]
        if file_format == "cif":
            _claim(output, identity)
            resumed = sum(_cif_shard(run, output, first, n) for first, n in ranges)
        elif single:
            resumed = _one_file(run, output, ranges)
        else:
            _claim(output, identity)
            resumed = sum(_parquet_shard(run, output, first, n) for first, n in ranges)
    return GenerateReport(output, count, resumed, run.totals)


def _identity(generator: Generator, bundle: PriorBundle) -> dict[str, Any]:
    """What makes two runs the same."""
    return {
        "algorithm": ALGORITHM,
        "bundle": bundle.name,
        "priors_digest": generator.priors_digest,
        "config": generator.config.model_dump(mode="json"),
        "config_digest": generator.config.digest,
        "seed": generator.seed,
    }


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


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder with the run's identity in `run.json`, or check that it is the same run."""
    folder.mkdir(parents=True, exist_ok=True)
    path, text = (
        folder / "run.json",
        json.dumps(identity, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
    )
    if path.exists():
        if path.read_text("utf-8") != text:
            raise UsageError(
                f"{folder} holds structures of another run (see its run.json: bundle, configuration and "
                "seed must be the same). Choose another output, or delete it."
            )
        return
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and holds no run of this command. Choose another output.")
    _write_atomically(path, text)


def _write_atomically(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _add(totals: dict[str, int], more: dict[str, int]) -> None:
    for name, value in more.items():
        totals[name] += value


def _shard_path(folder: Path, first: int, count: int) -> Path:
    return folder / f"structures-{first:012d}-{first + count - 1:012d}.parquet"


def _parquet_shard(run: _Run, folder: Path, first: int, count: int) -> int:
    """Write one shard; returns how many structures were there already."""
    path = _shard_path(folder, first, count)
    if path.exists():
        run.advance(count)
        return count
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        schema = schema_of(run.generator.specification.group, run.identity)
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in run.generator.batches(first, count, workers=run.workers):
                writer.write_table(to_table(batch, run.identity))
                _add(run.totals, batch.totals)
                run.advance(len(batch))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return 0


def _one_file(run: _Run, output: Path, ranges: list[tuple[int, int]]) -> int:
    """Write shards beside the file, then join them."""
    folder = output.with_name(output.name + ".parts")
    output.parent.mkdir(parents=True, exist_ok=True)
    _claim(folder, run.identity)
    resumed = sum(_parquet_shard(run, folder, first, n) for first, n in ranges)
    part = folder / ".joined.part"
    schema = schema_of(run.generator.specification.group, run.identity)
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for first, n in ranges:
            shard = pq.ParquetFile(_shard_path(folder, first, n))
            for k in range(shard.num_row_groups):
                writer.write_table(shard.read_row_group(k))
    part.replace(output)
    shutil.rmtree(folder)
    return resumed


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
                _write_atomically(folder / f"{structure.index:012d}.cif", to_cif(structure))
                run.advance()
        _add(run.totals, batch.totals)
    return count - len(missing)
