"""The tightest contact of a crystal, against the sum of covalent radii."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM

__all__ = ["tightest_contact"]

_UNKNOWN_RADIUS_ANGSTROM: Final = 1.7
_RADII: Final = np.array([r or _UNKNOWN_RADIUS_ANGSTROM for r in COVALENT_RADIUS_ANGSTROM])


def tightest_contact(cell: UnitCell, numbers: npt.ArrayLike, fract: npt.ArrayLike) -> float:
    """Largest sum of two covalent radii over the distance of the atoms: above 1 two atoms overlap.

    `numbers` (n,) and `fract` (n, 3) are all atoms of the cell.
    """
    radius, x = _RADII[np.asarray(numbers, dtype=np.int64)], np.asarray(fract, dtype=np.float64)
    sums = radius[:, None] + radius[None, :]
    metric = cell.metric_tensor
    difference = x[None, :, :] - x[:, None, :]
    difference -= np.rint(difference)
    largest = 0.0
    for shift in np.ndindex(3, 3, 3):
        moved = difference + (np.array(shift) - 1)
        squares = np.einsum("abi,abi->ab", moved @ metric, moved)
        np.putmask(squares, squares < 1e-8, np.inf)
        largest = max(largest, float((sums / np.sqrt(squares)).max()))
    return largest
