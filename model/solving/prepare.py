"""From observations to what solving works with: unique reflections of a Laue class, |F| and |E|."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import SPHERE_TOLERANCE, s_squared, systematic_absences
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.measured.intensity_statistics import statistical_weights
from xtalpriors.model.measured.merging import Merged, laue_rotations, merge_equivalents, representatives
from xtalpriors.model.measured.negative_intensities import amplitudes_of_intensities
from xtalpriors.model.measured.read_data import Probe
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.solving.candidates import find_centring, off_lattice
from xtalpriors.model.solving.space_groups import centring_vectors
from xtalpriors.model.solving.statistics import possible_reflections, wilson_plot

__all__ = [
    "CONTAMINATION",
    "UniqueData",
    "data_of_group",
    "friedel_merged",
    "known_sigma",
    "lattice_of",
    "unique_data",
]

CONTAMINATION: dict[Probe, float] = {"x-ray": 0.08, "neutron": 0.08, "electron": 0.25}
"""Mean |E|² of absent reflections: λ/2 and multiple scattering, which electrons have much of."""
FINEST_ANGSTROM = 0.7
"""Reflections beyond are not used for solving where there are enough without them."""
ENOUGH = 300
"""Unique reflections that are enough: those of a small cell are all used."""
FAINT_SHELL = 0.8
"""A resolution shell with a smaller mean I/σ, and all beyond it, is not used for phasing."""
_ASSUMED_ERROR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class UniqueData:
    """Unique reflections of a Laue class, those that the lattice extinguishes left out.

    Attributes
    ----------
    merged
        Everything merged, (n,).
    laue
        Rotations R and −R, (k, 3, 3).
    letter
        Centring.
    hkl, intensity, sigma
        (m, 3), (m,), (m,); σ assumed where it is not known.
    s2
        1/d², Å⁻².
    expected
        Mean |F|² at the same resolution, (m,), without ε.
    possible
        Unique reflections of the lattice within the resolution, (p, 3).
    d_min_angstrom
        Of what is used.
    """

    merged: Merged
    laue: I64
    letter: str
    hkl: I64
    intensity: F64
    sigma: F64
    s2: F64
    expected: F64
    possible: I64
    d_min_angstrom: float

    @property
    def completeness(self) -> float:
        """Measured over possible."""
        return len(self.hkl) / max(1, len(self.possible))


def friedel_merged(observations: Observations) -> Merged:
    """Merged in −1, without 0 0 0."""
    keep = observations.hkl.any(axis=1)
    if not keep.any():
        raise XtalpriorsError(f"{observations.source} holds no reflection but 0 0 0.")
    one = laue_rotations(np.eye(3, dtype=np.int64)[None])
    return merge_equivalents(
        observations.hkl[keep], observations.intensity[keep], observations.sigma[keep], one
    )


def lattice_of(merged: Merged, cell: UnitCell, probe: Probe) -> str:
    """Centring letter that reflections merged in −1 have."""
    s2 = s_squared(merged.hkl, [cell.parameters])[0]
    limit = _finest_limit(s2)
    d_min, used = limit**-0.5, s2 <= limit
    hkl, value = merged.hkl[used], merged.intensity[used]
    e2 = value / wilson_plot(hkl, value, cell).expected(s2[used])
    possible = possible_reflections(cell, d_min)
    known = np.isfinite(merged.sigma[used]) & (merged.sigma[used] > 0)
    # multiple scattering of electrons shows most absent reflections
    ratio = value / merged.sigma[used] if probe != "electron" and known.all() else None
    return find_centring(hkl, e2, possible, contamination=CONTAMINATION[probe], i_over_sigma=ratio)


def unique_data(
    observations: Observations, cell: UnitCell, rotations: I64, letter: str, probe: Probe
) -> UniqueData:
    """Merge in a Laue class.

    Parameters
    ----------
    observations
        As measured.
    cell, rotations, letter
        The cell, the rotations of the Laue class, the centring.
    probe
        What was scattered.
    """
    laue = laue_rotations(rotations)
    keep = observations.hkl.any(axis=1)
    merged = merge_equivalents(
        observations.hkl[keep],
        observations.intensity[keep],
        observations.sigma[keep],
        laue,
        reject_outliers=True,
    )
    vectors = centring_vectors(letter)
    s2 = s_squared(merged.hkl, [cell.parameters])[0]
    used: Bool = s2 <= _finest_limit(s2)
    if len(vectors):
        used &= ~off_lattice(merged.hkl, vectors)
    if not used.any():
        raise XtalpriorsError(f"{observations.source}: no reflection is left in the lattice {letter}.")
    value, sigma = merged.intensity, known_sigma(merged.intensity, merged.sigma)
    used &= s2 <= _faint_limit(s2[used], value[used], sigma[used])
    hkl, value, sigma, s2 = merged.hkl[used], value[used], sigma[used], s2[used]
    d_min = float(s2.max() ** -0.5)
    possible = possible_reflections(cell, d_min)
    if len(vectors):
        possible = possible[~off_lattice(possible, vectors)]
    possible = np.unique(representatives(possible, laue), axis=0)
    expected = wilson_plot(hkl, value, cell).expected(s2)
    return UniqueData(merged, laue, letter, hkl, value, sigma, s2, expected, possible, d_min)


def known_sigma(intensity: F64, sigma: F64) -> F64:
    """σ of each reflection; 5 % of |F|², but at least a hundredth of the mean, where it is not known."""
    known = np.isfinite(sigma) & (sigma > 0)
    least = 0.01 * float(np.abs(intensity).mean())
    return np.where(known, sigma, np.maximum(_ASSUMED_ERROR * np.abs(intensity), least))


def _finest_limit(s2: F64) -> float:
    """Largest 1/d² that is used: that of 0.7 Å, or one within which there are enough reflections."""
    enough = float(np.partition(s2, ENOUGH - 1)[ENOUGH - 1]) if len(s2) >= ENOUGH else np.inf
    limit: float = min(float(s2.max()), max(FINEST_ANGSTROM**-2.0, enough))
    return limit * (1.0 + SPHERE_TOLERANCE)


def _faint_limit(s2: F64, intensity: F64, sigma: F64) -> float:
    """Largest 1/d² before the shells have nothing but noise."""
    order = np.argsort(s2, kind="stable")
    shells = np.array_split(order, int(np.clip(len(order) // 100, 1, 20)))
    limit = float(s2.max())
    for shell in reversed(shells):
        if s2[shell].max() ** -0.5 > 1.0 or float((intensity[shell] / sigma[shell]).mean()) >= FAINT_SHELL:
            break
        limit = float(s2[shell].min())
    return limit * (1.0 + SPHERE_TOLERANCE)


@dataclass(frozen=True, slots=True, eq=False)
class GroupData:
    """What a group makes of the data.

    Attributes
    ----------
    hkl, intensity, sigma, s2
        Reflections that are not absent, (m, 3) and (m,).
    amplitude, amplitude_sigma
        |F| and its uncertainty.
    e
        |E|.
    """

    hkl: I64
    intensity: F64
    sigma: F64
    s2: F64
    amplitude: F64
    amplitude_sigma: F64
    e: F64


def data_of_group(data: UniqueData, group: SpaceGroup, cell: UnitCell) -> GroupData:
    """Reflections of a group with amplitudes and normalised amplitudes."""
    present = ~systematic_absences(group, data.hkl)
    hkl = data.hkl[present]
    value, sigma, s2 = (x[present] for x in (data.intensity, data.sigma, data.s2))
    epsilon = statistical_weights(hkl, group.rotations)
    centric = np.zeros(len(hkl), dtype=bool)
    for rotation in group.rotations:
        centric |= (hkl @ rotation == -hkl).all(axis=1)
    expected = wilson_plot(hkl, value, cell, epsilon).expected(s2) * epsilon
    amplitude, error = amplitudes_of_intensities(value, sigma, expected, centric)
    e = amplitude / np.sqrt(expected)
    e /= np.sqrt((e * e).mean())
    return GroupData(hkl, value, sigma, s2, amplitude, error, e)
