"""The rows of a study, one for each crystal and set of seeds, and their file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.database.schema import Column, arrow_schema
from xtalpriors.outputs import FileKind, is_not
from xtalpriors.write_tables import parquet_with, write_parquet

__all__ = [
    "ARTIFICIAL",
    "COLUMNS",
    "NO_SEEDS",
    "ROWS_NAME",
    "SEEDING",
    "TRUE_PHASES",
    "StudyRows",
    "of_networks",
    "of_truth",
    "read_rows",
]

ROWS_NAME: Final = "seeding.parquet"
ARTIFICIAL: Final = "artificial"
"""Source of the crystals that are not real."""
NO_SEEDS, TRUE_PHASES = "none", "truth"
"""Where seeds come from that are no network's."""
_KEY: Final = b"xtalpriors_seeding"
_VERSION: Final = 1
SEEDING: Final = FileKind("the rows of a seeding study", parquet_with(_KEY, "format_version"))

STR, F64, I32 = pa.string(), pa.float64(), pa.int32()
COLUMNS: tuple[Column, ...] = (
    Column(
        "source", STR, f"`{ARTIFICIAL}`, or the real crystals by the name of what they were read from", False
    ),
    Column("crystal", STR, "Number of the artificial crystal, or `entry_id`", False),
    Column("space_group", STR, "Symbol", False),
    Column("volume_class_angstrom3", F64, "Volume of the study that it counts for", False),
    Column("volume_angstrom3", F64, "Its own volume", False),
    Column("d_min_angstrom", F64, "Resolution", False),
    Column("overlap_degree", F64, "Width of powder-like overlap in 2θ; 0: a single crystal", False),
    Column("overlapped", F64, "Share of the reflections that share a peak", False),
    Column("seeds", STR, f"Where the seeds come from: `{NO_SEEDS}`, `{TRUE_PHASES}`, or a network", False),
    Column("fraction", F64, "Of the strongest half of the reflections; null without seeds"),
    Column("bins", I32, "Values of a phase; 0: exact; null without seeds"),
    Column("n_seeds", I32, "Seeds; null without"),
    Column("seed_error_degree", F64, "Mean error of the seeds' phases, from the best origin; null without"),
    Column("r", F64, "Map correlation with the true structure", False),
)


class StudyRows:
    """Rows by what was tried, kept in a file from which an interrupted study goes on.

    Parameters
    ----------
    path
        File; rows that are there are read.
    settings
        What rows of one file must have in common, as JSON.

    Raises
    ------
    UsageError
        The file holds rows of another study.
    XtalpriorsError
        It cannot be read.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path, self.settings = path, settings
        self.rows: list[dict[str, Any]] = []
        if path.exists() and path.stat().st_size:
            table, before = _read(path)
            for key, value in settings.items():
                if before.get(key) != value:
                    raise UsageError(
                        f"{path} holds a study with {key} = {before.get(key)}, and not {value}. Give that, "
                        "or name another folder."
                    )
            self.rows = table.to_pylist()

    def has(self, **what: Any) -> bool:
        """Whether there are rows with these values."""
        return any(all(row[key] == value for key, value in what.items()) for row in self.rows)

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Add rows and write the file."""
        self.rows += rows
        names = [column.name for column in COLUMNS]
        keys = [name for name in names if name not in ("volume_angstrom3", "overlapped", "r")]
        ordered = sorted(self.rows, key=lambda row: [_sortable(row[key]) for key in keys])
        metadata = {"format_version": _VERSION, **self.settings}
        schema = arrow_schema(COLUMNS)
        write_parquet(
            pa.Table.from_pylist(ordered, schema=schema),
            schema,
            self.path,
            {_KEY: json.dumps(metadata, sort_keys=True).encode()},
            SEEDING,
        )


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def of_truth(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows without seeds and rows with seeds of true phases."""
    return [row for row in rows if row["seeds"] in (NO_SEEDS, TRUE_PHASES)]


def of_networks(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of networks."""
    return [row for row in rows if row["seeds"] not in (NO_SEEDS, TRUE_PHASES)]


def read_rows(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows of a study and what they have in common.

    Parameters
    ----------
    path
        The file, or the folder of the study.

    Raises
    ------
    XtalpriorsError
        There is no such file, or it is another one.
    """
    file = path / ROWS_NAME if path.is_dir() else path
    if not file.exists():
        raise XtalpriorsError(f"There is no study {file}. Make one with `xtalpriors seed-study`.")
    table, settings = _read(file)
    return table.to_pylist(), settings


def _read(path: Path) -> tuple[pa.Table, dict[str, Any]]:
    try:
        table = pq.read_table(path, partitioning=None)
        settings = json.loads((table.schema.metadata or {})[_KEY])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise XtalpriorsError(is_not(path, "the rows of a seeding study", "seed-study")) from error
    if settings.pop("format_version") != _VERSION:
        raise XtalpriorsError(f"{path} was written by another version of xtalpriors. Make the study again.")
    return table, settings
