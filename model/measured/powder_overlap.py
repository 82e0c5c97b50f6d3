"""Intensities as a powder gives them: reflections that overlap share their sum, and peaks have noise.

The reflections of a powder lie on one axis, 2θ. Where several fall within the width of a peak, only their sum
is measured, and without a structure nothing says how it divides: each reflection gets the same |F|², as in
the first cycle of Le Bail's method (Le Bail, Duroy & Fourquet 1988, doi 10.1016/0025-5408(88)90019-0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.errors import UsageError

__all__ = ["PowderIntensities", "overlap_groups", "powder_intensities", "two_theta_degree"]


@dataclass(frozen=True, slots=True, eq=False)
class PowderIntensities:
    """|F|² as a powder gives them.

    Attributes
    ----------
    intensity
        |F|² after partition and noise, (n,); noise can make it negative.
    sigma
        Its standard deviation, (n,); 0 without noise.
    overlapped
        Share of the reflections that share a peak with another, 0…1.
    """

    intensity: F64
    sigma: F64
    overlapped: float


def two_theta_degree(s2: F64, wavelength_angstrom: float) -> F64:
    """2θ in degrees of reflections with 1/d² = `s2` in Å⁻² (Bragg's law).

    Raises
    ------
    UsageError
        A reflection cannot be measured with so long a wavelength.
    """
    sine = 0.5 * wavelength_angstrom * np.sqrt(s2)
    if bool((sine > 1.0).any()):
        raise UsageError(
            f"With a wavelength of {wavelength_angstrom:g} Å no reflection is measured beyond "
            f"{wavelength_angstrom / 2:.3g} Å, and the data go to {float(s2.max()) ** -0.5:.3g} Å. Give the "
            "wavelength of the powder pattern."
        )
    angle: F64 = np.degrees(2.0 * np.arcsin(sine))
    return angle


def overlap_groups(position: F64, width: float) -> I64:
    """Number of the peak that each reflection belongs to, (n,), from 0 in the order of the positions.

    A peak begins with a reflection and holds all that follow within `width` of it, in the unit of `position`.
    """
    order = np.argsort(position, kind="stable")
    group = np.empty(len(position), dtype=np.int64)
    number, begin = -1, -np.inf
    for i in order.tolist():
        if number < 0 or position[i] - begin > width:
            number, begin = number + 1, float(position[i])
        group[i] = number
    return group


def powder_intensities(
    intensity: F64,
    s2: F64,
    multiplicity: F64,
    *,
    width_degree: float,
    wavelength_angstrom: float,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    sigma: F64 | None = None,
) -> PowderIntensities:
    """Partition the intensities of unique reflections evenly among those that overlap, and add noise.

    Parameters
    ----------
    intensity
        |F|² of unique reflections, (n,).
    s2
        1/d² in Å⁻², (n,).
    multiplicity
        Equivalents of each, which a powder adds up, (n,).
    width_degree
        Reflections within that much of 2θ overlap; 0: none does, and only the noise is added.
    wavelength_angstrom
        For 2θ.
    noise
        Relative standard deviation of a peak of mean intensity. That of a peak of intensity I is
        noise·√(I·⟨I⟩), as of counts; I is at least a thousandth of the mean.
    rng
        Of the noise; needed where there is any.
    sigma
        Standard deviations of the intensities, (n,); null: they are exact.

    Raises
    ------
    UsageError
        As `two_theta_degree`.
    """
    position = two_theta_degree(s2, wavelength_angstrom)
    group: I64 = overlap_groups(position, width_degree) if width_degree > 0 else np.arange(len(position))
    size = np.bincount(group)
    weight = np.bincount(group, multiplicity)
    total = np.bincount(group, multiplicity * intensity).astype(np.float64)
    own = 0.0 if sigma is None else sigma
    squares = np.broadcast_to((multiplicity * own) ** 2, len(group))
    variance = np.bincount(group, squares).astype(np.float64)
    if noise > 0:
        if rng is None:
            raise ValueError("noise needs a generator of random numbers")
        mean = float(total.mean())
        added = noise * np.sqrt(np.maximum(total, 1e-3 * mean) * mean)
        total = total + added * rng.standard_normal(len(total))
        variance = variance + added**2
    return PowderIntensities(
        (total / weight)[group], (np.sqrt(variance) / weight)[group], float((size[group] > 1).mean())
    )
