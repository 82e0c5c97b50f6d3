"""Artificial crystals of a study: of one volume, in cells of natural shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from xtalpriors.errors import UsageError
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, artificial_crystals

__all__ = ["LENGTHS_ANGSTROM", "VOLUME_TOLERANCE", "crystals_of_volume"]

VOLUME_TOLERANCE: Final = 0.03
"""Volumes differ by that much from the one asked for, either way."""
LENGTHS_ANGSTROM: Final = (4.0, 50.0)
"""Of the axes, as in the large cells of Melgalvis & Reķis 2026."""


def crystals_of_volume(
    symbol: str, volume_angstrom3: float, count: int, d_min_angstrom: float, seed: int
) -> Iterator[KnownCrystal]:
    """Artificial molecules in cells of a volume; the same ones at every resolution.

    Raises
    ------
    UsageError
        The generator makes no cell of that volume in the group.
    """
    low, high = (1.0 - VOLUME_TOLERANCE) * volume_angstrom3, (1.0 + VOLUME_TOLERANCE) * volume_angstrom3
    made = artificial_crystals(
        symbol, count, d_min_angstrom, (low, high), lengths_angstrom=LENGTHS_ANGSTROM, seed=seed
    )
    try:
        yield from made
    except UsageError as error:
        raise UsageError(
            f"The generator makes no structure of V = {volume_angstrom3:g} Å³ in {symbol}: {error} Choose "
            "another volume; 500 to 4000 Å³ are usual."
        ) from error
