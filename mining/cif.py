"""CIF files in, rows of the `entry`, `site` and `rejection` tables out.

Every file gives at least one entry or one rejection. The work goes by batches: all files of a call are
read to tokens, and everything after that runs over arrays of the whole batch.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pyarrow as pa

from xtalpriors.mining.assemble import assemble
from xtalpriors.mining.batch import index_batch
from xtalpriors.mining.block_cells import block_cells
from xtalpriors.mining.readers import Parsed, Unreadable, decode, read_with_gemmi
from xtalpriors.mining.schema import REJECTION, arrow_schema
from xtalpriors.mining.select import FileBlocks, select_structures
from xtalpriors.mining.tokens import TokenWriter

__all__ = ["EXTRACTOR_VERSION", "Extracted", "extract"]

EXTRACTOR_VERSION: Final = "1"
"""Raised when the same bytes would give other rows: a database made by another version is read again."""

_REVISION: Final = re.compile(rb"\$Revision:\s*(\d+)\s*\$")
_HEADER_BYTES: Final = 2000


class Extracted(NamedTuple):
    """Rows of a batch of files, in the schemas of `schema.py`, in the order of the files."""

    entries: pa.Table
    sites: pa.Table
    rejections: pa.Table


@dataclass(slots=True)
class _Reading:
    """What has been read of a batch."""

    writer: TokenWriter = field(default_factory=TokenWriter)
    files: list[FileBlocks] = field(default_factory=list)
    rejections: list[tuple[str, str | None, str, str, str]] = field(default_factory=list)
    n_blocks: int = 0


def extract(
    source_name: str,
    database: str | None,
    text_origin: str,
    items: Sequence[tuple[str, bytes]],
) -> Extracted:
    """Read files into rows.

    Parameters
    ----------
    source_name
        Name of the source, the first part of every `entry_id`.
    database
        Database that the source is a copy of, for files that do not say; None when it is none.
    text_origin
        `original`, or `rebuilt` for text rendered from a database's columns.
    items
        File ids and bytes. Nothing is assumed of the bytes.

    Returns
    -------
    Extracted
        Three Arrow tables. Every file id occurs in `entries` or in `rejections`.
    """
    reading = _Reading()
    for file_id, data in items:
        _read_one(reading, file_id, data)
    batch = index_batch(reading.writer.tokens(), reading.n_blocks)
    cells = block_cells(batch)
    chosen = select_structures(batch, cells, reading.files)
    rejections = reading.rejections + chosen.rejections
    entries, sites = assemble(source_name, database, text_origin, batch, cells, reading.files, chosen)
    order = {file_id: i for i, (file_id, _) in enumerate(items)}
    rejections.sort(key=lambda r: order[r[0]])
    columns: list[list[str | None]] = [[source_name] * len(rejections)]
    columns += [[r[i] for r in rejections] for i in range(5)]
    schema = arrow_schema(REJECTION)
    table = pa.table([pa.array(c, pa.string()) for c in columns], schema=schema)
    return Extracted(entries, sites, table)


def _read_one(reading: _Reading, file_id: str, data: bytes) -> None:
    """Read one file's tokens into the batch, or note why not."""
    digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    revision = _REVISION.search(data[:_HEADER_BYTES])
    decoded = decode(data)
    if isinstance(decoded, Unreadable):
        reading.rejections.append((file_id, None, *_parts(decoded)))
        return
    text, notes = decoded
    parsed = read_with_gemmi(text, reading.writer, reading.n_blocks)
    if isinstance(parsed, Unreadable):
        reading.rejections.append((file_id, None, *_parts(parsed)))
        return
    _note_file(reading, file_id, digest, int(revision[1]) if revision else None, parsed, notes)


def _note_file(
    reading: _Reading, file_id: str, digest: str, revision: int | None, parsed: Parsed, notes: tuple[str, ...]
) -> None:
    reading.files.append(
        FileBlocks(
            file_id=file_id,
            content_hash=digest,
            revision=revision,
            reader=parsed.reader,
            notes=(*notes, *parsed.notes),
            first_block=reading.n_blocks,
            blocks=parsed.blocks,
        )
    )
    reading.n_blocks += len(parsed.blocks)


def _parts(unreadable: Unreadable) -> tuple[str, str, str]:
    return unreadable.stage, unreadable.code, unreadable.detail
