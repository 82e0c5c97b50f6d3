"""Structures from measured reflections: `solve` reads a file and finds space group, atoms and elements.

On the way: `prepare` merges, `laue` and `candidates` find symmetry in the intensities, `phasing` finds
phases by charge flipping, `build` makes a model of them (`peaks`, `elements`, `least_squares`), `search`
tries group after group, `doubts` says how sure the result is, and `solution_files` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.model.solving.search import SolveSettings as SolveSettings
    from xtalpriors.model.solving.search import solve_crystal as solve_crystal
    from xtalpriors.model.solving.solution import Solution as Solution
    from xtalpriors.model.solving.solution_files import output_files as output_files
    from xtalpriors.model.solving.solution_files import write_solution as write_solution
    from xtalpriors.model.solving.solve_file import solve as solve

__getattr__, __all__ = offer(
    __name__,
    {
        "search": ["SolveSettings", "solve_crystal"],
        "solution": ["Solution"],
        "solve_file": ["solve"],
        "solution_files": ["output_files", "write_solution"],
    },
)
