"""What was measured where a space group forbids intensity: the first test of whether a group is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xtalpriors.arrays import F64, I64
from xtalpriors.counted import counted
from xtalpriors.crystal.scattering.reciprocal import systematic_absences
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["AbsentReflections", "absent_reflections"]

LARGEST_I_OVER_SIGMA = 3.0
"""Of the absences together. In the right group they are noise, 0 ± 1; multiple diffraction and λ/2 lift
them to 1 or 2 in measured sets."""
LARGEST_RELATIVE_INTENSITY = 0.3
"""⟨I⟩ of the absences over ⟨I⟩ of all other reflections: some 0.001 in the right group, about 1 in a wrong
one. It decides where no σ is known, and in weak data, whose I/σ is small everywhere."""


@dataclass(frozen=True, slots=True)
class AbsentReflections:
    """Observations of reflections that a space group makes systematically absent.

    Attributes
    ----------
    n
        How many there are, repeats counted.
    mean_i_over_sigma
        Mean of I/σ(I) of those with a known σ; None where no σ is known.
    relative_intensity
        Their mean intensity over that of all other observations; None where there are no others.
    strongest
        Miller indices of up to three, the largest I first.
    """

    n: int
    mean_i_over_sigma: float | None
    relative_intensity: float | None
    strongest: tuple[tuple[int, int, int], ...]

    @property
    def contradict(self) -> bool:
        """Whether they are too strong for the group to be right."""
        return self.n > 0 and (
            (self.mean_i_over_sigma or 0.0) > LARGEST_I_OVER_SIGMA
            or (self.relative_intensity or 0.0) > LARGEST_RELATIVE_INTENSITY
        )

    def __str__(self) -> str:
        """For example `36 observations of systematic absences, mean I/σ = 79.7, 0.988 of the mean I`."""
        parts = [f"{counted(self.n, 'observation')} of systematic absences"]
        if self.n:
            known = self.mean_i_over_sigma
            parts.append("no σ known" if known is None else f"mean I/σ = {known:.1f}")
        if self.n and self.relative_intensity is not None:
            parts.append(f"mean I = {self.relative_intensity:.3f} of that of the other reflections")
        return ", ".join(parts)


def absent_reflections(hkl: I64, intensity: F64, sigma: F64, group: SpaceGroup) -> AbsentReflections:
    """The absences of a group among observations.

    Parameters
    ----------
    hkl
        (m, 3), in the setting of the group.
    intensity, sigma
        |F|² and its standard uncertainty, (m,); NaN or 0 where σ is unknown.
    group
        The space group to be tested.
    """
    absent = systematic_absences(group, hkl)
    others = ~absent & hkl.any(axis=1)
    known = absent & np.isfinite(sigma) & (sigma > 0)
    over_sigma = float((intensity[known] / sigma[known]).mean()) if known.any() else None
    whole = float(intensity[others].mean()) if others.any() else 0.0
    relative = float(intensity[absent].mean()) / whole if absent.any() and whole > 0 else None
    order = np.flatnonzero(absent)[np.argsort(-intensity[absent], kind="stable")][:3]
    return AbsentReflections(
        int(absent.sum()), over_sigma, relative, tuple((int(h), int(k), int(l)) for h, k, l in hkl[order])
    )
