"""Fig. 3: the monoclinic angle, declared and least-oblique, against a uniform skew (eqs 14, 15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from xtalpriors.arrays import ANGLES, F64
from xtalpriors.priors.distributions.distribution import Scalar
from xtalpriors.reports.measures import Weighted, folded_angle
from xtalpriors.reports.panels import (
    Fitted,
    Panel,
    common_edges,
    covered_share,
    curve_rows,
    distance_row,
    histogram_rows,
    panels_drawer,
    stack,
)
from xtalpriors.reports.paper_cells import ExpectedCells, monoclinic_angle_density
from xtalpriors.reports.statistics import kolmogorov_fit
from xtalpriors.reports.subset_data import with_value

__all__ = ["PANELS", "angle_samples", "data", "draw"]

PANELS = (
    Panel("declared", "β / °", "Declared cell, folded to ≥ 90°", (90, 135), "% per degree", 100),
    Panel("least-oblique", "β / °", "Least-oblique P2₁/c cell", (90, 135), "% per degree", 100),
)


def skew_density(beta_degree: F64, skew: Scalar) -> F64:
    """Density of β per degree for a distribution of the skew |s₃| = tan(β − 90°)."""
    s = np.tan(np.radians(beta_degree - 90))
    return np.asarray(np.exp(skew.log_prob(s)) * (1 + s**2) * np.pi / 180)


def angle_samples(entries: pd.DataFrame) -> dict[str, Weighted]:
    """The folded angle of the declared cell, and β of the least-oblique one, by panel."""
    placed = with_value(entries, "least_oblique_beta_degree")
    oblique = placed["least_oblique_beta_degree"].to_numpy(dtype=np.float64)
    declared = folded_angle(entries[list(ANGLES)].to_numpy(dtype=np.float64))
    return {
        "declared": Weighted(declared, entries["weight"].to_numpy(dtype=np.float64)),
        "least-oblique": Weighted(oblique, placed["weight"].to_numpy(dtype=np.float64)),
    }


def data(
    entries: pd.DataFrame,
    skews: Mapping[str, Fitted | None],
    cells: ExpectedCells | None,
    *,
    length_max_angstrom: float = 10.0,
    beta_max_degree: float = 125.0,
) -> pd.DataFrame:
    """Rows of both panels, with bins of one width.

    Parameters
    ----------
    entries
        No. 14 entries: the declared angles, `least_oblique_beta_degree`, `weight`, `cluster_id`.
    skews
        Fitted distribution of |s₃| by panel.
    cells
        Cells of eqs 6–13, whose c sets the length bound of eq. 15; None leaves that curve out.
    length_max_angstrom, beta_max_degree
        Bounds of eqs 14 and 15.
    """
    samples = angle_samples(entries)
    x = np.linspace(90, beta_max_degree, 351)
    rules = {"uniform skew (eq. 14)": ("rule-2", monoclinic_angle_density(x, beta_max_degree))}
    if cells is not None:
        bounded = monoclinic_angle_density(x, beta_max_degree, cells.c_angstrom / length_max_angstrom)
        rules["bounded lengths (eq. 15)"] = ("rule", bounded)
    edges = common_edges([(samples[p.key], *(p.limits or (0.0, 1.0))) for p in PANELS], (9, 40))
    parts = []
    for panel, own in zip(PANELS, edges, strict=True):
        values, weights = samples[panel.key]
        if not len(values):
            continue
        parts.append(histogram_rows(panel.key, "database", values, own, weights=weights))
        fit = skews.get(panel.key)
        if fit is not None:
            tangents = np.tan(np.radians(values - 90))
            density = skew_density(x, fit.form) * covered_share(fit.form, tangents, weights)
            parts.append(curve_rows(panel.key, "exponential skew", x, density, role="fit"))
            parts.append(distance_row(panel.key, "exponential skew", fit.distance, role="fit"))
        for name, (role, curve) in rules.items():
            distance = kolmogorov_fit(values, _cumulative(x, curve), weights)
            parts.append(curve_rows(panel.key, name, x, curve, role=role))
            parts.append(distance_row(panel.key, name, distance, role=role))
    return stack(parts)


def _cumulative(x: F64, density: F64) -> Callable[[F64], F64]:
    """Distribution function of a density that is given at ascending points, by the trapezoidal rule."""
    area = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(x)))
    return lambda at: np.interp(at, x, area / area[-1])


draw = panels_drawer(PANELS)
