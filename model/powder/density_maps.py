"""Electron densities of independent atoms on a grid of the unit cell.

ρ(x) = 1/V Σ F(h) exp(−2πi h·x) with the project's form factors and one isotropic displacement for all atoms.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell, reciprocal_metric_tensors
from xtalpriors.crystal.chemistry.form_factors import form_factors

__all__ = [
    "POINTS",
    "U_ISO_ANGSTROM2",
    "fourier_coefficients",
    "geometric_sums",
    "iam_density",
    "map_of",
    "s_squared_of",
]

POINTS = 50
"""Points of the density along each axis, as in Guo et al. 2024."""
U_ISO_ANGSTROM2 = 0.06
"""Displacement of all atoms of a map: sharper atoms do not show on the grid of a large cell."""


def _half_grid(points: int) -> tuple[F64, F64]:
    """Indices of a grid in the order of an FFT: (points,) and, for l ≥ 0, (points // 2 + 1,)."""
    order = np.rint(np.fft.fftfreq(points) * points).astype(np.float64)
    return order, np.arange(points // 2 + 1, dtype=np.float64)


def s_squared_of(cell: UnitCell, points: int) -> F64:
    """|s|² = 1/d² in Å⁻² on the half grid (points, points, points // 2 + 1)."""
    h, l = _half_grid(points)
    g = reciprocal_metric_tensors(np.array([cell.parameters]))[0]
    first, second, third = h[:, None, None], h[None, :, None], l[None, None, :]
    squares: F64 = (
        g[0, 0] * first**2
        + g[1, 1] * second**2
        + g[2, 2] * third**2
        + 2.0 * (g[0, 1] * first * second + g[0, 2] * first * third + g[1, 2] * second * third)
    )
    return squares


def geometric_sums(fract: npt.ArrayLike, points: int) -> npt.NDArray[np.complex128]:
    """Σ exp(−2πi h·x) over atoms (n, 3) on the half grid; zero at the highest index of an even grid."""
    x = np.asarray(fract, dtype=np.float64)
    h, l = _half_grid(points)
    waves = [np.exp(-2j * np.pi * np.outer(x[:, k], index)) for k, index in enumerate((h, h, l))]
    plane = (waves[1][:, :, None] * waves[2][:, None, :]).reshape(len(x), -1)
    sums: npt.NDArray[np.complex128] = (waves[0].T @ plane).reshape(points, points, len(l))
    if points % 2 == 0:
        middle = points // 2
        sums[middle], sums[:, middle], sums[:, :, middle] = 0.0, 0.0, 0.0
    return sums


def fourier_coefficients(
    cell: UnitCell,
    numbers: npt.ArrayLike,
    fract: npt.ArrayLike,
    points: int,
) -> npt.NDArray[np.complex128]:
    """Conjugate structure factors over V, e/Å³, on the half grid (points, points, points // 2 + 1) of an FFT.

    Parameters
    ----------
    cell
        Unit cell.
    numbers, fract
        Atomic numbers (n,) and coordinates (n, 3) of all atoms of the cell.
    points
        Points of the grid along each axis.
    """
    z, x = np.asarray(numbers, dtype=np.int64), np.asarray(fract, dtype=np.float64)
    s2, shell = _shells(cell, points)
    smearing = np.exp(-2.0 * np.pi**2 * U_ISO_ANGSTROM2 * s2) / cell.volume
    total = np.zeros(shell.shape, dtype=np.complex128)
    for element in np.unique(z):
        total += (form_factors(element, s2) * smearing)[shell] * geometric_sums(x[z == element], points)
    return total


def _shells(cell: UnitCell, points: int) -> tuple[F64, I64]:
    """Different |s|² (m,), and for each place of the half grid which of them it has.

    A cubic cell has few: h² + k² + l² is a whole number.
    """
    a = cell.a
    if cell.parameters == (a, a, a, 90.0, 90.0, 90.0):
        sums, shell = _cubic_shells(points)
        return sums / a**2, shell
    s2 = s_squared_of(cell, points)
    return s2.ravel(), np.arange(s2.size).reshape(s2.shape)


@lru_cache(maxsize=8)
def _cubic_shells(points: int) -> tuple[F64, I64]:
    """h² + k² + l²: the different values, and the place of each index of the half grid in them."""
    sums = np.rint(s_squared_of(UnitCell(1.0, 1.0, 1.0), points)).astype(np.int64)
    values, shell = np.unique(sums, return_inverse=True)
    return values.astype(np.float64), shell.reshape(sums.shape).astype(np.int64)


def map_of(coefficients: npt.NDArray[np.complexfloating], points: int = POINTS) -> F32:
    """The map (points, points, points) of coefficients on the half grid of the same or of a smaller grid."""
    own = coefficients.shape[0]
    if own != points:
        top = (own - 1) // 2
        places = np.fft.fftfreq(own, 1.0 / own).astype(np.int64)
        kept = np.abs(places) <= top
        wide = np.zeros((points, points, points // 2 + 1), dtype=coefficients.dtype)
        at = places[kept] % points
        wide[np.ix_(at, at, np.arange(top + 1))] = coefficients[np.ix_(kept, kept, np.arange(top + 1))]
        coefficients = wide
    density: F32 = np.fft.irfftn(coefficients, s=(points,) * 3, axes=(0, 1, 2), norm="forward").astype(
        np.float32
    )
    return density


def iam_density(cell: UnitCell, numbers: npt.ArrayLike, fract: npt.ArrayLike, points: int = POINTS) -> F32:
    """Density of independent atoms in e/Å³, (points,) * 3; arguments as in `fourier_coefficients`."""
    return map_of(fourier_coefficients(cell, numbers, fract, points), points)
