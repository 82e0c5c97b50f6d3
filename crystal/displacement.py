"""Atomic displacement parameters: U from B, and the equivalent isotropic U of a tensor in any cell.

Definitions as in Trueblood et al., Acta Cryst. A52 (1996) 770 (doi 10.1107/S0108767396005697):

- isotropic: exp(−8π² U sin²θ/λ²) = exp(−B sin²θ/λ²), so B = 8π² U;
- U tensor: exp(−2π² Σ h_i h_j a*_i a*_j U^ij); B tensor: the same with B^ij = 8π² U^ij;
- β tensor: exp(−Σ h_i h_j β^ij), so β^ij = 2π² a*_i a*_j U^ij.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from xtalpriors.crystal.cell import metric_tensors, reciprocal_metric_tensors

__all__ = ["B_PER_U", "u_equivalent", "u_equivalent_from_b", "u_equivalent_from_beta", "u_from_b"]

Array = npt.NDArray[np.float64]

B_PER_U = 8.0 * math.pi**2
"""B / U."""


def u_from_b(b: npt.ArrayLike) -> Array:
    """U_iso in Å² from B_iso in Å² (any shape): U = B / 8π². NaN stays NaN."""
    u: Array = np.asarray(b, dtype=np.float64) / B_PER_U
    return u


def u_equivalent(tensors: npt.ArrayLike, cell: npt.ArrayLike) -> Array:
    """Equivalent isotropic U of tensors U^ij in one cell.

    U_eq = ⅓ Σ_ij U^ij a*_i a*_j a_i·a_j (Fischer & Tillmanns, Acta Cryst. C44 (1988) 775, eq. 2).

    Parameters
    ----------
    tensors
        (n, 6) in Å², in the CIF's order U11, U22, U33, U12, U13, U23.
    cell
        (6,) in Å and degrees.

    Returns
    -------
    (n,) in Å²; NaN where a component is missing (NaN) or the cell has no volume.
    """
    weights = _trace_weights(cell)
    u: Array = np.asarray(tensors, dtype=np.float64) @ weights
    return u


def u_equivalent_from_b(tensors: npt.ArrayLike, cell: npt.ArrayLike) -> Array:
    """Equivalent isotropic U in Å² (n,) of tensors B^ij (n, 6) in Å²; order as in `u_equivalent`."""
    return u_equivalent(tensors, cell) / B_PER_U


def u_equivalent_from_beta(tensors: npt.ArrayLike, cell: npt.ArrayLike) -> Array:
    """Equivalent isotropic U in Å² (n,) of dimensionless tensors β^ij (n, 6); order as in `u_equivalent`.

    With β^ij = 2π² a*_i a*_j U^ij this is U_eq = Σ_ij β^ij a_i·a_j / 6π².
    """
    metric = metric_tensors(np.asarray(cell, dtype=np.float64)[None])[0]
    weights = _pack(metric) / (6.0 * math.pi**2)
    u: Array = np.asarray(tensors, dtype=np.float64) @ weights
    return u


def _trace_weights(cell: npt.ArrayLike) -> Array:
    """The six factors that turn U11, U22, U33, U12, U13, U23 into U_eq."""
    array = np.asarray(cell, dtype=np.float64)[None]
    metric = metric_tensors(array)[0]
    star = np.sqrt(np.diagonal(reciprocal_metric_tensors(array)[0]))
    return _pack(metric * star[:, None] * star[None, :]) / 3.0


def _pack(symmetric: Array) -> Array:
    """Six weights of a full contraction with a symmetric tensor stored as 11, 22, 33, 12, 13, 23."""
    i, j = np.array([0, 1, 2, 0, 0, 1]), np.array([0, 1, 2, 1, 2, 2])
    packed: Array = symmetric[i, j] * np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    return packed
