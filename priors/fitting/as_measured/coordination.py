"""Fits how many bonds the atoms of each element have, and the angles between them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.shells import MOST_BONDS, shell_counts
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM, SYMBOLS
from xtalpriors.mining.subsets.distances import structure_batches
from xtalpriors.priors.distributions.distribution import Counts, Empirical
from xtalpriors.priors.distributions.estimate import Estimate, wilson_interval
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.as_measured.bonds import BOND_MAX, kind_of
from xtalpriors.priors.fitting.context import Unavailable
from xtalpriors.priors.fitting.observations import MIN_POOLED
from xtalpriors.priors.fitting.subset_table import unreadable
from xtalpriors.priors.kinds.coordination import Coordination, Shell

__all__ = ["fit"]

N_BINS = 180
"""Steps of the cosine of an angle."""
LEVELS = tuple(round(0.05 * i, 2) for i in range(21))
"""Levels of the quantiles of an angle."""
_KNOWN = np.array([r is not None for r in COVALENT_RADIUS_ANGSTROM])


class _Sums(NamedTuple):
    """Shells by atomic number, and the clusters that hold each element."""

    numbers: F64
    angles: F64
    clusters: dict[int, set[str]]


def _sums(subset: Path) -> _Sums:
    """Shells of the atoms of a subset, every cluster with one vote."""
    n = len(_KNOWN)
    numbers, angles, clusters = np.zeros((n, MOST_BONDS + 1)), np.zeros((n, N_BINS)), dict[int, set[str]]()
    for arrays, entries in structure_batches(subset):
        z = arrays.atomic_number.astype(np.int64)
        found = shell_counts(arrays, entries["weight"].to_numpy(), z, n, bond_max=BOND_MAX, n_bins=N_BINS)
        numbers += found.numbers
        angles += found.angles
        of_site = np.repeat(np.arange(len(arrays)), np.diff(arrays.offsets))
        names = entries["cluster_id"].to_pylist()
        for key in np.unique(z * len(names) + of_site).tolist():
            clusters.setdefault(key // len(names), set()).add(str(names[key % len(names)]))
    return _Sums(numbers, angles, clusters)


def fit(subset: Path, parent: Path | None) -> Coordination:
    """Shells of each element; those of elements in fewer than 50 clusters are of the parent's structures, or
    where it has too few of them too, of all elements of the kind."""
    try:
        own = _sums(subset)
        larger = _sums(parent) if parent is not None else own
    except (OSError, pa.ArrowException, KeyError) as error:
        raise unreadable(subset, error) from error
    elements = [z for z in {*own.clusters, *larger.clusters} if z > 1 and _KNOWN[z]]
    shells = {SYMBOLS[z]: _shell(z, own, larger, elements) for z in sorted(elements)}
    if not shells:
        raise Unavailable("no structure has atoms of a known covalent radius")
    return Coordination(
        convention="fully occupied sites but hydrogen, symmetry images included; each cluster has one vote; "
        "an atom with two bonds or more counts once among the angles; covalent radii of Cordero et al. 2008 "
        "(doi 10.1039/b801115j)",
        bond_max=BOND_MAX,
        elements={name: shell for name, shell in shells.items() if shell is not None},
    )


def _shell(z: int, own: _Sums, larger: _Sums, elements: list[int]) -> Shell | None:
    """The shell of one element; null where no atom of its kind is on a full site."""
    for sums, members in (
        (own, [z]),
        (larger, [z]),
        (larger, [y for y in elements if kind_of(SYMBOLS[y]) == kind_of(SYMBOLS[z])]),
    ):
        clusters = set().union(*(sums.clusters.get(y, set()) for y in members))
        numbers, angles = sums.numbers[members].sum(axis=0), sums.angles[members].sum(axis=0)
        if numbers.sum() > 0 and (len(clusters) >= MIN_POOLED or len(members) > 1):
            break
    if not numbers.sum() > 0:
        return None
    shares = (numbers[: int(np.flatnonzero(numbers)[-1]) + 1] / numbers.sum()).tolist()
    intervals = [wilson_interval(share * len(clusters), len(clusters)) for share in shares]
    known = [
        Estimate(value=share, low=min(low, share), high=max(high, share))
        for share, (low, high) in zip(shares, intervals, strict=True)
    ]
    return Shell(
        n_clusters=len(clusters),
        of_kind=len(members) > 1,
        numbers=Counts(probabilities=tuple(known)),
        angle=_angle(angles, len(clusters)),
    )


def _angle(counts: F64, n_clusters: int) -> ScalarPrior | None:
    """Quantiles of the angle from counts by its cosine."""
    if not counts.sum() > 0:
        return None
    of_angle = counts[::-1]  # from 0° to 180°
    levels = np.concatenate([[0.0], np.cumsum(of_angle) / of_angle.sum()])
    edges = [math.degrees(math.acos(1.0 - 2.0 * k / len(counts))) for k in range(len(counts) + 1)]
    values = []
    for share in LEVELS:
        k = int(np.searchsorted(levels, share, side="right")) - 1  # the step that holds the quantile
        k = min(k, int(np.flatnonzero(of_angle)[-1]))
        part = min((share - levels[k]) / (levels[k + 1] - levels[k]), 1.0)
        values.append(round(edges[k] + float(part) * (edges[k + 1] - edges[k]), 2))
    table = Empirical(probabilities=LEVELS, values=tuple(values))
    return ScalarPrior(
        n_clusters=n_clusters, unit="degree", convention="angle between two bonds of an atom", empirical=table
    )
