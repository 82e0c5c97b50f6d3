"""One statistic of one or two subsets, with its fit and the paper's range: S1, S2, H fraction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.panels import (
    Fitted,
    Panel,
    common_edges,
    covered_share,
    curve_rows,
    fit_rows,
    histogram_rows,
    stack,
    value_rows,
)

__all__ = ["data"]

FEWEST = 30
"""Clusters below which a second histogram would only widen the bins of the first."""


def data(
    panel: Panel,
    column: str,
    subsets: Mapping[str, pd.DataFrame],
    fits: Mapping[str, Fitted],
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
        Entries (`column`, `weight`) by the name of their subset: at most two, the first one is filled. Both
        have bins of one width; of fewer than `FEWEST` clusters in the second each value is a tick.
    fits
        Fitted distribution by the name of the subset, drawn for the share of the values that it describes.
    paper
        The range that the paper samples from; None, or a corpus without a value, leaves it out.
    paper_label
        Its name in the legend, where it is another paper.
    """
    low, high = panel.limits or (0.0, 1.0)
    x = np.linspace(low, high, 401)[1:-1]
    known = {
        name: Weighted(
            entries[column].to_numpy(dtype=np.float64), entries["weight"].to_numpy(dtype=np.float64)
        )
        for name, entries in subsets.items()
        if len(entries)
    }
    binned = {n: s for k, (n, s) in enumerate(known.items()) if k == 0 or s.weights.sum() >= FEWEST}
    edges = common_edges([(sample, low, high) for sample in binned.values()], (10, 45)) if binned else []
    parts = []
    for place, (name, (values, weights)) in enumerate(known.items()):
        role, fit_role = ("data", "fit") if place == 0 else ("second", "second-fit")
        if name in binned:
            parts.append(histogram_rows(panel.key, name, values, edges[0], weights=weights, role=role))
        else:
            parts.append(value_rows(panel.key, name, values[(values >= low) & (values <= high)], role=role))
        if name in fits:
            share = covered_share(fits[name].form, values, weights)
            parts.append(fit_rows(panel.key, f"{name}, fit", fits[name], x, share=share, role=fit_role))
    if paper is not None and any(len(part) for part in parts):
        label = paper_label or f"U({paper.low:g}; {paper.high:g}) of the paper"
        corners = np.array([paper.low, paper.low, paper.high, paper.high])
        height = 1 / (paper.high - paper.low)
        parts.append(curve_rows(panel.key, label, corners, [0, height, height, 0], role="paper"))
    return stack(parts)
