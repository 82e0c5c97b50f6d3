"""Which run wrote an output folder, and whether another run may continue or replace it."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.atomic_write import write_text
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.generator.config import ALGORITHM
from xtalpriors.generator.generate import Generator
from xtalpriors.generator.output.parquet import read_metadata
from xtalpriors.outputs import FileKind, check_folder, json_with, read_object
from xtalpriors.priors.bundle import PriorBundle

__all__ = [
    "RUN",
    "SHARD",
    "check_range",
    "claim",
    "discard",
    "holds",
    "identity_of",
    "is_complete",
    "refuse_overlap",
    "same_run",
    "shard_path",
]

RUN = FileKind("the record of a run", json_with("algorithm", "priors_digest", "config_digest", "seed"))
SHARD = FileKind("a part of a run", lambda path: (path.parent / "run.json").is_file())
"""A shard or a CIF in a folder that `claim` has made, where a damaged one is written again."""
LEAST_BYTES = 100
"""No structure takes less on disk: its cell alone is 48 bytes that do not compress."""


def identity_of(generator: Generator, bundle: PriorBundle) -> dict[str, Any]:
    """What determines the structures of a run, written beside them as `run.json`."""
    return {
        "algorithm": ALGORITHM,
        "bundle": bundle.name,
        "priors_digest": generator.priors_digest,
        "config": generator.config.model_dump(mode="json"),
        "config_digest": generator.config.digest,
        "seed": generator.seed,
    }


def same_run(one: Any, other: dict[str, Any]) -> bool:
    """Whether two identities give the same structures; names and spellings may differ."""
    names = ("algorithm", "priors_digest", "config_digest", "seed")
    return isinstance(one, dict) and all(one.get(name) == other[name] for name in names)


def check_range(output: Path, start: int, count: int, shard_size: int) -> None:
    """Refuse a range of structures that cannot be written.

    Raises
    ------
    UsageError
        Nothing to generate, indices beyond 2⁶³ − 1, or more structures than the disk holds.
    """
    if count < 1 or start < 0 or shard_size < 1:
        given = f"count is {count}, start is {start} and shard_size is {shard_size}"
        raise UsageError(f"{given}; at least one structure, from 0 on, and one per shard.")
    if start + count > 2**63 - 1:
        raise UsageError(f"start + count is {start + count}; the last index is {2**63 - 1}.")
    folder = next(p for p in (output.absolute(), *output.absolute().parents) if p.is_dir())
    total = shutil.disk_usage(folder).total
    if 0 < total < count * LEAST_BYTES:  # 0: no disk at all, such as /proc
        raise UsageError(
            f"count is {count:,}: at {LEAST_BYTES} bytes each, and they take more, that is beyond the "
            f"{total / 1e9:,.0f} GB of the disk of {folder}. Write at most {total // LEAST_BYTES:,}, or "
            "generate in memory (`StructureStream`, `Generator.batches`)."
        )


def claim(folder: Path, identity: dict[str, Any]) -> None:
    """Make the folder with the run's identity in `run.json`, or check that it is the same run.

    Raises
    ------
    UsageError
        The folder holds another run, or files of another kind.
    """
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "run.json"
    if path.exists():
        try:
            own = RUN.is_own(path)
        except ValueError:
            own = False
        if not own:
            raise UsageError(
                f"{path} is no record of a run of xtalpriors, or is damaged. {folder} is left as it is: name "
                "another output."
            )
        if not same_run(read_object(path), identity):
            raise UsageError(
                f"{folder} holds structures of another run (see its run.json: bundle, configuration and "
                "seed must be the same). Choose another output, or delete it."
            )
        return
    # another machine may be writing its run.json this moment
    if any(not _is_part(p) for p in folder.iterdir()) and not path.exists():
        raise UsageError(f"{folder} is not empty and holds no run of this command. Choose another output.")
    write_text(path, json.dumps(identity, indent=1, sort_keys=True, ensure_ascii=False) + "\n", RUN)


def discard(folder: Path) -> None:
    """Remove what a run wrote in a folder that `claim` has made, and the folder if nothing else is in it."""
    for path in [*folder.glob("structures-*.parquet"), *filter(_is_part, folder.iterdir())]:
        path.unlink(missing_ok=True)
    (folder / "run.json").unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _is_part(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".part"


def shard_path(folder: Path, first: int, count: int) -> Path:
    """Name of a shard: its first and last index."""
    return folder / f"structures-{first:012d}-{first + count - 1:012d}.parquet"


def is_complete(path: Path, count: int) -> bool:
    """Whether a shard is there and whole; a damaged one counts as missing and is written again."""
    try:
        return int(pq.ParquetFile(path).metadata.num_rows) == count
    except (OSError, pa.ArrowException):
        return False


def refuse_overlap(folder: Path, start: int, count: int, shard_size: int) -> None:
    """Refuse a range that would put a structure into two shards of a folder.

    Raises
    ------
    UsageError
        A shard in the folder holds indices of the range, but not exactly those of one shard of the range.
    """
    for path in sorted(folder.glob("structures-*.parquet")):
        match = re.fullmatch(r"structures-(\d+)-(\d+)", path.stem)
        if match is None:
            continue
        first, last = (int(g) for g in match.groups())
        if last < start or first >= start + count:
            continue
        planned = min(first + shard_size, start + count) - 1
        if first < start or (first - start) % shard_size or last != planned:
            raise UsageError(
                f"structures {start} … {start + count - 1} in shards of {shard_size} overlap {path}, which "
                f"holds {first} … {last}. Begin at start = {last + 1}, repeat the start and the count of the "
                "run that wrote it, or choose another folder."
            )


def holds(output: Path, identity: dict[str, Any], start: int, count: int) -> bool:
    """Whether a file exists and holds exactly these structures.

    Raises
    ------
    UsageError
        The file exists and holds something else.
    """
    if not output.exists():
        return False
    what = "no structures of this command"
    try:
        run = read_metadata(output).get("run")
        what = "structures of another run (bundle, configuration or seed)"
        if same_run(run, identity):
            first, last = _indices(output)
            if (first, last) == (start, start + count - 1):
                return True
            what = f"structures {first} … {last} of this run"
    except XtalpriorsError:
        pass
    raise UsageError(f"{output} is there already and holds {what}. Choose another output, or delete it.")


def _indices(path: Path) -> tuple[int, int]:
    """First and last index in a file of structures."""
    file = pq.ParquetFile(path)
    ends = (file.read_row_group(k, columns=["index"]).column(0) for k in (0, file.num_row_groups - 1))
    first, last = ends
    return int(first[0].as_py()), int(last[-1].as_py())
