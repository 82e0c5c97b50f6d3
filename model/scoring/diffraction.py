"""Diffraction of structures as the network meets it: what was measured, on which scale; and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.scattering.reciprocal import check_d_min, s_squared, sphere_limit
from xtalpriors.crystal.scattering.structure_factors import (
    SMALLEST_AMPLITUDE_ELECTRONS,
    StructureFactorCalculator,
)
from xtalpriors.errors import UsageError
from xtalpriors.model.network.inputs import InputScaling, Scaling
from xtalpriors.model.network.reflections import Reflections

__all__ = ["ROBUST_FACTOR", "Diffraction", "calculate", "keyed_rng", "network_input", "take_out"]

ROBUST_FACTOR: Final = 1.5
"""Largest amplitude over the mean of the next five: the median of artificial molecules, whatever d_min."""
_NEXT = 5

_WHOLE_BOX_ANGSTROM = 1e-3
"""A resolution limit that no reflection of any box lies beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Diffraction:
    """Reflections of n structures in the order of a `Reflections` list of N.

    Attributes
    ----------
    magnitudes
        |F| in electrons of every reflection of the list, beyond d_min too, float64 (n, N); 0 for absences
        and below 0.01 e.
    positive
        The true phase is 0, bool (n, N).
    measured
        Within d_min, not left out, and not 0: what is given to the network and what a score counts (n, N).
    """

    magnitudes: F64
    positive: Bool
    measured: Bool

    @property
    def amplitudes(self) -> F64:
        """|F| of what is measured, 0 elsewhere, (n, N)."""
        return np.where(self.measured, self.magnitudes, 0.0)


def calculate(
    reflections: Reflections,
    crystals: CrystalArrays,
    *,
    d_min_angstrom: float = 1.0,
    completeness: float = 1.0,
    keys: tuple[str, ...] = (),
    seed: int = 0,
) -> Diffraction:
    """Diffraction of structures described in the group of `reflections`.

    Parameters
    ----------
    reflections
        Group and list.
    crystals
        n structures.
    d_min_angstrom
        Resolution limit. The box limits too: of a cell longer than d_min × max_index, reflections within the
        sphere of d_min are missing, as in the papers.
    completeness
        Share of the sets of equivalents within the limit that are measured; the others are left out at
        random, equivalents of the list (the −h k 0 copies of P2₁/c) together.
    keys, seed
        What decides which are left out: the name of a structure and the seed, not its place among others.

    Raises
    ------
    UsageError
        Completeness is not within 0 … 1, or keys are lacking.
    XtalpriorsError
        As `CrystalArrays.checked`; d_min is not positive.
    """
    check_d_min(d_min_angstrom)
    if not 0.0 < completeness <= 1.0:
        raise UsageError(
            f"completeness is {completeness}; it is a share, above 0 and at most 1, such as 0.85."
        )
    calculator = StructureFactorCalculator(reflections.group, reflections.box)
    boxed = calculator.structure_factors(crystals, _WHOLE_BOX_ANGSTROM).real
    f = boxed.reshape(len(boxed), -1)[:, reflections.position].astype(np.float64)
    magnitudes = np.where(np.abs(f) < SMALLEST_AMPLITUDE_ELECTRONS, 0.0, np.abs(f))
    measured = (magnitudes > 0) & (s_squared(reflections.hkl, crystals.cells) <= sphere_limit(d_min_angstrom))
    if completeness < 1.0:
        if len(keys) != len(f):
            raise UsageError(f"to leave reflections out takes a key for each structure, {len(f)} in all.")
        for i, key in enumerate(keys):
            measured[i] &= take_out(
                measured[i], reflections.orbit, completeness, keyed_rng(key, seed, "left out")
            )
    return Diffraction(magnitudes, f >= 0, measured)


def take_out(
    measured: Bool,
    orbits: I64,
    completeness: float,
    rng: np.random.Generator,
) -> Bool:
    """Which of the reflections (N,) stay when only a share of the measured sets of equivalents does."""
    present = np.unique(orbits[measured])
    kept = rng.permutation(present)[: round(completeness * len(present))]
    return measured & np.isin(orbits, kept)


def keyed_rng(key: str, seed: int, purpose: str) -> np.random.Generator:
    """A generator for one structure and one purpose, whatever else is computed beside it."""
    digest = blake2b(f"{seed}\n{purpose}\n{key}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "little"))


def network_input(
    reflections: Reflections,
    amplitudes: Tensor,
    *,
    scaling: Scaling = "maximum",
    cells: F64 | None = None,
    robust: bool = False,
) -> Tensor:
    """The network's input (n, H, K, L) from |F| (n, N).

    Parameters
    ----------
    scaling
        What the network was trained with (its model card).
    cells
        (n, 6), only for `normalised-E`.
    robust
        For `maximum`: divide by `ROBUST_FACTOR` times the mean of the second to the sixth largest instead,
        and cut at 1. Where the strongest reflection was not measured (beam stop, overload), the scale then
        hardly moves.

    Raises
    ------
    UsageError
        `robust` with a scaling that is so anyway.
    XtalpriorsError
        As `inputs.InputScaling`.
    """
    if not robust:
        cell_tensor = None if cells is None else torch.from_numpy(np.ascontiguousarray(cells))
        return InputScaling(reflections, scaling)(reflections.scatter(amplitudes), cell_tensor)
    if scaling != "maximum":
        raise UsageError(
            "The robust scale is for networks whose input is divided by the largest amplitude; this one "
            f"takes {scaling}, which does not hang on one reflection. Leave the option out."
        )
    values = amplitudes.double()
    counted = torch.from_numpy(reflections.counted).to(values.device)
    strongest = (values * counted).topk(_NEXT + 1, dim=-1).values[:, 1:]
    present = (strongest > 0).sum(dim=-1, keepdim=True).clamp(min=1)
    divisor = ROBUST_FACTOR * strongest.sum(dim=-1, keepdim=True) / present
    return reflections.scatter((values / divisor.where(divisor > 0, 1.0)).clamp(max=1.0).float())
