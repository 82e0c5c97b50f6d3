"""R of the pattern that a density map would give, against the one that was measured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F32, F64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.model.powder.density_maps import U_ISO_ANGSTROM2
from xtalpriors.model.powder.pattern import bin_centres, bins_of_spacings
from xtalpriors.model.powder.r_factor import r_factor
from xtalpriors.model.powder.structures.shells import observed_shells, shells_of

__all__ = ["Agreement", "agreement"]


class Agreement(NamedTuple):
    """A map's pattern beside the measured one.

    Attributes
    ----------
    two_theta
        (b,) middle of each bin in which a shell lies, degrees for Mo Kα.
    observed, calculated
        (b,) √I, both smeared as the map is, the strongest observed one 1 and the calculated ones scaled.
    residual
        R of these lines (`r_factor`), and the share of those that no shell explains.
    """

    two_theta: F64
    observed: F64
    calculated: F64
    residual: float


def agreement(density: F32, pattern: F32, cell: UnitCell) -> Agreement:
    """How a density map agrees with a pattern (1024,).

    The atoms of a map move (U = 0.06 Å²) and those of the patterns do not. The observed intensities are
    smeared as the map is; to sharpen the map would magnify its errors.

    Parameters
    ----------
    density
        (points, points, points) in e/Å³.
    cell
        Of the map: cubic, or trigonal in hexagonal axes.
    """
    shells = shells_of(cell)
    observed = observed_shells(pattern, shells)
    hkl = shells.reflections.hkl
    points = len(density)
    f = np.fft.fftn(density, norm="forward")
    inside = np.abs(hkl).max(axis=1) < points / 2
    h, k, l = (hkl % points).T
    intensities = shells.reflections.intensities(np.where(inside, f[h, k, l], 0.0))
    smearing = np.exp(-2.0 * np.pi**2 * U_ISO_ANGSTROM2 * shells.s_squared)
    expected = observed.amplitudes * smearing[observed.starts]
    calculated = observed.binned(intensities)
    r, scale = r_factor(expected, calculated)
    top = max(float(expected.max()), 1e-30)
    two_theta = bin_centres(bins_of_spacings(np.sqrt(shells.s_squared[observed.starts]))[0])
    return Agreement(two_theta, expected / top, scale * calculated / top, float(r + observed.unexplained))
