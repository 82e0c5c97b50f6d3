"""Which of several answers for one crystal to take, without the truth.

Wrong phases disagree with what strict elimination leaves of their density (`elimination.strict_agreement`),
if there are reflections enough. With few of them some wrong phases make a density that is more like atoms
than the true one: in pyroxenes at 2 Å, with thirty reflections, nearly always. But many trials come to the
true phases, and few to each of the wrong ones. So with few amplitudes it counts, too, how many trials agree.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from xtalpriors.model.charge_flipping.grids import ReflectionGrid
from xtalpriors.model.charge_flipping.map_correlation import mutual_correlation

__all__ = ["FEWEST_AMPLITUDES", "convincing", "first_portion", "score", "support"]

FEWEST_AMPLITUDES: Final = 50
"""With fewer, agreement alone does not tell right phases from wrong ones."""
MANY_AMPLITUDES: Final = 150
"""With fewer, all trials together take hardly longer than a quarter of them, and none is convincing."""
CONVINCING: Final = 0.97
"""Strict agreement of a trial after which more trials were found to solve no more crystals."""


def support(grid: ReflectionGrid, amplitudes: Tensor, f: Tensor) -> Tensor:
    """ln Σ r⁴ over all trials, r with itself being 1, float32 (T,): the log of how many agree with a trial.

    0 for all of them where there are `FEWEST_AMPLITUDES` or more.

    Parameters
    ----------
    grid
        Reflections and group.
    amplitudes
        |F| (U,), 0 where nothing was measured.
    f
        Structure factors (T, U) whose phases are compared, over permissible origins and hands.
    """
    if int((amplitudes > 0).sum()) >= FEWEST_AMPLITUDES:
        return torch.zeros(len(f), device=f.device)
    return mutual_correlation(grid, f, amplitudes).clamp(min=0.0).pow(4).sum(dim=1).log()


def score(amplitudes: Tensor, strict_agreement: Tensor, support: Tensor) -> Tensor:
    """n · agreement + support, float32 (T,), of n measured amplitudes: the larger, the better the answer.

    Agreement is a mean over reflections, so that n times it grows with them as the logarithm of a likelihood
    does; support is the logarithm of how often phases are found.
    """
    return float((amplitudes > 0).sum()) * strict_agreement + support


def first_portion(amplitudes: Tensor, trials: int) -> int:
    """How many of the trials to make before asking whether one of them is `convincing`.

    A quarter of them, or all where there are fewer than `MANY_AMPLITUDES`.
    """
    few = int((amplitudes > 0).sum()) < MANY_AMPLITUDES
    return trials if few else min(trials, max(2, trials // 4))


def convincing(strict_agreement: Tensor) -> bool:
    """Whether one of the trials agrees so well that more of them are not worth their time."""
    return bool((strict_agreement >= CONVINCING).any())
