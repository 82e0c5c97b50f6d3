"""Volume of the cell: log-normal with location 0 (2026 paper, section 3.2 and Fig. 1)."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.priors.distributions.estimate import Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior
from xtalpriors.priors.fitting.conventions import cell_name, length_bounds
from xtalpriors.priors.fitting.estimators import scalar_of
from xtalpriors.priors.fitting.families import gamma, lognormal, truncated_normal
from xtalpriors.priors.fitting.observations import Context, Values, entry_values, observe
from xtalpriors.priors.fitting.rivals import from_family, weibull
from xtalpriors.priors.fitting.shares import fit_share
from xtalpriors.priors.fitting.table import SubsetTable

__all__ = ["CellVolume", "fit"]


class CellVolume(ScalarPrior):
    """V of the declared cell, Å³; parametric form `LogNormal`."""

    uniform_low_angstrom3: float = Field(
        gt=0, description="Lower end of the strategy `volume-uniform`: the 1 % quantile of a fitted bundle"
    )
    uniform_high_angstrom3: float = Field(
        gt=0, description="Upper end of the strategy `volume-uniform`: the 99 % quantile of a fitted bundle"
    )
    share_160_1000: Estimate | None = Field(
        default=None, description="Share of the volumes within the 2026 paper's 160–1000 Å³"
    )

    @classmethod
    def fit(cls, context: Context) -> CellVolume:
        """Fit the subset of a context; raises `Unavailable` with the reason."""
        return fit(context)

    def summary(self) -> dict[str, float]:
        """Flat numbers, the share within 160–1000 Å³ included."""
        flat = super().summary()
        if self.share_160_1000 is not None:
            flat["share_160_1000"] = self.share_160_1000.value
        return flat


def _volumes(table: SubsetTable) -> Values:
    return entry_values(table, table.positive("volume_angstrom3"))


def fit(context: Context) -> CellVolume:
    """Log-normal fit of the declared cells' volumes (plain maximum likelihood, location 0)."""
    name, definition = "cell_volume", context.own.definition
    observations = observe(context, name, _volumes, pool="bounded")
    scalar = scalar_of(
        context,
        name,
        observations,
        unit="Å³",
        convention=f"volume of the {cell_name(definition)}; {length_bounds(definition)}",
        families=[lognormal()],
        rivals=[from_family(gamma()), weibull(), from_family(truncated_normal(0.0, None))],
    )
    inside = (observations.x >= 160) & (observations.x <= 1000)
    low, high = scalar.distribution("empirical").quantile([0.01, 0.99])
    return CellVolume(
        **dict(scalar),
        uniform_low_angstrom3=float(low),
        uniform_high_angstrom3=float(high),
        share_160_1000=fit_share(context, f"{name}.share_160_1000", observations, inside),
    )
