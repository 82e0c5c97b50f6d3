"""What the shipped dual-space network adds to charge flipping when both have the same time.

Many trials of charge flipping are cheap, so that a network is worth what it adds to as many of them as fit
into its own time. `EQUAL_TIME` is the output of `benchmarks/phasing/dual_space.py`, which gives both sides
the same crystals in turn, on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.section import Section, Table

__all__ = ["EQUAL_TIME", "WEIGHTS_DIGEST", "EqualTime", "equal_time_section"]

WEIGHTS_DIGEST: Final = "19685bc6a8e784f63dafe53246958f48"
"""Of the network that was measured."""


@dataclass(frozen=True, slots=True)
class EqualTime:
    """One line: crystals of a kind, group and resolution.

    Attributes
    ----------
    crystals
        `artificial` or `real`.
    n
        Crystals.
    trials, milliseconds
        Of charge flipping alone, and of charge flipping before the network; mean processor time.
    solved, nearly_exact
        Shares with r ≥ 0.8 and r ≥ 0.95, of charge flipping and of the network after it.
    gain, nearly_exact_gain
        What the network's share is larger by, with the ends of its 95 % interval (bootstrap over crystals).
    """

    crystals: str
    space_group: str
    d_min_angstrom: float
    n: int
    trials: tuple[int, int]
    milliseconds: tuple[float, float]
    solved: tuple[float, float]
    gain: tuple[float, float, float]
    nearly_exact: tuple[float, float]
    nearly_exact_gain: tuple[float, float, float]


EQUAL_TIME: Final[tuple[EqualTime, ...]] = (
    EqualTime("artificial", "P 1 21/c 1", 2.0, 80, (12, 1), (47, 53),
              (0.50, 0.41), (-0.09, -0.20, 0.03), (0.28, 0.23), (-0.05, -0.15, 0.05)),
    EqualTime("artificial", "P 1 21/c 1", 1.5, 80, (12, 5), (79, 110),
              (0.74, 0.61), (-0.13, -0.24, -0.01), (0.56, 0.42), (-0.14, -0.28, -0.01)),
    EqualTime("artificial", "P 21 21 21", 2.0, 80, (12, 1), (43, 48),
              (0.39, 0.41), (0.03, -0.09, 0.14), (0.15, 0.14), (-0.01, -0.09, 0.06)),
    EqualTime("artificial", "P 21 21 21", 1.5, 80, (12, 2), (69, 68),
              (0.51, 0.46), (-0.05, -0.15, 0.05), (0.29, 0.26), (-0.03, -0.10, 0.04)),
    EqualTime("artificial", "P -1", 2.0, 80, (12, 1), (40, 42),
              (0.26, 0.15), (-0.11, -0.23, 0.00), (0.10, 0.04), (-0.06, -0.15, 0.01)),
    EqualTime("artificial", "P -1", 1.5, 80, (12, 1), (63, 57),
              (0.68, 0.23), (-0.45, -0.56, -0.33), (0.39, 0.11), (-0.28, -0.40, -0.14)),
    EqualTime("real", "P 1 21/c 1", 2.0, 56, (12, 1), (78, 81),
              (0.268, 0.214), (-0.054, -0.179, 0.089), (0.125, 0.143), (0.018, -0.071, 0.107)),
    EqualTime("real", "P 1 21/c 1", 1.5, 59, (12, 1), (126, 112),
              (0.661, 0.525), (-0.136, -0.271, 0.0), (0.475, 0.390), (-0.085, -0.203, 0.034)),
    EqualTime("artificial", "P 1 21/c 1", 1.2, 60, (6, 1), (71, 105),
              (0.950, 0.883), (-0.067, -0.133, -0.017), (0.850, 0.783), (-0.067, -0.150, 0.0)),
    EqualTime("artificial", "P 1 21/c 1", 1.0, 60, (6, 1), (138, 165),
              (1.000, 0.967), (-0.033, -0.083, 0.0), (0.983, 0.933), (-0.05, -0.117, 0.017)),
)  # fmt: skip


def equal_time_section() -> Section:
    """The section that the page on phasing leads with."""
    lines = [
        {
            "crystals": row.crystals,
            "group": row.space_group,
            "d_min / Å": f"{row.d_min_angstrom:.1f}",
            "N": f"{row.n:,}",
            "trials": "{} | {}".format(*row.trials),
            "ms": "{:.0f} | {:.0f}".format(*row.milliseconds),
            "r ≥ 0.8": _shares(row.solved),
            "gain": _gain(row.gain),
            "r ≥ 0.95": _shares(row.nearly_exact),
            "its gain": _gain(row.nearly_exact_gain),
        }
        for row in EQUAL_TIME
    ]
    frame = pd.DataFrame(lines)
    table = Table(
        "Charge flipping alone | the network after it",
        html_table(frame, numeric=list(frame.columns[2:])),
        words("scores", "equal_time_table"),
    )
    clear = [row.gain for row in EQUAL_TIME]
    lead = words(
        "scores",
        "equal_time",
        lines=len(clear),
        better=sum(low > 0 for _, low, _ in clear),
        worse=sum(high < 0 for _, _, high in clear),
        digest=WEIGHTS_DIGEST[:8],
    )
    return Section(
        "equal-time", "What does a network add to charge flipping at equal time?", lead, [], [table]
    )


def _shares(shares: tuple[float, float]) -> str:
    return " | ".join(f"{100 * share:.0f}" for share in shares)


def _gain(gain: tuple[float, float, float]) -> str:
    value, low, high = (f"{round(100 * x):+d}".replace("-", "−") if round(100 * x) else "0" for x in gain)
    return f"{value} ({low} to {high})"
