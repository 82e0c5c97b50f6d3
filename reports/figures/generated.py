"""Figs 2 and 3 again: cells of the generator against those of the database, with their distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from xtalpriors.arrays import F64
from xtalpriors.reports.figures import lengths
from xtalpriors.reports.measures import Weighted
from xtalpriors.reports.panels import Panel, common_edges, distance_row, histogram_rows, panels_drawer, stack
from xtalpriors.reports.statistics import kolmogorov_distance

__all__ = ["ANGLE", "LENGTHS", "MOST", "GeneratedFigure"]

Values = Mapping[str, F64]

MOST = 4
"""Strategies that one panel can show apart."""


class GeneratedFigure:
    """A figure of some panels, with `data` and `draw` as the modules of the other figures have them."""

    def __init__(self, panels: Sequence[Panel]) -> None:
        self.panels = tuple(panels)
        self.draw = panels_drawer(self.panels)

    def data(self, database: Mapping[str, Weighted], generated: Mapping[str, Values]) -> pd.DataFrame:
        """Rows of the panels.

        Parameters
        ----------
        database
            Values of the experimental structures by panel.
        generated
            The same by strategy; the first `MOST` are shown.
        """
        parts = []
        for panel in self.panels:
            measured, weights = database[panel.key]
            alike = [p for p in self.panels if p.y_label == panel.y_label]
            samples = [(database[p.key], *(p.limits or (0.0, 1.0))) for p in alike]
            edges = common_edges(samples, (10, 40))[alike.index(panel)]
            parts.append(histogram_rows(panel.key, "database", measured, edges, weights=weights))
            for place, (name, values) in enumerate(list(generated.items())[:MOST]):
                role = f"generated-{place + 1}"
                made = values[panel.key]
                made = made[np.isfinite(made)]
                parts.append(histogram_rows(panel.key, name, made, edges, role=role))
                distance = kolmogorov_distance(made, measured, None, weights)
                parts.append(distance_row(panel.key, name, distance, role=role))
        return stack(parts)


LENGTHS = GeneratedFigure(lengths.PANELS)
ANGLE = GeneratedFigure([Panel("angle", "β / °", "Monoclinic angle", (90, 135), "% per degree", 100)])
