"""CIF files in, rows of the `entry`, `site` and `rejection` tables out.

Every file gives at least one entry or one rejection. The work goes by batches: all files of a call are
read to tokens (`reading`), and everything after that runs over arrays of the whole batch (`rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from xtalpriors.compilation import mark_compiled
from xtalpriors.mining.database.schema import EXTRACTOR_VERSION, REJECTION, arrow_schema
from xtalpriors.mining.reading.intake import take_in
from xtalpriors.mining.rows.assemble import assemble
from xtalpriors.mining.rows.batch import index_batch
from xtalpriors.mining.rows.block_cells import block_cells
from xtalpriors.mining.rows.percent import confirm_percent
from xtalpriors.mining.rows.select import select_structures
from xtalpriors.mining.rows.site_table import read_sites
from xtalpriors.mining.rows.symmetry.decide import decided_entries

__all__ = ["EXTRACTOR_VERSION", "Extracted", "extract", "warm_up"]

_SAMPLE = b"""data_sample
_cell_length_a 5.1(2)
_cell_length_b 6.2(2)
_cell_length_c 7.3(2)
_cell_angle_alpha 90
_cell_angle_beta 95.5(1)
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1 21/c 1'
_chemical_formula_sum 'C3 H2 O1'
_cell_formula_units_Z 4
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
_atom_site_occupancy
_atom_site_disorder_group
C1 0.1(1) 0.2(1) 0.3(1) 0.02(1) 1 .
O1 0.0 0.0 0.0 0.03(1) 1 .
C2A 0.4 0.1 0.2 0.03 0.6 1
N2B 0.4 0.1 0.2 0.03 0.4 2
C3 0.7 0.6 0.1 . 1 .
H3 0.75 0.65 0.15 . 1 .
loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_12
_atom_site_aniso_U_13
_atom_site_aniso_U_23
C3 0.02 0.03 0.02 0.001 0.002 0.003
"""


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
    sites = read_sites(batch, cells.usable, cells.notes)
    chosen = select_structures(batch, cells, intake.files)
    entries = decided_entries(batch, cells, sites, chosen, intake.files)
    sites = confirm_percent(entries, cells, sites)
    entry_table, site_table = assemble(source_name, database, text_origin, cells, sites, entries)
    rejections = intake.rejections + chosen.rejections
    if rejections:
        order = {file_id: i for i, (file_id, _) in enumerate(items)}
        rejections.sort(key=lambda rejection: order[rejection[0]])
    columns = [[source_name] * len(rejections)] + [[r[i] for r in rejections] for i in range(5)]
    table = pa.table([pa.array(c, pa.string()) for c in columns], schema=arrow_schema(REJECTION))
    return Extracted(entry_table, site_table, table)


def warm_up() -> None:
    """Read a small file, which loads the kernels and compiles those that are not kept from an earlier run.

    A worker does so before it takes its first file: else the time would count as that file's.
    """
    extract("", None, "original", [("", _SAMPLE)])
    mark_compiled(__name__)
