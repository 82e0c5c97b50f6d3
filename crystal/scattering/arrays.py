"""The input of structure factors: a batch of crystals as ragged arrays, checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F32, F64, I64, U8, Bool
from xtalpriors.counted import counted
from xtalpriors.crystal.cells.cell import reciprocal_metric_tensors
from xtalpriors.crystal.chemistry.form_factors import check_elements
from xtalpriors.crystal.scattering.kernels_common import Atoms
from xtalpriors.crystal.scattering.reciprocal import SPHERE_TOLERANCE, check_d_min
from xtalpriors.errors import XtalpriorsError

__all__ = ["CrystalArrays", "largest_counts", "nearest_first", "resolution_limits"]


@dataclass(frozen=True, slots=True)
class CrystalArrays:
    """Crystals of one space group, one after another; atoms of crystal i stand at offsets[i]:offsets[i + 1].

    Attributes
    ----------
    cells
        a, b, c in Å, α, β, γ in degrees, (n, 6).
    offsets
        Integers (n + 1,).
    numbers
        Atomic numbers (m,).
    fract
        Fractional coordinates of the asymmetric unit (m, 3).
    u_iso
        Isotropic displacement parameters, Å² (m,).
    weights
        Occupancy × site multiplicity / order of the group (m,): 1 for a full general position.
    """

    cells: F64
    offsets: I64
    numbers: U8
    fract: F64
    u_iso: F32
    weights: F64

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def atoms(self) -> Atoms:
        """The same atoms for the kernels."""
        return Atoms(self.offsets, self.numbers, self.fract, self.u_iso, self.weights)

    def checked(self) -> CrystalArrays:
        """The same crystals, contiguous and in the kernels' types.

        Raises
        ------
        XtalpriorsError
            Shapes that do not fit, an impossible cell, an element without form factor, a coordinate,
            displacement or weight that is not finite, U_iso ≤ 0.
        """
        _check_shapes(self)
        check_elements(self.numbers)
        crystals = replace(
            self,
            cells=np.ascontiguousarray(self.cells, dtype=np.float64),
            offsets=np.ascontiguousarray(self.offsets, dtype=np.int64),
            numbers=np.ascontiguousarray(self.numbers, dtype=np.uint8),
            fract=np.ascontiguousarray(self.fract, dtype=np.float64),
            u_iso=np.ascontiguousarray(self.u_iso, dtype=np.float32),
            weights=np.ascontiguousarray(self.weights, dtype=np.float64),
        )
        _check_values(crystals)
        return crystals


def _check_shapes(crystals: CrystalArrays) -> None:
    n, m = len(crystals.cells), len(crystals.numbers)
    shapes = {
        "cells": (np.shape(crystals.cells), (n, 6)),
        "offsets": (np.shape(crystals.offsets), (n + 1,)),
        "fract": (np.shape(crystals.fract), (m, 3)),
        "u_iso": (np.shape(crystals.u_iso), (m,)),
        "weights": (np.shape(crystals.weights), (m,)),
    }
    for name, (given, wanted) in shapes.items():
        if given != wanted:
            raise XtalpriorsError(
                f"A batch of {counted(n, 'crystal')} with {counted(m, 'atom')} needs {name} of the "
                f"shape {wanted}, not {given}."
            )
    offsets = np.asarray(crystals.offsets)
    if offsets[0] != 0 or offsets[-1] != m or np.any(np.diff(offsets) < 0):
        raise XtalpriorsError(
            f"offsets must ascend from 0 to the number of atoms, {m}; they go from {offsets[0]} to "
            f"{offsets[-1]}."
        )


def _check_values(crystals: CrystalArrays) -> None:
    bad: Bool = np.any(~np.isfinite(crystals.fract), axis=1)
    _refuse(crystals, bad, crystals.fract, "the coordinates", "finite numbers")
    bad = ~((crystals.u_iso > 0) & np.isfinite(crystals.u_iso))
    _refuse(crystals, bad, crystals.u_iso, "U_iso", "a positive number of Å², for example 0.05")
    bad = ~((crystals.weights > 0) & np.isfinite(crystals.weights))
    _refuse(crystals, bad, crystals.weights, "the weight", "positive: occupancy × multiplicity / order")


def _refuse(
    crystals: CrystalArrays,
    bad: Bool,
    values: npt.NDArray[np.floating],
    what: str,
    need: str,
) -> None:
    if bad.any():
        atom = int(np.argmax(bad))
        crystal = int(np.searchsorted(crystals.offsets, atom, side="right")) - 1
        raise XtalpriorsError(
            f"Crystal {crystal} of the batch, atom {atom - int(crystals.offsets[crystal])}: {what} must be "
            f"{need}; got {np.array2string(values[atom], precision=6)}."
        )


def largest_counts(crystals: CrystalArrays) -> tuple[int, int]:
    """Largest number of atoms in a crystal, and an upper limit of the number of its elements."""
    atoms = int(np.diff(crystals.offsets).max(initial=0))
    return atoms, min(atoms, int(np.count_nonzero(np.bincount(crystals.numbers))))


_NEAR = 16


def nearest_first(hkl: I64) -> I64:
    """The reflections (m, 3) without 0 0 0, small indices first."""
    norm = (hkl**2).sum(axis=1)
    return hkl[np.argsort(norm, kind="stable")][np.count_nonzero(norm == 0) :]


def resolution_limits(cells: F64, d_min_angstrom: npt.ArrayLike, hkl: I64) -> tuple[F64, F64]:
    """1/d_min² (n,) and the reciprocal metric tensors (n, 3, 3), Å⁻², of crystals with these cells (n, 6).

    `hkl` (m, 3) are the reflections that count, from `nearest_first`.

    Raises
    ------
    XtalpriorsError
        d_min is not positive, its length is not n, a cell has no volume, or every reflection (m, 3) lies
        outside d_min.
    """
    d_min = check_d_min(d_min_angstrom)
    if d_min.ndim and d_min.shape != (len(cells),):
        raise XtalpriorsError(
            f"d_min is one number or one for each of {counted(len(cells), 'crystal')}; its shape is "
            f"{d_min.shape}."
        )
    limits = np.broadcast_to(d_min**-2.0, len(cells)).astype(np.float64)
    metrics = reciprocal_metric_tensors(cells)
    if not np.isfinite(metrics).all():
        i = int(np.argmax(~np.isfinite(metrics).all(axis=(1, 2))))
        raise XtalpriorsError(
            f"Crystal {i} of the batch: the cell {cells[i].tolist()} has no volume; lengths must be positive "
            "and the three angles must be able to meet."
        )
    if len(hkl) == 0:  # every reflection of the box is absent, and 0 is the answer
        return limits, metrics
    # any of the list counts; those next to the origin settle it for nearly every crystal at once
    for some in (hkl[:_NEAR], hkl):
        squares = (some[:, :, None] * some[:, None, :]).reshape(-1, 9).astype(np.float64)
        nearest = (metrics.reshape(-1, 9) @ squares.T).min(axis=1, initial=np.inf)
        lacking = nearest > limits * (1.0 + SPHERE_TOLERANCE)
        if not lacking.any():
            return limits, metrics
    i = int(np.argmax(lacking))
    raise XtalpriorsError(
        f"Crystal {i} of the batch has no reflection within d_min = {limits[i] ** -0.5:.4g} Å: its largest "
        f"d-spacing in the list is {nearest[i] ** -0.5:.4g} Å (cell {cells[i].tolist()}). Lower d_min."
    )
