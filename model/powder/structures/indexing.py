"""The cubic cell of a powder pattern: a from the positions of the lines.

1/d² = N/a² with N = h² + k² + l². Each a of a fine grid predicts the bins in which lines may lie. Its score
is the share of the observed lines (weights I^¼, so that weak ones count) that fall into them, less the share
that would by chance. Multiples of the right cell explain all lines too, and lose by chance; the half cell
loses the superstructure's weak lines. The best few are hypotheses, which structure factors decide between.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from xtalpriors.arrays import F32, F64, I64
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.errors import UsageError
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.pattern import BINS, bins_of_spacings

__all__ = ["bin_of_shells", "formula_units", "index_cubic"]

_SHORTEST_ANGSTROM, _LONGEST_ANGSTROM = 2.3, 11.5
_STEP: Final = 4e-4
_LINES: Final = 24
"""Lines, from the lowest angle, that the score counts: at higher angles a large cell predicts every bin."""
_LEAST_INTENSITY: Final = 2e-3
_BESIDE: Final = 0.6
"""Worth of a line one bin beside the predicted one."""
_LEAST_SCORE: Final = 0.75
"""Cubic patterns reach 0.93 and more, noise and width cost some; half of the trigonal ones stay below."""
VOLUME_PER_ATOM_ANGSTROM3: Final = (2.5, 90.0)
_LARGEST_SHELL: Final = 400


@lru_cache(maxsize=1)
def _shells() -> I64:
    """N = h² + k² + l² that occur, up to the largest used."""
    n = np.arange(1, _LARGEST_SHELL + 1)
    odd = n.copy()
    while (even := odd % 4 == 0).any():
        odd[even] //= 4
    shells: I64 = n[odd % 8 != 7]
    return shells


def bin_of_shells(a_angstrom: F64 | float, shells: I64) -> I64:
    """Bin (…, m) of the lines N (m,) of cubic cells a (…); −1 beyond 2θ = 180°."""
    a = np.asarray(a_angstrom, dtype=np.float64)[..., None]
    return bins_of_spacings(np.sqrt(shells) / a)[0]


def index_cubic(pattern: F32, count: int = 4) -> tuple[UnitCell, ...]:
    """The best hypotheses of a pattern (1024,), the best first.

    Raises
    ------
    UsageError
        The pattern has no lines, or no cubic cell explains them.
    """
    weights = line_weights(pattern, _LINES)
    end = len(weights)
    grid, predicted = _predictions()
    explained = predicted[:, :end] @ weights.astype(np.float32)
    chance = predicted[:, :end].mean(axis=1)
    score = ((explained - chance) / (1.0 - np.minimum(chance, 0.99))).astype(np.float64)
    best = _separate_maxima(score, count)
    if score[best[0]] < _LEAST_SCORE:
        raise no_cell(f"cubic cell with a from {_SHORTEST_ANGSTROM} to {_LONGEST_ANGSTROM}")
    found = (_refined(pattern, float(grid[k])) for k in best)
    return tuple(UnitCell(a, a, a) for a in found)


def line_weights(pattern: F32, count: int) -> F64:
    """Weights of the first lines by bin, I^¼ with sum 1, up to the bin behind the last of them.

    Raises
    ------
    UsageError
        The pattern has no lines.
    """
    observed = np.flatnonzero(pattern > _LEAST_INTENSITY * pattern.max(initial=0.0))
    if not len(observed) or not pattern.any():
        raise UsageError(
            "The pattern has no peaks. Is it a powder pattern, and are its intensities positive?"
        )
    observed = observed[:count]
    weights = np.zeros(min(int(observed[-1]) + 2, BINS))
    weights[observed] = pattern[observed].astype(np.float64) ** 0.25
    weights /= weights.sum()
    return weights


def no_cell(kind: str) -> UsageError:
    """The error that no cell of a kind, such as `cubic cell with a from 2.3 to 11.5`, explains a pattern."""
    return UsageError(
        f"No {kind} Å explains the lines of the pattern. Is the crystal of another system, or the wavelength "
        "another one?"
    )


@lru_cache(maxsize=1)
def _predictions() -> tuple[F64, F32]:
    """The grid of a (m,) and the worth (m, 1024) of each bin: 1 where a line may lie, less beside it."""
    grid = np.exp(np.arange(np.log(_SHORTEST_ANGSTROM), np.log(_LONGEST_ANGSTROM), _STEP))
    places = bin_of_shells(grid, _shells())
    rows, _ = np.nonzero(places >= 0)
    flat = places[places >= 0]
    predicted = np.zeros((len(grid), BINS + 2), dtype=np.float32)
    for offset, worth in ((0, _BESIDE), (2, _BESIDE), (1, 1.0)):
        held = predicted[rows, flat + offset]
        predicted[rows, flat + offset] = np.maximum(held, worth)
    return grid, predicted[:, 1 : BINS + 1]


def _separate_maxima(score: F64, count: int) -> list[int]:
    """Places of the highest scores that are at least 0.8 % of a apart."""
    apart = round(0.008 / _STEP)
    left, found = score.copy(), []
    for _ in range(count):
        k = int(left.argmax())
        found.append(k)
        left[max(0, k - apart) : k + apart + 1] = -np.inf
    return found


def _refined(pattern: F32, a_angstrom: float) -> float:
    """a within 0.15 % that explains the most lines: the middle of all such values."""
    shells = _shells()
    values = a_angstrom * np.exp(np.linspace(-0.0015, 0.0015, 151))
    places = bin_of_shells(values, shells)
    lines = np.append(np.sqrt(pattern.astype(np.float64)), 0.0)
    hit = np.zeros((len(values), BINS + 1), dtype=bool)
    np.put_along_axis(hit, places, True, axis=1)  # −1 is the empty last place
    explained = hit @ lines
    best = np.flatnonzero(explained > explained.max() - 1e-9)
    run = np.split(best, np.flatnonzero(np.diff(best) > 1) + 1)
    longest = max(run, key=len)
    return float(values[longest].mean())


def formula_units(composition: Composition, volume_angstrom3: float) -> tuple[int, ...]:
    """Whole numbers of formula units for which an atom has a volume between 2.5 and 90 Å³."""
    least, most = VOLUME_PER_ATOM_ANGSTROM3
    atoms = composition.atoms
    first = max(1, int(np.ceil(volume_angstrom3 / (most * atoms))))
    last = int(volume_angstrom3 / (least * atoms))
    return tuple(range(first, last + 1))
