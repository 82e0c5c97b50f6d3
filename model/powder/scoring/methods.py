"""What is scored: whatever answers a pattern and a composition with density maps, the likeliest first."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from xtalpriors.arrays import F32
from xtalpriors.model.powder.composition import Composition

__all__ = ["MeanMap", "Method", "Try"]


class Try(NamedTuple):
    """One answer.

    Attributes
    ----------
    density
        e/Å³, (points, points, points); voxel i lies at i / points of an axis.
    source
        What it was made from, in a few words.
    """

    density: F32
    source: str


class Method(Protocol):
    """A network, or a way to look the answer up."""

    @property
    def name(self) -> str:
        """In tables."""

    def tries(self, pattern: F32, composition: Composition, points: int) -> list[Try]:
        """Answers for a pattern (1024,), at least one; the first is what a user gets without more ado.

        Raises
        ------
        UsageError
            The pattern cannot be answered, for instance because no cell explains its lines.
        """


class MeanMap:
    """The mean map of the training for every pattern: what an answer is worth that looks at nothing."""

    name = "mean map"

    def __init__(self, density: F32) -> None:
        self.density = density

    def tries(self, pattern: F32, composition: Composition, points: int) -> list[Try]:
        """The mean map, whose edge must be `points`."""
        assert len(self.density) == points
        return [Try(self.density, self.name)]
