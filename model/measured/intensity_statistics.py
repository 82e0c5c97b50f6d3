"""Whether measured values are |F| or |F|², from their distribution.

The second moment ⟨x²⟩/⟨x⟩² of values x, each divided by the mean that is expected at its place in reciprocal
space, is by Wilson's statistics (1949, doi 10.1107/S0365110X49000813)

| values | centric | acentric |
|---|---|---|
| x = \\|F\\|² | 3 | 2 |
| x = \\|F\\| | π/2 = 1.57 | 4/π = 1.27 |

so values taken for the wrong one of the two give themselves away. Few reflections, heavy atoms on special
positions and pseudo-symmetry move the moment; between the limits below the question stays open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.counted import counted
from xtalpriors.crystal.scattering.reciprocal import orbit_numbers, systematic_absences
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["IntensityStatistics", "Quantity", "intensity_statistics", "statistical_weights"]

Quantity = Literal["|F|", "|F|²"]

FEWEST = 200
"""Unique reflections. With fewer a few atoms on special positions decide on the moment."""
LIMITS: Final[dict[bool, tuple[float, float]]] = {True: (1.70, 2.10), False: (1.60, 1.80)}
"""By whether the group has a centre: up to the first the values are |F|, from the second on |F|²."""
_STEPS = 30


@dataclass(frozen=True, slots=True)
class IntensityStatistics:
    """What the distribution of measured values says.

    Attributes
    ----------
    read_as
        What the file or its reader says that the values are.
    second_moment
        ⟨x²⟩/⟨x⟩² of the unique values as they stand in the list.
    n_unique, n_negative
        Unique reflections, and observations below zero.
    centrosymmetric
        Whether the group has a centre, which decides on what is expected.
    """

    read_as: Quantity
    second_moment: float
    n_unique: int
    n_negative: int
    centrosymmetric: bool

    @property
    def verdict(self) -> Quantity | None:
        """What the values are; None where it cannot be decided."""
        if self.n_negative:
            return "|F|²"  # no amplitude is negative
        amplitude, squared = LIMITS[self.centrosymmetric]
        if self.n_unique < FEWEST or amplitude < self.second_moment < squared:
            return None
        return "|F|" if self.second_moment <= amplitude else "|F|²"

    @property
    def contradict(self) -> bool:
        """Whether the values are something else than what they are read as."""
        return self.verdict not in (None, self.read_as)

    def __str__(self) -> str:
        """The moment, what is expected of |F| and of |F|², and the verdict, in a sentence."""
        amplitude, squared = (1.57, 3.0) if self.centrosymmetric else (1.27, 2.0)
        said = (
            f"read as {self.read_as}: ⟨x²⟩/⟨x⟩² = {self.second_moment:.2f} of {self.n_unique:,} unique "
            f"values; Wilson's statistics expect {amplitude:.2f} of |F| and {squared:.2f} of |F|²"
        )
        if self.n_negative and self.verdict == self.read_as:
            return f"{said}; negative: {counted(self.n_negative, 'value')}, so they are |F|²"
        if self.verdict is None:
            why = f"fewer than {FEWEST} reflections" if self.n_unique < FEWEST else "the value lies between"
            return f"{said}: undecided ({why})"
        return f"{said}: {'as read' if not self.contradict else f'they look like {self.verdict}'}"


def intensity_statistics(
    hkl: I64, intensity: F64, group: SpaceGroup, read_as: Quantity
) -> IntensityStatistics:
    """Second moment of measured values, merged in the Laue class of the group.

    The mean that is expected of a reflection is exp of a quadratic form in h, k and l (scale and anisotropic
    fall-off), times its statistical weight ε. It is fitted to the values themselves, so no cell is needed.

    Parameters
    ----------
    hkl
        (m, 3), in the setting of the group.
    intensity
        |F|² by the reading that is to be tested, (m,): the values themselves, or their squares.
    group
        Space group; its absences are left out.
    read_as
        What the values in the list were taken for.
    """
    keep = hkl.any(axis=1) & ~systematic_absences(group, hkl)
    hkl, intensity = hkl[keep], intensity[keep]
    negative = int((intensity < 0).sum())
    if len(hkl) == 0:
        return IntensityStatistics(read_as, float("nan"), 0, negative, group.centrosymmetric)
    number = orbit_numbers(group, hkl)
    mean = np.clip(np.bincount(number, intensity) / np.bincount(number), 0.0, None)
    unique = hkl[np.unique(number, return_index=True)[1]]
    mean /= statistical_weights(unique, group.rotations)
    values = mean if read_as == "|F|²" else np.sqrt(mean)
    moment = _second_moment(unique, values) if values.any() else float("nan")
    return IntensityStatistics(read_as, moment, len(unique), negative, group.centrosymmetric)


def statistical_weights(hkl: I64, rotations: I64) -> F64:
    """ε (m,): how many different rotations of a group, (n, 3, 3), leave a reflection (m, 3) as it is.

    ⟨|F|²⟩ is that many times as large as for a general reflection.
    """
    rotations = np.unique(rotations.reshape(-1, 9), axis=0).reshape(-1, 3, 3)
    weights: F64 = np.array([np.all(hkl @ r == hkl, axis=1) for r in rotations]).sum(axis=0, dtype=np.float64)
    return weights


def _second_moment(hkl: I64, values: F64) -> float:
    """⟨x²⟩/⟨x⟩² of values over their fitted means (a gamma model with a logarithmic link)."""
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    columns = [np.ones(len(hkl)), *(hkl[:, i] * hkl[:, j] for i, j in pairs)]
    design = np.column_stack(columns).astype(np.float64)
    largest = np.abs(design).max(axis=0)
    design /= np.where(largest > 0, largest, 1.0)
    exponent = np.full(len(hkl), np.log(values.mean()))
    for _ in range(_STEPS):
        relative = values / np.exp(exponent) - 1.0
        step = design @ np.linalg.lstsq(design, relative, rcond=None)[0]
        size = float(np.abs(step).max())
        exponent += step / max(1.0, size)
        if size < 1e-6:
            break
    z = values / np.exp(exponent)
    return float((z**2).mean() / z.mean() ** 2)
