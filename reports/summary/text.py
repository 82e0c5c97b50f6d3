"""The summary as a table for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from xtalpriors.counted import counted
from xtalpriors.reports.summary.collect import Group, Spread, Summary

__all__ = ["summary_table"]

SHOWN_REJECTIONS = 10
_HEAD: Final = (
    ("", "N", "V", "V/atom", "a₁", "a₂", "a₃", "U_iso", "H", "special"),
    ("", "", "Å³", "Å³", "Å", "Å", "Å", "Å²", "%", "%"),
)
_NOTE: Final = (
    "Medians. V/atom: cell volume per non-H atom; a₁ ≤ a₂ ≤ a₃: lengths of the declared cell;",
    "U_iso: mean of the non-H atoms; H: share of all atoms; special: share of the structures that have",
    "a non-H atom on a special position; –: unknown.",
)


def summary_table(summary: Summary, page: Path | None = None) -> str:
    """What was read, a line for each group and one for all, and what could not be read and why.

    Of more files without a structure than are shown, the text names the page, or how to have one.
    """
    different = summary.all.n_different
    lines = [
        f"{summary.source}: {counted(summary.all.n, 'structure')} in {counted(summary.n_files, 'file')}"
        + ("" if different == summary.all.n else f", {different:,} of them different"),
        "",
        *_aligned([*_HEAD, *map(_row, [*summary.groups, summary.all])]),
        "",
        *_NOTE,
    ]
    if len(summary.rejections):
        lines += [
            "",
            f"{counted(len(summary.rejections), 'block or file', 'blocks or files')} without a structure:",
        ]
        for row in summary.rejections.head(SHOWN_REJECTIONS).itertuples():
            block = f", block {row.block}" if isinstance(row.block, str) else ""
            lines.append(f"  {row.file_id}{block}: {row.code}. {row.detail}")
        more = len(summary.rejections) - SHOWN_REJECTIONS
        if more > 0:
            where = "a page lists: --output page.html" if page is None else f"{page} lists"
            lines.append(f"  … and {more:,} more, which {where}")
    return "\n".join(lines)


def _row(group: Group) -> tuple[str, ...]:
    return (
        group.label,
        f"{group.n:,}",
        _median(group.volume_angstrom3, 0),
        _median(group.volume_per_atom_angstrom3, 1),
        _median(group.shortest_angstrom, 2),
        _median(group.middle_angstrom, 2),
        _median(group.longest_angstrom, 2),
        _median(group.u_iso_angstrom2, 4),
        _median(group.hydrogen, 0, factor=100),
        "–" if group.special is None else f"{100 * group.special:.0f}",
    )


def _median(spread: Spread, digits: int, factor: float = 1.0) -> str:
    return "–" if spread.median is None else f"{factor * spread.median:,.{digits}f}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the first column to the left and all others to the right; a rule over the last row."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "  ".join(
            f"{cell:<{w}}" if k == 0 else f"{cell:>{w}}"
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "─" * max(map(len, lines))
    return [
        *lines[: len(_HEAD)],
        rule,
        *lines[len(_HEAD) : -1],
        *([rule] if len(lines) > 3 else []),
        lines[-1],
    ]
