"""Electron densities of independent atoms on a grid of the unit cell, and the origin that describes them.

ρ(x) = 1/V Σ F(h) exp(−2πi h·x) with the project's form factors and one isotropic displacement for all atoms.
A powder pattern cannot tell the allowed origins of a space group apart, nor a structure from its inverse or,
where the Laue class has no fourfold axis, from one turned by 90°. `canonical_coordinates` chooses one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell, reciprocal_metric_tensors
from xtalpriors.crystal.chemistry.form_factors import form_factors
from xtalpriors.crystal.symmetry.origins import permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = [
    "POINTS",
    "U_ISO_ANGSTROM2",
    "canonical_coordinates",
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

_TURNS: Final[dict[str, tuple[tuple[tuple[int, ...], ...], ...]]] = {
    "cubic": (((0, -1, 0), (1, 0, 0), (0, 0, 1)),),
    "trigonal": (((-1, 0, 0), (0, -1, 0), (0, 0, 1)),),
}
"""Rotations of the lattice that need not belong to the Laue class: a fourfold and a twofold axis along c."""
_TEST_POINTS: Final = ((0.25, 0.25, 0.25), (0.125, 0.125, 0.125), (0.19, 0.07, 0.31), (0.0, 0.31, 0.17))
"""Where densities are compared, in order, if the densities at the origin are equal."""
_EQUAL: Final = 0.02


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
    u_iso_angstrom2: float = U_ISO_ANGSTROM2,
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
    u_iso_angstrom2
        Displacement of all atoms.
    """
    z, x = np.asarray(numbers, dtype=np.int64), np.asarray(fract, dtype=np.float64)
    s2, shell = _shells(cell, points)
    smearing = np.exp(-2.0 * np.pi**2 * u_iso_angstrom2 * s2) / cell.volume
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


def canonical_coordinates(
    group: SpaceGroup, cell: UnitCell, numbers: npt.ArrayLike, fract: npt.ArrayLike
) -> F64:
    """Coordinates (n, 3) in [0, 1) in the allowed origin with the most electrons at 0, 0, 0.

    The candidates are the shifts of the Euclidean normaliser, each with and without inversion and a turn
    that may not be in the Laue class. Where the density at the origin is the same within 2 %, that at a few
    fixed points decides. Along the polar axis of a group the heaviest atom of the lowest number stands at 0.
    """
    z, x = np.asarray(numbers, dtype=np.int64), np.asarray(fract, dtype=np.float64)
    origins = permissible_origins(group)
    if len(origins.directions):
        heaviest = int(np.argmax(z))
        along = np.abs(origins.directions).argmax(axis=1)
        x = x - sum(
            x[heaviest, k] / d[k] * d
            for k, d in zip(along, origins.directions.astype(np.float64), strict=True)
        )
    turns = [np.eye(3), *(np.array(t, dtype=np.float64) for t in _TURNS.get(group.crystal_system, ()))]
    metric = cell.metric_tensor
    best: tuple[float, ...] | None = None
    result = x
    for shift in origins.shifts:
        for turn in turns:
            for sign in (1.0, -1.0):
                candidate = sign * (x - shift) @ turn.T
                values = _point_densities(metric, z, candidate)
                if best is None or _is_more(values, best):
                    best, result = values, candidate
    wrapped: F64 = np.round(result % 1.0, 7) % 1.0
    return wrapped


def _is_more(values: tuple[float, ...], best: tuple[float, ...]) -> bool:
    """The first of two rows of densities is clearly greater where they first differ."""
    for value, other in zip(values, best, strict=True):
        if abs(value - other) > _EQUAL * max(abs(value), abs(other), 0.05):
            return value > other
    return False


def _point_densities(metric: F64, numbers: npt.NDArray[np.int64], fract: F64) -> tuple[float, ...]:
    """A measure of the density at the origin and the test points: atoms as Gaussians of 0.6 Å."""
    points = np.array(((0.0, 0.0, 0.0), *_TEST_POINTS))
    difference = points[:, None, :] - fract[None, :, :]
    difference -= np.rint(difference)
    squares = np.einsum("pni,ij,pnj->pn", difference, metric, difference)
    return tuple((numbers * np.exp(-squares / 0.72)).sum(axis=1).tolist())
