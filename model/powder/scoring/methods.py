"""What is scored: whatever answers a pattern and a composition with density maps, the likeliest first."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from xtalpriors.arrays import F32
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.errors import UsageError
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.density_maps import POINTS
from xtalpriors.model.powder.scoring.retrieval import METHODS, Retrieval
from xtalpriors.model.powder.scoring.retrieval import Method as RetrievalName

__all__ = ["LOOKED_UP", "LookUp", "Method", "Try", "coarser", "looked_up"]


class Try(NamedTuple):
    """One answer.

    Attributes
    ----------
    density
        e/Å³, (points, points, points); voxel i lies at i / points of an axis.
    source
        What it was made from, in a few words.
    cell
        Its unit cell, where the method finds one.
    """

    density: F32
    source: str
    cell: UnitCell | None = None


class Method(Protocol):
    """A network, or a way to look the answer up."""

    @property
    def name(self) -> str:
        """In tables."""

    def tries(self, pattern: F32, composition: Composition, points: int) -> list[Try]:
        """Answers for a pattern (1024,), at least one; the first is what a user gets without more ado.

        Raises
        ------
        XtalpriorsError
            The pattern cannot be answered, for instance because no cell explains its lines.
        """


LOOKED_UP: dict[RetrievalName, str] = {
    "mean-map": "mean map",
    "raw": "nearest pattern",
    "smoothed": "nearest pattern, smoothed",
    "shells": "nearest by shells",
    "stoichiometry": "same stoichiometry, scaled",
    "stoichiometry-phases": "same, with measured |F|",
}
"""Answers that are looked up in the training, and their names in tables."""


class LookUp:
    """A density of the training crystals, looked up by one of the ways of `retrieval`."""

    def __init__(self, retrieval: Retrieval, way: RetrievalName) -> None:
        self.retrieval, self.way = retrieval, way
        self.name = LOOKED_UP[way]

    def tries(self, pattern: F32, composition: Composition, points: int) -> list[Try]:
        """One answer."""
        return [Try(coarser(self.retrieval.density(self.way, pattern, composition), points), self.name)]


def looked_up(retrieval: Retrieval) -> list[Method]:
    """The ways to look a density up, the mean map first."""
    return [LookUp(retrieval, way) for way in METHODS]


def coarser(density: F32, points: int) -> F32:
    """Every n-th voxel of a map of 50³, so that `points` are left along an edge.

    Raises
    ------
    UsageError
        50 is not a multiple of `points`.
    """
    step, rest = divmod(POINTS, points)
    if rest:
        raise UsageError(f"--points {points}: maps have 50 points along an edge, or 25 or 10 of them.")
    return density[::step, ::step, ::step]
