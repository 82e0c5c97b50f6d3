"""Fig. 4: interatomic distances of the database and of the fillings, and bond lengths over covalent radii."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.distances import DistanceHistograms
from xtalpriors.priors.kinds.distances import Distances
from xtalpriors.reports.measures import histogram_distance
from xtalpriors.reports.panels import COLUMNS, Panel, distance_row, panels_drawer, stack, total_row

__all__ = ["data", "draw"]


PANELS = (
    Panel("distance", "d / Å", "Interatomic distances", (0, 6), "% per 0.1 Å", 10),
    Panel("ratio", "d / (R₁ + R₂)", "Over the sum of covalent radii", (0.5, 1.5), "% per 0.01", 1),
)


def _rows(panel: str, series: str, role: str, edges: F64, density: F64) -> pd.DataFrame:
    values = (panel, series, role, "histogram", edges[:-1], edges[1:], density, np.nan, np.nan, np.nan)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def data(database: Distances | None, generated: Mapping[str, DistanceHistograms]) -> pd.DataFrame:
    """Rows of both panels.

    Parameters
    ----------
    database
        The prior of the subset: all atoms up to 6 Å, and without hydrogen over the sum of radii.
    generated
        Histograms of the generated structures by strategy.
    """
    parts = []
    for panel in PANELS:
        measured = None
        if database is not None:
            measured = database.distance if panel.key == "distance" else database.over_radii
        if database is not None and measured is not None:
            edges, density = np.asarray(measured.edges), np.asarray(measured.density)
            parts.append(_rows(panel.key, "database", "data", edges, density))
            parts.append(total_row(panel.key, "database", database.n_structures, role="data"))
        for place, (name, histograms) in enumerate(generated.items()):
            edges, density = _pick(panel.key, histograms)
            role = f"generated-{place + 1}"
            far = histogram_distance(measured, edges, density)
            parts.append(_rows(panel.key, name, role, edges, density))
            parts.append(distance_row(panel.key, name, far, role=role, kind="variation"))
    return stack(parts)


def _pick(key: str, histograms: DistanceHistograms) -> tuple[F64, F64]:
    if key == "distance":
        return histograms.edges_angstrom, histograms.all_atoms
    return histograms.ratio_edges, histograms.bond_ratio


draw = panels_drawer(PANELS)
