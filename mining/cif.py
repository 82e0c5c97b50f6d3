"""CIF files in, rows of the `entry`, `site` and `rejection` tables out.

Every file gives at least one entry or one rejection. The work goes by batches: all files of a call are
read to tokens (`reading`), and everything after that runs over arrays of the whole batch (`rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from xtalpriors.mining.database.schema import EXTRACTOR_VERSION, REJECTION, arrow_schema
from xtalpriors.mining.reading.intake import take_in
from xtalpriors.mining.rows.assemble import assemble
from xtalpriors.mining.rows.batch import index_batch
from xtalpriors.mining.rows.block_cells import block_cells
from xtalpriors.mining.rows.entries import chosen_entries
from xtalpriors.mining.rows.select import select_structures

__all__ = ["EXTRACTOR_VERSION", "Extracted", "extract"]


class Extracted(NamedTuple):
    """Rows of a batch of files, in the schemas of `schema.py`, in the order of the files."""

    entries: pa.Table
    sites: pa.Table
    rejections: pa.Table


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
        Database that the source is a copy of, for files that do not say; None for any other folder.
    text_origin
        `original`, or `rebuilt` for text rendered from a database's columns.
    items
        File ids and bytes. Nothing is assumed of the bytes.

    Returns
    -------
    Extracted
        Three Arrow tables. Every file id occurs in `entries` or in `rejections`.
    """
    intake = take_in(items)
    batch = index_batch(intake.tokens, intake.n_blocks)
    cells = block_cells(batch)
    chosen = select_structures(batch, cells, intake.files)
    entries = chosen_entries(batch, intake.files, chosen)
    entry_table, site_table = assemble(source_name, database, text_origin, cells, entries)
    order = {file_id: i for i, (file_id, _) in enumerate(items)}
    rejections = sorted(intake.rejections + chosen.rejections, key=lambda r: order[r[0]])
    columns = [[source_name] * len(rejections)] + [[r[i] for r in rejections] for i in range(5)]
    table = pa.table([pa.array(c, pa.string()) for c in columns], schema=arrow_schema(REJECTION))
    return Extracted(entry_table, site_table, table)
