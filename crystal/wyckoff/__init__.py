"""Wyckoff positions and site symmetry.

`table` has the positions of a group in any setting, read from `wyckoff.tsv`; `site_symmetry` finds the
position of each atom, and `site_symmetry_kernel` is its compiled loop; `subspaces` are the points, lines and
planes that operators leave fixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.crystal.wyckoff.site_symmetry import TOLERANCE_ANGSTROM as TOLERANCE_ANGSTROM
    from xtalpriors.crystal.wyckoff.site_symmetry import SiteSymmetries as SiteSymmetries
    from xtalpriors.crystal.wyckoff.site_symmetry import site_symmetries as site_symmetries
    from xtalpriors.crystal.wyckoff.site_symmetry import (
        site_symmetries_of_entries as site_symmetries_of_entries,
    )
    from xtalpriors.crystal.wyckoff.table import WyckoffPosition as WyckoffPosition
    from xtalpriors.crystal.wyckoff.table import WyckoffSet as WyckoffSet
    from xtalpriors.crystal.wyckoff.table import wyckoff_positions as wyckoff_positions
    from xtalpriors.crystal.wyckoff.table import wyckoff_sets as wyckoff_sets

__getattr__, __all__ = offer(
    __name__,
    {
        "site_symmetry": [
            "SiteSymmetries",
            "TOLERANCE_ANGSTROM",
            "site_symmetries",
            "site_symmetries_of_entries",
        ],
        "table": ["WyckoffPosition", "WyckoffSet", "wyckoff_positions", "wyckoff_sets"],
    },
)
