"""How many formula units a cell holds, where nobody said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from xtalpriors.crystal.cells.cell import UnitCell

__all__ = ["VOLUME_PER_ATOM_ANGSTROM3", "VOLUME_WITHOUT_CARBON_ANGSTROM3", "likely_formula_units"]

VOLUME_PER_ATOM_ANGSTROM3: Final = 18.6
"""Of atoms other than hydrogen in a molecular crystal."""
VOLUME_WITHOUT_CARBON_ANGSTROM3: Final = 12.0
"""In oxides, alloys and the like."""


def likely_formula_units(formula: Iterable[tuple[str, float]], cell: UnitCell | None) -> int | None:
    """As many as give each atom the volume that it usually has, at least one.

    None where the cell is not known, or the formula has nothing but hydrogen.
    """
    counts = dict(formula)
    heavy = float(sum(n for element, n in counts.items() if element != "H"))
    if cell is None or not cell.is_valid or heavy == 0:
        return None
    each = VOLUME_PER_ATOM_ANGSTROM3 if "C" in counts else VOLUME_WITHOUT_CARBON_ANGSTROM3
    return max(1, round(cell.volume / (each * heavy)))
