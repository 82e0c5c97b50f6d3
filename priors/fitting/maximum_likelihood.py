"""Maximum likelihood from sufficient statistics: one mean vector in, parameters out, many at a time.

Each is an exponential family, truncation included, so that its likelihood depends on the data only through
the means of a few statistics. `solve` takes (…, k) means and gives (…, p) parameters; NaN where the
likelihood has no maximum. Thousands of bootstrap replicates are one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from xtalpriors.arrays import F64, Bool
from xtalpriors.priors.distributions.distribution import (
    Exponential,
    Gamma,
    LogNormal,
    Scalar,
    TruncatedNormal,
    ZeroInflatedBeta,
)
from xtalpriors.priors.distributions.estimate import Estimate, fixed
from xtalpriors.priors.fitting.truncated_normal import solve_truncated_normal

__all__ = [
    "Family",
    "centred_normal",
    "exponential",
    "gamma",
    "lognormal",
    "truncated_normal",
    "zero_inflated_beta",
]

TINY = 1e-12
"""Relative variance below which all values count as equal: no spread to fit."""


@dataclass(frozen=True)
class Family:
    """How to fit one family."""

    name: str
    statistics: Callable[[F64], F64]
    solve: Callable[[F64], F64]
    build: Callable[[Sequence[Estimate]], Scalar]
    supports: Callable[[F64], Bool]


def lognormal() -> Family:
    """Log-normal, location 0: μ and σ are mean and standard deviation of ln x (plain ML, divisor n)."""

    def solve(means: F64) -> F64:
        """μ and σ from the means of ln x and (ln x)²; NaN where all values are equal."""
        mu = means[..., 0]
        variance = means[..., 1] - mu**2
        sigma = np.sqrt(np.where(variance > TINY * (1 + mu**2), variance, np.nan))
        return np.stack([mu, sigma], -1)

    return Family(
        "lognormal",
        lambda x: np.column_stack([np.log(x), np.log(x) ** 2]),
        solve,
        lambda p: LogNormal(mu=p[0], sigma=p[1]),
        lambda x: x > 0,
    )


def exponential(low: float, high: float | None) -> Family:
    """Exponential in (x − low), cut at `high`: the exact truncated likelihood."""

    def solve(means: F64) -> F64:
        """The rate from the mean of x − low; NaN where the likelihood has no maximum."""
        offset = means[..., 0]
        if high is None:
            return np.where(offset > 0, 1.0 / np.maximum(offset, 1e-300), np.nan)[..., None]
        span = high - low
        return (_truncated_rate(offset / span) / span)[..., None]

    return Family(
        "exponential",
        lambda x: (x - low)[:, None],
        solve,
        lambda p: Exponential(rate=p[0], low=low, high=high),
        lambda x: (x >= low) & (x <= (np.inf if high is None else high)),
    )


def _truncated_rate(mean: F64) -> F64:
    """Rate t on [0, 1] whose mean 1/t − 1/(eᵗ − 1) is given; Newton from the left of a convex function."""
    mean = np.asarray(mean, float)
    target = np.where(mean <= 0.5, mean, 1.0 - mean)
    target = np.where(target > 1e-9, target, np.nan)
    rate = np.zeros_like(target)
    for _ in range(100):
        step = (_exponential_mean(rate) - target) / -_exponential_mean_slope(rate)
        rate = rate + step
        if not np.any(np.abs(step) > 1e-13 * (1 + rate)):
            break
    return np.where(mean <= 0.5, rate, -rate)


def _exponential_mean(t: F64) -> F64:
    small = t < 0.01
    safe = np.where(small, 1.0, t)
    return np.where(small, 0.5 - t / 12 + t**3 / 720, 1.0 / safe - np.exp(-safe) / -np.expm1(-safe))


def _exponential_mean_slope(t: F64) -> F64:
    small = t < 0.01
    safe = np.where(small, 1.0, t)
    return np.where(small, -1.0 / 12 + t**2 / 240, -1.0 / safe**2 + np.exp(-safe) / np.expm1(-safe) ** 2)


def gamma() -> Family:
    """Gamma, location 0; Newton in 1/shape (Minka 2002, *Estimating a gamma distribution*)."""

    def solve(means: F64) -> F64:
        """Shape and scale from the means of x and ln x; NaN where all values are equal."""
        mean, mean_log = means[..., 0], means[..., 1]
        gap = np.log(mean) - mean_log
        gap = np.where(gap > TINY, gap, np.nan)
        shape = (3 - gap + np.sqrt((gap - 3) ** 2 + 24 * gap)) / (12 * gap)
        for _ in range(20):
            slope = shape**2 * (1 / shape - special.polygamma(1, shape))
            shape = 1 / (1 / shape + (np.log(shape) - special.digamma(shape) - gap) / slope)
        return np.stack([shape, mean / shape], -1)

    return Family(
        "gamma",
        lambda x: np.column_stack([x, np.log(x)]),
        solve,
        lambda p: Gamma(shape=p[0], scale=p[1]),
        lambda x: x > 0,
    )


def truncated_normal(low: float | None, high: float | None) -> Family:
    """Normal cut to [low, high]: the exact truncated likelihood (plain normal without bounds)."""

    def inside(x: F64) -> Bool:
        """Whether each value lies within the bounds."""
        return (x >= (-np.inf if low is None else low)) & (x <= (np.inf if high is None else high))

    return Family(
        "truncated-normal",
        lambda x: np.column_stack([x, x**2]),
        lambda means: solve_truncated_normal(means, low, high),
        lambda p: TruncatedNormal(mean=p[0], sd=p[1], low=low, high=high),
        inside,
    )


def centred_normal() -> Family:
    """Normal about 0, for deviations whose mean is 0 by construction."""

    def solve(means: F64) -> F64:
        """The standard deviation from the mean of x²."""
        variance = means[..., 0]
        return np.sqrt(np.where(variance > 0, variance, np.nan))[..., None]

    return Family(
        "centred-normal",
        lambda x: (x**2)[:, None],
        solve,
        lambda p: TruncatedNormal(mean=fixed(0.0), sd=p[0], low=None, high=None),
        np.isfinite,
    )


def zero_inflated_beta() -> Family:
    """Share of exact zeros, and a beta distribution of the rest (values in (0, 1))."""

    def statistics(x: F64) -> F64:
        """Whether x is 0, and ln x and ln(1 − x) of the others, (n, 3)."""
        positive = x > 0
        safe = np.where(positive, x, 0.5)
        return np.column_stack([~positive, positive * np.log(safe), positive * np.log1p(-safe)])

    def solve(means: F64) -> F64:
        """Share of zeros and both parameters of the beta distribution from the means of the statistics."""
        zero = means[..., 0]
        rest = np.where(zero < 1, 1 - zero, np.nan)
        a, b = _beta_from_logs(means[..., 1] / rest, means[..., 2] / rest)
        return np.stack([zero, a, b], -1)

    return Family(
        "zero-inflated-beta",
        statistics,
        solve,
        lambda p: ZeroInflatedBeta(p_zero=p[0], a=p[1], b=p[2]),
        lambda x: (x >= 0) & (x < 1),
    )


def _beta_from_logs(mean_log: F64, mean_log1m: F64) -> tuple[F64, F64]:
    """a, b of the beta distribution with given means of ln x and ln(1 − x), by Newton's method."""
    g, h = np.exp(mean_log), np.exp(mean_log1m)
    spare = np.where(1 - g - h > 1e-9, 1 - g - h, np.nan)  # 0 where all values are equal
    a, b = 0.5 + 0.5 * g / spare, 0.5 + 0.5 * h / spare
    for _ in range(50):
        both, sum_trigamma = special.digamma(a + b), special.polygamma(1, a + b)
        f, k = special.digamma(a) - both - mean_log, special.digamma(b) - both - mean_log1m
        p, q = special.polygamma(1, a) - sum_trigamma, special.polygamma(1, b) - sum_trigamma
        determinant = p * q - sum_trigamma**2
        # half steps at most: the parameters stay positive
        a = np.maximum(a - (q * f + sum_trigamma * k) / determinant, 0.5 * a)
        b = np.maximum(b - (p * k + sum_trigamma * f) / determinant, 0.5 * b)
    return a, b
