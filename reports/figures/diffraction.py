"""Resolution and completeness of the data behind the structures."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.reports.figures import scalar
from xtalpriors.reports.panels import Panel, panels_drawer, stack
from xtalpriors.reports.subset_data import with_value

__all__ = ["data", "draw"]

RESOLUTION = Panel("resolution", "dₘᵢₙ / Å", "Resolution", (0.3, 2), "% per 0.1 Å", 10)
COMPLETENESS = Panel("completeness", "measured fraction", "Completeness to θₘₐₓ", (0.8, 1), "% per 0.01", 1)


def data(subsets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows: histograms of `d_min_angstrom` and `completeness`, with the ranges of the 2024 PhAI paper."""
    drawn = {RESOLUTION: ("d_min_angstrom", 1.0, 2.0), COMPLETENESS: ("completeness", 0.85, 1.0)}
    parts = []
    for panel, (column, low, high) in drawn.items():
        known = {name: with_value(entries, column) for name, entries in subsets.items()}
        parts.append(scalar.data(panel, column, known, {}, Uniform(low=low, high=high), "PhAI, 2024"))
    return stack(parts)


draw = panels_drawer([RESOLUTION, COMPLETENESS])
