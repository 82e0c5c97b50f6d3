"""Fig. 1: volumes of the unit cell, their log-normal fit, and what uniform lengths would give (eqs 1–5)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xtalpriors.priors.distributions.continuous import LogNormal
from xtalpriors.reports.panels import Panel, curve_rows, histogram_rows, panels_drawer, stack
from xtalpriors.reports.paper_cells import uniform_length_volume_density
from xtalpriors.reports.statistics import nice_edges, weighted_quantile

__all__ = ["data", "draw"]

PANELS = {
    "small": Panel("small", "V / Å³", "No. 14, 4–10 Å", None, "% per 100 Å³", 1e4),
    "all": Panel("all", "V / Å³", "All space groups, 4–50 Å", None, "% per 100 Å³", 1e4),
}
LENGTHS = {"small": (4.0, 10.0), "all": (4.0, 50.0)}


def _limits(panel: str, entries: pd.DataFrame) -> tuple[float, float]:
    """0–1000 Å³ for cells up to 10 Å; else up to a round number above 98 % of the volumes."""
    if panel == "small":
        return 0.0, 1000.0
    top = weighted_quantile(entries["volume_angstrom3"], 0.98, entries["weight"])
    return 0.0, 1000.0 * max(2.0, np.ceil(top / 1000)) if np.isfinite(top) else 8000.0


def data(
    panel: str, entries: pd.DataFrame, fit: LogNormal | None, paper: LogNormal | None = None
) -> pd.DataFrame:
    """Rows of one panel.

    Parameters
    ----------
    panel
        `small` (no. 14, 4–10 Å) or `all` (any group, 4–50 Å).
    entries
        The subset's entries: `volume_angstrom3`, `weight`.
    fit, paper
        Log-normal of the subset's bundle and of the published one; None leaves the curve out.
    """
    low, high = _limits(panel, entries)
    x = np.linspace(low, high, 401)[1:]
    volumes = entries["volume_angstrom3"]
    edges = nice_edges(volumes[volumes <= high], low, high, bins=(10, 50))
    parts = [histogram_rows(panel, "database", volumes, edges, weights=entries["weight"])]
    if fit is not None:
        parts.append(curve_rows(panel, "log-normal fit", x, np.exp(fit.log_prob(x)), role="fit"))
    if paper is not None:
        parts.append(
            curve_rows(panel, "LN(6.04; 0.394) of the paper", x, np.exp(paper.log_prob(x)), role="paper")
        )
    uniform = uniform_length_volume_density(x, *LENGTHS[panel])
    parts.append(curve_rows(panel, "lengths drawn uniformly (eqs 1–5)", x, uniform, role="rule"))
    return stack(parts)


draw = panels_drawer(list(PANELS.values()))
