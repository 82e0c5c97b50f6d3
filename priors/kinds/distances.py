"""Interatomic distances of the subset: what generated structures are compared with, never sampled."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Histogram

__all__ = ["Distances"]


class Distances(Frozen):
    """Histograms of distances up to 6 Å (2026 paper, Fig. 4), symmetry images included."""

    n_structures: int = Field(description="Structures that have a pair of atoms within 6 Å")
    convention: str
    distance: Histogram = Field(description="Distance, Å, all atoms")
    non_hydrogen: Histogram | None = Field(
        default=None, description="Distance, Å, between non-hydrogen atoms"
    )
    over_radii: Histogram | None = Field(
        default=None,
        description="Between non-hydrogen atoms, over the sum of the covalent radii (doi 10.1039/b801115j)",
    )
