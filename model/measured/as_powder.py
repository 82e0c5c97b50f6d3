"""Measured reflections of a single crystal as its powder would give them: to try what overlap costs."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import reflection_multiplicities, s_squared
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.measured.merging import laue_rotations, merge_equivalents
from xtalpriors.model.measured.powder_overlap import powder_intensities
from xtalpriors.model.measured.read_reflections import Observations

__all__ = ["PowderLike", "powder_observations"]


@dataclass(frozen=True, slots=True)
class PowderLike:
    """How a powder pattern blurs reflections.

    Attributes
    ----------
    width_degree
        Reflections within that much of 2θ share their intensity.
    noise
        Relative standard deviation of a peak of mean intensity.
    seed
        Of the noise.
    """

    width_degree: float
    noise: float = 0.0
    seed: int = 0


def powder_observations(
    observations: Observations,
    cell: UnitCell,
    group: SpaceGroup,
    wavelength_angstrom: float | None,
    like: PowderLike,
) -> tuple[Observations, float]:
    """Observations merged, and partitioned evenly among those that overlap; and the share that overlaps.

    Parameters
    ----------
    observations
        As measured.
    cell, group
        Of the crystal; of the group its Laue class counts.
    wavelength_angstrom
        For 2θ; null where it is not known.
    like
        Width and noise.

    Raises
    ------
    UsageError
        The wavelength is not known or too long for the reflections, or width or noise are out of range.
    """
    if not 0.0 <= like.width_degree <= 5.0:
        raise UsageError(f"--as-powder is a width in degrees of 2θ, from 0 to 5, not {like.width_degree:g}.")
    if not 0.0 <= like.noise <= 1.0:
        raise UsageError(f"--noise is relative to a peak of mean intensity, from 0 to 1, not {like.noise:g}.")
    if wavelength_angstrom is None:
        raise UsageError(
            f"{observations.source}: the wavelength is not known, and 2θ of a powder depends on it. Give "
            "--wavelength (1.5406 for Cu Kα₁)."
        )
    some = observations.hkl.any(axis=1)
    merged = merge_equivalents(
        observations.hkl[some],
        observations.intensity[some],
        observations.sigma[some],
        laue_rotations(group.rotations),
    )
    found = powder_intensities(
        merged.intensity,
        s_squared(merged.hkl, [cell.parameters])[0],
        reflection_multiplicities(group, merged.hkl).astype(np.float64),
        width_degree=like.width_degree,
        wavelength_angstrom=wavelength_angstrom,
        noise=like.noise,
        rng=np.random.default_rng(like.seed),
        sigma=merged.sigma,
    )
    made = replace(observations, hkl=merged.hkl, intensity=found.intensity, sigma=found.sigma)
    return made, found.overlapped
