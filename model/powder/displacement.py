"""The displacement of the atoms of a measured crystal, and its pattern as if they did not move."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import F32, F64
from xtalpriors.model.powder.pattern import BINS, MO_K_ALPHA_ANGSTROM, bin_centres
from xtalpriors.model.powder.r_factor import r_factor
from xtalpriors.model.powder.residual import Agreement

__all__ = ["displacement_of", "sharpened"]

_TRIED: Final = np.arange(0.0, 0.0301, 0.001)
_LEAST_GAIN: Final = 0.01


def displacement_of(found: Agreement) -> float:
    """U in Å² of all atoms with which the calculated lines agree best with the observed ones; 0 for none.

    The patterns that networks are trained on are of atoms that do not move, and a density answers for such
    atoms. Lines of high angle are weaker in a measured pattern.
    """
    fall = np.exp(-2.0 * np.pi**2 * _TRIED[:, None] * _s_squared(found.two_theta))
    r, _ = r_factor(found.observed, found.calculated * fall)
    best = int(r.argmin())
    return float(_TRIED[best]) if r[best] < r[0] - _LEAST_GAIN else 0.0


def sharpened(pattern: F32, u_iso_angstrom2: float) -> F32:
    """A pattern (1024,) as if atoms that move by U did not, the strongest line 1."""
    still = pattern * np.exp(4.0 * np.pi**2 * u_iso_angstrom2 * _s_squared(bin_centres(np.arange(BINS))))
    result: F32 = (still / still.max()).astype(np.float32)
    return result


def _s_squared(two_theta: F64) -> F64:
    """1/d² in Å⁻² of lines at 2θ in degrees for Mo Kα."""
    squares: F64 = (2.0 * np.sin(np.radians(two_theta / 2.0)) / MO_K_ALPHA_ANGSTROM) ** 2
    return squares
