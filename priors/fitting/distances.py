"""Histograms of interatomic distances of a subset, as a prior to validate against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import F64
from xtalpriors.mining.subsets.distances import subset_distances
from xtalpriors.mining.subsets.files import sites_path
from xtalpriors.priors.distributions.distribution import Histogram
from xtalpriors.priors.fitting.context import Unavailable
from xtalpriors.priors.fitting.subset_table import unreadable
from xtalpriors.priors.kinds.distances import Distances

__all__ = ["fit"]


def _histogram(edges: F64, density: F64) -> Histogram | None:
    """Histogram that integrates to 1; null where there is no pair."""
    shares = density * np.diff(edges)
    if not np.isfinite(shares).all() or not shares.sum() > 0:
        return None
    return Histogram(edges=tuple(map(float, edges)), density=tuple(map(float, density / shares.sum())))


def fit(subset: Path) -> Distances:
    """Distances up to 6 Å of the structures in a subset's files, each structure with its weight."""
    sites = sites_path(subset)
    if not sites.is_file():
        raise Unavailable("the subset has no file of sites")
    try:
        found = subset_distances(subset)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise unreadable(subset, error) from error
    distance = _histogram(found.edges_angstrom, found.all_atoms)
    if distance is None:
        raise Unavailable("no structure has two atoms within 6 Å of each other")
    return Distances(
        n_structures=found.n_structures,
        convention=(
            "symmetry images included, multiplicity and occupancy weighted, atoms of alternate disorder "
            "groups left out; each structure is normalised and counts with its weight"
        ),
        distance=distance,
        non_hydrogen=_histogram(found.edges_angstrom, found.non_hydrogen),
        over_radii=_histogram(found.ratio_edges, found.bond_ratio),
    )
