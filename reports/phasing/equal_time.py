"""What the choice among trials and the shipped dual-space network add to charge flipping at equal time.

Many trials of charge flipping are cheap, so that anything else is worth what it adds to as many of them as
fit into its own time. `EQUAL_TIME` is the output of `benchmarks/phasing/dual_space.py`, which gives all sides
the same crystals in turn, on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.section import Section, Table

__all__ = ["EQUAL_TIME", "WEIGHTS_DIGEST", "EqualTime", "Interval", "Solved", "equal_time_section"]

WEIGHTS_DIGEST: Final = "19685bc6a8e784f63dafe53246958f48"
"""Of the network that was measured."""

Interval = tuple[float, float, float]
"""A difference from the baseline, and the ends of its 95 % interval (bootstrap over crystals)."""


@dataclass(frozen=True, slots=True)
class Solved:
    """Shares of the crystals of a line that a limit of r is reached in.

    Attributes
    ----------
    baseline
        Long trials of charge flipping, chosen by agreement with the density that elimination leaves.
    flipping
        Short ones, chosen by strict agreement.
    hybrid
        The network after these.
    flipping_gain, hybrid_gain
        Their differences from the baseline.
    """

    baseline: float
    flipping: float
    hybrid: float
    flipping_gain: Interval
    hybrid_gain: Interval


@dataclass(frozen=True, slots=True)
class EqualTime:
    """One line: crystals of a kind, group and resolution.

    Attributes
    ----------
    crystals
        `artificial`, or where the real ones come from.
    n
        Crystals.
    trials, milliseconds
        Mean number of trials and mean processor time of a crystal: baseline, flipping, hybrid.
    solved, nearly_exact
        Of r ≥ 0.8 and of r ≥ 0.95.
    """

    crystals: str
    space_group: str
    d_min_angstrom: float
    n: int
    trials: tuple[float, float, float]
    milliseconds: tuple[float, float, float]
    solved: Solved
    nearly_exact: Solved


EQUAL_TIME: Final[tuple[EqualTime, ...]] = (
    EqualTime("artificial", "P 1 21/c 1", 2, 300, (12, 46, 22), (46, 47, 46),
              Solved(0.5, 0.55, 0.527, (0.05, -0.00333, 0.103), (0.0267, -0.0233, 0.0767)),
              Solved(0.29, 0.423, 0.39, (0.133, 0.08, 0.187), (0.1, 0.0533, 0.147))),
    EqualTime("artificial", "P -1", 2, 300, (12, 45, 22), (48, 48, 47),
              Solved(0.277, 0.33, 0.3, (0.0533, 0.00333, 0.1), (0.0233, -0.03, 0.0734)),
              Solved(0.12, 0.193, 0.2, (0.0733, 0.0333, 0.113), (0.08, 0.0367, 0.123))),
    EqualTime("artificial", "P 21 21 21", 2, 300, (12, 49, 23), (43, 44, 43),
              Solved(0.443, 0.487, 0.46, (0.0433, -0.00333, 0.0933), (0.0167, -0.0367, 0.0633)),
              Solved(0.18, 0.273, 0.28, (0.0933, 0.0433, 0.143), (0.1, 0.05, 0.15))),
    EqualTime("artificial", "P 1 21/c 1", 1.5, 300, (12, 24, 14), (62, 62, 62),
              Solved(0.697, 0.75, 0.727, (0.0533, 0.0167, 0.0933), (0.03, -0.00667, 0.0667)),
              Solved(0.557, 0.627, 0.637, (0.07, 0.0333, 0.11), (0.08, 0.0367, 0.123))),
    EqualTime("artificial", "P -1", 1.5, 300, (12, 24, 14), (63, 62, 63),
              Solved(0.61, 0.593, 0.607, (-0.0167, -0.0633, 0.03), (-0.00333, -0.0467, 0.04)),
              Solved(0.343, 0.393, 0.52, (0.05, 0.00667, 0.0967), (0.177, 0.127, 0.227))),
    EqualTime("artificial", "P 21 21 21", 1.5, 300, (12, 26, 16), (66, 65, 67),
              Solved(0.52, 0.573, 0.553, (0.0533, 0.0133, 0.0933), (0.0333, -0.00667, 0.0733)),
              Solved(0.267, 0.363, 0.34, (0.0967, 0.0533, 0.14), (0.0733, 0.0267, 0.117))),
    EqualTime("COD", "P 1 21/c 1", 2, 265, (12, 39, 22), (65, 63, 64),
              Solved(0.26, 0.306, 0.328, (0.0453, -0.00377, 0.0943), (0.0679, 0.0151, 0.121)),
              Solved(0.0981, 0.155, 0.208, (0.0566, 0.0189, 0.0981), (0.109, 0.0717, 0.151))),
    EqualTime("COD", "P 1 21/c 1", 1.5, 283, (12, 25, 17), (104, 105, 104),
              Solved(0.636, 0.633, 0.657, (-0.00353, -0.0565, 0.0495), (0.0212, -0.0353, 0.0777)),
              Solved(0.463, 0.463, 0.541, (0, -0.0565, 0.053), (0.0777, 0.0177, 0.134))),
    EqualTime("artificial", "C 1 2/c 1", 2, 300, (12, 39, 21), (46, 46, 46),
              Solved(0.3, 0.39, 0.373, (0.09, 0.0333, 0.143), (0.0733, 0.02, 0.127)),
              Solved(0.183, 0.26, 0.273, (0.0767, 0.0267, 0.13), (0.09, 0.04, 0.143))),
    EqualTime("artificial", "P n m a", 2, 300, (12, 39, 20), (51, 50, 51),
              Solved(0.29, 0.373, 0.377, (0.0833, 0.0299, 0.14), (0.0867, 0.0333, 0.14)),
              Solved(0.153, 0.253, 0.24, (0.1, 0.0533, 0.15), (0.0867, 0.0433, 0.133))),
    EqualTime("artificial", "P b c a", 2, 300, (12, 41, 20), (57, 58, 57),
              Solved(0.507, 0.553, 0.54, (0.0467, -0.00675, 0.103), (0.0333, -0.0201, 0.09)),
              Solved(0.217, 0.36, 0.303, (0.143, 0.0933, 0.193), (0.0867, 0.0367, 0.137))),
    EqualTime("AMCSD", "P 1 21/c 1", 2, 287, (12, 48, 20), (36, 36, 35),
              Solved(0.3, 0.348, 0.366, (0.0488, -0.0105, 0.111), (0.0662, 0, 0.129)),
              Solved(0.139, 0.216, 0.23, (0.0767, 0.0279, 0.125), (0.0906, 0.0348, 0.146))),
    EqualTime("AMCSD", "C 1 2/c 1", 2, 155, (12, 47, 23), (43, 44, 43),
              Solved(0.277, 0.135, 0.155, (-0.142, -0.226, -0.0644), (-0.123, -0.206, -0.0387)),
              Solved(0.0839, 0.0258, 0.0452, (-0.0581, -0.11, -0.0129), (-0.0387, -0.0903, 0.00661))),
    EqualTime("AMCSD", "P n m a", 2, 88, (12, 49, 20), (42, 42, 42),
              Solved(0.625, 0.636, 0.693, (0.0114, -0.102, 0.125), (0.0682, -0.0455, 0.182)),
              Solved(0.341, 0.352, 0.5, (0.0114, -0.102, 0.136), (0.159, 0.0455, 0.273))),
    EqualTime("AMCSD", "P -1", 2, 39, (12, 62, 22), (36, 37, 37),
              Solved(0.308, 0.205, 0.256, (-0.103, -0.256, 0.0513), (-0.0513, -0.179, 0.103)),
              Solved(0.179, 0.0769, 0.103, (-0.103, -0.231, 0), (-0.0769, -0.205, 0.0256))),
    EqualTime("artificial", "P 1 21/c 1", 1, 100, (6, 6, 3), (86, 87, 85),
              Solved(1, 0.99, 0.97, (-0.01, -0.03, 0), (-0.03, -0.07, 0)),
              Solved(0.96, 0.96, 0.95, (0, -0.03, 0.03), (-0.01, -0.05, 0.02))),
)  # fmt: skip


def equal_time_section() -> Section:
    """The section that the page on phasing leads with."""
    lines = [
        {
            "crystals": row.crystals,
            "group": row.space_group,
            "d_min / Å": f"{row.d_min_angstrom:.1f}",
            "N": f"{row.n:,}",
            "trials": _bars(row.trials),
            "ms": _bars(row.milliseconds),
            "r ≥ 0.8": _shares(row.solved),
            "short: gain": _gain(row.solved.flipping_gain),
            "network: gain": _gain(row.solved.hybrid_gain),
            "r ≥ 0.95": _shares(row.nearly_exact),
            "short: gain at 0.95": _gain(row.nearly_exact.flipping_gain),
            "network: gain at 0.95": _gain(row.nearly_exact.hybrid_gain),
        }
        for row in EQUAL_TIME
    ]
    frame = pd.DataFrame(lines)
    table = Table(
        "Long trials | short trials, strictly chosen | the network after these",
        html_table(frame, numeric=list(frame.columns[2:])),
        words("scores", "equal_time_table"),
    )
    lead = words(
        "scores",
        "equal_time",
        lines=len(EQUAL_TIME),
        flipping=_clear([row.solved.flipping_gain for row in EQUAL_TIME]),
        hybrid=_clear([row.solved.hybrid_gain for row in EQUAL_TIME]),
        digest=WEIGHTS_DIGEST[:8],
    )
    return Section("equal-time", "What adds to charge flipping at equal time?", lead, [], [table])


def _clear(gains: list[Interval]) -> dict[str, int]:
    """How many gains are above zero and below it by their intervals."""
    return {"better": sum(low > 0 for _, low, _ in gains), "worse": sum(high < 0 for _, _, high in gains)}


def _bars(values: tuple[float, float, float]) -> str:
    return " | ".join(f"{value:.0f}" for value in values)


def _shares(of: Solved) -> str:
    return _bars((100 * of.baseline, 100 * of.flipping, 100 * of.hybrid))


def _gain(gain: Interval) -> str:
    value, low, high = (f"{round(100 * x):+d}".replace("-", "−") if round(100 * x) else "0" for x in gain)
    return f"{value} ({low} to {high})"
