"""The files of an evaluation: scores by crystal and method, sections through maps, and summaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import XtalpriorsError
from xtalpriors.outputs import FileKind, is_not, json_with
from xtalpriors.write_tables import parquet_with, write_parquet

__all__ = ["FILES", "METRICS", "RECORD", "SCORES", "SECTIONS", "read_rows", "write_rows"]

SCORES, SECTIONS, METRICS, RECORD = "scores.parquet", "sections.parquet", "metrics.json", "digest.json"
_KEYS: Final = {SCORES: b"xtalpriors-powder-scores", SECTIONS: b"xtalpriors-powder-sections"}
FILES: Final[Mapping[str, FileKind]] = {
    SCORES: FileKind("a table of scores of powder patterns", parquet_with(_KEYS[SCORES])),
    SECTIONS: FileKind("a table of sections of density maps", parquet_with(_KEYS[SECTIONS])),
    METRICS: FileKind("the scores of an evaluation on powder patterns", json_with("points", "sets")),
    RECORD: FileKind("the record of an evaluation on powder patterns", json_with("networks", "crystals")),
}
"""Names and kinds of the files in the folder of an evaluation."""

_TEXT, _REAL, _INT = pa.string(), pa.float64(), pa.int64()
_SCHEMAS: Final = {
    SCORES: pa.schema(
        [
            ("set", _TEXT),  # S, P or R
            ("index", _INT),  # crystal of the set
            ("formula", _TEXT),
            ("space_group", _INT),
            ("prototype", _TEXT),  # structure type
            ("name", _TEXT),  # of the prototype, or of the entry
            ("in_library", pa.bool_()),  # whether the training has its structure type
            ("method", _TEXT),
            ("is_network", pa.bool_()),
            ("ssim", _REAL),  # of the first try, in its best orientation
            ("psnr", _REAL),
            ("best_ssim", _REAL),  # best of five tries, which needs the truth
            ("best_psnr", _REAL),
            ("tries", _INT),
            ("failure", _TEXT),  # why there was no answer, and the mean map was scored
            ("seconds", _REAL),
        ]
    ),
    SECTIONS: pa.schema(
        [
            ("set", _TEXT),
            ("index", _INT),
            ("height", _INT),  # of the section, in points along c
            ("points", _INT),
            ("what", _TEXT),  # truth, or a method
            ("rank", _INT),  # of the try, from 1
            ("ssim", _REAL),
            ("source", _TEXT),
            ("values", pa.list_(pa.float32())),  # e/Å³, row by row along a
        ]
    ),
}


def write_rows(folder: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write `scores.parquet` or `sections.parquet`."""
    schema = _SCHEMAS[name]
    table = pa.Table.from_pylist(list(rows), schema=schema)
    write_parquet(table, schema, folder / name, {_KEYS[name]: b"1"}, FILES[name])


def read_rows(folder: Path, name: str) -> pa.Table:
    """Read a table that `write_rows` wrote.

    Raises
    ------
    XtalpriorsError
        It is missing, or another file.
    """
    path = folder / name
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise XtalpriorsError(
            f"{path} cannot be read ({error}): make it anew with `xtalpriors powder evaluate`."
        ) from error
    if _KEYS[name] not in (table.schema.metadata or {}):
        raise XtalpriorsError(is_not(path, "a table of an evaluation on powder patterns", "powder evaluate"))
    return table
