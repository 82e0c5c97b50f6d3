"""Number of a space group in a setting that no table lists."""

from __future__ import annotations

from xtalpriors.crystal.basis import ChangeOfBasis
from xtalpriors.crystal.triplets import Operator

__all__ = ["identify"]


def identify(operators: frozenset[Operator]) -> tuple[int, ChangeOfBasis]:
    """Number of the group, and the change of coordinates to its reference setting."""
    raise NotImplementedError(len(operators))
