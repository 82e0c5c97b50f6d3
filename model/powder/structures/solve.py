"""Candidate structures of a cubic pattern and a composition: of the library first, else by a search."""

from __future__ import annotations

from typing import Final

from xtalpriors.arrays import F32
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.structures.candidates import (
    Candidate,
    Library,
    fit_best,
    library_candidates,
    rank,
)
from xtalpriors.model.powder.structures.indexing import index_cubic
from xtalpriors.model.powder.structures.shells import observed_shells
from xtalpriors.model.powder.structures.wyckoff_search import search

__all__ = ["candidate_structures"]

_WORSE_CELL: Final = 0.02
"""Share of lines that a cell may leave unexplained beyond the best one."""


def candidate_structures(
    pattern: F32, composition: Composition, library: Library | None, without: str | None = None
) -> list[Candidate]:
    """Candidates for a pattern (1024,), the best first; nothing here knows the density that is looked for.

    Parameters
    ----------
    pattern, composition
        What was measured.
    library
        Templates of known crystals; None: the search alone.
    without
        Structure type that the library must not offer.

    Raises
    ------
    UsageError
        The pattern has no peaks, or no cubic cell explains it.
    """
    cells = index_cubic(pattern)
    left = [observed_shells(pattern, cell.a_angstrom).unexplained for cell in cells]
    lengths = sorted(
        cell.a_angstrom for cell, share in zip(cells, left, strict=True) if share <= min(left) + _WORSE_CELL
    )
    found: list[Candidate] = []
    if library is not None:
        found = [c for a in lengths for c in library_candidates(pattern, composition, library, a, without)]
        found = fit_best(pattern, found)
    for a in lengths:
        if found and found[0].fits:
            break
        found = rank(found + search(pattern, composition, a))
    return found
