"""Resolution and completeness of the data behind the structures."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.reports.figures import scalar
from xtalpriors.reports.panels import Panel, panels_drawer, stack

__all__ = ["data", "draw"]

RESOLUTION = Panel("resolution", "dₘᵢₙ / Å", "Resolution", (0.3, 2), "% per 0.1 Å", 10)
COMPLETENESS = Panel("completeness", "measured fraction", "Completeness to θₘₐₓ", (0.8, 1), "% per 0.01", 1)


def data(subsets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows: histograms of `d_min_angstrom` and `completeness`, with the ranges of the 2024 PhAI paper."""
    return stack(
        [
            scalar.data(RESOLUTION, "d_min_angstrom", subsets, {}, Uniform(low=1.0, high=2.0), "PhAI, 2024"),
            scalar.data(COMPLETENESS, "completeness", subsets, {}, Uniform(low=0.85, high=1.0), "PhAI, 2024"),
        ]
    )


draw = panels_drawer([RESOLUTION, COMPLETENESS])
