"""The cell of a trigonal powder pattern in hexagonal axes: a and c from the positions of the lines.

1/d² = 4 M/(3 a²) + l²/c² with M = h² + hk + k². As for cubic patterns (`indexing`) a cell is judged by the
share of the lines that it explains and by that which it would by chance, as a primitive and as a rhombohedral
lattice: first all cells of a coarse grid by the first lines, then the best of them finely by more.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.model.powder.pattern import MO_K_ALPHA_ANGSTROM, bins_of_spacings
from xtalpriors.model.powder.structures.hexagonal_kernel import explained_and_chance
from xtalpriors.model.powder.structures.indexing import line_weights, no_cell

__all__ = ["index_hexagonal"]

_SHORTEST_A, _LONGEST_A = 2.3, 11.5
_SHORTEST_C, _LONGEST_C = 2.2, 33.0
_COARSE, _FINE = 5e-3, 6e-4
"""Steps of the logarithms of a and c."""
_FIRST_LINES, _LINES = 12, 30
_KEPT: Final = 400
"""Cells of the coarse grid that are looked at finely."""
_BESIDE_COARSE, _BESIDE = 1.0, 0.6
_LEAST_MERIT: Final = 0.6
"""Of 60 trigonal patterns the least has 0.69; patterns of 25 and more lines at random have 0.2 to 0.55."""
_MISSED: Final = 0.02
"""Share of lines that the right cell does not explain."""
_LARGEST_VOLUME: Final = 1500.0
_APART: Final = 0.008
_SUMS: Final = np.array(
    sorted({h * h + h * k + k * k for h in range(16) for k in range(16) if h * h + h * k + k * k <= 192})
)
_LARGEST_L: Final = 60
_TABLE: Final = 40_000


@lru_cache(maxsize=1)
def _bins_by_square() -> tuple[I64, float]:
    """Bin of each of many equal intervals of 1/d² to 2θ = 180°, and their number per Å⁻²."""
    largest = (2.0 / MO_K_ALPHA_ANGSTROM) ** 2
    middle = (np.arange(_TABLE) + 0.5) * largest / _TABLE
    return bins_of_spacings(np.sqrt(middle))[0], _TABLE / largest


def index_hexagonal(pattern: F32, count: int = 6) -> tuple[UnitCell, ...]:
    """The best hypotheses of a pattern (1024,) in hexagonal axes, the best first.

    Raises
    ------
    UsageError
        The pattern has no lines, or no hexagonal cell explains them.
    """
    a, c = _grid()
    few, many = line_weights(pattern, _FIRST_LINES), line_weights(pattern, _LINES)
    steps = np.exp(np.arange(-6, 7) * _FINE)
    found: list[tuple[F64, F64, F64]] = []
    for rhombohedral in (False, True):
        coarse = _merits(few, a, c, rhombohedral, _BESIDE_COARSE)
        best = np.argsort(-coarse, kind="stable")[:_KEPT]
        near = a[best][:, None, None] * steps[:, None], c[best][:, None, None] * steps[None, :]
        fine_a, fine_c = (x.reshape(_KEPT, -1) for x in np.broadcast_arrays(*near))
        merits = _merits(many, fine_a.ravel(), fine_c.ravel(), rhombohedral, _BESIDE).reshape(_KEPT, -1)
        top = np.arange(_KEPT), merits.argmax(axis=1)
        found.append((fine_a[top], fine_c[top], merits[top]))
    all_a, all_c, all_merits = (np.concatenate(x) for x in zip(*found, strict=True))
    chosen = _separate(all_a, all_c, all_merits, count)
    if all_merits[chosen[0]] < _LEAST_MERIT:
        raise no_cell(
            f"hexagonal cell with a from {_SHORTEST_A} to {_LONGEST_A} Å and c from {_SHORTEST_C} to "
            f"{_LONGEST_C}"
        )
    cells = (_refined(pattern, float(all_a[k]), float(all_c[k])) for k in chosen)
    return tuple(UnitCell(a, a, c, gamma=120.0) for a, c in cells)


@lru_cache(maxsize=1)
def _grid() -> tuple[F64, F64]:
    """a and c (n,) of the coarse grid."""
    grid_a = np.exp(np.arange(np.log(_SHORTEST_A), np.log(_LONGEST_A), _COARSE))
    grid_c = np.exp(np.arange(np.log(_SHORTEST_C), np.log(_LONGEST_C), _COARSE))
    a, c = (x.ravel() for x in np.meshgrid(grid_a, grid_c, indexing="ij"))
    kept = math.sqrt(0.75) * a**2 * c < _LARGEST_VOLUME
    return a[kept], c[kept]


def _merits(lines: F64, a: F64, c: F64, rhombohedral: bool, beside: float) -> F64:
    """How much likelier the lines (b,) are with cells a, c (n,) than by chance.

    A line is explained by chance with the mean worth p of a bin, and by the right cell but for a few in a
    hundred: ln(1/p) for the share that is explained, ln(ε/(1 − p)) for the rest. A larger cell that
    explains all lines as well explains more of them by chance, and is less likely.
    """
    table, per_square = _bins_by_square()
    explained, chance = explained_and_chance(
        a, c, rhombohedral, _SUMS, _LARGEST_L, table, per_square, lines, beside
    )
    p = np.clip(chance, 1e-3, 0.99)
    merits: F64 = -explained * np.log(p) + (1.0 - explained) * np.log(_MISSED / (1.0 - p))
    return merits


def _separate(a: F64, c: F64, scores: F64, count: int) -> list[int]:
    """Places of the best cells that differ by 0.8 % in a or c."""
    chosen: list[int] = []
    for k in np.argsort(-scores, kind="stable").tolist():
        near = [abs(a[k] / a[j] - 1) < _APART and abs(c[k] / c[j] - 1) < _APART for j in chosen]
        if not any(near):
            chosen.append(k)
        if len(chosen) == count:
            break
    return chosen


def _refined(pattern: F32, a: float, c: float) -> tuple[float, float]:
    """a and c within 0.2 % that explain the most lines: the middle of all such cells."""
    steps = np.exp(np.linspace(-0.002, 0.002, 41))
    near_a, near_c = (x.ravel() for x in np.meshgrid(a * steps, c * steps, indexing="ij"))
    lines = np.sqrt(pattern.astype(np.float64))
    table, per_square = _bins_by_square()
    explained, _ = explained_and_chance(
        near_a, near_c, False, _SUMS, _LARGEST_L, table, per_square, lines, 0.0
    )
    best = explained > explained.max() - 1e-9
    return float(near_a[best].mean()), float(near_c[best].mean())
