"""Families that the prior in use is compared with and that no bundle holds: Weibull, Laplace, uniform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.distribution import Uniform, fixed
from xtalpriors.priors.fitting.maximum_likelihood import Family

__all__ = ["Candidate", "Fitted", "from_family", "laplace", "uniform", "weibull"]


class Fitted(Protocol):
    """What a comparison needs of a fitted distribution."""

    def log_prob(self, x: ArrayLike) -> F64:
        """Log density."""

    def cdf(self, x: ArrayLike) -> F64:
        """Distribution function."""

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of the distribution function."""


@dataclass(frozen=True)
class Candidate:
    """A family by name, and its weighted maximum-likelihood fit; null where there is no maximum."""

    name: str
    fit: Callable[[F64, F64], Fitted | None]


def from_family(family: Family) -> Candidate:
    """Candidate of a family that a bundle may hold."""

    def fit(x: F64, weight: F64) -> Fitted | None:
        """Parameters of the largest likelihood, as the distribution of a bundle."""
        parameters = family.solve(weight @ family.statistics(x) / weight.sum())
        if not np.all(np.isfinite(parameters)):
            return None
        return family.build([fixed(float(p)) for p in parameters])

    return Candidate(family.name, fit)


def uniform(low: float, high: float) -> Candidate:
    """Nothing to fit: what the 2026 paper samples."""
    return Candidate("uniform", lambda x, weight: Uniform(low=low, high=high))


@dataclass(frozen=True)
class _Weibull:
    """P(X ≤ x) = 1 − exp(−(x/scale)^shape), as a `Fitted`."""

    shape: float
    scale: float

    def log_prob(self, x: ArrayLike) -> F64:
        z = np.asarray(x, float) / self.scale
        return np.asarray(np.log(self.shape / self.scale) + (self.shape - 1) * np.log(z) - z**self.shape)

    def cdf(self, x: ArrayLike) -> F64:
        return np.asarray(-np.expm1(-((np.maximum(x, 0.0) / self.scale) ** self.shape)))

    def quantile(self, p: ArrayLike) -> F64:
        return np.asarray(self.scale * (-np.log1p(-np.asarray(p, float))) ** (1 / self.shape))


def weibull() -> Candidate:
    """Weibull, location 0: Newton for the shape, the scale follows."""

    def fit(x: F64, weight: F64) -> Fitted | None:
        """The shape by Newton's method, which begins with the variance of ln x, and the scale from it."""
        share = weight / weight.sum()
        log_x = np.log(x)
        mean_log = float(share @ log_x)
        spread = float(share @ (log_x - mean_log) ** 2)
        if spread <= 1e-12:
            return None
        shape = np.pi / np.sqrt(6 * spread)  # the variance of ln x is π²/6k²
        for _ in range(50):
            power = share * np.exp(shape * (log_x - log_x.max()))
            s0, s1, s2 = power.sum(), power @ log_x, power @ log_x**2
            value = s1 / s0 - 1 / shape - mean_log
            step = value / ((s2 * s0 - s1 * s1) / s0**2 + 1 / shape**2)
            shape = max(shape - step, 0.2 * shape)
            if abs(step) < 1e-10 * shape:
                break
        scale = np.exp(np.log(share @ np.exp(shape * (log_x - log_x.max()))) / shape + log_x.max())
        return _Weibull(float(shape), float(scale))

    return Candidate("weibull", fit)


@dataclass(frozen=True)
class _Laplace:
    """Density exp(−|x − centre|/scale) / (2·scale), as a `Fitted`."""

    centre: float
    scale: float

    def log_prob(self, x: ArrayLike) -> F64:
        return np.asarray(-np.abs(np.asarray(x, float) - self.centre) / self.scale - np.log(2 * self.scale))

    def cdf(self, x: ArrayLike) -> F64:
        d = (np.asarray(x, float) - self.centre) / self.scale
        return np.where(d < 0, 0.5 * np.exp(np.minimum(d, 0.0)), 1 - 0.5 * np.exp(-np.maximum(d, 0.0)))

    def quantile(self, p: ArrayLike) -> F64:
        q = np.asarray(p, float) - 0.5
        return np.asarray(self.centre - self.scale * np.sign(q) * np.log1p(-2 * np.abs(q)))


def laplace() -> Candidate:
    """Laplace: weighted median, and the mean distance from it."""

    def fit(x: F64, weight: F64) -> Fitted | None:
        """The weighted median, and the weighted mean distance from it."""
        centre = float(np.quantile(x, 0.5, weights=weight, method="inverted_cdf"))
        scale = float(weight @ np.abs(x - centre) / weight.sum())
        return _Laplace(centre, scale) if scale > 0 else None

    return Candidate("laplace", fit)
