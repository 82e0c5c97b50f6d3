"""|F| of weak and negative intensities: the mean over what Wilson's statistics allow (French & Wilson 1978).

A true intensity J is not negative and follows Wilson's distribution about the mean Σ of its resolution; the
measured one is normal about J. The mean of √J over the product of the two is the best guess of |F|
(doi 10.1107/S0567739478001114). Their tables are replaced by sums over J.
"""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64, Bool

__all__ = ["amplitudes_of_intensities"]

STRONG = 4.0
"""Above so many σ an intensity is its own best guess."""
_STEPS = 128
_REACH = 8.0
"""The sum goes from 0 to so many σ above the measured value, or above 0 where it is negative,"""
_PRIOR_REACH = 40.0
"""and to so many times the mean intensity at most."""


def amplitudes_of_intensities(intensity: F64, sigma: F64, expected: F64, centric: Bool) -> tuple[F64, F64]:
    """|F| and its standard uncertainty, (m,) each.

    Parameters
    ----------
    intensity, sigma
        |F|² and σ(|F|²), (m,), σ > 0.
    expected
        Mean |F|² of reflections like it, Σ times ε, (m,).
    centric
        Whether a centre or an even rotation makes the phase one of two, (m,).
    """
    amplitude = np.sqrt(np.maximum(intensity, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(amplitude > 0, sigma / (2.0 * amplitude), np.sqrt(sigma))
    weak = np.flatnonzero(intensity < STRONG * sigma)
    for part in np.array_split(weak, max(1, len(weak) // 8192)):
        i, s, mean = intensity[part, None], sigma[part, None], np.maximum(expected[part, None], 1e-300)
        top = np.sqrt(np.minimum(np.maximum(i, 0.0) + _REACH * s, _PRIOR_REACH * mean))
        # over F = √J the integrand has no singularity: dJ = 2F dF, and p(J) ∝ J^(-1/2) exp(−J/2Σ) if centric
        f = (np.arange(_STEPS) + 0.5) / _STEPS * top
        log = -0.5 * ((f * f - i) / s) ** 2
        log += np.where(centric[part, None], -f * f / (2.0 * mean), np.log(f) - f * f / mean)
        weight = np.exp(log - log.max(axis=1, keepdims=True))
        total = weight.sum(axis=1)
        first, second = (weight * f).sum(axis=1) / total, (weight * f * f).sum(axis=1) / total
        amplitude[part] = first
        error[part] = np.sqrt(np.maximum(second - first * first, 0.0))
    return amplitude, error
