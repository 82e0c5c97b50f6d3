"""Continuous families: density, distribution function, quantiles and sampling, each in closed form.

All arrays are float64; `log_prob` is in nats per unit of the statistic and −inf outside the support.
`scipy.stats` has the same families, but other last bits in the quantiles of the log-normal, the truncated
exponential and the truncated normal, and a generated structure depends on every bit of them.
`scipy.special` is imported in the functions that need it: reading a bundle does not wait for it.
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator

from xtalpriors.arrays import F64
from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.estimate import Estimate

__all__ = [
    "Constant",
    "Exponential",
    "InverseSampled",
    "LogNormal",
    "Uniform",
    "check_range",
]


class InverseSampled(Frozen):
    """Sampling by inversion: one uniform number per value, so that the number of draws is known."""

    def quantile(self, p: ArrayLike) -> F64:
        """Value below which the share `p` lies; defined by each family."""
        raise NotImplementedError

    def sample(self, size: int, *, rng: np.random.Generator) -> F64:
        """`size` independent values."""
        return self.quantile(rng.random(size))


def check_range(low: float, high: float | None) -> None:
    """Raise ValueError for an empty range; `high` null is infinite."""
    if high is not None and high <= low:
        raise ValueError(f"an empty range: [{low}, {high}]")


class Constant(Frozen):
    """Always the same value (the 2026 paper's fixed resolution, for one)."""

    family: Literal["constant"] = "constant"
    value: float

    def log_prob(self, x: ArrayLike) -> F64:
        """Log probability (not density): 0 at the value, −inf elsewhere."""
        return np.where(np.asarray(x, float) == self.value, 0.0, -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        return np.where(np.asarray(x, float) >= self.value, 1.0, 0.0)

    def quantile(self, p: ArrayLike) -> F64:
        """The value, whatever `p`."""
        return np.full(np.shape(p), self.value)

    def sample(self, size: int, *, rng: np.random.Generator) -> F64:
        """`size` times the value; `rng` is not advanced."""
        return np.full(size, self.value)


class Uniform(InverseSampled):
    """U(low; high)."""

    family: Literal["uniform"] = "uniform"
    low: float
    high: float

    @model_validator(mode="after")
    def _range(self) -> Self:
        check_range(self.low, self.high)
        return self

    def log_prob(self, x: ArrayLike) -> F64:
        """−ln(high − low) inside."""
        x = np.asarray(x, float)
        return np.where((x >= self.low) & (x <= self.high), -np.log(self.high - self.low), -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        return np.clip((np.asarray(x, float) - self.low) / (self.high - self.low), 0.0, 1.0)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`."""
        return self.low + np.asarray(p, float) * (self.high - self.low)


class LogNormal(InverseSampled):
    """ln X ~ N(mu, sigma²); location fixed at 0. `sigma` is the standard deviation, not the variance."""

    family: Literal["lognormal"] = "lognormal"
    mu: Estimate = Field(description="Mean of ln x")
    sigma: Estimate = Field(description="Standard deviation of ln x (not its square)")

    @model_validator(mode="after")
    def _positive(self) -> Self:
        if self.sigma.value <= 0:
            raise ValueError("sigma must be positive")
        return self

    def log_prob(self, x: ArrayLike) -> F64:
        """−ln(xσ√2π) − (ln x − μ)²/2σ²."""
        x = np.asarray(x, float)
        log_x = np.log(np.where(x > 0, x, 1.0))
        z = (log_x - self.mu.value) / self.sigma.value
        inside = -log_x - np.log(self.sigma.value * np.sqrt(2 * np.pi)) - 0.5 * z * z
        return np.where(x > 0, inside, -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        from scipy import special

        x = np.asarray(x, float)
        log_x = np.log(np.where(x > 0, x, 1.0))
        return np.where(x > 0, special.ndtr((log_x - self.mu.value) / self.sigma.value), 0.0)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`."""
        from scipy import special

        return np.exp(self.mu.value + self.sigma.value * special.ndtri(np.asarray(p, float)))


class Exponential(InverseSampled):
    """Density ∝ exp(−rate·(x − low)) on [low, high]; `high` null means unbounded.

    On a bounded range the rate may be 0 (uniform) or negative (density rising): the exact truncated
    likelihood has its maximum there when the mean lies in the upper half.
    """

    family: Literal["exponential"] = "exponential"
    rate: Estimate
    low: float
    high: float | None

    @model_validator(mode="after")
    def _range(self) -> Self:
        check_range(self.low, self.high)
        if self.high is None and self.rate.value <= 0:
            raise ValueError("an unbounded exponential needs a positive rate")
        return self

    def _span_and_rate(self) -> tuple[float, float]:
        """Width of the range and |rate|·width."""
        span = np.inf if self.high is None else self.high - self.low
        return span, abs(self.rate.value) * span

    def _log_norm(self) -> float:
        """ln of ∫ exp(−|rate|·d) over the range, d from the dense end."""
        span, t = self._span_and_rate()
        if t < 1e-5:  # the series is exact to double precision there, the quotient is 0/0
            return float(np.log(span) - 0.5 * t + t * t / 24)
        return float(np.log(-np.expm1(-t) / abs(self.rate.value)))

    def log_prob(self, x: ArrayLike) -> F64:
        """−rate·(x − low) − ln norm, inside."""
        x, upper = np.asarray(x, float), np.inf if self.high is None else self.high
        dense_end = self.low if self.rate.value >= 0 else upper
        distance = np.abs(np.where((x >= self.low) & (x <= upper), x, self.low) - dense_end)
        inside = -abs(self.rate.value) * distance - self._log_norm()
        return np.where((x >= self.low) & (x <= upper), inside, -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        upper, (span, t) = np.inf if self.high is None else self.high, self._span_and_rate()
        inside = np.clip(np.asarray(x, float), self.low, upper)
        if t < 1e-12:
            return np.asarray((inside - self.low) / span, float)
        if self.rate.value < 0:
            return np.asarray(1.0 - np.expm1(self.rate.value * (upper - inside)) / np.expm1(-t), float)
        return np.asarray(np.expm1(-self.rate.value * (inside - self.low)) / np.expm1(-t), float)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`."""
        p, (span, t) = np.asarray(p, float), self._span_and_rate()
        if t < 1e-12:
            return np.asarray(self.low + p * span, float)
        share = p if self.rate.value >= 0 else 1.0 - p
        with np.errstate(divide="ignore"):  # the far end of a steep decay: ln 0, clipped to the bound
            distance = np.minimum(-np.log1p(share * np.expm1(-t)) / abs(self.rate.value), span)
        return np.asarray(self.low + (distance if self.rate.value >= 0 else span - distance), float)
