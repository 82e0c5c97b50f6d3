"""Powder patterns: the lines of a crystal, and the vector of 1,024 bins that the networks read.

As in Guo et al. 2024 (CrystalNet), whose patterns are those of pymatgen: Mo Kα, 2θ from 0 to 180°, no
displacement (U = 0), the Lorentz–polarisation factor (1 + cos² 2θ)/(sin² θ cos θ), lines without width, the
strongest line 1. A line falls into bin ⌊1024 · 2θ/180°⌋; of several lines in one bin the strongest stands.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell, reciprocal_metric_tensors
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = [
    "BINS",
    "MO_K_ALPHA_ANGSTROM",
    "PowderLines",
    "bin_centres",
    "bin_lines",
    "bins_of_spacings",
    "lorentz_polarisation",
    "powder_lines",
    "powder_pattern",
    "reflection_sets",
]

MO_K_ALPHA_ANGSTROM = 0.71073
BINS = 1024
_LEAST_RELATIVE = 1e-5
"""Lines weaker than this, relative to the strongest, are left out, as pymatgen does."""
_SAME_LINE_DEGREE = 1e-5
_DIGITS = 6
"""Decimals of a stored pattern, so that it does not depend on the last bits of the processor."""


class PowderLines(NamedTuple):
    """Lines of a powder pattern.

    Attributes
    ----------
    two_theta
        (m,) degrees, ascending.
    intensity
        (m,) Σ multiplicity · |F|² · LP of the reflections of one spacing, in electrons².
    """

    two_theta: F64
    intensity: F64


def lorentz_polarisation(two_theta: npt.ArrayLike) -> F64:
    """(1 + cos² 2θ)/(sin² θ cos θ) at 2θ in degrees, between 0 and 180."""
    angle = np.radians(np.asarray(two_theta, dtype=np.float64))
    theta = angle / 2.0
    factor: F64 = (1.0 + np.cos(angle) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    return factor


def reflection_sets(group: SpaceGroup, tops: tuple[int, int, int]) -> tuple[I64, I64]:
    """One reflection (m, 3) of each set that the Laue class makes equivalent, and the sizes (m,) of the sets.

    `tops` are the largest |h|, |k|, |l|. A set of which one member is outside of them may be missing; those
    with |s| ≤ top / length for all three axes are inside. The origin is not listed.
    """
    rotations = np.concatenate([group.rotations, -group.rotations]).reshape(-1, 9)
    return _sets_of_class(np.unique(rotations, axis=0).astype(np.int64).tobytes(), tops)


@lru_cache(maxsize=256)
def _sets_of_class(laue_class: bytes, tops: tuple[int, int, int]) -> tuple[I64, I64]:
    """As `reflection_sets`; one computation for all groups of a Laue class."""
    laue = np.frombuffer(laue_class, dtype=np.int64).reshape(-1, 3, 3)
    axes = [np.arange(-top, top + 1) for top in tops]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    span = 4 * max(tops) + 3
    weights = np.array([span * span, span, 1])
    own = hkl @ weights
    largest = own.copy()
    for rotation in laue:
        np.maximum(largest, hkl @ (rotation @ weights), out=largest)
    unique = hkl[(own == largest) & hkl.any(axis=1)]
    codes = np.sort(np.stack([unique @ (rotation @ weights) for rotation in laue]), axis=0)
    return unique, 1 + (np.diff(codes, axis=0) != 0).sum(axis=0)


def powder_lines(
    cell: UnitCell,
    group: SpaceGroup,
    numbers: npt.ArrayLike,
    fract: npt.ArrayLike,
    wavelength_angstrom: float = MO_K_ALPHA_ANGSTROM,
) -> PowderLines:
    """Lines of a crystal between 0 and 180° in 2θ.

    Parameters
    ----------
    cell, group
        Of the crystal; of the group only the Laue class counts.
    numbers, fract
        Atomic numbers (n,) and coordinates (n, 3) of all atoms of the cell.
    wavelength_angstrom
        Of the radiation.
    """
    z, x = np.asarray(numbers, dtype=np.int64), np.asarray(fract, dtype=np.float64)
    a, b, c = (math.ceil(math.ceil(2.0 * p / wavelength_angstrom) / 4) * 4 for p in cell.parameters[:3])
    hkl, sizes = reflection_sets(group, (a, b, c))
    inverse = reciprocal_metric_tensors(np.array([cell.parameters]))[0]
    s_squared = np.einsum("ni,ij,nj->n", hkl, inverse, hkl)
    seen = s_squared < (2.0 / wavelength_angstrom) ** 2 * (1.0 - 1e-9)
    hkl, sizes, s_squared = hkl[seen], sizes[seen], s_squared[seen]
    f = np.zeros(len(hkl), dtype=np.complex128)
    for element in np.unique(z):
        phases = 2.0 * np.pi * (hkl @ x[z == element].T)
        f += form_factors(element, s_squared) * (np.cos(phases) + 1j * np.sin(phases)).sum(axis=1)
    two_theta = np.degrees(2.0 * np.arcsin(wavelength_angstrom * np.sqrt(s_squared) / 2.0))
    intensity = sizes * np.abs(f) ** 2 * lorentz_polarisation(two_theta)
    return _merged(two_theta, intensity)


def _merged(two_theta: F64, intensity: F64) -> PowderLines:
    """Lines of one spacing as one, in order, the weakest left out."""
    order = np.argsort(two_theta, kind="stable")
    two_theta, intensity = two_theta[order], intensity[order]
    first = np.flatnonzero(np.diff(two_theta, prepend=-1.0) > _SAME_LINE_DEGREE)
    sums = np.add.reduceat(intensity, first)
    strong = sums > _LEAST_RELATIVE * sums.max()
    return PowderLines(two_theta[first][strong], sums[strong])


def bins_of_spacings(inverse_spacings: F64) -> tuple[I64, F64]:
    """Bin of the lines at 1/d in Å⁻¹, −1 beyond 2θ = 180°, and 2θ in degrees."""
    sine = MO_K_ALPHA_ANGSTROM * inverse_spacings / 2.0
    two_theta = 2.0 * np.degrees(np.arcsin(np.minimum(sine, 1.0)))
    places: I64 = np.where(sine < 1.0, np.minimum(BINS * two_theta / 180.0, BINS - 1), -1).astype(np.int64)
    return places, two_theta


def bin_centres(places: npt.ArrayLike) -> F64:
    """2θ in degrees of the middle of bins."""
    centres: F64 = (np.asarray(places) + 0.5) * 180.0 / BINS
    return centres


def bin_lines(lines: PowderLines) -> F32:
    """The vector (1024,) of a pattern: the strongest line of each bin, the strongest of all 1."""
    pattern = np.zeros(BINS)
    places = np.minimum((BINS * lines.two_theta / 180.0).astype(np.int64), BINS - 1)
    np.maximum.at(pattern, places, lines.intensity)
    binned: F32 = np.round(pattern / pattern.max(), _DIGITS).astype(np.float32)
    return binned


def powder_pattern(cell: UnitCell, group: SpaceGroup, numbers: npt.ArrayLike, fract: npt.ArrayLike) -> F32:
    """The vector (1024,) of a crystal for Mo Kα; arguments as in `powder_lines`."""
    return bin_lines(powder_lines(cell, group, numbers, fract))
