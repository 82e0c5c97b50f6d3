"""Tables as files, Parquet and CSV, whose bytes depend on their content alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xtalpriors.atomic_write import replacing, write_text
from xtalpriors.outputs import FileKind

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["csv_text", "parquet_with", "write_csv", "write_parquet"]

_ROW_GROUP = 65_536


def write_parquet(
    rows: pa.Table | pa.RecordBatchReader,
    schema: pa.Schema,
    path: Path,
    metadata: dict[bytes, bytes],
    kind: FileKind,
) -> int:
    """Write rows in the order given; the same rows and metadata give the same bytes.

    The file appears whole or not at all. Memory is that of one row group, however many rows come.

    Parameters
    ----------
    rows
        A table, or a reader of batches of any size.
    schema
        Columns and their types, to which the rows are cast.
    path
        File to write; its folder is made.
    metadata
        Key-value metadata of the file.
    kind
        What the file will be: only a file of this kind is replaced.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    XtalpriorsError, UsageError
        The file cannot be written, or a file of another kind is there.
    """
    import pyarrow.parquet as pq  # here, so that a program that writes CSV alone does not wait for it

    schema = schema.with_metadata(metadata)
    written = 0
    with (
        replacing(path, kind) as part,
        pq.ParquetWriter(part, schema, compression="zstd", compression_level=3) as writer,
    ):
        for group in _row_groups(rows, schema):
            writer.write_table(group, row_group_size=_ROW_GROUP)
            written += group.num_rows
    return written


def _row_groups(rows: pa.Table | pa.RecordBatchReader, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in tables of one row group each: how they were batched must not show in the file."""
    import pyarrow as pa

    batches = rows.to_batches() if isinstance(rows, pa.Table) else rows
    held: list[pa.Table] = []
    n_held = 0
    for batch in batches:
        held.append(pa.Table.from_batches([batch]).cast(schema))
        n_held += batch.num_rows
        if n_held < _ROW_GROUP:
            continue
        table = pa.concat_tables(held)
        whole = n_held - n_held % _ROW_GROUP
        yield from (table.slice(start, _ROW_GROUP).combine_chunks() for start in range(0, whole, _ROW_GROUP))
        held, n_held = [table.slice(whole)], n_held - whole
    if n_held:
        yield pa.concat_tables(held).combine_chunks()


def write_csv(
    path: Path,
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    kind: FileKind,
    significant_digits: int | None = None,
) -> None:
    """Write `csv_text`; as `atomic_write.replacing`."""
    write_text(path, csv_text(rows, columns, significant_digits), kind)


def csv_text(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str], significant_digits: int | None = None
) -> str:
    """Rows as CSV with a header and `\\n` at the ends of lines.

    Null and missing cells are empty. Floats get `significant_digits`, or as many as tell them apart.
    """

    def cell(value: Any) -> Any:
        """A value as it is written: floats at the digits asked for, everything else as it is."""
        is_rounded = significant_digits is not None and isinstance(value, float)
        return f"{value:.{significant_digits}g}" if is_rounded else value

    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def parquet_with(key: bytes, field: str | None = None, *columns: str) -> Callable[[Path], bool]:
    """Recognise a Parquet file by a key of its metadata, a field of the JSON there, and columns."""

    def is_own(path: Path) -> bool:
        """Whether the schema has the key, the field and the columns; ValueError for another format."""
        import pyarrow.parquet as pq  # here, so that what writes no Parquet does not wait for it

        schema = pq.read_schema(path)  # its errors of format are ValueErrors
        text = (schema.metadata or {}).get(key)
        if text is None or not set(columns) <= set(schema.names):
            return False
        return field is None or field in json.loads(text)

    return is_own
