"""The `entry` and `site` tables of a batch: every column of an entry is collected here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import I64
from xtalpriors.mining.database.schema import ENTRY, SITE, arrow_schema
from xtalpriors.mining.reading.intake import FileBlocks
from xtalpriors.mining.rows.arrow import table_of
from xtalpriors.mining.rows.block_cells import BlockCells
from xtalpriors.mining.rows.contents import content_columns
from xtalpriors.mining.rows.displacements import site_displacements
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.experiment import experiment_columns
from xtalpriors.mining.rows.flags import status_columns
from xtalpriors.mining.rows.geometry import cell_columns, symmetry_columns
from xtalpriors.mining.rows.labels import settle_labels
from xtalpriors.mining.rows.positions import site_positions
from xtalpriors.mining.rows.shared_positions import first_on_position, repeated_sites
from xtalpriors.mining.rows.site_table import Sites, site_table

__all__ = ["assemble"]

_FIRST_YEAR, _LAST_YEAR = 1890, 2100


def assemble(
    source_name: str,
    database: str | None,
    text_origin: str,
    cells: BlockCells,
    sites: Sites,
    entries: Entries,
) -> tuple[pa.Table, pa.Table]:
    """Tables of the entries and of their sites, in the order of the files; `sites` of the whole batch."""
    if not len(entries):
        return arrow_schema(ENTRY).empty_table(), arrow_schema(SITE).empty_table()
    batch, keep = entries.batch, entries.block
    metric = cells.metric[keep]
    positions = site_positions(entries, metric, sites.fract, sites.placed, sites.occupancy)
    first = first_on_position(entries, metric, positions, sites.placed)
    repeated = repeated_sites(entries, first, sites)
    sites = replace(sites, placed=sites.placed & ~repeated, repeated=repeated)
    sites = replace(sites, species=settle_labels(entries, metric, sites, positions))
    experiment = experiment_columns(batch, cells.cells[:, :3].max(axis=1), entries.notes)
    number, kelvin = sites.species.number, experiment["temperature_kelvin"]
    displacements = site_displacements(batch, cells, sites.block, sites.fract, number, kelvin, entries.notes)
    columns = _identity(source_name, database, text_origin, entries)
    for block_columns in (experiment, status_columns(batch)):
        columns |= {name: _take(values, keep) for name, values in block_columns.items()}
    columns |= cell_columns(entries, cells)
    columns |= symmetry_columns(entries)
    volume, pressure = columns["volume_angstrom3"], columns["pressure_kilopascal"]
    columns |= content_columns(entries, volume, pressure, metric, sites, displacements, positions, first)
    columns["notes"] = [_note_text(entries, e) for e in range(len(entries))]
    rows = slice(None) if entries.have_all_sites else entries.sites
    ids = pa.array(columns["entry_id"], pa.string()).take(pa.array(entries.spread(np.arange(len(entries)))))
    return table_of(columns, ENTRY), site_table(
        batch, sites, displacements, positions, rows, ids, entries.site_index
    )


def _take(values: Any, keep: I64) -> Any:
    if isinstance(values, np.ndarray):
        return values[keep]
    if isinstance(values, pa.Array):
        return values.take(pa.array(keep))
    return [values[i] for i in keep]


def _identity(source_name: str, database: str | None, text_origin: str, entries: Entries) -> dict[str, Any]:
    """Columns that say which structure this is."""
    of = entries.file
    names = [f.blocks[b - f.first_block] for f, b in zip(of, entries.block.tolist(), strict=True)]
    text = {n: entries.texts(n).to_pylist() for n in ("cod_code", "amcsd_code", "refcode", "ccdc_number")}
    year = entries.numbers("year")
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
        "doi": entries.texts("doi"),
        "journal": entries.texts("journal"),
        "year": year,
    }


def _entry_ids(source_name: str, files: list[FileBlocks], names: list[str]) -> list[str]:
    """`<source>:<file_id>#<block>`, with `#2` and so on after further blocks of one name in a file.

    A number sign in a `file_id` or in the name of a block is `\\x23`, and a backslash in the name of a block
    is doubled, as it already is in a `file_id`. So an id says where its parts end: no two are equal.
    """
    seen: dict[str, int] = {}
    ids = []
    for file, name in zip(files, names, strict=True):
        block = name.replace("\\", "\\\\")
        key = f"{source_name}:{_without_sign(file.file_id)}#{_without_sign(block)}"
        seen[key] = seen.get(key, 0) + 1
        ids.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
    return ids


def _without_sign(part: str) -> str:
    return part.replace("#", "\\x23")


def _note_text(entries: Entries, e: int) -> str | None:
    of_file, of_symmetry = entries.file[e].notes, entries.symmetry[e].notes
    of_block = entries.notes.get(int(entries.block[e]))
    if not (of_file or of_symmetry or of_block):
        return None
    return ";".join(sorted({*of_file, *of_symmetry, *(of_block or ())}))
