"""The space groups of a batch of entries: each distinct one is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from xtalpriors.arrays import I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

__all__ = ["Groups", "distinct_groups"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Distinct groups, and the place of each entry's (n,) among them."""

    distinct: list[SpaceGroup]
    place: I64

    def array(self, of: Callable[[SpaceGroup], npt.ArrayLike]) -> npt.NDArray[Any]:
        """What a function gives of each entry's group, (n, …)."""
        values = np.stack([np.asarray(of(group)) for group in self.distinct])
        return values[self.place]

    def column(self, of: Callable[[SpaceGroup], Any]) -> pa.Array:
        """The same as an Arrow array."""
        return pa.array([of(group) for group in self.distinct]).take(pa.array(self.place))


def distinct_groups(groups: Sequence[SpaceGroup]) -> Groups:
    """The distinct ones among the groups of n entries, in the order of their first occurrence."""
    places: dict[SpaceGroup, int] = {}
    place = [places.setdefault(group, len(places)) for group in groups]
    return Groups(list(places), np.array(place, dtype=np.int64))
