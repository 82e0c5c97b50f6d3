"""Occupancies of the sites of a batch: as stated, by default, or given in per cent."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I32, I64
from xtalpriors.mining.reading.numbers import PARTLY
from xtalpriors.mining.reading.units import number_and_unit
from xtalpriors.mining.rows.batch import Batch

__all__ = ["site_occupancies"]

_SUSPECT: Final = 10.0
"""No refinement ends with ten atoms on a position: a column with a larger number holds something else."""
_WHOLE_PERCENT: Final = (99.0, 100.5)
"""What the shares of a full position add up to in per cent; multiplicities (96, 32, 8) do not."""


def site_occupancies(batch: Batch, block: I32, fract: F64, notes: dict[int, list[str]]) -> F64:
    """Occupancies (s,); 1 where the file has none or gives `.`, NaN where it gives `?` or text.

    A column is in per cent if a number in it is above 10, none is above 100, and the shares of some position
    add up to 100. A sign `%` behind a number is believed.
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
    for b in suspects:
        rows = np.arange(batch.site_start[b], batch.site_start[b + 1])
        stated = rows[tokens[rows] >= 0]
        if _in_percent(value, fract, stated[~batch.null[tokens[stated]]]):
            value[stated] = np.where(batch.null[tokens[stated]], value[stated], value[stated] / 100.0)
            notes.setdefault(int(b), []).append("occupancy-in-percent")
    return value


def _in_percent(value: F64, fract: F64, rows: I64) -> bool:
    """Whether the numbers of these sites are shares of their positions in per cent."""
    total: dict[tuple[float, ...], float] = {}
    for i in rows.tolist():
        if not np.isnan(value[i]):
            place = tuple(fract[i].tolist())
            total[place] = total.get(place, 0.0) + float(value[i])
    low, high = _WHOLE_PERCENT
    return all(0.0 <= t <= high for t in total.values()) and any(t >= low for t in total.values())
