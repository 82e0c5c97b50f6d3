"""Which elements occur together in a structure, and on which positions."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Estimate, Shrinkage

__all__ = ["Contents", "ElementSet", "SiteCounts"]


class SiteCounts(Frozen):
    """How many sites of each element an asymmetric unit has."""

    share: float = Field(gt=0, le=1, description="Share of the structures of the set")
    general: tuple[int, ...] = Field(description="Sites on general positions, for each element")
    special: tuple[int, ...] = Field(description="Sites on special positions, for each element")


class ElementSet(Frozen):
    """Structures of the same elements."""

    elements: tuple[str, ...] = Field(
        min_length=1, description="Elements but hydrogen, metals first, the most electronegative last"
    )
    hydrogen: bool = Field(description="Whether the structures have hydrogen")
    kind: Literal["organic", "metal-organic", "inorganic"] = Field(
        description="`organic`: C, H and no metal; `metal-organic`: C, H and a metal; else `inorganic`"
    )
    share: Estimate = Field(description="Share of the structures")
    volume_per_atom: float = Field(gt=0, description="Mean volume per non-hydrogen atom, Å³")
    with_special: float = Field(
        ge=0, le=1, description="Share of these structures that have an atom on a special position"
    )
    general: tuple[float, ...] | None = Field(
        default=None,
        description="Share of each element among the sites on general positions; null without any",
    )
    special: tuple[float, ...] | None = Field(
        default=None,
        description="Share of each element among the sites on special positions; null without any",
    )

    sites: tuple[SiteCounts, ...] = Field(
        default=(),
        description="The commonest numbers of sites, 8 at most, of structures without shared or partly "
        "occupied sites. Drawn whole, they keep the charges of a salt balanced",
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for one in self.sites:
            if not len(one.general) == len(one.special) == len(self.elements):
                raise ValueError("one number of sites for each element")
        if self.general is None and self.special is None:
            raise ValueError("a set of elements is on general or on special positions")
        for shares in (self.general, self.special):
            if shares is not None and len(shares) != len(self.elements):
                raise ValueError("one share for each element")
        return self


class Contents(Frozen):
    """The sets of elements of a subset."""

    n: int
    n_clusters: int
    sets: dict[str, ElementSet] = Field(
        min_length=1,
        description="By the elements, `Ca Si O` or `C O H`. In the order of their volume per atom they make "
        "the variable `composition` of the prior `cell`, which ties the elements to the cell",
    )
    left_out: float = Field(
        ge=0, lt=1, description="Share of the structures whose set is too rare to be listed"
    )
    shrinkage: Shrinkage | None = None

    @property
    def in_order(self) -> tuple[ElementSet, ...]:
        """The sets, that with the least volume per atom first."""
        order = sorted(self.sets, key=lambda name: (self.sets[name].volume_per_atom, name))
        return tuple(self.sets[name] for name in order)
