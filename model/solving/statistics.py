"""Intensity statistics: means in shells of resolution, and the reflections that are possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared, sphere_limit

__all__ = ["WilsonPlot", "possible_reflections", "wilson_plot"]

SHELL_SIZE = 60
"""Least number of reflections in a shell."""
MOST_SHELLS = 30


@dataclass(frozen=True, slots=True, eq=False)
class WilsonPlot:
    """Mean intensity against resolution.

    Attributes
    ----------
    s_squared
        Mean 1/d² of each shell, Å⁻², (n,).
    mean
        Mean |F|²/ε of each shell, (n,).
    """

    s_squared: F64
    mean: F64

    def expected(self, s2: F64) -> F64:
        """Expected |F|²/ε at 1/d² (m,): log-linear between shells and beyond the last ones."""
        log = np.log(self.mean)
        if len(log) == 1:
            return np.full(len(s2), self.mean[0])
        value = np.interp(s2, self.s_squared, log)
        for outside, i, j in ((s2 < self.s_squared[0], 0, 1), (s2 > self.s_squared[-1], -1, -2)):
            slope = (log[i] - log[j]) / (self.s_squared[i] - self.s_squared[j])
            value = np.where(outside, log[i] + slope * (s2 - self.s_squared[i]), value)
        return np.exp(value)


def wilson_plot(hkl: I64, intensity: F64, cell: UnitCell, epsilon: F64 | None = None) -> WilsonPlot:
    """Mean intensities in shells of about equal numbers; shells whose mean is not above 0 are left out."""
    s2 = s_squared(hkl, [cell.parameters])[0]
    value = intensity if epsilon is None else intensity / epsilon
    n = int(np.clip(len(hkl) // SHELL_SIZE, 1, MOST_SHELLS))
    places, means = [], []
    for shell in np.array_split(np.argsort(s2, kind="stable"), n):
        mean = float(value[shell].mean())
        if mean > 0:
            places.append(float(s2[shell].mean()))
            means.append(mean)
    if not means:
        places, means = [float(s2.mean())], [max(float(np.abs(value).mean()), 1e-30)]
    return WilsonPlot(np.array(places), np.array(means))


def possible_reflections(cell: UnitCell, d_min_angstrom: float) -> I64:
    """All reflections (m, 3) with d ≥ d_min, one of each Friedel pair, without 0 0 0."""
    top = [math.floor(x / d_min_angstrom + 1e-9) for x in (cell.a, cell.b, cell.c)]
    h, k, l = np.meshgrid(*(np.arange(-t, t + 1) for t in top), indexing="ij")
    every = np.stack([h.ravel(), k.ravel(), l.ravel()], axis=1)
    half: Bool = (every[:, 2] > 0) | (
        (every[:, 2] == 0) & ((every[:, 1] > 0) | ((every[:, 1] == 0) & (every[:, 0] > 0)))
    )
    every = every[half]
    inside = s_squared(every, [cell.parameters])[0] <= sphere_limit(d_min_angstrom)
    possible: I64 = every[inside].astype(np.int64)
    return possible
