"""Fig. 2: the longest cell length and the ratios of neighbouring lengths, with the fitted exponentials."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xtalpriors.arrays import LENGTHS
from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.reports.measures import length_statistics
from xtalpriors.reports.panels import Panel, covered_share, fit_rows, histogram_rows, panels_drawer, stack
from xtalpriors.reports.paper_cells import ExpectedCells
from xtalpriors.reports.statistics import nice_edges

__all__ = ["PANELS", "data", "draw"]

PANELS = (
    Panel("longest", "a₃ / Å", "Longest length", (4, 10), "% per Å", 100),
    Panel("upper", "a₃/a₂", "Longest to middle", (1, 2), "% per 0.1", 10),
    Panel("lower", "a₂/a₁", "Middle to shortest", (1, 2), "% per 0.1", 10),
)
RULE = "eqs 6–13 from the fitted V"


def data(
    entries: pd.DataFrame, upper: Scalar | None, lower: Scalar | None, cells: ExpectedCells | None
) -> pd.DataFrame:
    """Rows of the three panels.

    Parameters
    ----------
    entries
        Entries of the 4–10 Å subset: `a_angstrom`, `b_angstrom`, `c_angstrom` of the declared cell, `weight`.
    upper, lower
        Fitted distributions of a₃/a₂ and a₂/a₁.
    cells
        What eqs 6–13 give for the fitted volumes.
    """
    values = length_statistics(entries[list(LENGTHS)].to_numpy(dtype=np.float64))
    fits = {"upper": upper, "lower": lower}
    parts = []
    for panel in PANELS:
        low, high = panel.limits or (0.0, 1.0)
        edges = nice_edges(values[panel.key], low, high, bins=(6, 30))
        parts.append(
            histogram_rows(panel.key, "database", values[panel.key], edges, weights=entries["weight"])
        )
        fit = fits.get(panel.key)
        if fit is not None:
            x = np.linspace(low, high, 301)
            share = covered_share(fit, values[panel.key], entries["weight"])
            parts.append(fit_rows(panel.key, "exponential fit", fit, x, share=share))
        if cells is not None:
            nodes = length_statistics(cells.sorted_lengths_angstrom)[panel.key]
            parts.append(histogram_rows(panel.key, RULE, nodes, edges, role="rule"))
    return stack(parts)


draw = panels_drawer(PANELS)
