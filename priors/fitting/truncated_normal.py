"""Mean and standard deviation of a truncated normal distribution from the first two moments of the values."""

from __future__ import annotations

import numpy as np
from scipy import special

from xtalpriors.arrays import F64

__all__ = ["solve_truncated_normal"]

FARTHEST = 30.0
"""Standard deviations between the mode and the kept range beyond which the likelihood has no useful maximum:
the likelihood rises towards an exponential, the limit of a normal distribution whose mean runs away."""


def solve_truncated_normal(means: F64, low: float | None, high: float | None) -> F64:
    """Exact maximum likelihood by Newton's method in the natural parameters (η₁ = μ/σ², η₂ = −1/2σ²).

    Parameters
    ----------
    means : (…, 2) array
        Means of x and x².
    low, high
        Bounds; null is infinite.

    Returns
    -------
    (…, 2) array
        Mean and standard deviation before the cut; NaN where the likelihood has no maximum.
    """
    centre = means[..., 0]
    variance = means[..., 1] - centre**2
    scale = np.sqrt(np.where(variance > 1e-12 * (1 + centre**2), variance, np.nan))
    if low is None and high is None:
        return np.stack([centre, scale], -1)
    # in units of the sample's own mean and s.d. the two moments to reach are 0 and 1
    a = np.full_like(centre, -np.inf) if low is None else (low - centre) / scale
    b = np.full_like(centre, np.inf) if high is None else (high - centre) / scale
    with np.errstate(all="ignore"):  # what diverges is NaN in the answer
        mu, sigma = _standardised(a, b)
    return np.stack([centre + scale * mu, scale * sigma], -1)


def _standardised(a: F64, b: F64) -> tuple[F64, F64]:
    """μ, σ of a normal cut to [a, b] whose mean is 0 and variance 1."""
    eta1, eta2 = np.zeros_like(a), np.full_like(a, -0.5)
    for _ in range(200):
        m1, m2, m3, m4 = _moments(eta1, eta2, a, b)
        f, g = m1, m2 - 1.0
        p, q, r = m2 - m1**2, m3 - m1 * m2, m4 - m2**2
        determinant = p * r - q * q
        step1, step2 = (r * f - q * g) / determinant, (p * g - q * f) / determinant
        # η₂ keeps its sign: at most four fifths of the way to 0 in one step, η₁ shortened alike
        factor = np.minimum(1.0, np.where(step2 < 0, 0.8 * eta2 / step2, 1.0))
        factor = np.minimum(factor, 2.0 / np.maximum(np.abs(step1), 1e-300))
        eta1, eta2 = eta1 - factor * step1, eta2 - factor * step2
        moved = np.maximum(np.abs(factor * step1), np.abs(factor * step2))
        if not np.any(moved > 1e-12 * (1 + np.abs(eta1) + np.abs(eta2))):
            break
    variance = -0.5 / eta2
    mu, sigma = eta1 * variance, np.sqrt(variance)
    far = np.maximum((a - mu) / sigma, (mu - b) / sigma) > FARTHEST
    m1, m2, _, _ = _moments(eta1, eta2, a, b)
    solved = ~far & (np.abs(m1) < 1e-6) & (np.abs(m2 - 1) < 1e-6)
    return np.where(solved, mu, np.nan), np.where(solved, sigma, np.nan)


def _moments(eta1: F64, eta2: F64, a: F64, b: F64) -> tuple[F64, F64, F64, F64]:
    """First four moments of the normal with natural parameters η cut to [a, b]."""
    variance = -0.5 / eta2
    mu, sigma = eta1 * variance, np.sqrt(variance)
    low, high = (a - mu) / sigma, (b - mu) / sigma
    # mirrored where the range is an upper tail: probabilities near 1 lose their digits
    flip = low > 0
    low, high, side = np.where(flip, -high, low), np.where(flip, -low, high), np.where(flip, -1.0, 1.0)
    kept = special.ndtr(high) - special.ndtr(low)

    def edge(power: int) -> F64:
        """zᵏ·φ(z) at the upper less that at the lower end (0 at infinity), over the probability kept."""
        upper = np.where(np.isfinite(high), high**power * np.exp(-0.5 * high**2), 0.0)
        lower = np.where(np.isfinite(low), low**power * np.exp(-0.5 * low**2), 0.0)
        return np.asarray((upper - lower) / (np.sqrt(2 * np.pi) * kept), float)

    z1 = -edge(0)
    z2 = 1.0 - edge(1)
    z3 = 2 * z1 - edge(2)
    z4 = 3 * z2 - edge(3)
    z1, z3 = side * z1, side * z3
    m1 = mu + sigma * z1
    m2 = mu**2 + 2 * mu * sigma * z1 + sigma**2 * z2
    m3 = mu**3 + 3 * mu**2 * sigma * z1 + 3 * mu * sigma**2 * z2 + sigma**3 * z3
    m4 = mu**4 + 4 * mu**3 * sigma * z1 + 6 * mu**2 * sigma**2 * z2 + 4 * mu * sigma**3 * z3 + sigma**4 * z4
    return m1, m2, m3, m4
