"""What a subset is: space groups, bounds on the lengths of the cell, and named filters."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from xtalpriors.frozen_model import Frozen
from xtalpriors.mining.subsets.filters import BEST_OF_CLUSTER, FILTERS, check_filter_names

__all__ = ["DEFAULT_SUBSETS", "SUPERGROUPS_OF_P21C", "SubsetDefinition"]

Convention = Literal["declared", "least_oblique"]
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]

SUPERGROUPS_OF_P21C: tuple[int, ...] = (12, 15, 60, 61, 62)
"""C2/m, C2/c, Pbcn, Pbca and Pnma: those tested in Larsen et al. 2024 (doi 10.1126/science.adn2777)."""

_SOUND = (
    "not_retracted",
    "no_errors",
    "not_duplicate",
    "not_suboptimal",
    "not_theoretical",
    "not_superspace",
    "not_macromolecule",
    "has_coordinates",
    "symmetry_agrees",
    "cell_agrees",
    "angles_known",
    "cell_not_contradicted",
    "sites_known",
    "composition_not_contradicted",
    "no_overfull_positions",
    "volume_plausible",
)


class SubsetDefinition(Frozen):
    """One subset. Every bound is optional; an entry is kept when it meets all that are given."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)
    """Name of the files; lower case, digits, `.`, `_`, `-`."""
    description: str = ""
    """One line for readers."""
    space_group_numbers: tuple[Annotated[int, Field(ge=1, le=230)], ...] | None = None
    """Numbers of the groups, in any setting; null is all 230."""
    length_min_angstrom: Length | None = None
    """Every length is at least this."""
    length_max_angstrom: Length | None = None
    """Every length is at most this."""
    length_below_angstrom: Length | None = None
    """Every length is strictly below this."""
    longest_above_angstrom: Length | None = None
    """The longest length is strictly above this."""
    convention: Convention = "declared"
    """Whose lengths: the declared cell's, or (no. 14 only) the least-oblique P2₁/c cell's."""
    filters: tuple[str, ...] = _SOUND
    """Names of filters, applied in this order; those of `mining.filters`."""
    bring_to_p21c: bool = False
    """Describe each structure in the least-oblique cell of a P2₁/c subgroup of its group."""
    pool_to: str | None = None
    """Larger subset that lends its priors when this one is small."""
    pool_below: int = Field(default=50, ge=0)
    """Number of entries under which it does."""

    @field_validator("filters")
    @classmethod
    def _known_filters(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return check_filter_names(value)

    @field_validator("space_group_numbers")
    @classmethod
    def _sorted_numbers(cls, value: tuple[int, ...] | None) -> tuple[int, ...] | None:
        return value if value is None else tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _possible(self) -> SubsetDefinition:
        low = self.length_min_angstrom or 0.0
        for name in ("length_max_angstrom", "length_below_angstrom"):
            high = getattr(self, name)
            if high is not None and high < low:
                raise ValueError(
                    f"length_min_angstrom {low:g} is above {name} {high:g}: no cell can meet both"
                )
            if high is not None and (self.longest_above_angstrom or 0.0) >= high:
                raise ValueError(
                    f"longest_above_angstrom {self.longest_above_angstrom:g} is not below {name} {high:g}: "
                    "no cell can meet both"
                )
        if self.convention == "least_oblique" and self.space_group_numbers != (14,):
            raise ValueError(
                "convention least_oblique exists for space group 14 only: set space_group_numbers: [14]"
            )
        return self

    @property
    def one_per_cluster(self) -> bool:
        """Only the best of each cluster of redeterminations is kept."""
        return BEST_OF_CLUSTER in self.filters

    def bounds_sql(self, convention: Convention | None = None) -> str:
        """Condition on the lengths, in SQL over `entry`, under the subset's convention or another."""
        prefix = "least_oblique_" if (convention or self.convention) == "least_oblique" else ""
        lengths = ", ".join(f"{prefix}{axis}_angstrom" for axis in "abc")
        conditions = [
            (f"least({lengths}) >= {{}}", self.length_min_angstrom),
            (f"greatest({lengths}) <= {{}}", self.length_max_angstrom),
            (f"greatest({lengths}) < {{}}", self.length_below_angstrom),
            (f"greatest({lengths}) > {{}}", self.longest_above_angstrom),
        ]
        given = [text.format(repr(value)) for text, value in conditions if value is not None]
        return f"coalesce({' AND '.join(given)}, false)" if given else "true"

    def group_sql(self) -> str:
        """Condition on the space group, in SQL over `entry`."""
        if self.space_group_numbers is None:
            return "true"
        return f"sg_number IN ({', '.join(map(str, self.space_group_numbers))})"

    def filter_sql(self) -> list[tuple[str, str]]:
        """Name and condition of each filter but `best_of_cluster`, in order."""
        return [(name, FILTERS[name].sql) for name in self.filters if name != BEST_OF_CLUSTER]


DEFAULT_SUBSETS: dict[str, SubsetDefinition] = {
    subset.name: subset
    for subset in (
        SubsetDefinition(
            name="all-50",
            description="4 Å ≤ every length ≤ 50 Å, any space group",
            length_min_angstrom=4,
            length_max_angstrom=50,
        ),
        SubsetDefinition(
            name="all-10",
            description="4 Å ≤ every length ≤ 10 Å, any space group",
            length_min_angstrom=4,
            length_max_angstrom=10,
            pool_to="all-50",
        ),
        SubsetDefinition(
            name="p21c-10",
            description="P2₁/c in any setting, 4 Å ≤ every length ≤ 10 Å",
            space_group_numbers=(14,),
            length_min_angstrom=4,
            length_max_angstrom=10,
            pool_to="all-10",
        ),
        SubsetDefinition(
            name="p21c-20",
            description="P2₁/c in any setting, every length < 20 Å and at least one > 10 Å",
            space_group_numbers=(14,),
            length_below_angstrom=20,
            longest_above_angstrom=10,
            pool_to="all-50",
        ),
        SubsetDefinition(
            name="p21c-supergroups",
            description="C2/m, C2/c, Pbcn, Pbca, Pnma, every length ≤ 10 Å, brought to P2₁/c",
            space_group_numbers=SUPERGROUPS_OF_P21C,
            length_max_angstrom=10,
            bring_to_p21c=True,
            pool_to="p21c-10",
        ),
    )
}
"""The subsets of the papers (Melgalvis & Reķis 2026; Larsen et al. 2024), by name."""
