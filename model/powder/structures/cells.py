"""The cells that may explain a pattern, of either crystal system."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from xtalpriors.arrays import F32
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.model.powder.prototypes import System
from xtalpriors.model.powder.structures.indexing import index_cubic
from xtalpriors.model.powder.structures.indexing_hexagonal import index_hexagonal

__all__ = ["possible_cells"]


def possible_cells(pattern: F32, system: System) -> tuple[UnitCell, ...]:
    """Hypotheses for the cell of a pattern (1024,), the best first; trigonal ones in hexagonal axes.

    Raises
    ------
    UsageError
        The pattern has no lines, or no cell of the system explains them.
    """
    return _cells(np.asarray(pattern, dtype=np.float32).tobytes(), system)


@lru_cache(maxsize=16)
def _cells(pattern: bytes, system: System) -> tuple[UnitCell, ...]:
    """As `possible_cells`; several methods ask for the same pattern."""
    values = np.frombuffer(pattern, dtype=np.float32)
    return index_cubic(values) if system == "cubic" else index_hexagonal(values)
