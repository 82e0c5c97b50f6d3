"""Least squares of an isotropic model against |F|², with SHELXL's weights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from xtalpriors.arrays import F64, Bool
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.model.solving.derivatives import Reflections, calculated, squared_with_derivatives
from xtalpriors.model.solving.model import Atoms

__all__ = ["Fit", "Observed", "refine", "scale_and_r1"]

LONGEST_SHIFT_ANGSTROM = 0.25
U_RANGE_ANGSTROM2 = (0.001, 0.5)
REFLECTIONS_PER_PARAMETER = 8
"""More of them are thinned out evenly over the resolution."""
WEIGHT_A = 0.1
"""Of w = 1 / (σ² + (aP)²), P = (Fo² + 2Fc²) / 3."""


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Measured |F|² and σ, and |F| of every reflection of a `Reflections`, all on one arbitrary scale."""

    squared: F64
    sigma: F64
    amplitude: F64

    @property
    def strong(self) -> Bool:
        """|F| > 4σ(F), that is |F|² > 2σ(|F|²)."""
        found: Bool = self.squared > 2.0 * self.sigma
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A refined model.

    Attributes
    ----------
    atoms
        The model.
    scale
        |Fo|² = scale · |Fc|².
    r1
        Σ ||Fo| − |Fc|| / Σ |Fo| of |Fo| > 4σ.
    """

    atoms: Atoms
    scale: float
    r1: float


def scale_and_r1(reflections: Reflections, observed: Observed, atoms: Atoms) -> tuple[float, float]:
    """Scale of |F|² and R1 of a model."""
    fc = np.abs(calculated(reflections, atoms))
    strong = observed.strong
    fo, fc = observed.amplitude[strong], fc[strong]
    if len(fo) == 0 or not (fc > 0).any():
        return 1.0, 1.0
    k = float((fo * fc).sum() / (fc * fc).sum())
    return k * k, float(np.abs(fo - k * fc).sum() / fo.sum())


def refine(
    reflections: Reflections,
    observed: Observed,
    cell: UnitCell,
    atoms: Atoms,
    *,
    cycles: int = 6,
    what: Literal["u", "power"] = "u",
) -> tuple[Fit, F64]:
    """Refine scale, coordinates and U, or scale, coordinates and scattering power.

    Returns the model, and the factors of the scattering powers (1 where U was refined).
    """
    thinned, part = _thinned(reflections, observed, len(atoms))
    scale, _ = scale_and_r1(thinned, part, atoms)
    factors = np.ones(len(atoms))
    lengths = np.array([cell.a, cell.b, cell.c])
    for _ in range(cycles):
        shown = replace(atoms, weights=atoms.weights * factors)
        squared, rows = squared_with_derivatives(thinned, shown)
        fo2, sigma = part.squared / scale, part.sigma / scale
        p = (np.maximum(fo2, 0.0) + 2.0 * squared) / 3.0
        weight = 1.0 / np.sqrt(sigma**2 + (WEIGHT_A * p) ** 2 + 1e-12)
        columns = rows[:, :, [0, 1, 2, 3 if what == "u" else 4]]
        for j in np.flatnonzero(atoms.weights < 0.99):
            columns[:, j, :3] = columns[:, j, :3] @ atoms.projections[j]
        design = np.concatenate([squared[:, None], columns.reshape(len(squared), -1)], axis=1)
        design *= weight[:, None]
        shift = _solve(design, weight * (fo2 - squared))
        scale *= float(np.clip(1.0 + shift[0], 0.5, 2.0))
        moves = shift[1:].reshape(-1, 4)
        steps = np.einsum("nij,nj->ni", atoms.projections, moves[:, :3])
        size = np.abs(steps * lengths).max(axis=1, keepdims=True)
        steps *= np.minimum(1.0, LONGEST_SHIFT_ANGSTROM / np.maximum(size, 1e-12))
        u = atoms.u_iso
        if what == "u":
            u = np.clip(u + np.clip(moves[:, 3], -0.03, 0.05), *U_RANGE_ANGSTROM2)
        else:
            factors = np.clip(factors * (1.0 + np.clip(moves[:, 3], -0.4, 0.6)), 0.05, 6.0)
        atoms = replace(atoms, fract=atoms.fract + steps, u_iso=u)
    shown = replace(atoms, weights=atoms.weights * factors)
    scale, r1 = scale_and_r1(reflections, observed, shown)
    return Fit(atoms, scale, r1), factors


def _solve(design: F64, residual: F64) -> F64:
    """Shifts by damped normal equations, with columns scaled to the same length."""
    norm = np.sqrt((design * design).sum(axis=0))
    norm[norm == 0] = 1.0
    scaled = design / norm
    normal = scaled.T @ scaled
    normal[np.diag_indices_from(normal)] += 1e-3
    shift: F64 = np.linalg.solve(normal, scaled.T @ residual) / norm
    return shift


def _thinned(reflections: Reflections, observed: Observed, n_atoms: int) -> tuple[Reflections, Observed]:
    most = REFLECTIONS_PER_PARAMETER * (4 * n_atoms + 1)
    m = len(reflections.hkl)
    if m <= 1.3 * most:
        return reflections, observed
    order = np.argsort(reflections.s2, kind="stable")
    chosen = np.sort(order[np.linspace(0, m - 1, most).astype(int)])
    part = Reflections(reflections.group, reflections.hkl[chosen], reflections.s2[chosen], reflections.probe)
    return part, Observed(observed.squared[chosen], observed.sigma[chosen], observed.amplitude[chosen])
