"""How far priors moved between two bundles, as tables of the report."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.tell.compare import Move, compare
from xtalpriors.reports.html import words
from xtalpriors.reports.inputs import SMALL, Inputs
from xtalpriors.reports.quantities import quantity

__all__ = ["DriftRow", "DriftTable", "drift_tables"]

SHOWN = 30
COLUMNS = ("Prior", "Unit", "Before", "Now", "Change (95 %)", "Noise")


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

    A published bundle has no subset and stands beside `p21c-10`, the paper's population.
    """
    tables = []
    for place, bundle in enumerate(inputs.earlier):
        name = bundle.name if bundle.created_from.database_digest is not None else SMALL
        if name in inputs.bundles:
            tables.append(_table(place, bundle, inputs.bundles[name]))
    return tables


def _table(place: int, before: PriorBundle, now: PriorBundle) -> DriftTable:
    comparison = compare(before, now)
    moves = sorted(comparison.moves, key=lambda m: (not m.exceeds, -_beyond(m), m.name))
    columns = ["name", "kind", "unit", "a", "b", "change", "low", "high", "noise", "ks_d", "exceeds"]
    frame = pd.DataFrame([[getattr(m, c) for c in columns] for m in moves], columns=columns)
    lead = words(
        "moved",
        "drift_lead",
        before=before,
        now=now,
        moved=len(comparison.moved),
        total=len(moves),
        shown=SHOWN,
        only_before=[quantity(name) for name in comparison.only_in_a],
        only_now=[quantity(name) for name in comparison.only_in_b],
    )
    source = before.created_from
    title = words(
        "moved", "drift_title", name=now.name, corpus=source.corpus, database=source.database_digest
    )
    moved = tuple(_row(m) for m in moves if m.exceeds)[:SHOWN]
    still = tuple(_row(m) for m in moves if not m.exceeds)
    return DriftTable(f"drift-{place + 1}-{now.name}", title, lead, COLUMNS, moved, still, frame)


def _beyond(move: Move) -> float:
    """The move in units of the noise; published values without noise come first."""
    if move.change == 0:
        return 0.0
    return abs(move.change) / move.noise if move.noise else float("inf")


def _row(move: Move) -> DriftRow:
    interval = "" if move.low is None or move.high is None else f" ({move.low:.3g} to {move.high:.3g})"
    cells = (
        quantity(move.name),
        "" if move.unit in (None, "1") else str(move.unit),
        _number(move.a),
        _number(move.b),
        f"{move.change:.3g}{interval}".replace("-", "−"),
        _number(move.noise),
    )
    if not move.exceeds:
        return DriftRow(cells, "within noise", "good")
    arrow = "◆" if move.kind == "shares" else ("▲" if (move.b or 0.0) >= (move.a or 0.0) else "▼")
    times = _beyond(move)
    return DriftRow(cells, f"{arrow} {times:.1f} × noise" if times < 1e6 else f"{arrow} moved", "moved")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}".replace("-", "−")
