"""A Gaussian copula: correlations of normal scores, and how its draws compare with cells not fitted to."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from xtalpriors.arrays import F64, I64
from xtalpriors.compilation import kernel
from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.fitting.scalars import quantile_table
from xtalpriors.priors.fitting.subset_table import present
from xtalpriors.priors.kinds.cell import HeldOut

__all__ = ["correlation_estimate", "held_out", "positive_definite", "score_correlation"]

FOLDS = 5
MOST_POINTS = 1500
"""Values of each side of an energy distance, which costs their product."""
LEAST_EIGENVALUE = 0.02
"""Correlations of pairs that do not share all their structures may be those of no distribution; eigenvalues
below this are raised to it."""


def _normal_scores(x: F64, weight: F64) -> F64:
    """Φ⁻¹ of the weighted distribution function at each value, equal values at the middle of their step."""
    order = np.argsort(x, kind="stable")
    _, start, inverse = np.unique(x[order], return_index=True, return_inverse=True)
    mass = np.add.reduceat(weight[order], start)
    middle = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    scores = np.empty(len(x))
    scores[order] = special.ndtri(np.clip(middle[inverse], 1e-6, 1.0 - 1e-6))
    return scores


def score_correlation(x: F64, y: F64, weight: F64) -> float:
    """Weighted correlation of the normal scores of two variables; 0 where one of them does not vary."""
    scores = [_normal_scores(v, weight) for v in (x, y)]
    share = weight / weight.sum()
    centred = [s - float(share @ s) for s in scores]
    variance = [float(share @ (s * s)) for s in centred]
    if min(variance) < 1e-12:
        return 0.0
    return float(share @ (centred[0] * centred[1])) / math.sqrt(variance[0] * variance[1])


def correlation_estimate(value: float, n_clusters: float) -> Estimate:
    """The correlation with its 95 % interval by Fisher's z."""
    value = min(max(value, -0.999), 0.999)
    if n_clusters < 5:
        return Estimate(value=value)
    half = 1.959963984540054 / math.sqrt(n_clusters - 3.0)
    z = math.atanh(value)
    return Estimate(value=value, low=math.tanh(z - half), high=math.tanh(z + half))


def positive_definite(matrix: F64) -> F64:
    """The matrix with no eigenvalue below `LEAST_EIGENVALUE`, its diagonal 1 again."""
    values, vectors = np.linalg.eigh(matrix)
    if values.min() >= LEAST_EIGENVALUE:
        return matrix
    raised = (vectors * np.maximum(values, LEAST_EIGENVALUE)) @ vectors.T
    scale = 1.0 / np.sqrt(np.diag(raised))
    return np.asarray(raised * scale[:, None] * scale[None, :], float)


def _mean_distance(a: F64, b: F64, weight_a: F64, weight_b: F64) -> float:
    """Weighted mean Euclidean distance of the rows of two arrays; rows of one array are not paired with
    themselves."""
    total = float(_sum_of_distances(np.ascontiguousarray(a), np.ascontiguousarray(b), weight_a, weight_b))
    paired = float(weight_a.sum() * weight_b.sum()) - (float(weight_a @ weight_a) if a is b else 0.0)
    return total / paired


@kernel()
def _sum_of_distances(a: F64, b: F64, weight_a: F64, weight_b: F64) -> float:
    """Weighted sum of the distances of each row of a from each row of b."""
    total = 0.0
    for i in range(a.shape[0]):
        of_row = 0.0
        for j in range(b.shape[0]):
            square = 0.0
            for k in range(a.shape[1]):
                square += (b[j, k] - a[i, k]) ** 2
            of_row += weight_b[j] * math.sqrt(square)
        total += weight_a[i] * of_row
    return total


def _energy_distance(a: F64, b: F64, weight_a: F64, weight_b: F64) -> float:
    """2·E|X − Y| − E|X − X′| − E|Y − Y′|, unbiased; about 0 for samples of one distribution."""
    within = _mean_distance(a, a, weight_a, weight_a) + _mean_distance(b, b, weight_b, weight_b)
    return 2.0 * _mean_distance(a, b, weight_a, weight_b) - within


def _draw(x: F64, weight: F64, size: int, rng: np.random.Generator) -> F64:
    """Draws (size, k) from the copula fitted to rows of x."""
    k = x.shape[1]
    matrix = np.eye(k)
    for i in range(k):
        for j in range(i):
            matrix[i, j] = matrix[j, i] = score_correlation(x[:, i], x[:, j], weight)
    lower = np.linalg.cholesky(positive_definite(matrix))
    shares = special.ndtr(rng.standard_normal((size, k)) @ lower.T)
    return np.column_stack([quantile_table(x[:, i], weight).quantile(shares[:, i]) for i in range(k)])


def held_out(x: F64, weight: F64, cluster: I64, *, rng: np.random.Generator) -> HeldOut | None:
    """Energy distances of draws, and of the other cells, to the cells of each fold, averaged over the folds.

    Parameters
    ----------
    x, weight, cluster
        Rows (n, k) of variables, weights and clusters (n,), which the folds keep together.
    """
    clusters, position = present(cluster)
    if len(clusters) < 2 * FOLDS:
        return None
    fold = (rng.permutation(len(clusters)) % FOLDS)[position]
    spread = np.maximum(np.std(x, axis=0), 1e-12)
    found = np.zeros(2)
    for k in range(FOLDS):
        rest, out = (_some(np.flatnonzero((fold == k) == held), rng) for held in (False, True))
        new, known = x[out] / spread, x[rest] / spread
        drawn = _draw(x[rest], weight[rest], len(rest), rng) / spread
        ones = np.ones(len(drawn))
        found += (
            _energy_distance(drawn, new, ones, weight[out]),
            _energy_distance(known, new, weight[rest], weight[out]),
        )
    return HeldOut(distance=float(found[0] / FOLDS), distance_of_database=float(found[1] / FOLDS))


def _some(rows: I64, rng: np.random.Generator) -> I64:
    """At most `MOST_POINTS` of the rows."""
    if len(rows) <= MOST_POINTS:
        return rows
    return np.sort(rng.choice(rows, MOST_POINTS, replace=False))
