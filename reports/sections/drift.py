"""How far priors moved between two bundles, as tables of the report."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.tell.compare import Move, compare
from xtalpriors.priors.tell.meaning import meaning
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import SMALL, Inputs, identity
from xtalpriors.reports.quantities import quantity

__all__ = ["DriftRow", "DriftTable", "drift_tables"]

SHOWN = 30
COLUMNS = ("Quantity", "Unit", "Before", "Now", "Shift (95 %)", "Distance", "Noise", "What it means")
OF_OTHER_CELLS = ("elements",)
"""Priors that the paper states of structures of any group up to 50 Å, which stand beside `all-50` above."""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A prior that moved, or did not."""

    cells: tuple[str, ...]
    verdict: str
    look: str


@dataclass(frozen=True, slots=True)
class DriftTable:
    """The comparison of two bundles: what moved, what did not, and every move as a frame."""

    name: str
    title: str
    lead: str
    columns: tuple[str, ...]
    moved: tuple[DriftRow, ...]
    still: tuple[DriftRow, ...]
    frame: pd.DataFrame


def drift_tables(inputs: Inputs) -> list[DriftTable]:
    """A table for each bundle of another database, beside the one of this database with its name.

    A published bundle has no subset and stands beside `p21c-10`, the paper's population, without what the
    paper states of another one: a comparison is of one subset.
    """
    tables = []
    for place, bundle in enumerate(inputs.earlier):
        name = SMALL if identity(bundle) is None else bundle.name
        if name in inputs.bundles:
            tables.append(_table(place, bundle, inputs.bundles[name]))
    return tables


def _table(place: int, before: PriorBundle, now: PriorBundle) -> DriftTable:
    comparison = compare(before, now)
    published = identity(before) is None
    moves = [m for m in comparison.moves if not (published and m.name.startswith(OF_OTHER_CELLS))]
    moves.sort(key=lambda m: (not m.exceeds, -_beyond(m), m.name))
    columns = list(Move.model_fields)
    frame = pd.DataFrame([[getattr(m, c) for c in columns] for m in moves], columns=columns)
    lead = words(
        "moved",
        "drift_lead",
        before=before,
        now=now,
        moved=sum(m.exceeds for m in moves),
        drawn=any(m.a_range for m in moves),
        total=len(moves),
        shown=SHOWN,
        only_before=[quantity(name) for name in comparison.only_in_a],
        only_now=[quantity(name) for name in comparison.only_in_b],
    )
    source = before.created_from
    digest = source.subset_digest or source.database_digest
    title = words("moved", "drift_title", name=now.name, corpus=source.corpus, digest=digest)
    moved = tuple(_row(m) for m in moves if m.exceeds)[:SHOWN]
    still = tuple(_row(m) for m in moves if not m.exceeds)
    return DriftTable(f"drift-{place + 1}-{now.name}", title, lead, COLUMNS, moved, still, frame)


def _beyond(move: Move) -> float:
    """The move in units of the noise; published values without noise come first."""
    if move.change == 0:
        return 0.0
    return abs(move.change) / move.noise if move.noise else float("inf")


def _row(move: Move) -> DriftRow:
    distance = "" if move.kind == "number" else _number(move.change, 3)
    cells = (
        quantity(move.name),
        "" if move.unit in (None, "1") else str(move.unit),
        _side(move.a, move.a_range),
        _side(move.b, move.b_range),
        _shift(move),
        distance,
        _number(move.noise, 3),
        meaning(move),
    )
    if not move.exceeds:
        return DriftRow(cells, "within noise", "good")
    arrow = "◆" if not move.shift else ("▲" if move.shift > 0 else "▼")
    times = _beyond(move)
    return DriftRow(cells, f"{arrow} {times:.1f} × noise" if times < 1e6 else f"{arrow} moved", "moved")


def _shift(move: Move) -> str:
    """The signed shift of a number or of a median, with its interval where there is one."""
    if move.shift is None:
        return "–"
    low, high = move.shift_low, move.shift_high
    interval = "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"
    return f"{move.shift:+.3g}{interval}".replace("-", "−")


def _side(value: float | None, drawn_from: str | None) -> str:
    """The number or the median; where a bundle has no data, the range that it draws from."""
    return _number(value) if drawn_from is None else f"{drawn_from}, drawn from".replace("-", "−")


def _number(value: float | None, digits: int = 4) -> str:
    return "–" if value is None else f"{value:.{digits}g}".replace("-", "−")
