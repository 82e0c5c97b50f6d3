"""What a way of drawing unit cells leads to, computed and not sampled.

Equation numbers are those of Melgalvis & Reķis 2026, Acta Cryst. A82, doi 10.1107/S2053273325009428.
Lengths are in ångström, volumes in cubic ångström, angles in degrees.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from xtalpriors.arrays import F64
from xtalpriors.errors import UsageError

__all__ = [
    "CellBounds",
    "ExpectedCells",
    "expected_cells",
    "monoclinic_angle_density",
    "uniform_length_volume_cdf",
    "uniform_length_volume_density",
]


class CellBounds(NamedTuple):
    """Limits of the drawn cells: lengths, the largest ratio of neighbouring sorted lengths, the largest β."""

    length_min_angstrom: float
    length_max_angstrom: float
    ratio_max: float = 1.8
    beta_max_degree: float = 125.0


class ExpectedCells(NamedTuple):
    """Nodes of equal weight that stand for the distribution of the drawn cells.

    Attributes
    ----------
    volume_angstrom3
        Cell volumes, shape (n,).
    sorted_lengths_angstrom
        a₁ ≤ a₂ ≤ a₃ of the orthogonal cell, shape (n, 3).
    c_angstrom
        The length that the monoclinic skew acts on: one of the three after the permutation, shape (n,).
    """

    volume_angstrom3: F64
    sorted_lengths_angstrom: F64
    c_angstrom: F64


def _check_bounds(length_min: float, length_max: float) -> None:
    if not 0 < length_min < length_max:
        raise UsageError(
            f"Cell lengths from {length_min:g} Å to {length_max:g} Å are no interval: "
            "the shortest length must be positive and below the longest."
        )


def uniform_length_volume_density(
    volume_angstrom3: ArrayLike, length_min_angstrom: float, length_max_angstrom: float
) -> F64:
    """Density of V = A₁A₂A₃ for lengths drawn uniformly (eqs 1–5), in closed form.

    The density of B = ln A is eᵇ/w on [ln a_min, ln a_max] with w = a_max − a_min (eq. 4). In the
    convolution of three of them (eq. 5) the exponentials multiply to e^c whatever the split of
    c = b₁ + b₂ + b₃, so what is left is the convolution of three boxes of width L = ln(a_max/a_min):
    the quadratic B-spline N₃. Back from C = ln V, f_V(v) = L²/w³ · N₃((ln v − 3 ln a_min)/L).

    Parameters
    ----------
    volume_angstrom3
        Volumes, any shape.
    length_min_angstrom, length_max_angstrom
        Limits of the uniform distribution of each length.

    Returns
    -------
    Density per Å³, 0 outside [a_min³, a_max³].

    Raises
    ------
    UsageError
        The limits are no interval.
    """
    _check_bounds(length_min_angstrom, length_max_angstrom)
    volume = np.asarray(volume_angstrom3, dtype=np.float64)
    width = length_max_angstrom - length_min_angstrom
    span = np.log(length_max_angstrom / length_min_angstrom)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (np.log(volume) - 3 * np.log(length_min_angstrom)) / span
    pieces = [t**2 / 2, (-2 * t**2 + 6 * t - 3) / 2, (3 - t) ** 2 / 2]
    inside = [(t >= 0) & (t < 1), (t >= 1) & (t < 2), (t >= 2) & (t <= 3)]
    return np.asarray(span**2 / width**3 * np.select(inside, pieces, 0.0), dtype=np.float64)


def uniform_length_volume_cdf(
    volume_angstrom3: ArrayLike, length_min_angstrom: float, length_max_angstrom: float
) -> F64:
    """Probability that V = A₁A₂A₃ of uniform lengths is at most a volume: the integral of eq. 5.

    With c = ln v, ∫ f_V dv = L³/w³ · a_min³ · ∫ N₃(t) e^{Lt} dt, and each piece of N₃ is a polynomial
    whose product with e^{Lt} integrates by parts.

    Parameters and errors as in `uniform_length_volume_density`.
    """
    _check_bounds(length_min_angstrom, length_max_angstrom)
    volume = np.maximum(np.asarray(volume_angstrom3, dtype=np.float64), 1e-300)
    width = length_max_angstrom - length_min_angstrom
    span = float(np.log(length_max_angstrom / length_min_angstrom))
    t = np.clip((np.log(volume) - 3 * np.log(length_min_angstrom)) / span, 0.0, 3.0)

    def primitive(a: float, b: float, c: float, x: F64) -> F64:
        """∫ (a x² + b x + c) e^{Lx} dx."""
        value = a * (x**2 / span - 2 * x / span**2 + 2 / span**3)
        value = value + b * (x / span - 1 / span**2) + c / span
        return np.asarray(value * np.exp(span * x), dtype=np.float64)

    total = np.zeros_like(t)
    for k, (a, b, c) in enumerate([(0.5, 0.0, 0.0), (-1.0, 3.0, -1.5), (0.5, -3.0, 4.5)]):
        low, high = np.full_like(t, k), np.clip(t, k, k + 1)
        total += primitive(a, b, c, high) - primitive(a, b, c, low)
    return np.asarray(np.clip(total * span**3 * length_min_angstrom**3 / width**3, 0.0, 1.0))


def _lattice(n: int, dimension: int) -> F64:
    """The first `n` points of the additive golden-ratio recurrence in the unit cube, shape (n, dimension)."""
    ratio = 2.0
    for _ in range(64):
        ratio = (1 + ratio) ** (1 / (dimension + 1))
    steps = ratio ** -np.arange(1, dimension + 1)
    return np.asarray((0.5 + np.outer(np.arange(1, n + 1), steps)) % 1.0, dtype=np.float64)


def expected_cells(mu: float, sigma: float, bounds: CellBounds, *, n: int = 200_000) -> ExpectedCells:
    """Cells of the paper's method for V ~ LN(μ; σ), by a lattice rule over eqs 6–13.

    V is truncated to [a_min³, a_max³]. Eq. 13 is taken with √(V/a₁) as a third upper bound of a₂: as
    printed it lets a₃ = V/(a₁a₂) fall below a₂.

    Parameters
    ----------
    mu, sigma
        Mean and standard deviation of ln(V/Å³).
    bounds
        Limits of lengths and ratios.
    n
        Number of nodes; the error of a histogram of them falls almost as 1/n.

    Returns
    -------
    Nodes of equal weight.

    Raises
    ------
    UsageError
        The length limits are no interval, or σ is not positive.
    """
    low, high, ratio = bounds.length_min_angstrom, bounds.length_max_angstrom, bounds.ratio_max
    _check_bounds(low, high)
    if sigma <= 0:
        raise UsageError(f"The width σ = {sigma:g} of a log-normal distribution must be positive.")
    u = _lattice(n, 4)
    ends = ndtr((3 * np.log([low, high]) - mu) / sigma)
    volume = np.exp(mu + sigma * ndtri(ends[0] + u[:, 0] * (ends[1] - ends[0])))
    volume = np.clip(volume, low**3, high**3)
    first_low = np.maximum.reduce(
        [np.full(n, low), volume / high**2, np.cbrt(volume) / ratio, np.sqrt(volume / (ratio * high))]
    )
    first = first_low + u[:, 1] * (np.cbrt(volume) - first_low)
    second_low = np.maximum.reduce([first, volume / (first * high), np.sqrt(volume / (ratio * first))])
    second_high = np.minimum.reduce([np.full(n, high), ratio * first, np.sqrt(volume / first)])
    second = second_low + u[:, 2] * (second_high - second_low)
    lengths = np.stack([first, second, volume / (first * second)], axis=1)
    which = np.minimum((3 * u[:, 3]).astype(np.int64), 2)
    return ExpectedCells(volume, lengths, lengths[np.arange(n), which])


def monoclinic_angle_density(
    beta_degree: ArrayLike, beta_max_degree: float, c_over_length_max: ArrayLike | None = None
) -> F64:
    """Density of β for a skew drawn uniformly: eq. 14, or eq. 15 where the lengths c are given.

    |s₃| = tan(β − 90°) is uniform on [0, T] with T = tan(β_max − 90°). With the length bound of eq. 15 it is
    uniform on [0, min(T, √(a_max²/c² − 1))], so the density is the mean over the cells' c of
    1/min(…) where |s₃| lies below it. Here c is the third length after the permutation.

    Parameters
    ----------
    beta_degree
        Angles ≥ 90°, any shape.
    beta_max_degree
        Largest angle.
    c_over_length_max
        c/a_max of cells of equal weight, each in (0, 1], shape (n,); None for eq. 14.

    Returns
    -------
    Density per degree.
    """
    beta = np.asarray(beta_degree, dtype=np.float64)
    skew = np.tan(np.radians(beta - 90))
    limit = float(np.tan(np.radians(beta_max_degree - 90)))
    jacobian = np.pi / 180 * (1 + skew**2)
    if c_over_length_max is None:
        inside = (skew >= 0) & (skew <= limit)
        return np.asarray(np.where(inside, jacobian / limit, 0.0))
    c = np.asarray(c_over_length_max, dtype=np.float64)
    own = np.sort(np.minimum(limit, np.sqrt(np.maximum(c**-2.0 - 1, 1e-12))))
    # Sum of 1/limit over the cells whose own limit is at least the skew, from the largest down.
    tail = np.append(np.cumsum((1 / own)[::-1])[::-1], 0.0)
    mean = tail[np.searchsorted(own, skew, side="left")] / len(own)
    return np.asarray(np.where(skew >= 0, mean * jacobian, 0.0))
