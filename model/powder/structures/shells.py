"""Shells of a pattern: structure factors by line spacing, their lines, and how well they agree.

A shell holds the reflections of one spacing: of a cubic cell those of one N = h² + k² + l², of a hexagonal
one those of one M = h² + hk + k² and one |l|. Of each set of reflections that are equivalent in the Laue
class which all groups of the system contain, m-3 or -3, one is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.powder.pattern import BINS, bins_of_spacings, lorentz_polarisation, reflection_sets
from xtalpriors.model.powder.prototypes import System
from xtalpriors.model.powder.r_factor import r_factor

__all__ = [
    "SPECTRUM_LENGTH",
    "ObservedShells",
    "Reflections",
    "Shells",
    "observed_shells",
    "shells_of",
]

_LARGEST_N: Final = 160
_FIRST_N: Final = 50
_SHELLS: Final = 134
"""Shells of a cubic cell to N = 160, and about as many of a hexagonal one."""
_FIRST_SHELLS: Final = 45
_REFLECTIONS_OF_A_SHELL: Final = 18.0
"""Of a hexagonal cell, in the mean."""
_SUMS: Final = (0, 1, 3, 4, 7, 9, 12, 13, 16, 19, 21)
_LARGEST_L: Final = 24
"""The hexagonal shells with a place in a spectrum: values of M, and the largest |l|."""
SPECTRUM_LENGTH: Final[dict[System, int]] = {
    "cubic": _SHELLS,
    "trigonal": len(_SUMS) * (_LARGEST_L + 1),
}
_LAST_DEGREE: Final = 150.0


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Reflections by shells, in the order of their spacings.

    Attributes
    ----------
    hkl
        (m, 3), one of each set of equivalents.
    sizes
        (m,), members of the sets.
    starts
        (s,), first reflection of each shell.
    """

    hkl: I64
    sizes: I64
    starts: I64

    def sums(self, points: F64) -> npt.NDArray[np.complex64]:
        """Σ exp(2πi h·x) over points (…, k, 3), for each reflection (…, m)."""
        phases = (2.0 * np.pi * (points @ self.hkl.T)).astype(np.float32)
        sums: npt.NDArray[np.complex64] = np.cos(phases).sum(axis=-2) + 1j * np.sin(phases).sum(axis=-2)
        return sums.astype(np.complex64)

    def intensities(self, f: npt.NDArray[np.complexfloating]) -> F64:
        """Σ multiplicity |F|² by shell, (…, s), of F (…, m)."""
        squares = (f.real**2 + f.imag**2) * self.sizes.astype(f.real.dtype)
        result: F64 = np.add.reduceat(squares, self.starts, axis=-1).astype(np.float64)
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Shells:
    """The shells of a cell.

    Attributes
    ----------
    reflections
        Of the shells; all cubic cells share theirs.
    s_squared
        (s,) 1/d² in Å⁻², ascending.
    places
        (s,) place of each shell in a spectrum of `SPECTRUM_LENGTH`, −1 without one.
    system
        Of the cell.
    """

    reflections: Reflections
    s_squared: F64
    places: I64
    system: System

    def form_factors(self, numbers: npt.ArrayLike) -> F64:
        """f (…, m) of elements, without displacement, as in the patterns."""
        by_shell = form_factors(numbers, self.s_squared)
        counts = np.diff(np.append(self.reflections.starts, len(self.reflections.hkl)))
        repeated: F64 = np.repeat(by_shell, counts, axis=-1)
        return repeated


@lru_cache(maxsize=256)
def shells_of(cell: UnitCell, first_only: bool = False) -> Shells:
    """The shells of a cubic cell, or of a trigonal one in hexagonal axes.

    `first_only`: those of the largest spacings, which a scan of many structures compares.
    """
    if cell.gamma == 90.0:
        reflections, n = _cubic(_FIRST_N if first_only else _LARGEST_N)
        return Shells(reflections, n / cell.a**2, np.arange(len(n)), "cubic")
    return _hexagonal(cell, _FIRST_SHELLS if first_only else _SHELLS)


@lru_cache(maxsize=2)
def _cubic(largest_n: int) -> tuple[Reflections, I64]:
    """Reflections to N = `largest_n`, and N (s,) of the shells."""
    top = int(largest_n**0.5)
    hkl, sizes = reflection_sets(SpaceGroup.from_number(200), (top, top, top))
    n = (hkl**2).sum(axis=1)
    kept = np.flatnonzero(n <= largest_n)
    order = kept[np.argsort(n[kept], kind="stable")]
    values, starts = np.unique(n[order], return_index=True)
    return Reflections(hkl[order], sizes[order], starts), values


