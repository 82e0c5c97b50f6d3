"""Fig. 2: the longest cell length and the ratios of neighbouring lengths, with the fitted exponentials.

The rule of eqs 6–13 is drawn for the log-normal of the fitted volumes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from xtalpriors.arrays import LENGTHS
from xtalpriors.reports.measures import Weighted, length_statistics
from xtalpriors.reports.panels import (
    Fitted,
    Panel,
    common_edges,
    covered_share,
    distance_row,
    empty_rows,
    fit_rows,
    histogram_rows,
    panels_drawer,
    stack,
)
from xtalpriors.reports.paper_cells import ExpectedCells
from xtalpriors.reports.statistics import kolmogorov_distance, nice_edges

__all__ = ["PANELS", "data", "draw"]

PANELS = (
    Panel("longest", "a₃ / Å", "Longest length", (4, 10), "% per Å", 100),
    Panel("upper", "a₃/a₂", "Longest to middle", (1, 2), "% per 0.1", 10),
    Panel("lower", "a₂/a₁", "Middle to shortest", (1, 2), "% per 0.1", 10),
)
RULE = "eqs 6–13"


def data(
    entries: pd.DataFrame, upper: Fitted | None, lower: Fitted | None, cells: ExpectedCells | None
) -> pd.DataFrame:
    """Rows of the three panels; the two of ratios have bins of one width.

    Parameters
    ----------
    entries
        Entries of the 4–10 Å subset: `a_angstrom`, `b_angstrom`, `c_angstrom` of the declared cell, `weight`.
    upper, lower
        Fitted distributions of a₃/a₂ and a₂/a₁.
    cells
        What eqs 6–13 give for the fitted volumes.
    """
    if entries.empty:
        return empty_rows()
    values = length_statistics(entries[list(LENGTHS)].to_numpy(dtype=np.float64))
    weights = entries["weight"].to_numpy(dtype=np.float64)
    fits = {"upper": upper, "lower": lower}
    of_ratios = common_edges([(Weighted(values[key], weights), 1, 2) for key in fits], (6, 30))
    edges = dict(zip(fits, of_ratios, strict=True))
    edges["longest"] = nice_edges(values["longest"], 4, 10, bins=(6, 30), weights=weights)
    parts = []
    for key in (panel.key for panel in PANELS):
        parts.append(histogram_rows(key, "database", values[key], edges[key], weights=weights))
        fit = fits.get(key)
        if fit is not None:
            x = np.linspace(edges[key][0], edges[key][-1], 301)
            share = covered_share(fit.form, values[key], weights)
            parts.append(fit_rows(key, "exponential", fit, x, share=share))
        if cells is not None:
            nodes = length_statistics(cells.sorted_lengths_angstrom)[key]
            parts.append(histogram_rows(key, RULE, nodes, edges[key], role="rule"))
            distance = kolmogorov_distance(values[key], nodes, weights)
            parts.append(distance_row(key, RULE, distance, role="rule"))
    return stack(parts)


draw = panels_drawer(PANELS)
