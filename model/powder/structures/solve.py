"""Candidate structures of a pattern and a composition: of the library first, else by a search."""

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
from xtalpriors.model.powder.structures.cells import possible_cells
from xtalpriors.model.powder.structures.shells import observed_shells, shells_of
from xtalpriors.model.powder.structures.wyckoff_search import search

__all__ = ["candidate_structures"]

_WORSE_CELL: Final = 0.02
"""Share of lines that a cell may leave unexplained beyond the best one."""


def candidate_structures(
    pattern: F32, composition: Composition, library: Library, without: str | None = None
) -> list[Candidate]:
    """Candidates for a pattern (1024,), the best first; nothing here knows the density that is looked for.

    Parameters
    ----------
    pattern, composition
        What was measured.
    library
        Templates of known crystals, whose system is that of the candidates.
    without
        Structure type that the library must not offer.

    Raises
    ------
    UsageError
        The pattern has no peaks, or no cell of the system explains it.
    """
    cells = possible_cells(pattern, library.system)
    left = [observed_shells(pattern, shells_of(cell)).unexplained for cell in cells]
    likely = sorted(
        (cell for cell, share in zip(cells, left, strict=True) if share <= min(left) + _WORSE_CELL),
        key=lambda cell: cell.volume,
    )
    found = [c for cell in likely for c in library_candidates(pattern, composition, library, cell, without)]
    found = fit_best(pattern, found)
    for cell in likely:
        if found and found[0].fits:
            break
        found = rank(found + search(pattern, composition, cell))
    return found
