"""One statistic of one or two subsets, with its fit and the paper's range: S1, S2, H fraction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.reports.panels import Panel, curve_rows, fit_rows, histogram_rows, stack
from xtalpriors.reports.statistics import nice_edges

__all__ = ["data"]


def data(
    panel: Panel,
    column: str,
    subsets: Mapping[str, pd.DataFrame],
    fits: Mapping[str, Scalar],
    paper: Uniform | None,
    paper_label: str | None = None,
) -> pd.DataFrame:
    """Rows of one panel.

    Parameters
    ----------
    panel
        Where to draw; its limits bound the bins.
    column
        Column of the entries.
    subsets
        Entries (`column`, `weight`) by the name of their subset: at most two, the first one is filled.
    fits
        Fitted distribution by the name of the subset.
    paper
        The range that the paper samples from; None, or a corpus without a value, leaves it out.
    paper_label
        Its name in the legend, where it is another paper.
    """
    low, high = panel.limits or (0.0, 1.0)
    x = np.linspace(low, high, 401)[1:-1]
    parts = []
    edges = np.empty(0)
    for place, (name, entries) in enumerate(subsets.items()):
        values = entries[column].to_numpy(dtype=np.float64)
        own = nice_edges(values[(values >= low) & (values <= high)], low, high, bins=(10, 45))
        # The smaller subset never has the finer bins: a narrow peak of few values would look like structure.
        edges = own if place == 0 or len(own) < len(edges) else edges
        role, fit_role = ("data", "fit") if place == 0 else ("second", "second-fit")
        parts.append(histogram_rows(panel.key, name, values, edges, weights=entries["weight"], role=role))
        if name in fits:
            parts.append(fit_rows(panel.key, f"{name}, fit", fits[name], x, role=fit_role))
    if paper is not None and any(len(part) for part in parts):
        label = paper_label or f"U({paper.low:g}; {paper.high:g}) of the paper"
        corners = np.array([paper.low, paper.low, paper.high, paper.high])
        height = 1 / (paper.high - paper.low)
        parts.append(curve_rows(panel.key, label, corners, [0, height, height, 0], role="paper"))
    return stack(parts)
