"""The cell as a whole: volume, ratios of the lengths, angles and contents together, by crystal family."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from xtalpriors.arrays import F64
from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Categorical, Empirical, Estimate
from xtalpriors.priors.distributions.scalar import ScalarPrior

__all__ = ["CONTENTS", "FAMILIES", "SHAPES", "Cell", "CellOfFamily", "HeldOut"]

FAMILIES = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "hexagonal", "cubic")
"""Crystal families. Trigonal cells are hexagonal ones; rhombohedral axes are counted in hexagonal axes."""
SHAPES = {
    "triclinic": ("ratio_middle", "ratio_longest", "cosine_12", "cosine_13", "cosine_23"),
    "monoclinic": ("ratio_middle", "ratio_longest", "cosine"),
    "orthorhombic": ("ratio_middle", "ratio_longest"),
    "tetragonal": ("ratio_unique",),
    "hexagonal": ("ratio_unique",),
    "cubic": (),
}
"""Variables that make the shape of a cell of each family, in the order in which the generator reads them."""
CONTENTS = ("volume_per_atom", "hydrogen_fraction", "u_iso_mean", "u_iso_spread", "composition")
"""Variables of what a cell holds."""


class HeldOut(Frozen):
    """How well cells drawn from the fit look like cells that the fit did not see (5 folds of clusters).

    Both numbers are energy distances of normal scores (Székely & Rizzo 2013, doi 10.1016/j.jspi.2013.03.018),
    0 for equal distributions. Where the first is not above the second, the draws are as near to new cells as
    the cells of the database are to one another.
    """

    distance: float = Field(description="Between drawn cells and the cells of the fold left out")
    distance_of_database: float = Field(
        description="Between the cells of the other folds and those of the fold left out"
    )


class CellOfFamily(Frozen):
    """Joint distribution of the cells of one crystal family: a Gaussian copula over empirical marginals.

    Each variable has its quantile table, and the normal scores Φ⁻¹(F(x)) of the variables are taken to be
    jointly normal with `correlations`. A draw is z ~ N(0, R), then x = F⁻¹(Φ(z)) variable by variable: every
    marginal is the measured one, whatever the correlations are.
    """

    variables: dict[str, ScalarPrior] = Field(
        description="Marginals by name: `longest` (longest length over orderᵏ, k = `order_exponent`, Å), "
        "`ratio_middle` (a₂/a₁), `ratio_longest` (a₃/a₂), `ratio_unique` (c/a of tetragonal and hexagonal "
        "cells), `cosine` (|cos β| of monoclinic cells), `cosine_12`, `cosine_13`, `cosine_23` (triclinic "
        "cells, of the angles between the lengths a₁ ≤ a₂ ≤ a₃), `volume_per_atom` (non-hydrogen atoms, Å³), "
        "`hydrogen_fraction`, `u_iso_mean` (Å²), `u_iso_spread` (standard deviation of U_iso in a structure "
        "over its mean), `composition` (place of the elements among the sets of `contents`)"
    )
    correlations: dict[str, Estimate] = Field(
        description="Of the normal scores of each pair of variables, `first & second` in the order of the "
        "alphabet; the intervals are those of Fisher's z"
    )
    axis_order: Categorical | None = Field(
        default=None,
        description="Order of the lengths, shortest first (`b<a<c`), b being the unique axis of a monoclinic "
        "cell; null where two lengths are equal by symmetry",
    )
    order_exponent: float = Field(
        ge=0,
        le=0.34,
        description="k: lengths grow as (order of the group)ᵏ within the family; ⅓ where it has one order",
    )
    order_min: int = Field(ge=1, description="Smallest order of a group (centring included) in the family")
    order_max: int = Field(ge=1, description="Largest order")
    length_min_angstrom: float = Field(gt=0, description="Shortest length seen or allowed")
    length_max_angstrom: float = Field(gt=0, description="Longest length seen or allowed")
    longest_min_angstrom: float = Field(gt=0, description="Smallest longest length of a cell seen or allowed")
    held_out: HeldOut | None = Field(default=None, description="Null below ten clusters")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        names = sorted(self.variables)
        if set(self.correlations) != {f"{a} & {b}" for i, a in enumerate(names) for b in names[i + 1 :]}:
            raise ValueError("one correlation for each pair of variables")
        self.cholesky(tuple(names))
        return self

    def cholesky(self, names: tuple[str, ...]) -> F64:
        """Lower triangle L (k, k) with L·Lᵀ the correlations of some variables, in their order.

        Raises
        ------
        ValueError
            The correlations are those of no distribution.
        """
        lower = np.zeros((len(names), len(names)))
        # in plain Python: the last bits of a linear-algebra library differ from machine to machine
        for i, a in enumerate(names):
            for j, b in enumerate(names[: i + 1]):
                wanted = 1.0 if i == j else self.correlations[" & ".join(sorted((a, b)))].value
                rest = wanted - math.fsum(float(lower[i, k] * lower[j, k]) for k in range(j))
                if i == j and not rest > 0:
                    raise ValueError(f"the correlations of {a!r} are those of no distribution")
                lower[i, j] = math.sqrt(rest) if i == j else rest / lower[j, j]
        return lower

    def longest_in(self, order: float) -> ScalarPrior:
        """Distribution of the longest length in Å of cells whose group has this order."""
        longest, factor = self.variables["longest"], order**self.order_exponent
        table = longest.empirical
        assert isinstance(table, Empirical), "the marginals of cells are quantile tables"
        values = tuple(factor * x for x in table.values)
        return longest.model_copy(update={"empirical": table.model_copy(update={"values": values})})

    def sample(self, size: int, *, rng: np.random.Generator) -> dict[str, F64]:
        """`size` independent draws: arrays (size,) by the names of the variables."""
        from scipy import special  # a third of a second, which reading a bundle saves

        names = tuple(sorted(self.variables))
        shares = special.ndtr(rng.standard_normal((size, len(names))) @ self.cholesky(names).T)
        return {
            name: np.asarray(self.variables[name].distribution("empirical").quantile(shares[:, k]), float)
            for k, name in enumerate(names)
        }


class Cell(Frozen):
    """Joint distribution of cells for every crystal family with enough structures."""

    convention: str
    families: dict[str, CellOfFamily] = Field(description="By crystal family")
