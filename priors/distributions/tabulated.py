"""Distributions stored as tables: quantiles, histogram bins, shares of labels, probabilities of counts."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from xtalpriors.arrays import F64, I64
from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.estimate import Estimate

__all__ = ["Categorical", "Counts", "Empirical", "Histogram"]

SUM_TOLERANCE = 1e-5
"""Probabilities rounded to 8 digits do not sum to exactly 1."""


def _ascending(values: tuple[float, ...], what: str, *, strict: bool) -> None:
    steps = np.diff(values)
    if (strict and np.any(steps <= 0)) or np.any(steps < 0):
        raise ValueError(f"{what} must ascend")


class Empirical(Frozen):
    """Quantile table: `probabilities[i]` of the values lie at or below `values[i]`; linear between.

    Equal neighbouring values are a step of the distribution function (an atom, such as x_H = 0).
    """

    family: Literal["empirical"] = "empirical"
    probabilities: tuple[float, ...] = Field(min_length=2, description="0 … 1, strictly ascending")
    values: tuple[float, ...] = Field(min_length=2, description="Quantiles, ascending")

    @model_validator(mode="after")
    def _table(self) -> Self:
        if len(self.probabilities) != len(self.values):
            raise ValueError("as many probabilities as values")
        _ascending(self.probabilities, "probabilities", strict=True)
        _ascending(self.values, "values", strict=False)
        if self.probabilities[0] != 0.0 or self.probabilities[-1] != 1.0:
            raise ValueError("probabilities run from 0 to 1")
        return self

    def quantile(self, p: ArrayLike) -> F64:
        """Linear interpolation in the table."""
        return np.asarray(np.interp(np.asarray(p, float), self.probabilities, self.values), float)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x); at a step its upper end."""
        values, probabilities = np.asarray(self.values), np.asarray(self.probabilities)
        x = np.asarray(x, float)
        upper = np.searchsorted(values, x, side="right")
        i = np.clip(upper - 1, 0, len(values) - 1)
        j = np.clip(upper, 0, len(values) - 1)
        width = np.where(values[j] > values[i], values[j] - values[i], 1.0)
        inside = probabilities[i] + (probabilities[j] - probabilities[i]) * (x - values[i]) / width
        return np.where(x < values[0], 0.0, np.where(x >= values[-1], 1.0, inside))

    def log_prob(self, x: ArrayLike) -> F64:
        """Log density of the piecewise-uniform interpolation; +inf exactly on a step."""
        values, probabilities = np.asarray(self.values), np.asarray(self.probabilities)
        x = np.asarray(x, float)
        j = np.clip(np.searchsorted(values, x, side="left"), 1, len(values) - 1)
        with np.errstate(divide="ignore"):
            density = np.log(np.diff(probabilities)[j - 1]) - np.log(np.diff(values)[j - 1])
        return np.where((x >= values[0]) & (x <= values[-1]), density, -np.inf)

    def sample(self, size: int, *, rng: np.random.Generator) -> F64:
        """`size` independent values, by inversion."""
        return self.quantile(rng.random(size))


class Histogram(Frozen):
    """Piecewise-constant density over `edges`; ∑ density·width = 1."""

    family: Literal["histogram"] = "histogram"
    edges: tuple[float, ...] = Field(min_length=2, description="Bin edges, strictly ascending")
    density: tuple[float, ...] = Field(
        min_length=1, description="Density in each bin, per unit of the statistic"
    )

    @model_validator(mode="after")
    def _bins(self) -> Self:
        if len(self.edges) != len(self.density) + 1:
            raise ValueError("one more edge than bins")
        _ascending(self.edges, "edges", strict=True)
        if min(self.density) < 0 or abs(self._shares().sum() - 1) > SUM_TOLERANCE:
            raise ValueError("densities are ≥ 0 and integrate to 1")
        return self

    def _shares(self) -> F64:
        return np.asarray(self.density) * np.diff(self.edges)

    def log_prob(self, x: ArrayLike) -> F64:
        """Log density of the bin that holds `x` (its left edge included)."""
        x = np.asarray(x, float)
        i = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.density) - 1)
        with np.errstate(divide="ignore"):
            density = np.log(np.asarray(self.density))[i]
        return np.where((x >= self.edges[0]) & (x <= self.edges[-1]), density, -np.inf)

    def cdf(self, x: ArrayLike) -> F64:
        """P(X ≤ x)."""
        cumulative = np.insert(np.cumsum(self._shares()), 0, 0.0)
        return np.asarray(np.interp(np.asarray(x, float), self.edges, cumulative / cumulative[-1]), float)

    def quantile(self, p: ArrayLike) -> F64:
        """Inverse of `cdf`; empty bins are skipped."""
        shares = self._shares()
        filled = np.flatnonzero(shares > 0)
        cumulative = np.cumsum(shares[filled])
        target = np.asarray(p, float) * cumulative[-1]
        i = np.clip(np.searchsorted(cumulative, target, side="left"), 0, len(filled) - 1)
        start = cumulative[i] - shares[filled][i]
        left, width = np.asarray(self.edges)[filled[i]], np.diff(self.edges)[filled[i]]
        return np.asarray(left + width * np.clip((target - start) / shares[filled][i], 0.0, 1.0), float)

    def sample(self, size: int, *, rng: np.random.Generator) -> F64:
        """`size` independent values, by inversion."""
        return self.quantile(rng.random(size))


