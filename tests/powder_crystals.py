"""Artificial crystals of cubic prototypes, which several tests read; they are made once."""

from __future__ import annotations

from functools import lru_cache

from xtalpriors.model.powder.dataset import PowderCrystals, powder_crystals

__all__ = ["cubic_crystals"]


@lru_cache(maxsize=1)
def _forty() -> PowderCrystals:
    return powder_crystals("cubic", 40, seed=2)


def cubic_crystals(count: int = 40) -> PowderCrystals:
    """The first of the same 40 crystals."""
    return _forty().take(range(count))
