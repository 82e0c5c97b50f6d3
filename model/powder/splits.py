"""Division of crystals into training, validation and test.

S divides crystals at random, so that structure types are shared, as in Guo et al. 2024. P holds structure
types out: none of the test is in the training.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np

from xtalpriors.counted import counted
from xtalpriors.errors import UsageError
from xtalpriors.model.powder.crystals import PowderCrystals

__all__ = ["Split", "SplitKind", "split"]

SplitKind = Literal["S", "P"]
_VALIDATION: Final = 0.05
_TEST: Final[dict[str, float]] = {"S": 0.2, "P": 0.2}


class Split(NamedTuple):
    """Training, validation and test set."""

    train: PowderCrystals
    validation: PowderCrystals
    test: PowderCrystals


def split(crystals: PowderCrystals, kind: SplitKind, seed: int = 0) -> Split:
    """Divide crystals.

    Parameters
    ----------
    crystals
        At least 10, for P of at least 5 structure types.
    kind
        S: 20 % of the crystals are the test. P: the crystals of 20 % of the structure types are. In both
        5 % of the crystals, of the types of the training, are the validation.
    seed
        The same seed gives the same division.

    Raises
    ------
    UsageError
        Too few crystals or structure types.
    """
    types = np.unique(crystals.prototype)
    if len(crystals) < 10 or (kind == "P" and len(types) < 5):
        raise UsageError(
            f"{counted(len(crystals), 'crystal')} of {counted(len(types), 'structure type')}: too few to "
            "divide. It takes 10 crystals, and 5 types for split P."
        )
    rng = np.random.default_rng([seed, 7])
    order = rng.permutation(len(crystals))
    if kind == "S":
        test = order[: max(1, round(_TEST["S"] * len(order)))]
    else:
        held_out = rng.permutation(types)[: max(1, round(_TEST["P"] * len(types)))]
        test = order[np.isin(crystals.prototype[order], held_out)]
    rest = order[~np.isin(order, test)]
    cut = max(1, round(_VALIDATION * len(rest)))
    return Split(*(crystals.take(np.sort(rows)) for rows in (rest[cut:], rest[:cut], test)))
