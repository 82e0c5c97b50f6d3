"""Unit cells: volume, metric tensor, reciprocal cell, orthogonalization; one at a time or as (n, 6) arrays.

Lengths are in ångström and angles in degrees. The orthogonalization matrix follows the convention of the
PDB and of gemmi: a along x, b in the xy plane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64

__all__ = [
    "UnitCell",
    "cell_volumes",
    "cells_from_metric",
    "metric_tensors",
    "orthogonalization_matrices",
    "reciprocal_metric_tensors",
]


@dataclass(frozen=True, slots=True)
class UnitCell:
    """A unit cell: a, b, c in ångström and alpha, beta, gamma in degrees.

    Nothing is checked when it is made, because files hold impossible cells too: ask `is_valid`.
    """

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    @property
    def parameters(self) -> tuple[float, float, float, float, float, float]:
        """The six parameters (a, b, c in Å; alpha, beta, gamma in degrees)."""
        return (self.a, self.b, self.c, self.alpha, self.beta, self.gamma)

    @property
    def is_valid(self) -> bool:
        """Lengths positive and finite, angles in (0°, 180°), and a parallelepiped of positive volume."""
        lengths, angles = self.parameters[:3], self.parameters[3:]
        if not all(math.isfinite(x) for x in self.parameters):
            return False
        return all(x > 0 for x in lengths) and all(0 < x < 180 for x in angles) and self.volume > 0

    @property
    def volume(self) -> float:
        """Volume in Å³; NaN where the angles cannot meet in space."""
        ca, cb, cg = (_cos_degree(x) for x in self.parameters[3:])
        square = 1.0 - ca * ca - cb * cb - cg * cg + 2.0 * ca * cb * cg
        return self.a * self.b * self.c * math.sqrt(square) if square > 0 else math.nan

    @property
    def metric_tensor(self) -> F64:
        """Metric tensor G (3, 3) in Å²: squared length of a fractional vector x is xᵀ G x."""
        tensor: F64 = metric_tensors(np.array([self.parameters]))[0]
        return tensor

    @property
    def orthogonalization(self) -> F64:
        """Matrix (3, 3) in Å that takes fractional to Cartesian coordinates (columns a, b, c)."""
        matrix: F64 = orthogonalization_matrices(np.array([self.parameters]))[0]
        return matrix

    def reciprocal(self) -> UnitCell:
        """Reciprocal cell: lengths a*, b*, c* in Å⁻¹ (a·a* = 1), angles in degrees."""
        inverse = reciprocal_metric_tensors(np.array([self.parameters]))
        return UnitCell(*cells_from_metric(inverse)[0].tolist())

    def transformed(self, basis: npt.ArrayLike) -> UnitCell:
        """Cell of the basis (a′, b′, c′) = (a, b, c) P.

        Parameters
        ----------
        basis
            P (3, 3): its columns are the axes wanted, in units of the present axes (ITA vol. A, 1.5.1).
        """
        p = np.asarray(basis, dtype=np.float64)
        return UnitCell(*cells_from_metric((p.T @ self.metric_tensor @ p)[None])[0].tolist())


def _cos_degree(angle: float) -> float:
    """Cosine of an angle in degrees, exactly 0 at 90°, so that right angles stay right."""
    return 0.0 if angle == 90.0 else math.cos(math.radians(angle))


def _cosines(cells: F64) -> F64:
    angles = cells[:, 3:]
    cosines: F64 = np.where(angles == 90.0, 0.0, np.cos(np.radians(angles)))
    return cosines


def cell_volumes(cells: npt.ArrayLike) -> F64:
    """Volumes (n,) in Å³ of cells (n, 6); NaN where the angles cannot meet in space."""
    array = np.asarray(cells, dtype=np.float64)
    cosines = _cosines(array)
    square = 1.0 - (cosines**2).sum(axis=1) + 2.0 * cosines.prod(axis=1)
    root = np.sqrt(np.where(square > 0, square, np.nan))
    volumes: F64 = array[:, :3].prod(axis=1) * root
    return volumes


def metric_tensors(cells: npt.ArrayLike) -> F64:
    """Metric tensors (n, 3, 3) in Å² of cells (n, 6)."""
    array = np.asarray(cells, dtype=np.float64)
    lengths = array[:, :3]
    ca, cb, cg = _cosines(array).T
    cosines = np.ones((len(array), 3, 3))
    cosines[:, 1, 2] = cosines[:, 2, 1] = ca
    cosines[:, 0, 2] = cosines[:, 2, 0] = cb
    cosines[:, 0, 1] = cosines[:, 1, 0] = cg
    metric: F64 = cosines * lengths[:, :, None] * lengths[:, None, :]
    return metric


def _arccos(cosines: F64) -> F64:
    """Arccosine in radians of each value, NaN outside [−1, 1].

    The last bit of NumPy's own depends on the processor (it has another one for AVX-512), and with it would
    every angle that is stored; the C library's does not.
    """
    inside = np.abs(cosines) <= 1.0
    angles = np.full(cosines.shape, np.nan)
    angles[inside] = [math.acos(c) for c in cosines[inside].tolist()]
    return angles


def cells_from_metric(metric: npt.ArrayLike) -> F64:
    """Cells (n, 6) in Å and degrees of metric tensors (n, 3, 3); NaN where a tensor is not positive."""
    tensor = np.asarray(metric, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        lengths = np.sqrt(np.einsum("nii->ni", tensor))
        pairs = ((1, 2), (0, 2), (0, 1))
        cosines = np.stack([tensor[:, i, j] / (lengths[:, i] * lengths[:, j]) for i, j in pairs], axis=1)
    angles = np.degrees(_arccos(cosines))
    return np.concatenate([lengths, angles], axis=1)


def reciprocal_metric_tensors(cells: npt.ArrayLike) -> F64:
    """Reciprocal metric tensors G* (n, 3, 3) in Å⁻² of cells (n, 6): 1/d² of h is hᵀ G* h.

    Cells without a volume give NaN.
    """
    metric = metric_tensors(cells)
    volumes = cell_volumes(cells)
    metric[~(volumes > 0)] = np.nan
    # adjugate over determinant: rows of the cofactor matrix are cross products of the rows of G
    cofactor = np.stack(
        [
            np.cross(metric[:, 1], metric[:, 2]),
            np.cross(metric[:, 2], metric[:, 0]),
            np.cross(metric[:, 0], metric[:, 1]),
        ],
        axis=1,
    )
    inverse: F64 = cofactor / (volumes**2)[:, None, None]
    return inverse


def orthogonalization_matrices(cells: npt.ArrayLike) -> F64:
    """Matrices (n, 3, 3) in Å from fractional to Cartesian coordinates of cells (n, 6), upper triangular."""
    array = np.asarray(cells, dtype=np.float64)
    a, b, c = array[:, :3].T
    ca, cb, cg = _cosines(array).T
    sin_gamma = np.where(array[:, 5] == 90.0, 1.0, np.sin(np.radians(array[:, 5])))
    matrices = np.zeros((len(array), 3, 3))
    matrices[:, 0, 0] = a
    matrices[:, 0, 1] = b * cg
    matrices[:, 0, 2] = c * cb
    matrices[:, 1, 1] = b * sin_gamma
    with np.errstate(invalid="ignore", divide="ignore"):
        matrices[:, 1, 2] = c * (ca - cb * cg) / sin_gamma
        matrices[:, 2, 2] = cell_volumes(array) / (a * b * sin_gamma)
    return matrices
