"""What the choice among trials and the shipped dual-space network add to charge flipping at equal time.

Many trials of charge flipping are cheap, so that anything else is worth what it adds to as many of them as
fit into its own time. `equal_time.json` is written by `benchmarks/phasing/dual_space.py --table`, which gives
all sides the same crystals in turn, on one thread; the report and `docs/dual-space.md` show it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pandas as pd

from xtalpriors.canonical_json import canonical_json
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.frozen_model import Frozen
from xtalpriors.reports.figures.space_groups import short_symbol
from xtalpriors.reports.html import html_table, words
from xtalpriors.reports.section import Section, Table

__all__ = ["TABLE", "EqualTime", "EqualTimeTable", "Interval", "Solved", "equal_time_section", "signed"]

TABLE: Final = Path(__file__).with_name("equal_time.json")

Interval = tuple[float, float, float]
"""A difference from the baseline, and the ends of its 95 % interval (bootstrap over crystals)."""


class Solved(Frozen):
    """Shares of the crystals of a line that a limit of r is reached in.

    Attributes
    ----------
    baseline
        Long trials of charge flipping, chosen by agreement with the density that elimination leaves.
    flipping
        Short ones and the choice among them (`charge_flipping.choice`).
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


class EqualTime(Frozen):
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

    @property
    def place(self) -> tuple[bool, str, int, float]:
        """Where the line stands: artificial crystals first, by group, from the lowest resolution."""
        group = SpaceGroup.from_hm(self.space_group).number
        return self.crystals != "artificial", self.crystals, group, -self.d_min_angstrom


class EqualTimeTable(Frozen):
    """All lines that were measured with one network.

    Attributes
    ----------
    weights_digest
        Of the network.
    rows
        In the order of `EqualTime.place`.
    """

    weights_digest: str
    rows: tuple[EqualTime, ...]

    @classmethod
    def read(cls, path: Path = TABLE) -> EqualTimeTable:
        """The table of a file, by default the one of the shipped network."""
        return cls.model_validate_json(path.read_text(encoding="utf-8"))

    def with_row(self, row: EqualTime) -> EqualTimeTable:
        """The table with a line more, or in the place of the line of the same kind, group and resolution."""
        others = [other for other in self.rows if other.place != row.place]
        return self.model_copy(update={"rows": tuple(sorted([*others, row], key=lambda r: r.place))})

    def __str__(self) -> str:
        """JSON, a line of the file for each line of the table, numbers with four decimals."""
        lines = [canonical_json(_rounded(row.model_dump(mode="json"))) for row in self.rows]
        digest = json.dumps(self.weights_digest)
        return f'{{"weights_digest": {digest}, "rows": [\n' + ",\n".join(lines) + "\n]}\n"


def _rounded(value: object) -> object:
    """A JSON value with four decimals."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(v) for key, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list) else value


def equal_time_section() -> Section:
    """The section that the page on phasing leads with."""
    measured = EqualTimeTable.read()
    lines = [
        {
            "crystals": row.crystals,
            "group": short_symbol(row.space_group),
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
        for row in measured.rows
    ]
    frame = pd.DataFrame(lines)
    table = Table(
        "Long trials | short trials and their choice | the network after these",
        html_table(frame, numeric=list(frame.columns[2:])),
        words("scores", "equal_time_table"),
    )
    lead = words(
        "scores",
        "equal_time",
        lines=len(measured.rows),
        solved=_clear([row.solved for row in measured.rows]),
        nearly_exact=_clear([row.nearly_exact for row in measured.rows]),
        digest=measured.weights_digest[:8],
    )
    return Section("equal-time", "What adds to charge flipping at equal time?", lead, [], [table])


def _clear(rows: list[Solved]) -> dict[str, dict[str, int]]:
    """How many gains of each side are above zero and below it by their intervals."""
    gains = {
        "flipping": [row.flipping_gain for row in rows],
        "hybrid": [row.hybrid_gain for row in rows],
    }
    return {
        side: {"better": sum(low > 0 for _, low, _ in of), "worse": sum(high < 0 for _, _, high in of)}
        for side, of in gains.items()
    }


def _bars(values: tuple[float, float, float]) -> str:
    return " | ".join(f"{value:.0f}" for value in values)


def _shares(of: Solved) -> str:
    return _bars((100 * of.baseline, 100 * of.flipping, 100 * of.hybrid))


def _gain(gain: Interval) -> str:
    value, low, high = (signed(100 * x, "d") for x in gain)
    return f"{value} ({low} to {high})"


def signed(value: float, form: str = ".2f") -> str:
    """A number with its sign, 0 without one; `d` rounds to a whole number. `−3`, `+.05`."""
    text = format(round(value) if form == "d" else value, f"+{form}")
    if not any(digit in text for digit in "123456789"):
        return "0"
    return text.replace("-", "−").replace("0.", ".", 1) if form != "d" else text.replace("-", "−")
