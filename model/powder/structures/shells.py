"""Shells of a cubic pattern: structure factors by N = h² + k² + l², their lines, and how well they agree.

Of each set of reflections equivalent in m-3, the Laue class that all cubic groups contain, one is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64, Bool
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.powder.pattern import (
    BINS,
    MO_K_ALPHA_ANGSTROM,
    lorentz_polarisation,
    reflection_sets,
)
from xtalpriors.model.powder.structures.indexing import bin_of_shells

__all__ = [
    "LARGEST_N",
    "CubicShells",
    "ObservedShells",
    "cubic_shells",
    "observed_shells",
]

LARGEST_N: Final = 160
_LAST_DEGREE: Final = 150.0


@dataclass(frozen=True, slots=True, eq=False)
class CubicShells:
    """Reflections and shells up to N = 160.

    Attributes
    ----------
    hkl
        (m, 3), one of each set of m-3, by N.
    sizes
        (m,), members of the sets.
    n
        (s,), values of N that occur.
    starts
        (s,), first reflection of each shell.
    """

    hkl: I64
    sizes: I64
    n: I64
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

    def form_factors(self, numbers: npt.ArrayLike, a_angstrom: float) -> F64:
        """f (…, m) of elements, without displacement, as in the patterns."""
        by_shell = form_factors(numbers, self.n / a_angstrom**2)
        counts = np.diff(np.append(self.starts, len(self.hkl)))
        repeated: F64 = np.repeat(by_shell, counts, axis=-1)
        return repeated


@lru_cache(maxsize=4)
def cubic_shells(largest_n: int = LARGEST_N) -> CubicShells:
    """The shells up to N, made once."""
    top = int(largest_n**0.5)
    hkl, sizes = reflection_sets(SpaceGroup.from_number(200), (top, top, top))
    n = (hkl**2).sum(axis=1)
    kept = np.flatnonzero(n <= largest_n)
    order = kept[np.argsort(n[kept], kind="stable")]
    values, starts = np.unique(n[order], return_index=True)
    return CubicShells(hkl[order], sizes[order], values, starts)


@dataclass(frozen=True, slots=True, eq=False)
class ObservedShells:
    """What a pattern says of the shells of a cell.

    Attributes
    ----------
    a_angstrom
        Lattice parameter.
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

    a_angstrom: float
    factors: F64
    bins: I64
    starts: I64
    amplitudes: F64
    unexplained: float

    def residual(self, intensities: F64) -> F64:
        """R = Σ |√I_o − k √I_c| / Σ √I_o over the bins, for calculated Σ m|F|² (…, s); k is the best scale.

        Of the shells of one bin the strongest counts, as in the patterns.
        """
        calculated = self.binned(intensities)
        scale = (calculated * self.amplitudes).sum(-1) / np.maximum((calculated**2).sum(-1), 1e-30)
        difference = np.abs(self.amplitudes - scale[..., None] * calculated).sum(-1)
        result: F64 = difference / self.amplitudes.sum() + self.unexplained
        return result

    def share_outside(self, present: Bool) -> float:
        """Share of Σ √I_o in bins of which no shell is present, for shells (s,)."""
        seen = np.logical_or.reduceat(present & (self.factors > 0), self.starts)
        return float(self.amplitudes[~seen].sum() / self.amplitudes.sum())

    def spectrum(self) -> F32:
        """√(I/LP) of the shells (s,), of unit length; shells of one bin share its line."""
        values = self.amplitudes[self.bins] / np.sqrt(np.maximum(self.factors, 1e-12))
        values[self.factors == 0.0] = 0.0
        spectrum: F32 = (values / max(float(np.linalg.norm(values)), 1e-12)).astype(np.float32)
        return spectrum

    def binned(self, intensities: F64) -> F64:
        """√ of the calculated intensity of each bin, (…, b)."""
        lines = intensities * self.factors
        strongest = np.maximum.reduceat(lines, self.starts, axis=-1)
        result: F64 = np.sqrt(strongest)
        return result


def observed_shells(pattern: F32, a_angstrom: float, largest_n: int = LARGEST_N) -> ObservedShells:
    """Shells up to N of a pattern (1024,) for a lattice parameter.

    A line one bin beside that of a shell is taken for it where its own bin is empty. Shells beyond the last
    line do not count: a measurement ends somewhere.
    """
    shells = cubic_shells(largest_n)
    places = bin_of_shells(a_angstrom, shells.n)
    end = min(int(BINS * _LAST_DEGREE / 180.0), int(np.flatnonzero(pattern).max(initial=0)) + 1)
    beyond = (places < 0) | (places >= end)
    sine = np.where(beyond, 0.5, MO_K_ALPHA_ANGSTROM * np.sqrt(shells.n) / (2.0 * a_angstrom))
    factors = np.where(
        beyond, 0.0, lorentz_polarisation(2.0 * np.degrees(np.arcsin(np.minimum(sine, 0.9999))))
    )
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
    return ObservedShells(a_angstrom, factors, index, starts, amplitudes, unexplained)
