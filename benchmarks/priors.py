"""Fit of 500,000 volumes with intervals, beside scipy's log-normal fit of the same values without any.

`python benchmarks/priors.py`: CPU time, interleaved in one run, median of 7.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from scipy import stats

from xtalpriors.priors.fitting.bootstrap import Resampler, bca_interval
from xtalpriors.priors.fitting.maximum_likelihood import exponential, gamma, lognormal
from xtalpriors.priors.fitting.observations import Observations

N, REPEATS, REPLICATES = 500_000, 7, 1000


def observed(x: np.ndarray) -> Observations:
    """Every value a cluster of its own: the dearest case."""
    n = len(x)
    return Observations(x, np.full(n, 1 / n), np.arange(n), np.zeros(n, int), n, n, None)


def fit_only(x: np.ndarray) -> np.ndarray:
    """μ and σ from the sufficient statistics."""
    family = lognormal()
    return family.solve(family.statistics(x).mean(axis=0))


def fit_with_intervals(seen: Observations, family=None) -> list[tuple[float, float] | None]:
    """Parameters with BCa intervals of 1,000 replicates over clusters."""
    family = family or lognormal()
    resampler = Resampler(seen, seed=0, name="volume", replicates=REPLICATES)
    columns = np.column_stack([np.ones(len(seen.x)), family.statistics(seen.x)]) * seen.weight[:, None]
    sums = resampler.sums(columns)

    def solve(totals: np.ndarray) -> np.ndarray:
        return family.solve(totals[..., 1:] / totals[..., :1])

    value = solve(sums.sum(axis=0))
    replicates, left_out = solve(resampler.replicate(sums)), solve(resampler.jackknife(sums))
    return [bca_interval(value[i], replicates[:, i], left_out[:, i]) for i in range(len(value))]


def cpu(function: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    """Print medians and ratios."""
    rng = np.random.default_rng(0)
    volumes, ratios = (
        rng.lognormal(6.04, 0.394, N),
        1 + stats.truncexpon(2.4, scale=1 / 3).rvs(N, random_state=1),
    )
    cases: dict[str, Callable[[], object]] = {
        "scipy.stats.lognorm.fit(floc=0)": lambda: stats.lognorm.fit(volumes, floc=0),
        "log-normal, parameters": lambda: fit_only(volumes),
        f"log-normal, {REPLICATES} replicates over clusters": lambda: fit_with_intervals(observed(volumes)),
        f"gamma, {REPLICATES} replicates": lambda: fit_with_intervals(observed(volumes), gamma()),
        f"truncated exponential, {REPLICATES} replicates": lambda: fit_with_intervals(
            observed(ratios), exponential(1.0, 1.8)
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(REPEATS):
        for name, case in cases.items():
            seconds[name].append(cpu(case))
    for name, values in seconds.items():
        print(f"{median(values) * 1e3:9.1f} ms  {name}  (n = {N:,})")


if __name__ == "__main__":
    main()
