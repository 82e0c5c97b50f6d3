"""Sites of SHELXL's negative parts (disorder groups −1, −2, …) that only seem to be on special positions.

SHELXL does not apply the symmetry of a special position to atoms of PART −1: a molecule disordered about an
inversion centre is given once, with occupancy ½, and its images make the other half. An atom of it that lies
within the tolerance of its own image is still one of a pair.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I16, I64
from xtalpriors.mining.rows.batch import Batch

__all__ = ["pairs_of_negative_parts"]

_ROUNDING: Final = 0.005
"""Of an occupancy: 0.33 is a third, 0.17 a sixth."""


def pairs_of_negative_parts(batch: Batch, order: I16, occupancy: F64) -> I64:
    """Sites of negative disorder groups that are general, though within the tolerance of their images.

    Their occupancy leaves room for the images: it is at most 1 / order. A site whose occupancy is order times
    that of the general sites of its part stands for all its images, and is special.

    Parameters
    ----------
    order, occupancy
        (s,) order of the site symmetry group by distance, and occupancy.
    """
    tokens = batch.site_tokens("disorder_group")
    stated = np.flatnonzero((tokens >= 0) & (order > 1))
    if not stated.size:
        return stated
    signs = batch.tokens.buffer[batch.tokens.start[tokens[stated]]]
    with np.errstate(invalid="ignore"):
        room = occupancy[stated] <= 1.0 / order[stated] + _ROUNDING
    negative = stated[(signs == ord("-")) & ~batch.null[tokens[stated]] & room]
    blocks = batch.tokens.block[tokens[negative]].tolist()
    general = {block: _of_general_sites(batch, block, order, occupancy) for block in set(blocks)}
    kept = []
    for i, block in zip(negative.tolist(), blocks, strict=True):
        several = occupancy[i] / order[i]
        of_part = general[block].get(batch.raw(int(tokens[i])), ())
        if not any(abs(several - other) < _ROUNDING for other in of_part):
            kept.append(i)
    return np.array(kept, dtype=np.int64)


def _of_general_sites(batch: Batch, block: int, order: I16, occupancy: F64) -> dict[str, set[float]]:
    """Occupancies of the general sites of a block, by disorder group."""
    found: dict[str, set[float]] = {}
    tokens = batch.site_tokens("disorder_group")
    for i in range(int(batch.site_start[block]), int(batch.site_start[block + 1])):
        if order[i] == 1 and tokens[i] >= 0:
            found.setdefault(batch.raw(int(tokens[i])), set()).add(round(float(occupancy[i]), 4))
    return found
