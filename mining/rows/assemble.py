"""The `entry` and `site` tables of a batch, from its tokens, cells and chosen structures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import I64
from xtalpriors.crystal.cells.cell import metric_tensors
from xtalpriors.mining.database.schema import ENTRY, SITE, arrow_schema
from xtalpriors.mining.rows.arrow import table_of
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.block_cells import BlockCells, sound_cells
from xtalpriors.mining.rows.contents import content_columns
from xtalpriors.mining.rows.displacements import site_displacements
from xtalpriors.mining.rows.experiment import experiment_columns
from xtalpriors.mining.rows.flags import status_columns
from xtalpriors.mining.rows.geometry import cell_columns, symmetry_columns
from xtalpriors.mining.rows.groups import distinct_groups
from xtalpriors.mining.rows.positions import ranges, site_positions
from xtalpriors.mining.rows.select import Chosen, FileBlocks
from xtalpriors.mining.rows.shared_positions import first_on_position, repeated_sites
from xtalpriors.mining.rows.site_table import read_sites, site_table

__all__ = ["assemble"]

_FIRST_YEAR, _LAST_YEAR = 1890, 2100


def assemble(
    source_name: str,
    database: str | None,
    text_origin: str,
    batch: Batch,
    cells: BlockCells,
    files: list[FileBlocks],
    chosen: Chosen,
) -> tuple[pa.Table, pa.Table]:
    """Tables of the chosen structures, in the order of the files."""
    if not chosen.blocks:
        return arrow_schema(ENTRY).empty_table(), arrow_schema(SITE).empty_table()
    keep = np.array(chosen.blocks, dtype=np.int64)
    groups = [s.group for s in chosen.symmetry]
    usable = np.where(sound_cells(cells)[:, None], cells.cells, np.nan)  # 1e400 Å is nothing to compute with
    sites = read_sites(batch, usable)
    displacements = site_displacements(batch, usable, sites.block, sites.fract, sites.species.number)
    metric = metric_tensors(cells.cells[keep])
    start, end = batch.site_start[keep], batch.site_start[keep + 1]
    positions = site_positions(groups, metric, start, end, sites.fract, sites.placed)
    distinct = distinct_groups(groups)
    first = first_on_position(distinct, metric, start, end, positions, sites.placed)
    repeated = repeated_sites(start, end, first, sites)
    sites = replace(sites, placed=sites.placed & ~repeated, repeated=repeated)
    columns = _identity(source_name, database, text_origin, batch, files, chosen)
    for block_columns in (experiment_columns(batch, chosen.notes), status_columns(batch)):
        columns |= {name: _take(values, keep) for name, values in block_columns.items()}
    columns |= cell_columns(batch, cells, chosen, distinct)
    columns |= symmetry_columns(batch, chosen, keep, distinct)
    volume = columns["volume_angstrom3"]
    columns |= content_columns(batch, chosen, keep, volume, sites, displacements, positions, first)
    columns["notes"] = [_note_text(chosen, files, i) for i in range(len(keep))]
    counts = end - start
    rows = ranges(start, end)
    index = (rows - np.repeat(start, counts)).astype(np.int32)
    ids = pa.array(columns["entry_id"], pa.string()).take(pa.array(np.repeat(np.arange(len(keep)), counts)))
    return table_of(columns, ENTRY), site_table(batch, sites, displacements, positions, rows, ids, index)


def _take(values: Any, keep: I64) -> Any:
    if isinstance(values, np.ndarray):
        return values[keep]
    if isinstance(values, pa.Array):
        return values.take(pa.array(keep))
    return [values[i] for i in keep]


def _identity(
    source_name: str,
    database: str | None,
    text_origin: str,
    batch: Batch,
    files: list[FileBlocks],
    chosen: Chosen,
) -> dict[str, Any]:
    """Columns that say which structure this is."""
    keep = np.array(chosen.blocks, dtype=np.int64)
    of = [files[f] for f in chosen.files]
    names = [f.blocks[b - f.first_block] for f, b in zip(of, chosen.blocks, strict=True)]
    text = {
        n: batch.texts(batch.block_tokens(n)[keep]).to_pylist()
        for n in ("cod_code", "amcsd_code", "refcode", "ccdc_number")
    }
    year = batch.numbers(batch.block_tokens("year")[keep])
    year[~((year >= _FIRST_YEAR) & (year <= _LAST_YEAR))] = np.nan
    return {
        "entry_id": _entry_ids(source_name, of, names),
        "source": [source_name] * len(of),
        "file_id": [f.file_id for f in of],
        "block": names,
        "database": [
            "COD" if cod else database or ("AMCSD" if amcsd else "CSD" if ref or number else None)
            for cod, amcsd, ref, number in zip(*text.values(), strict=True)
        ],
        "cod_code": text["cod_code"],
        "csd_code": [ref or number for ref, number in zip(text["refcode"], text["ccdc_number"], strict=True)],
        "content_hash": [f.content_hash for f in of],
        "revision": [f.revision for f in of],
        "text_origin": [text_origin] * len(of),
        "reader": [f.reader for f in of],
        "doi": batch.texts(batch.block_tokens("doi")[keep]),
        "journal": batch.texts(batch.block_tokens("journal")[keep]),
        "year": year,
        "volume_declared_angstrom3": batch.numbers(batch.block_tokens("volume")[keep]),
    }


def _entry_ids(source_name: str, files: list[FileBlocks], names: list[str]) -> list[str]:
    """`<source>:<file_id>#<block>`, with `#2` and so on after blocks of one name."""
    seen: dict[str, int] = {}
    ids = []
    for file, name in zip(files, names, strict=True):
        key = f"{source_name}:{file.file_id}#{name}"
        seen[key] = seen.get(key, 0) + 1
        ids.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return ids


def _note_text(chosen: Chosen, files: list[FileBlocks], i: int) -> str | None:
    of_file, of_symmetry = files[chosen.files[i]].notes, chosen.symmetry[i].notes
    of_block = chosen.notes.get(chosen.blocks[i])
    if not (of_file or of_symmetry or of_block):
        return None
    return ";".join(sorted({*of_file, *of_symmetry, *(of_block or ())}))
