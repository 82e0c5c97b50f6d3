"""R of the pattern that a cubic density map would give, against the one that was measured."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xtalpriors.arrays import F32, F64
from xtalpriors.model.powder.density_maps import U_ISO_ANGSTROM2
from xtalpriors.model.powder.pattern import BINS
from xtalpriors.model.powder.structures.indexing import bin_of_shells
from xtalpriors.model.powder.structures.shells import cubic_shells, observed_shells

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
        R = Σ |√I_o − √I_c| / Σ √I_o, and what no shell explains.
    """

    two_theta: F64
    observed: F64
    calculated: F64
    residual: float


def agreement(density: F32, pattern: F32, a_angstrom: float) -> Agreement:
    """How a cubic density map agrees with a pattern (1024,).

    The atoms of a map move (U = 0.06 Å²) and those of the patterns do not. The observed intensities are
    smeared as the map is; to sharpen the map would magnify its errors.

    Parameters
    ----------
    density
        (points, points, points) in e/Å³, of a cubic cell.
    a_angstrom
        Of the cell.
    """
    shells = cubic_shells()
    observed = observed_shells(pattern, a_angstrom)
    points = len(density)
    f = np.fft.fftn(density, norm="forward")
    inside = np.abs(shells.hkl).max(axis=1) < points / 2
    h, k, l = (shells.hkl % points).T
    intensities = shells.intensities(np.where(inside, f[h, k, l], 0.0))
    smearing = np.exp(-2.0 * np.pi**2 * U_ISO_ANGSTROM2 * shells.n / a_angstrom**2)
    expected = observed.amplitudes * smearing[observed.starts]
    calculated = observed.binned(intensities)
    scale = (calculated * expected).sum() / max(float((calculated**2).sum()), 1e-30)
    difference = np.abs(expected - scale * calculated).sum() / max(float(expected.sum()), 1e-30)
    top = max(float(expected.max()), 1e-30)
    two_theta = (bin_of_shells(a_angstrom, shells.n[observed.starts]) + 0.5) * 180.0 / BINS
    residual = float(difference + observed.unexplained)
    return Agreement(two_theta, expected / top, scale * calculated / top, residual)
