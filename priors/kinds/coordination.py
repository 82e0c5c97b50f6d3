"""How many atoms an atom is bonded to, and the angles between its bonds, by element."""

from __future__ import annotations

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Counts, Empirical
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["Coordination", "Shell"]


class Shell(Frozen):
    """The bonded neighbours of the atoms of one element."""

    n_clusters: int = Field(ge=0, description="Clusters of structures that hold the element, or its kind")
    of_kind: bool = Field(description="Whether all elements of its kind were counted, since it is rare")
    numbers: Counts = Field(
        description="Number of bonded neighbours other than hydrogen; the last, 16, stands for more too"
    )
    angle: ScalarPrior | None = Field(
        default=None, description="Angle between two bonds in degrees; null where no atom has two"
    )

    @property
    def angle_table(self) -> Empirical | None:
        """Quantiles of the angle; null where no atom has two bonds."""
        table = None if self.angle is None else self.angle.empirical
        return table if isinstance(table, Empirical) else None


class Coordination(Frozen):
    """First shells of all elements but hydrogen, whose atoms are often unknown."""

    convention: str
    bond_max: float = Field(gt=0, description="d / (R_A + R_B) up to which two atoms count as bonded")
    elements: dict[str, Shell] = Field(min_length=1)
