"""Mole fraction of hydrogen among all atoms of a structure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.reports.figures import scalar
from xtalpriors.reports.panels import Panel, panels_drawer

__all__ = ["data", "draw"]

PANEL = Panel("hydrogen", "mole fraction of H", "", (0, 0.8), "% per 0.1", 10)


def data(subsets: Mapping[str, pd.DataFrame], paper: Uniform | None) -> pd.DataFrame:
    """Rows: `h_fraction` of the structures that have hydrogen, and the paper's range (eq. 19)."""
    with_hydrogen = {name: entries[entries["h_fraction"] > 0] for name, entries in subsets.items()}
    return scalar.data(PANEL, "h_fraction", with_hydrogen, {}, paper)


draw = panels_drawer([PANEL])
