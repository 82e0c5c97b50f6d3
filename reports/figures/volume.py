"""Fig. 1: volumes of the unit cell, their log-normal fit, and what uniform lengths would give (eqs 1–5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from xtalpriors.arrays import F64
from xtalpriors.priors.distributions.continuous import LogNormal
from xtalpriors.reports.panels import (
    Fitted,
    Panel,
    curve_rows,
    distance_row,
    fit_rows,
    histogram_rows,
    panels_drawer,
    stack,
)
from xtalpriors.reports.paper_cells import uniform_length_volume_cdf, uniform_length_volume_density
from xtalpriors.reports.statistics import kolmogorov_fit, nice_edges, weighted_quantile

__all__ = ["data", "draw"]

PANELS = {
    "small": Panel("small", "V / Å³", "No. 14, 4–10 Å", None, "% per 100 Å³", 1e4),
    "all": Panel("all", "V / Å³", "All space groups, 4–50 Å", None, "% per 1000 Å³", 1e5),
}
LENGTHS = {"small": (4.0, 10.0), "all": (4.0, 50.0)}


def _limits(panel: str, entries: pd.DataFrame) -> tuple[float, float]:
    """0–1000 Å³ for cells up to 10 Å; else up to a round number above 98 % of the volumes."""
    if panel == "small":
        return 0.0, 1000.0
    top = weighted_quantile(entries["volume_angstrom3"], 0.98, entries["weight"])
    return 0.0, 1000.0 * max(2.0, np.ceil(top / 1000)) if np.isfinite(top) else 8000.0


def data(
    entries: Mapping[str, pd.DataFrame], fits: Mapping[str, Fitted], paper: LogNormal | None
) -> pd.DataFrame:
    """Rows of both panels.

    Parameters
    ----------
    entries
        By panel, `small` (no. 14, 4–10 Å) and `all` (any group, 4–50 Å): `volume_angstrom3`, `weight`.
    fits
        Log-normals of the subsets' bundles by panel; a panel without one has no such curve.
    paper
        The published log-normal, which is of the small cells.
    """
    edges = []
    for key, frame in entries.items():
        volumes, weights = (frame[name].to_numpy(dtype=np.float64) for name in ("volume_angstrom3", "weight"))
        edges.append(nice_edges(volumes, *_limits(key, frame), bins=(10, 50), weights=weights))
    return stack(
        [
            part
            for (key, frame), own in zip(entries.items(), edges, strict=True)
            if len(frame)
            for part in _panel(key, frame, own, fits.get(key), paper if key == "small" else None)
        ]
    )


def _panel(
    panel: str, entries: pd.DataFrame, edges: F64, fit: Fitted | None, paper: LogNormal | None
) -> Iterator[pd.DataFrame]:
    volumes, weights = entries["volume_angstrom3"], entries["weight"]
    x = np.linspace(edges[0], edges[-1], 401)[1:]
    yield histogram_rows(panel, "database", volumes, edges, weights=weights)
    if fit is not None:
        yield fit_rows(panel, "log-normal fit", fit, x)
    if paper is not None:
        name = "LN(6.04; 0.394) of the paper"
        yield curve_rows(panel, name, x, np.exp(paper.log_prob(x)), role="paper")
        yield distance_row(panel, name, kolmogorov_fit(volumes, paper.cdf, weights), role="paper")
    low, high = LENGTHS[panel]
    name = "uniform lengths (eqs 1–5)"
    yield curve_rows(panel, name, x, uniform_length_volume_density(x, low, high), role="rule")
    distance = kolmogorov_fit(volumes, lambda v: uniform_length_volume_cdf(v, low, high), weights)
    yield distance_row(panel, name, distance, role="rule")


draw = panels_drawer(list(PANELS.values()))
