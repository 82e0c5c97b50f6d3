"""S2: mean isotropic displacement parameter of a structure, and its spread within the structure."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from xtalpriors.priors.distributions.continuous import Uniform
from xtalpriors.reports.figures import scalar
from xtalpriors.reports.panels import Fitted, Panel, panels_drawer, stack
from xtalpriors.reports.subset_data import with_value

__all__ = ["data", "draw"]

MEAN = Panel("mean", "mean Uᵢₛₒ of a structure / Å²", "Mean", (0, 0.12), "% per 0.01 Å²", 1)
SPREAD = Panel("spread", "s.d. of Uᵢₛₒ within a structure / Å²", "Spread", (0, 0.04), "% per 0.01 Å²", 1)


def data(
    subsets: Mapping[str, pd.DataFrame], fits: Mapping[str, Fitted], paper: Uniform | None
) -> pd.DataFrame:
    """Rows: `u_iso_mean_angstrom2` with fits and the paper's range, `u_iso_sd_angstrom2` of ≥ 2 sites."""
    several = {
        name: with_value(entries[entries["u_iso_n"] >= 2], "u_iso_sd_angstrom2")
        for name, entries in subsets.items()
    }
    return stack(
        [
            scalar.data(MEAN, "u_iso_mean_angstrom2", subsets, fits, paper),
            scalar.data(SPREAD, "u_iso_sd_angstrom2", several, {}, None),
        ]
    )


draw = panels_drawer([MEAN, SPREAD])
