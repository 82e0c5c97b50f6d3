"""What a worker process is asked to do and what it answers: files in, Arrow tables out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from xtalpriors.mining.database.schema import ENTRY, REJECTION, SITE, arrow_schema

if TYPE_CHECKING:
    from xtalpriors.mining.sources import Source

__all__ = ["FILE_RESULT", "SCHEMAS", "Failure", "Reader", "Task", "TaskResult", "failed_result", "storable"]

FILE_RESULT = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("file_id", pa.string(), nullable=False),
        pa.field("content_hash", pa.string()),
        pa.field("revision", pa.int64()),
        pa.field("is_same", pa.bool_(), nullable=False),
    ]
)
"""What reading says of a file itself; `is_same`: it has the hash known before, so nothing else was done."""

SCHEMAS = (arrow_schema(ENTRY), arrow_schema(SITE), arrow_schema(REJECTION), FILE_RESULT)


class Failure(NamedTuple):
    """Why a file took its reader down: stage, code and detail of the rejection it becomes."""

    stage: str
    code: str
    detail: str


class Reader(NamedTuple):
    """The code that reads CIFs, `module:function` of the signature of `cif.extract`, and its version."""

    extract: str
    version: str


class Task(NamedTuple):
    """Files of one source to read, each with the hash known of it (it is not extracted if unchanged).

    With `failure` set the one file is only hashed, and gets that rejection.
    """

    number: int
    source: Source
    files: tuple[tuple[str, str | None], ...]
    failure: Failure | None = None


class TaskResult(NamedTuple):
    """Rows of a task, in the schemas of `SCHEMAS`."""

    n_files: int
    entries: pa.Table
    sites: pa.Table
    rejections: pa.Table
    files: pa.Table
    n_bytes: int = 0
    """Memory that the rows take, as they came from the worker."""


def storable(text: str) -> str:
    """Text that Arrow and DuckDB can hold: odd bytes of a file name, as Python keeps them, spelt out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def failed_result(task: Task, failure: Failure, content_hash: str | None = None) -> TaskResult:
    """The rows of a single file that cannot be extracted: a rejection."""
    source, (file_id, _) = task.source.name, task.files[0]
    rejection = {"source": source, "file_id": file_id, "block": None, **failure._asdict()}
    file = {"source": source, "file_id": file_id, "content_hash": content_hash, "revision": None}
    return TaskResult(
        1,
        SCHEMAS[0].empty_table(),
        SCHEMAS[1].empty_table(),
        pa.Table.from_pylist([rejection], SCHEMAS[2]),
        pa.Table.from_pylist([{**file, "is_same": False}], FILE_RESULT),
    )
