"""Structures in Parquet: one row per structure, lists for its atoms, the run in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.arrays import CELL
from xtalpriors.atomic_write import replacing
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.counters import COUNTERS
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.outputs import FileKind
from xtalpriors.write_tables import parquet_with

__all__ = [
    "GENERATED",
    "SCHEMA",
    "open_writer",
    "read_batches",
    "read_metadata",
    "read_parquet",
    "schema_of",
    "to_table",
    "write_parquet",
]

METADATA_KEY = b"xtalpriors"
FORMAT = 1
"""Raised when a column changes."""
GENERATED = FileKind(
    "a file of generated structures", parquet_with(METADATA_KEY, "space_group", "multiplicity")
)

SCHEMA = pa.schema(
    [
        pa.field("index", pa.int64(), nullable=False),
        *(pa.field(name, pa.float64(), nullable=False) for name in CELL),
        *(pa.field(name, pa.int32(), nullable=False) for name in COUNTERS),
        pa.field("element", pa.list_(pa.uint8()), nullable=False),
        pa.field("x", pa.list_(pa.float64()), nullable=False),
        pa.field("y", pa.list_(pa.float64()), nullable=False),
        pa.field("z", pa.list_(pa.float64()), nullable=False),
        pa.field("u_iso_angstrom2", pa.list_(pa.float32()), nullable=False),
        pa.field("multiplicity", pa.list_(pa.int16()), nullable=False),
        pa.field("site", pa.list_(pa.uint8()), nullable=False),
    ]
)
"""Columns: see `StructureBatch` for their meaning."""


def schema_of(group: SpaceGroup, run: dict[str, Any] | None = None) -> pa.Schema:
    """The schema with the space group, and what is known of the run, as JSON in its metadata."""
    content = {
        "format": FORMAT,
        "space_group": {
            "number": group.number,
            "hm": group.hm,
            "hall": group.hall,
            "operators": list(group.operators),
        },
        "run": run or {},
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return SCHEMA.with_metadata({METADATA_KEY: text.encode()})


def to_table(batch: StructureBatch, run: dict[str, Any] | None = None) -> pa.Table:
    """A batch as an Arrow table."""
    offsets = _arrow(batch.offsets.astype(np.int32))
    atoms = [batch.element, *batch.fract.T, batch.u_iso, batch.multiplicity, batch.site]
    columns = [
        *map(_arrow, [batch.index, *batch.cell.T, *batch.counters.T]),
        *(pa.ListArray.from_arrays(offsets, _arrow(values)) for values in atoms),
    ]
    return pa.Table.from_arrays(columns, schema=schema_of(batch.group, run))


def _arrow(values: npt.NDArray[Any]) -> pa.Array:
    """Numbers as an Arrow array that shares their memory; `pa.array` would import pandas, half a second."""
    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def open_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of tables of structures.

    Hardly a value of a structure occurs twice, so a dictionary of the values of each column, which Parquet
    tries by default, costs half of the time and a third of the size. Statistics are kept of `index` and the
    cell, by which a reader may look for rows.
    """
    return pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=False, write_statistics=["index", *CELL]
    )


def write_parquet(batch: StructureBatch, path: Path, run: dict[str, Any] | None = None) -> None:
    """Write a batch to one file, in the place of nothing or of another file of structures."""
    table = to_table(batch, run)
    with replacing(path, GENERATED) as part, open_writer(part, table.schema) as writer:
        writer.write_table(table)


def _from_arrow(table: pa.Table, group: SpaceGroup) -> StructureBatch:
    table = table.combine_chunks()

    def flat(name: str) -> npt.NDArray[Any]:
        """The lists of a column one after another."""
        column = table.column(name)
        values: npt.NDArray[Any] = (
            column.chunk(0).flatten().to_numpy(zero_copy_only=False)
            if column.num_chunks
            else np.empty(0, column.type.value_type.to_pandas_dtype())
        )
        return values

    lists = table.column("element")
    lengths = (
        lists.chunk(0).value_lengths().to_numpy(zero_copy_only=False) if lists.num_chunks else np.zeros(0)
    )
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    numbers = [table.column(name).to_numpy() for name in ("index", *CELL, *COUNTERS)]
    return StructureBatch(
        group=group,
        index=numbers[0],
        offsets=offsets,
        cell=np.column_stack(numbers[1:7]),
        counters=np.column_stack(numbers[7:]).astype(np.int32),
        element=flat("element"),
        fract=np.column_stack([flat(name) for name in "xyz"]),
        u_iso=flat("u_iso_angstrom2"),
        multiplicity=flat("multiplicity"),
        site=flat("site"),
    )


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError as error:
        raise XtalpriorsError(
            f"there is no file {path}. Make it with `xtalpriors generate --output {path}`."
        ) from error
    except (OSError, pa.ArrowException) as error:
        raise XtalpriorsError(f"{path} cannot be read as Parquet ({error}). Generate it again.") from error


def read_metadata(path: Path) -> dict[str, Any]:
    """Format, space group and run of a file of structures.

    Raises
    ------
    XtalpriorsError
        The file is missing, no Parquet, or holds something else.
    """
    metadata = _open(path).schema_arrow.metadata or {}
    if METADATA_KEY not in metadata:
        raise XtalpriorsError(f"{path} is Parquet, but holds no generated structures.")
    content: dict[str, Any] = json.loads(metadata[METADATA_KEY])
    if content.get("format") != FORMAT:
        raise XtalpriorsError(
            f"{path} has structure format {content.get('format')!r}; this xtalpriors reads {FORMAT}. "
            f"Generate it again."
        )
    return content


def read_batches(path: Path, size: int = 4096) -> Iterator[StructureBatch]:
    """Batches of a file, in order, in bounded memory."""
    group = SpaceGroup.from_operators(read_metadata(path)["space_group"]["operators"])
    for part in _open(path).iter_batches(batch_size=size):
        yield _from_arrow(pa.Table.from_batches([part]), group)


def read_parquet(path: Path) -> StructureBatch:
    """All structures of a file."""
    group = SpaceGroup.from_operators(read_metadata(path)["space_group"]["operators"])
    return _from_arrow(_open(path).read(), group)