class Categorical(Frozen):
    """Shares of labels (elements, space groups, patterns), largest first as fitted."""

    family: Literal["categorical"] = "categorical"
    labels: tuple[str, ...] = Field(min_length=1)
    shares: tuple[Estimate, ...] = Field(min_length=1, description="Share of each label; together 1")

    @model_validator(mode="after")
    def _sums(self) -> Self:
        if len(self.labels) != len(self.shares) or len(set(self.labels)) != len(self.labels):
            raise ValueError("one share for each label, each label once")
        values = self.probabilities
        if values.min() < 0 or abs(values.sum() - 1) > SUM_TOLERANCE:
            raise ValueError("shares are ≥ 0 and sum to 1")
        return self

    @property
    def probabilities(self) -> F64:
        """Shares as an array, in the order of `labels`."""
        return np.array([s.value for s in self.shares])

    def share(self, *labels: str) -> float:
        """Sum of the shares of some labels; 0 for one that does not occur."""
        return float(
            sum(s.value for label, s in zip(self.labels, self.shares, strict=True) if label in labels)
        )

    def sample(self, size: int, *, rng: np.random.Generator) -> NDArray[np.str_]:
        """`size` independent labels."""
        cumulative = np.cumsum(self.probabilities)
        i = np.searchsorted(cumulative / cumulative[-1], rng.random(size), side="right")
        return np.asarray(self.labels)[i]

    def log_prob(self, x: ArrayLike) -> F64:
        """Log share of each label; −inf for one that does not occur."""
        with np.errstate(divide="ignore"):
            table = dict(zip(self.labels, np.log(self.probabilities), strict=True))
        labels = np.asarray(x, str)
        return np.array([table.get(str(v), -np.inf) for v in labels.ravel()]).reshape(labels.shape)


class Counts(Frozen):
    """Probabilities of 0, 1, 2, … (the last count observed ends the list)."""

    family: Literal["counts"] = "counts"
    probabilities: tuple[Estimate, ...] = Field(min_length=1, description="P(0), P(1), …; together 1")

    @model_validator(mode="after")
    def _sums(self) -> Self:
        values = self.values
        if values.min() < 0 or abs(values.sum() - 1) > SUM_TOLERANCE:
            raise ValueError("probabilities are ≥ 0 and sum to 1")
        return self

    @property
    def values(self) -> F64:
        """P(0), P(1), … as an array."""
        return np.array([p.value for p in self.probabilities])

    @property
    def mean(self) -> float:
        """Expected count."""
        return float(np.arange(len(self.probabilities)) @ self.values)

    def at_least(self, k: int) -> float:
        """P(count ≥ k)."""
        return float(self.values[k:].sum())

    def sample(self, size: int, *, rng: np.random.Generator) -> I64:
        """`size` independent counts."""
        return self.quantile(rng.random(size))

    def cdf(self, x: ArrayLike) -> F64:
        """P(count ≤ x)."""
        cumulative = np.insert(np.cumsum(self.values), 0, 0.0)
        i = np.clip(np.floor(np.asarray(x, float)).astype(int) + 1, 0, len(self.probabilities))
        return np.where(i >= len(self.probabilities), 1.0, cumulative[i])

    def quantile(self, p: ArrayLike) -> I64:
        """Smallest count whose distribution function reaches `p`."""
        cumulative = np.cumsum(self.values)
        found = np.searchsorted(cumulative / cumulative[-1], np.asarray(p, float), side="left")
        return np.asarray(np.clip(found, 0, len(self.probabilities) - 1), np.int64)

    def log_prob(self, x: ArrayLike) -> F64:
        """Log probability of each count; −inf for a count that is not in the list."""
        x = np.asarray(x, float)
        inside = (x >= 0) & (x < len(self.probabilities)) & (x == np.floor(x))
        i = np.where(inside, x, 0).astype(int)
        with np.errstate(divide="ignore"):
            return np.where(inside, np.log(self.values)[i], -np.inf)
