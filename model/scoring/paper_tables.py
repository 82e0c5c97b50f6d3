"""Tables 1 and 2 of Melgalvis & Reķis 2026, and evaluations in their layout.

Rows are fillings, columns cell strategies; each cell has the fraction solved (r ≥ 0.8) and the median r of
the best run, as the papers report them, with N and 95 % intervals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xtalpriors.model.scoring.summary import Score, Summary

__all__ = [
    "CELLS",
    "FILLINGS",
    "PAPER_TABLES",
    "PaperTable",
    "StrategyCell",
    "strategy_table",
]

CELLS: Final[Mapping[str, str]] = {
    "volume-lognormal": "V log-normal",
    "volume-uniform": "V uniform",
    "axes-uniform": "lengths uniform",
    "volume-empirical": "V empirical",
}
"""Cell strategies of the generator, in the paper's order (the last one is not in it)."""

FILLINGS: Final[Mapping[str, str]] = {
    "molecules": "artificial molecules",
    "random": "random atoms",
    "equal-atoms": "random, equal atoms",
}
"""Fillings of the generator, in the paper's order."""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of the paper (doi 10.1107/S2053273325009428).

    Attributes
    ----------
    number
        1 or 2.
    n
        Experimental structures, in P2₁/c.
    lengths
        Their cells.
    values
        Fraction solved and median r by (filling, cell strategy).
    original
        The same of the network trained on the original PhAI set.
    """

    number: int
    n: int
    lengths: str
    values: Mapping[tuple[str, str], tuple[float, float]]
    original: tuple[float, float]


PAPER_TABLES: Final[Mapping[str, PaperTable]] = {
    "p21c-10": PaperTable(
        1,
        3086,
        "4 Å ≤ a, b, c ≤ 10 Å",
        {
            ("molecules", "volume-lognormal"): (0.998, 0.999996),
            ("molecules", "volume-uniform"): (0.996, 0.999996),
            ("molecules", "axes-uniform"): (0.998, 0.999993),
            ("random", "volume-lognormal"): (0.996, 0.999987),
            ("random", "volume-uniform"): (0.992, 0.999989),
            ("random", "axes-uniform"): (0.993, 0.999988),
            ("equal-atoms", "volume-lognormal"): (0.816, 0.96),
            ("equal-atoms", "volume-uniform"): (0.725, 0.95),
            ("equal-atoms", "axes-uniform"): (0.797, 0.96),
        },
        (0.999, 0.999997),
    ),
    "p21c-20": PaperTable(
        2,
        5000,
        "a, b, c < 20 Å, one at least > 10 Å",
        {
            ("molecules", "volume-lognormal"): (0.86, 0.91),
            ("molecules", "volume-uniform"): (0.85, 0.91),
            ("molecules", "axes-uniform"): (0.78, 0.89),
            ("random", "volume-lognormal"): (0.79, 0.90),
            ("random", "volume-uniform"): (0.82, 0.91),
            ("random", "axes-uniform"): (0.52, 0.81),
        },
        (0.60, 0.86),
    ),
}
"""Tables 1 and 2, by the subset that they are of."""


@dataclass(frozen=True, slots=True)
class StrategyCell:
    """One strategy in the layout of the tables: what was measured here, and what the paper has.

    Attributes
    ----------
    filling, cell
        Names of the generator.
    score
        Score of the network trained on it; None where no such network was evaluated.
    paper
        Fraction solved and median r in the paper; None where the paper does not give them.
    """

    filling: str
    cell: str
    score: Score | None
    paper: tuple[float, float] | None


def strategy_table(
    summaries: Sequence[Summary], subset: str, score: str = "best"
) -> list[list[StrategyCell]]:
    """Rows of the table of a subset: one for each filling, with one cell for each cell strategy.

    Of several networks of one strategy (seeds) the median by fraction solved stands in the cell. Rows and
    columns are those of the paper, and any other that has a network.

    Parameters
    ----------
    summaries
        Of evaluations on that subset.
    subset
        `p21c-10` (Table 1), `p21c-20` (Table 2), or any other (without the paper's numbers).
    score
        A name of `summary.SCORES`.
    """
    paper = PAPER_TABLES.get(subset)
    values = {} if paper is None else paper.values
    have: dict[tuple[str, str], list[Score]] = {}
    for summary in summaries:
        key = (str(summary.network.get("filling")), str(summary.network.get("cell")))
        have.setdefault(key, []).append(summary.scores[score])
    wanted = set(values) | set(have)
    fillings = [f for f in FILLINGS if any(f == filling for filling, _ in wanted)]
    cells = [c for c in CELLS if any(c == cell for _, cell in wanted)]
    return [
        [StrategyCell(f, c, _middle(have.get((f, c), [])), values.get((f, c))) for c in cells]
        for f in fillings
    ]


def _middle(scores: Sequence[Score]) -> Score | None:
    """The median one by fraction solved, the lower of two."""
    ordered = sorted(scores, key=lambda s: (s.solved or 0.0, s.median or 0.0))
    return ordered[(len(ordered) - 1) // 2] if ordered else None
