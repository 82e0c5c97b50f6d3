"""Occupancies in per cent where no position is full: the contents of the cell confirm the unit.

Multiplicities in the column of occupancies look the same (4, 12, 48), and make other contents.
"""

from __future__ import annotations

from dataclasses import replace

from xtalpriors.mining.rows.block_cells import BlockCells
from xtalpriors.mining.rows.entries import Entries
from xtalpriors.mining.rows.occupancy import IN_PERCENT
from xtalpriors.mining.rows.site_table import Sites
from xtalpriors.mining.rows.symmetry.evidence import NEAR, judge, statements

__all__ = ["confirm_percent"]


def confirm_percent(entries: Entries, cells: BlockCells, sites: Sites) -> Sites:
    """The sites, with occupancies as stated where nothing confirms that they are in per cent.

    Formula × Z, the density, or the formula alone must agree with what the hundredths make (note
    `occupancy-in-percent`).
    """
    of_block = {block: e for e, block in enumerate(entries.block.tolist())}
    blocks = [block for block in sites.maybe_percent if block in of_block]
    if not blocks:
        return sites
    said = statements(entries.batch, cells, blocks)
    groups = [entries.symmetry[of_block[block]] for block in blocks]
    occupancy = sites.occupancy.copy()
    verdicts = judge(entries.batch, cells, sites, blocks, groups, said)
    for block, verdict in zip(blocks, verdicts, strict=True):
        if verdict.contents >= NEAR:
            entries.note([of_block[block]], IN_PERCENT)
        else:
            start, end = entries.batch.site_start[block : block + 2]
            occupancy[start:end] = sites.maybe_percent[block]
    return replace(sites, occupancy=occupancy)
