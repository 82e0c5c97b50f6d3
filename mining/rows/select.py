"""`select_structures`: which blocks of each file are structures, and which are rejected and why.

A structure takes what it does not state itself (publication, temperature, …) from blocks of its file that
hold no structure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from xtalpriors.crystal.symmetry.resolve import Reading
from xtalpriors.mining.reading.intake import FileBlocks, Rejection
from xtalpriors.mining.reading.tokens import FIELD_INDEX
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.block_cells import BlockCells, cell_problem
from xtalpriors.mining.rows.symmetry.blocks import axes_of_cells, resolve_blocks

__all__ = ["Chosen", "select_structures"]

_INHERITED: Final = (
    "year",
    "doi",
    "journal",
    "cod_code",
    "amcsd_code",
    "refcode",
    "ccdc_number",
    "temperature",
    "pressure",
    "pressure_above",
    "pressure_below",
    "wavelength",
    "probe",
    "radiation_type",
    "radiation_source",
    "determination_method",
    "powder",
)
"""Fields that a structure takes from a block without one (`data_global`, a powder experiment)."""


@dataclass(slots=True)
class Chosen:
    """The structures of a batch: block, index of the file, what each says of its symmetry; notes; rejections.

    `notes` are codes of what was decided about a block, by its number, also of blocks that were not chosen.
    """

    blocks: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    notes: dict[int, list[str]] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)


def select_structures(batch: Batch, cells: BlockCells, files: list[FileBlocks]) -> Chosen:
    """Choose the blocks with a usable cell; every file ends with at least one of them or a rejection.

    A block is about a structure when it states a cell or lists atoms. Other blocks only pass on what they
    say of the publication and the experiment; a file of such blocks alone is rejected as `no-structure`.
    """
    chosen = Chosen(notes=cells.notes)
    structural = cells.stated | (np.diff(batch.site_start) > 0)
    sound = cells.sound
    usable: list[tuple[int, int]] = []
    for f, file in enumerate(files):
        blocks = range(file.first_block, file.first_block + len(file.blocks))
        about = [b for b in blocks if structural[b]]
        if not about:
            chosen.rejections.append((file.file_id, None, "sites", "no-structure", _nothing_in(file)))
        if about and len(about) < len(blocks):
            _inherit(batch, [b for b in blocks if not structural[b]], about, chosen.notes)
        for b in about:
            problem = None
            if not sound[b]:
                problem = cell_problem(batch, cells, b) if cells.stated[b] else _no_cell(batch, b)
            if problem is None:
                usable.append((f, b))
            else:
                chosen.rejections.append((file.file_id, file.blocks[b - file.first_block], "cell", *problem))
    groups = resolve_blocks(batch, axes_of_cells(cells.cells), [b for _, b in usable])
    for f, b in usable:
        chosen.blocks.append(b)
        chosen.files.append(f)
        chosen.readings.append(groups[b])
    return chosen


def _nothing_in(file: FileBlocks) -> str:
    names = ", ".join(file.blocks[:5]) + (", …" if len(file.blocks) > 5 else "")
    return f"no cell and no atom sites in any of {len(file.blocks)} data blocks ({names})"


def _no_cell(batch: Batch, block: int) -> tuple[str, str]:
    n = int(batch.site_start[block + 1] - batch.site_start[block])
    return "no-cell", f"{n} atom sites but none of _cell_length_a, _b, _c"


def _inherit(batch: Batch, givers: list[int], takers: list[int], notes: dict[int, list[str]]) -> None:
    """Let structures take what they do not state themselves from the file's other blocks."""
    for name in _INHERITED:
        column = batch.block[:, FIELD_INDEX[name]]
        given = [t for t in (int(column[g]) for g in givers) if t >= 0 and not batch.null[t]]
        if not given:
            continue
        for b in takers:
            if column[b] < 0 or batch.null[column[b]]:
                column[b] = given[0]
                if "inherited" not in notes.setdefault(b, []):
                    notes[b].append("inherited")
