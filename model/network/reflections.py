"""Reflections as the network sees them: a box for the input, a list for the output, and their symmetry.

Everything follows from the space group and the largest index: P2₁/c with `max_index` 10 gives the box
21 × 11 × 11 and the list of 1,205 reflections of Larsen, Rekis & Madsen (2024), doi 10.1126/science.adn2777.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.scattering.reciprocal import (
    IndexBox,
    asymmetric_box,
    orbit_numbers,
    reflection_multiplicities,
    systematic_absences,
    unique_reflections,
)
from xtalpriors.crystal.symmetry.origins import origin_phase_shifts, permissible_origins
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError

__all__ = ["LARGEST_INDEX", "Reflections"]

LARGEST_INDEX = 40
"""Largest `max_index`: of P2₁/c it has 68,000 reflections, more than any network here could take."""


@dataclass(frozen=True, eq=False)
class Reflections:
    """The reflections with 0 < h² + k² + l² ≤ max_index² of a centrosymmetric group.

    Parameters
    ----------
    group
        Space group, in the setting that the network is trained in. It must be centrosymmetric with an
        inversion centre at the origin: phases are then 0 or π.
    max_index
        Largest |h|, |k|, |l|.

    Raises
    ------
    UsageError
        The group is not centrosymmetric, or has no inversion centre at the origin.
    """

    group: SpaceGroup
    max_index: int = 10

    def __post_init__(self) -> None:
        inversions = [
            t
            for r, t in zip(self.group.rotations, self.group.translations, strict=True)
            if np.array_equal(r, -np.eye(3))
        ]
        name = self.group.hm or f"no. {self.group.number}"
        if not inversions:
            raise UsageError(
                f"{name} is not centrosymmetric: its phases are not only 0 and π, and the network knows "
                "no others."
            )
        if not any(np.allclose(t, np.round(t)) for t in inversions):
            raise UsageError(
                f"{name} has no inversion centre at its origin: choose the setting with the origin at -1 "
                "(`:2`)."
            )

    @cached_property
    def box(self) -> IndexBox:
        """The box of the input tensor."""
        return asymmetric_box(self.group, self.max_index)

    @cached_property
    def position(self) -> I64:
        """(N,): flat position of each reflection in the box; the list is in order of h, then k, then l."""
        norm = (self.box.miller_indices**2).sum(axis=1)
        return np.flatnonzero((norm > 0) & (norm <= self.max_index**2))

    @cached_property
    def hkl(self) -> I64:
        """(N, 3): Miller indices of the list."""
        listed: I64 = self.box.miller_indices[self.position]
        return listed

    @cached_property
    def absent(self) -> Bool:
        """(N,): systematically absent."""
        return systematic_absences(self.group, self.hkl)

    @cached_property
    def unique(self) -> Bool:
        """(N,): one of each set of equivalents; the others, such as −h k 0 in P2₁/c, are copies."""
        return unique_reflections(self.group, self.hkl)

    @cached_property
    def counted(self) -> Bool:
        """(N,): unique and not absent: what a score counts."""
        return self.unique & ~self.absent

    @cached_property
    def orbit(self) -> I64:
        """(N,): number of the set of equivalents."""
        return orbit_numbers(self.group, self.hkl)

    @cached_property
    def multiplicity(self) -> I64:
        """(N,): equivalents in the Laue class, Friedel mates included."""
        return reflection_multiplicities(self.group, self.hkl)

    @cached_property
    def origin_signs(self) -> F64:
        """(T, N), ±1: sign of each reflection under a move to each permissible origin, the first stays."""
        shifts = permissible_origins(self.group).shifts
        signs: F64 = np.rint(np.cos(origin_phase_shifts(self.hkl, shifts)))
        return signs

    def gather(self, boxed: torch.Tensor) -> torch.Tensor:
        """Values of the list (…, N) out of boxes (…, H, K, L)."""
        return boxed.flatten(-3)[..., torch.from_numpy(self.position).to(boxed.device)]

    def scatter(self, listed: torch.Tensor) -> torch.Tensor:
        """Boxes (…, H, K, L) out of values of the list (…, N); 0 elsewhere."""
        flat = listed.new_zeros((*listed.shape[:-1], int(np.prod(self.box.shape))))
        flat[..., torch.from_numpy(self.position).to(listed.device)] = listed
        return flat.unflatten(-1, self.box.shape)