def _hexagonal(cell: UnitCell, count: int) -> Shells:
    """About the first `count` shells of a cell."""
    largest = (count * _REFLECTIONS_OF_A_SHELL / (4.0 / 3.0 * math.pi * cell.volume)) ** (1.0 / 3.0)
    top = math.ceil(cell.a * largest / 4) * 4, math.ceil(cell.c * largest / 4) * 4
    hkl, sizes = reflection_sets(SpaceGroup.from_number(147), (top[0], top[0], top[1]))
    h, k, l = hkl.T
    m, order_l = h * h + h * k + k * k, np.abs(l)
    s_squared = 4.0 * m / (3.0 * cell.a**2) + (order_l / cell.c) ** 2
    kept = np.flatnonzero(s_squared < largest**2)
    order = kept[np.lexsort((order_l[kept], m[kept], np.round(s_squared[kept], 12)))]
    keys = m[order] * (top[1] + 1) + order_l[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    first = order[starts]
    row = np.searchsorted(_SUMS, m[first])
    known = np.isin(m[first], _SUMS) & (order_l[first] <= _LARGEST_L)
    places = np.where(known, row * (_LARGEST_L + 1) + order_l[first], -1)
    return Shells(Reflections(hkl[order], sizes[order], starts), s_squared[first], places, "trigonal")


@dataclass(frozen=True, slots=True, eq=False)
class ObservedShells:
    """What a pattern says of the shells of a cell.

    Attributes
    ----------
    shells
        Of the cell.
    factors
        (s,) Lorentz–polarisation factor of each shell, 0 beyond the pattern.
    bins
        (s,) place of each shell in `amplitudes`; shells of one bin share it. Those beyond have the last.
    starts
        (b,) first shell of each bin.
    amplitudes
        (b,) square root of the intensity of each bin in which a shell lies, and last that of no bin.
    unexplained
        Σ of the square roots of lines in bins without a shell, over the sum of all.
    """

    shells: Shells
    factors: F64
    bins: I64
    starts: I64
    amplitudes: F64
    unexplained: float

    def residual(self, f: npt.NDArray[np.complexfloating]) -> F64:
        """R over the bins (`r_factor`), for structure factors (…, m), and the share of the lines in no bin.

        Of the shells of one bin the strongest counts, as in the patterns.
        """
        calculated = self.binned(self.shells.reflections.intensities(f))
        return r_factor(self.amplitudes, calculated)[0] + self.unexplained

    def share_outside(self, present: Bool) -> float:
        """Share of Σ √I_o in bins of which no shell is present, for shells (s,)."""
        seen = np.logical_or.reduceat(present & (self.factors > 0), self.starts)
        return float(self.amplitudes[~seen].sum() / self.amplitudes.sum())

    def spectrum(self) -> F32:
        """√(I/LP) by shells, of unit length and `SPECTRUM_LENGTH`; shells of one bin share its line."""
        values = self.amplitudes[self.bins] / np.sqrt(np.maximum(self.factors, 1e-12))
        values[self.factors == 0.0] = 0.0
        spectrum = np.zeros(SPECTRUM_LENGTH[self.shells.system])
        known = self.shells.places >= 0
        spectrum[self.shells.places[known]] = values[known]
        unit: F32 = (spectrum / max(float(np.linalg.norm(spectrum)), 1e-12)).astype(np.float32)
        return unit

    def binned(self, intensities: F64) -> F64:
        """√ of the calculated intensity of each bin, (…, b)."""
        lines = intensities * self.factors
        strongest = np.maximum.reduceat(lines, self.starts, axis=-1)
        result: F64 = np.sqrt(strongest)
        return result


def observed_shells(pattern: F32, shells: Shells) -> ObservedShells:
    """What a pattern (1024,) says of the shells of a cell.

    A line one bin beside that of a shell is taken for it where its own bin is empty. Shells beyond the last
    line do not count: a measurement ends somewhere.
    """
    places, two_theta = bins_of_spacings(np.sqrt(shells.s_squared))
    end = min(int(BINS * _LAST_DEGREE / 180.0), int(np.flatnonzero(pattern).max(initial=0)) + 1)
    beyond = (places < 0) | (places >= end)
    factors = np.where(beyond, 0.0, lorentz_polarisation(np.where(beyond, 60.0, two_theta)))
    last = int(places[~beyond].max(initial=0)) + 1
    lines = np.sqrt(pattern.astype(np.float64))
    lines[last:] = 0.0
    used = np.unique(places[~beyond])
    amplitudes = lines[used].copy()
    taken = np.zeros(BINS + 1, dtype=bool)
    taken[used] = True
    for beside in (-1, 1):
        neighbour = used + beside
        free = (amplitudes == 0.0) & (neighbour >= 0) & ~taken[neighbour]
        amplitudes[free] = lines[neighbour[free]]
        taken[neighbour[free]] = True
    total = max(float(lines.sum()), 1e-12)
    unexplained = float(lines[~taken[:BINS]].sum()) / total
    index = np.searchsorted(used, np.where(beyond, used[-1], places))
    index[beyond] = len(used)
    if beyond.any():
        amplitudes = np.append(amplitudes, 0.0)
    starts = np.flatnonzero(np.diff(index, prepend=-1))
    return ObservedShells(shells, factors, index, starts, amplitudes, unexplained)
