"""How far priors moved between two bundles, as tables of the report."""

from __future__ import annotations

from dataclasses import dataclass

from xtalpriors.reports.inputs import Inputs

__all__ = ["DriftRow", "DriftTable", "drift_tables"]


@dataclass(frozen=True, slots=True)
class DriftRow:
    """A prior that moved, or did not."""

    cells: tuple[str, ...]
    verdict: str
    look: str


@dataclass(frozen=True, slots=True)
class DriftTable:
    """The comparison of two bundles."""

    title: str
    lead: str
    columns: tuple[str, ...]
    rows: tuple[DriftRow, ...]


def drift_tables(inputs: Inputs) -> list[DriftTable]:
    """A table for each bundle of another database, beside the one of this database with its name."""
    return []
