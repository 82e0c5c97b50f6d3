"""Special positions that a structure occupies, by space group and Wyckoff set (2026 paper, section 3.5)."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import Field, model_validator

from xtalpriors.arrays import F64, I64
from xtalpriors.frozen_model import Frozen
from xtalpriors.priors.distributions.distribution import Categorical, Counts, Estimate, Shrinkage

__all__ = ["SpecialPositions", "SpecialPositionsOfGroup", "WyckoffSet"]


class WyckoffSet(Frozen):
    """Positions that a shift of the origin (Euclidean normalizer) interchanges, such as a–d of P2₁/c.

    A point (no degree of freedom) holds one atom or none: `probability` of being occupied, for each of
    the `n_positions` letters independently. A position with freedom holds any number: `count` per letter.
    """

    letters: tuple[str, ...] = Field(
        min_length=1, description="Wyckoff letters pooled, in the reference setting"
    )
    multiplicity: int = Field(ge=1, description="Of the conventional cell, centring included")
    degrees_of_freedom: int = Field(
        ge=0, le=2, description="Free coordinates: 0 point, 1 axis, 2 mirror plane"
    )
    n_positions: int = Field(ge=1, description="Number of letters pooled")
    probability: Estimate | None = Field(
        default=None, description="Points: probability that one of them is occupied"
    )
    count: Counts | None = Field(
        default=None, description="Positions with freedom: orbits occupied per letter"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.probability is None) == (self.count is None) or (self.probability is None) != (
            self.degrees_of_freedom > 0
        ):
            raise ValueError("points have a probability, positions with freedom have counts")
        if len(self.letters) != self.n_positions:
            raise ValueError("one letter for each position")
        return self

    @property
    def expected(self) -> float:
        """Expected number of occupied orbits of the set."""
        each = (
            self.probability.value if self.probability is not None else self.count.mean if self.count else 0.0
        )
        return self.n_positions * each


class SpecialPositionsOfGroup(Frozen):
    """Occupation of the special positions of one space group by non-hydrogen atoms."""

    number: int = Field(ge=1, le=230, description="Space-group number; any setting")
    n_structures: int | None = Field(default=None, description="Structures counted; null when published")
    n_clusters: int | None = None
    wyckoff_sets: tuple[WyckoffSet, ...] = Field(description="Empty for a group without special positions")
    number_occupied: Counts = Field(
        description="Occupied special orbits per structure, measured (not the product form)"
    )
    joint: Categorical | None = Field(
        default=None,
        description="Observed patterns: occupied orbits by set, `abcd×1 e×2`; `none` for all atoms general",
    )
    shrinkage: Shrinkage | None = None
    source: str | None = None

    def patterns(self) -> tuple[F64, I64]:
        """Shares (k,) of the patterns of `joint`, and their occupied orbits (k, n_sets).

        Raises
        ------
        ValueError
            There is no joint, or it does not fit the sets.
        """
        if self.joint is None:
            raise ValueError(f"space group {self.number} has no joint")
        columns = {"".join(s.letters): k for k, s in enumerate(self.wyckoff_sets)}
        orbits = np.zeros((len(self.joint.labels), len(self.wyckoff_sets)), np.int64)
        for row, label in zip(orbits, self.joint.labels, strict=True):
            for word in [] if label == "none" else label.split():
                letters, _, count = word.partition("×")
                if letters not in columns or not count.isdecimal():
                    raise ValueError(f"the pattern {label!r} is none of space group {self.number}")
                row[columns[letters]] = int(count)
        points = [s.degrees_of_freedom == 0 for s in self.wyckoff_sets]
        letters_of = [s.n_positions for s in self.wyckoff_sets]
        if np.any((orbits > letters_of) & points):
            raise ValueError(f"a pattern of space group {self.number} has more points than there are")
        return np.array([share.value for share in self.joint.shares]), orbits


class SpecialPositions(Frozen):
    """Special positions of every space group with enough structures."""

    convention: str
    groups: dict[int, SpecialPositionsOfGroup] = Field(description="By space-group number")
    number_occupied: Counts | None = Field(
        default=None, description="Occupied special orbits, all groups together"
    )
    source: str | None = Field(default=None, description="Publication and place; null when fitted here")

    def group(self, number: int) -> SpecialPositionsOfGroup:
        """Prior of one space group.

        Raises
        ------
        LookupError
            The bundle has no structures in that group.
        """
        if number not in self.groups:
            have = ", ".join(str(n) for n in sorted(self.groups))
            raise LookupError(
                f"this bundle has no special positions of space group {number}; it has {have or 'none'}"
            )
        return self.groups[number]
