"""Occupancies of the sites of a batch: as stated, by default, or given in per cent."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I32, I64
from xtalpriors.mining.reading.numbers import PARTLY
from xtalpriors.mining.reading.units import number_and_unit
from xtalpriors.mining.rows.batch import Batch

__all__ = ["IN_PERCENT", "site_occupancies"]

_SUSPECT: Final = 10.0
"""No refinement ends with ten atoms on a position: a column with a larger number holds something else."""
_WHOLE_PERCENT: Final = (99.0, 100.5)
"""What the shares of a full position add up to in per cent; multiplicities (96, 32, 8) do not."""
IN_PERCENT: Final = "occupancy-in-percent"
"""Note: the occupancies were divided by 100."""


def site_occupancies(
    batch: Batch, block: I32, fract: F64, notes: dict[int, list[str]]
) -> tuple[F64, dict[int, F64]]:
    """Occupancies (s,); 1 where the file has none or gives `.`, NaN where it gives `?` or text.

    A column is in per cent if a number in it is above 10, and the shares of some position add up to 100 and
    of none to more. Where they are less everywhere there may be vacancies: the column is taken to be in per
    cent, too, and the block's numbers as they stand are returned, for the contents to confirm it (`percent`).
    Beside them a position that holds 1 or less is full or half full, not to one per cent, and stays.
    A sign `%` behind a number is believed.
    """
    tokens = batch.site_tokens("occupancy")
    value = batch.numbers(tokens)
    value[tokens < 0] = 1.0
    for i in np.flatnonzero(np.isnan(value)):
        if batch.raw(int(tokens[i])).strip() == ".":
            value[i] = 1.0
    for i in np.flatnonzero(batch.kind[tokens] == PARTLY):
        known = number_and_unit(batch.raw(int(tokens[i])), "share")
        value[i] = value[i] if known is None else known
    with np.errstate(invalid="ignore"):
        suspects = np.unique(block[value > _SUSPECT])
    as_stated: dict[int, F64] = {}
    for b in suspects.tolist():
        rows = np.arange(batch.site_start[b], batch.site_start[b + 1])
        stated = rows[(tokens[rows] >= 0) & ~batch.null[tokens[rows]]]
        sums = _position_sums(value, fract, stated)
        most = max(sums)
        if min(sums) < 0.0 or most > _WHOLE_PERCENT[1]:
            continue
        if any(0.0 < total <= 1.0 for total in sums):
            stated = stated[value[stated] > 1.0]
        if most >= _WHOLE_PERCENT[0]:
            notes.setdefault(b, []).append(IN_PERCENT)
        else:
            as_stated[b] = value[rows]
        value[stated] /= 100.0
    return value, as_stated


def _position_sums(value: F64, fract: F64, rows: I64) -> list[float]:
    """Sums of the numbers of these sites on each position."""
    total: dict[tuple[float, ...], float] = {}
    for i in rows[~np.isnan(value[rows])].tolist():
        place = tuple(fract[i].tolist())
        total[place] = total.get(place, 0.0) + float(value[i])
    return list(total.values())
