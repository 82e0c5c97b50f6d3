"""S1: volume of the cell per non-hydrogen atom."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.reports.figures import scalar
from xtalpriors.reports.panels import Fitted, Panel, panels_drawer

__all__ = ["data", "draw"]

PANEL = Panel("packing", "V per non-H atom / Å³", "", (0, 40), "% per Å³", 100)


def data(
    subsets: Mapping[str, pd.DataFrame], fits: Mapping[str, Fitted], paper: Uniform | None
) -> pd.DataFrame:
    """Rows: histograms of `volume_per_non_h_atom_angstrom3`, fits, and the paper's range (eq. 18)."""
    return scalar.data(PANEL, "volume_per_non_h_atom_angstrom3", subsets, fits, paper)


draw = panels_drawer([PANEL])
