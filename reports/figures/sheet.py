"""One subset at a glance: the distributions of its scalar priors as small panels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from xtalpriors.arrays import F64
from xtalpriors.reports.measures import entry_samples
from xtalpriors.reports.panels import (
    Fitted,
    Panel,
    common_edges,
    covered_share,
    fit_rows,
    histogram_rows,
    panels_drawer,
    stack,
)
from xtalpriors.reports.statistics import weighted_quantile

__all__ = ["PANELS", "data", "draw"]

PANELS = (
    Panel("volume", "V / Å³", "Volume", None, "% per 100 Å³", 1e4),
    Panel("longest", "a₃ / Å", "Longest length", None, "% per Å", 100),
    Panel("upper", "a₃/a₂", "Longest to middle", (1, 3), "% per 0.1", 10),
    Panel("lower", "a₂/a₁", "Middle to shortest", (1, 3), "% per 0.1", 10),
    Panel("packing", "V per non-H atom / Å³", "Packing", (0, 40), "% per Å³", 100),
    Panel("displacement", "mean Uᵢₛₒ / Å²", "Displacement", (0, 0.12), "% per 0.01 Å²", 1),
)


def data(entries: pd.DataFrame, fits: Mapping[str, Fitted]) -> pd.DataFrame:
    """Rows of all panels.

    Parameters
    ----------
    entries
        The subset's entries, declared cells.
    fits
        Parametric forms by panel.
    """
    samples = {key: one for key, one in entry_samples(entries).items() if len(one.values)}
    limits = {p.key: p.limits or _range(p.key, *samples[p.key]) for p in PANELS if p.key in samples}
    ratios = [(samples[k], *limits[k]) for k in ("upper", "lower") if k in samples]
    parts = []
    for panel in PANELS:
        if panel.key not in samples:
            continue
        (values, weights), (low, high) = samples[panel.key], limits[panel.key]
        # Axes that are labelled alike have bins of one width.
        alike = ratios if panel.key in ("upper", "lower") else [(samples[panel.key], low, high)]
        edges = common_edges([*alike, (samples[panel.key], low, high)], (8, 36))[-1]
        parts.append(histogram_rows(panel.key, "database", values, edges, weights=weights))
        if panel.key in fits:
            x = np.linspace(low, high, 303)[1:-1]
            share = covered_share(fits[panel.key].form, values, weights)
            parts.append(fit_rows(panel.key, "fit", fits[panel.key], x, share=share))
    return stack(parts)


def _range(key: str, values: F64, weights: F64) -> tuple[float, float]:
    """Around 98 % of the values; volumes begin at 0."""
    high = 1.05 * weighted_quantile(values, 0.98, weights)
    return (0.0 if key == "volume" else 0.9 * float(values.min())), high


draw = panels_drawer(PANELS, columns=3, row_height=2.4)
