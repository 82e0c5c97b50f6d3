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

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.cell import metric_tensors, reciprocal_metric_tensors

__all__ = ["B_PER_U", "beta_weights", "u_weights"]


B_PER_U = 8.0 * math.pi**2
"""B / U."""


def u_weights(cells: npt.ArrayLike) -> F64:
    """Factors of U11, U22, U33, U12, U13, U23 in U_eq, (n, 6), dimensionless.

    U_eq = ⅓ Σ_ij U^ij a*_i a*_j a_i·a_j (Fischer & Tillmanns, Acta Cryst. C44 (1988) 775, eq. 2). Those of a
    B tensor are these over `B_PER_U`.

    Parameters
    ----------
    cells
        (n, 6) in Å and degrees; NaN for a cell without a volume.
    """
    cells = np.asarray(cells, dtype=np.float64)
    star = np.sqrt(np.diagonal(reciprocal_metric_tensors(cells), axis1=1, axis2=2))
    return _packed(metric_tensors(cells) * star[:, :, None] * star[:, None, :] / 3.0)


def beta_weights(cells: npt.ArrayLike) -> F64:
    """Factors of β11, β22, β33, β12, β13, β23 in U_eq = Σ_ij β^ij a_i·a_j / 6π², (n, 6) in Å²."""
    return _packed(metric_tensors(np.asarray(cells, dtype=np.float64)) / (6.0 * np.pi**2))


def _packed(symmetric: F64) -> F64:
    """Weights (n, 6) of a full contraction with tensors stored as 11, 22, 33, 12, 13, 23."""
    i, j = (0, 1, 2, 0, 0, 1), (0, 1, 2, 1, 2, 2)
    packed: F64 = symmetric[:, i, j] * np.array([1.0, 1.0, 1.0, 2.0, 2.0, 2.0])
    return packed
