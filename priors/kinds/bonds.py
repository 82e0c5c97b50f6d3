"""Which atoms are neighbours, and how far apart: bonds, coordination and contacts by pair of elements."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Empirical
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["Bonds", "PairOfElements"]


class PairOfElements(Frozen):
    """Distances between atoms of two elements (or of two kinds of elements), over R_A + R_B."""

    n_clusters: int = Field(ge=0, description="Clusters of structures that hold both")
    log_g: tuple[float, ...] = Field(
        description="ln g in equal steps of (d / (R_A + R_B))² from 0 to ratio_max²: g is the number of "
        "neighbours over that of atoms at random places of the same cells"
    )
    coordination: tuple[float, float] = Field(
        description="Mean number of the second within bond_max around one of the first, and the reverse"
    )
    length: ScalarPrior | None = Field(
        default=None, description="Bond length over R_A + R_B, up to bond_max; null where the two never bond"
    )

    @property
    def length_table(self) -> tuple[float, ...] | None:
        """Quantiles of the bond length at equal steps of probability; null where the two never bond."""
        table = None if self.length is None else self.length.empirical
        return table.values if isinstance(table, Empirical) else None


class Bonds(Frozen):
    """Pair correlations of all pairs of elements; pairs with few structures are pooled by kind of element."""

    convention: str
    ratio_max: float = Field(gt=0, description="Largest d / (R_A + R_B) of log_g")
    bond_max: float = Field(gt=0, description="d / (R_A + R_B) up to which two atoms count as bonded")
    cutoff_angstrom: float = Field(gt=0, description="Distances beyond it are not looked at: g is 1 there")
    kinds: dict[str, tuple[str, ...]] = Field(description="Elements of each kind")
    pairs: dict[str, PairOfElements] = Field(description="By elements, `C & O` in the order of the alphabet")
    pooled: dict[str, PairOfElements] = Field(description="By kinds, for the other pairs")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if len({len(p.log_g) for p in (*self.pairs.values(), *self.pooled.values())}) > 1:
            raise ValueError("every log_g has the same number of steps")
        names = [f"{a} & {b}" for i, a in enumerate(sorted(self.kinds)) for b in sorted(self.kinds)[i:]]
        if set(names) != set(self.pooled):
            raise ValueError("one pooled pair for each two kinds")
        return self

    def kind(self, element: str) -> str | None:
        """Kind of an element; null for one without a covalent radius."""
        return next((name for name, members in self.kinds.items() if element in members), None)

    def pair(self, a: str, b: str) -> PairOfElements:
        """What is known of two elements, or of their kinds.

        Raises
        ------
        LookupError
            One of them has no kind.
        """
        found = self.pairs.get(" & ".join(sorted((a, b))))
        if found is not None:
            return found
        kinds = self.kind(a), self.kind(b)
        if kinds[0] is None or kinds[1] is None:
            raise LookupError(f"{a if kinds[0] is None else b} has no covalent radius, so no bonds")
        return self.pooled[" & ".join(sorted((kinds[0], kinds[1])))]
