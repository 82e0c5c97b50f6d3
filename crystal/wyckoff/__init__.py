"""Wyckoff positions and site symmetry: the names that other parts of the package use.

`wyckoff_table` has the positions of a group, `site_symmetry` finds the position of each atom.
"""

from __future__ import annotations

from xtalpriors.crystal.wyckoff.site_symmetry import (
    TOLERANCE_ANGSTROM,
    SiteSymmetries,
    site_symmetries,
    site_symmetries_of_entries,
)
from xtalpriors.crystal.wyckoff.table import WyckoffPosition, WyckoffSet, wyckoff_positions, wyckoff_sets

__all__ = [
    "TOLERANCE_ANGSTROM",
    "SiteSymmetries",
    "WyckoffPosition",
    "WyckoffSet",
    "site_symmetries",
    "site_symmetries_of_entries",
    "wyckoff_positions",
    "wyckoff_sets",
]
