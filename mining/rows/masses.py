"""Atomic masses by atomic number, and what turns masses in a cell into its density."""

from __future__ import annotations

from typing import Final

import gemmi
import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.mining.rows.composition import N_ELEMENTS

__all__ = ["DALTON", "MASS"]

DALTON: Final = 1.66053907
"""Density in g/cm³ of one dalton in 1 Å³."""
MASS: Final[F64] = np.array([0.0] + [gemmi.Element(z).weight for z in range(1, N_ELEMENTS)])
"""Relative atomic masses as gemmi has them; 0 for an atom of unknown element."""
