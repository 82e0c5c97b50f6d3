"""Volume per non-hydrogen atom, Å³ (2026 paper, eq. 18 and Fig. S1)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.estimators import fit_scalar, scalar_of
from xtalpriors.priors.fitting.families import gamma, lognormal, truncated_normal
from xtalpriors.priors.fitting.observations import Context, Values, attempt, entry_values, observe
from xtalpriors.priors.fitting.rivals import weibull
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["Packing", "fit"]


class Packing(ScalarPrior):
    """V of the cell over its non-hydrogen atoms (multiplicity × occupancy)."""

    atoms_per_cell: ScalarPrior | None = Field(
        default=None, description="Non-hydrogen atoms per cell, empirical"
    )
    share_7_22: Estimate | None = Field(default=None, description="Share within the 2026 paper's 7–22 Å³")

    @classmethod
    def fit(cls, context: Context) -> Packing:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def summary(self) -> dict[str, float]:
        """Flat numbers, atoms per cell included."""
        flat = super().summary()
        if self.share_7_22 is not None:
            flat["share_7_22"] = self.share_7_22.value
        if self.atoms_per_cell is not None:
            flat["atoms_per_cell.median"] = self.atoms_per_cell.summary()["median"]
        return flat


def _volume_per_atom(table: SubsetTable) -> Values:
    return entry_values(table, table.positive("volume_per_non_h_atom_angstrom3"))


def fit(context: Context) -> Packing:
    """Truncated normal, gamma or log-normal, whichever predicts held-out structures best."""
    observations = observe(context, "packing", _volume_per_atom)
    scalar = scalar_of(
        context,
        "packing",
        observations,
        unit="Å³",
        convention="volume of the cell over its non-hydrogen atoms, multiplicity × occupancy from the sites",
        families=[truncated_normal(0.0, None), gamma(), lognormal()],
        rivals=[weibull()],
    )
    inside = (observations.x >= 7) & (observations.x <= 22)
    atoms = attempt(
        context,
        "packing.atoms_per_cell",
        lambda: fit_scalar(
            context,
            "packing.atoms_per_cell",
            lambda table: entry_values(table, table.positive("n_atoms_non_h_cell")),
            unit="1",
            convention="non-hydrogen atoms per cell, multiplicity × occupancy",
            pool="bounded",
        ),
    )
    return Packing(
        **dict(scalar),
        atoms_per_cell=atoms,
        share_7_22=fit_share(context, "packing.share_7_22", observations, inside),
    )
