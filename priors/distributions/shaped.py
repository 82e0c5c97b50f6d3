"""Continuous families with a shape: gamma, truncated normal, and the beta with a share of exact zeros."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import model_validator

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.continuous import InverseSampled, check_range
from xtalpriors.priors.distributions.estimate import Estimate

__all__ = ["Gamma", "TruncatedNormal", "ZeroInflatedBeta"]


class Gamma(InverseSampled):
    """Gamma distribution with location 0: density ∝ x^(shape − 1)·exp(−x/scale)."""

    family: Literal["gamma"] = "gamma"
    shape: Estimate
    scale: Estimate

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.shape.value <= 0 or self.scale.value <= 0:
            raise ValueError("shape and scale must be positive")
        return self

    def log_prob(self, x: ArrayLike) -> F64:
        """(k − 1) ln x − x/θ − ln Γ(k) − k ln θ."""
        from scipy import special

        x, k, scale = np.asarray(x, float), self.shape.value, self.scale.value
        safe = np.where(x > 0, x, 1.0)
        inside = (k - 1) * np.log(safe) - safe / scale - special.gammaln(k) - k * np.log(scale)
        return np.where(x > 0, inside, -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        from scipy import special

        return np.asarray(special.gammainc(self.shape.value, np.maximum(x, 0.0) / self.scale.value), float)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`."""
        from scipy import special

        return np.asarray(
            self.scale.value * special.gammaincinv(self.shape.value, np.asarray(p, float)), float
        )


class TruncatedNormal(InverseSampled):
    """N(mean, sd²) cut to [low, high]; `mean` and `sd` are those before the cut, null bounds are infinite."""

    family: Literal["truncated-normal"] = "truncated-normal"
    mean: Estimate
    sd: Estimate
    low: float | None
    high: float | None

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.low is not None:
            check_range(self.low, self.high)
        if self.sd.value <= 0:
            raise ValueError("sd must be positive")
        return self

    def _standard(self) -> tuple[float, float, float]:
        """Side (+1, −1) and the two cuts in standard deviations, mirrored so that the cut is no upper tail.

        Probabilities near 1 lose their digits; those near 0 keep them.
        """
        low = -np.inf if self.low is None else (self.low - self.mean.value) / self.sd.value
        high = np.inf if self.high is None else (self.high - self.mean.value) / self.sd.value
        return (-1.0, -high, -low) if low > 0 else (1.0, low, high)

    def log_prob(self, x: ArrayLike) -> F64:
        """Normal log density minus ln of the share kept, inside."""
        from scipy import special

        x = np.asarray(x, float)
        _, low, high = self._standard()
        z = (x - self.mean.value) / self.sd.value
        kept = np.log(special.ndtr(high) - special.ndtr(low))
        inside = -0.5 * z * z - np.log(self.sd.value * np.sqrt(2 * np.pi)) - kept
        above = True if self.low is None else x >= self.low
        below = True if self.high is None else x <= self.high
        return np.where(np.logical_and(above, below), inside, -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        from scipy import special

        side, low, high = self._standard()
        z = side * (np.asarray(x, float) - self.mean.value) / self.sd.value
        lower, upper = special.ndtr(low), special.ndtr(high)
        share = np.clip((special.ndtr(z) - lower) / (upper - lower), 0.0, 1.0)
        return np.asarray(share if side > 0 else 1.0 - share, float)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`."""
        from scipy import special

        side, low, high = self._standard()
        p = np.asarray(p, float)
        share = p if side > 0 else 1.0 - p
        lower, upper = special.ndtr(low), special.ndtr(high)
        z = side * special.ndtri(lower + share * (upper - lower))
        return np.clip(self.mean.value + self.sd.value * z, self.low, self.high)


class ZeroInflatedBeta(InverseSampled):
    """0 with probability `p_zero`, else Beta(a, b) on (0, 1)."""

    family: Literal["zero-inflated-beta"] = "zero-inflated-beta"
    p_zero: Estimate
    a: Estimate
    b: Estimate

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if not 0 <= self.p_zero.value <= 1 or self.a.value <= 0 or self.b.value <= 0:
            raise ValueError("p_zero must be in [0, 1], a and b positive")
        return self

    def log_prob(self, x: ArrayLike) -> F64:
        """ln p_zero at 0 (a probability), ln(1 − p_zero) + ln Beta density in (0, 1)."""
        from scipy import special

        x, a, b, p = np.asarray(x, float), self.a.value, self.b.value, self.p_zero.value
        inside = (x > 0) & (x < 1)
        safe = np.where(inside, x, 0.5)
        with np.errstate(divide="ignore"):
            density = np.log1p(-p) + (a - 1) * np.log(safe) + (b - 1) * np.log1p(-safe) - special.betaln(a, b)
            return np.where(inside, density, np.where(x == 0, np.log(p), -np.inf))

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x), the step at 0 included."""
        from scipy import special

        x, p = np.asarray(x, float), self.p_zero.value
        above = p + (1 - p) * special.betainc(self.a.value, self.b.value, np.clip(x, 0.0, 1.0))
        return np.where(x < 0, 0.0, above)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`; 0 for every `p` ≤ p_zero."""
        from scipy import special

        p, zero = np.asarray(p, float), self.p_zero.value
        if zero >= 1:
            return np.zeros(p.shape)
        return special.betaincinv(self.a.value, self.b.value, np.clip((p - zero) / (1 - zero), 0.0, 1.0))
