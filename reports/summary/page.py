"""The summary as a page: the groups, the distributions, every structure, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from markupsafe import Markup

from xtalpriors.atomic_write import write_text
from xtalpriors.outputs import FileKind, text_with
from xtalpriors.reports.figures import sheet
from xtalpriors.reports.html import Fact, html_table, render_html
from xtalpriors.reports.meta import FigureMeta, Sample, count
from xtalpriors.reports.section import render
from xtalpriors.reports.style import inline_svg
from xtalpriors.reports.summary.collect import Group, Spread, Summary

__all__ = ["SUMMARY_PAGE", "summary_page", "write_summary_page"]

SUMMARY_PAGE: Final = FileKind(
    "a summary page", text_with('<meta name="generator" content="xtalpriors summary">')
)
FEWEST = 10
"""Structures of which a histogram is drawn."""
LISTED = 2000
"""Structures that the page lists one by one; a page of more would be slow to open."""
_QUANTITIES: Final = {
    "V / Å³": ("volume_angstrom3", 0, 1),
    "V/atom / Å³": ("volume_per_atom_angstrom3", 1, 1),
    "a₁ / Å": ("shortest_angstrom", 2, 1),
    "a₂ / Å": ("middle_angstrom", 2, 1),
    "a₃ / Å": ("longest_angstrom", 2, 1),
    "U_iso / Å²": ("u_iso_angstrom2", 4, 1),
    "H / %": ("hydrogen", 0, 100),
}
"""Heading, attribute of a group, digits and factor."""
_HEADINGS: Final = {"space-group": "Space group", "crystal-system": "Crystal system", "class": "Class"}


@dataclass(frozen=True, slots=True)
class _Part:
    """A section of the page, with a figure, a table or both."""

    key: str
    title: str
    lead: str
    table: Markup | None = None
    wide: Markup | None = None
    narrow: Markup | None = None
    caption: str = ""
    parts: tuple[()] = ()


def write_summary_page(summary: Summary, path: Path) -> str:
    """Write the page; returns what was written, in words.

    Raises
    ------
    XtalpriorsError, UsageError
        The file cannot be written, or another file is there.
    """
    write_text(Path(path), summary_page(summary), SUMMARY_PAGE)
    return f"page: {path}"


def summary_page(summary: Summary) -> str:
    """HTML of the page, complete in itself: figures are inline, and nothing is loaded from elsewhere."""
    groups = [_groups(summary, _HEADINGS[summary.by])] if summary.by else []
    parts = [*groups, _all(summary), _distributions(summary), _structures(summary)]
    if len(summary.rejections):
        parts.append(_rejections(summary))
    return render_html(
        "summary.html",
        title=Path(summary.source).name or summary.source,
        lead="What a folder of CIF files holds: cells, contents and symmetry of its structures, in medians.",
        facts=[
            Fact("structures", count(summary.all.n)),
            Fact("different ones", count(summary.all.n_different)),
            Fact("files", count(summary.n_files)),
            Fact("not read", count(len(summary.rejections))),
        ],
        warnings=[],
        sections=parts,
        database_digest=summary.digest,
    )


_WORDS = (
    "V/atom is the volume of the cell over its non-hydrogen atoms, a₁ ≤ a₂ ≤ a₃ are the lengths of the "
    "declared cell, U_iso is the mean over the non-hydrogen atoms of a structure, H its share of hydrogen "
    "among all atoms."
)


def _all(summary: Summary) -> _Part:
    """Median, quartiles and number of values of each quantity."""
    rows = []
    for name, (attribute, digits, factor) in _QUANTITIES.items():
        spread: Spread = getattr(summary.all, attribute)
        values = [_number(x, digits, factor) for x in (spread.low, spread.median, spread.high)]
        rows.append([name, count(spread.n), *values])
    columns = ["Quantity", "Structures with it", "Lower quartile", "Median", "Upper quartile"]
    special = "" if summary.all.special is None else f" {_special(summary.all)}"
    frame = pd.DataFrame(rows, columns=columns)
    return _Part("all", "All structures", _WORDS + special, html_table(frame, numeric=columns[1:]))


def _special(group: Group) -> str:
    return f"{100 * (group.special or 0.0):.0f} % have a non-hydrogen atom on a special position."


def _groups(summary: Summary, heading: str) -> _Part:
    """Medians of each group."""
    rows = []
    for group in (*summary.groups, summary.all):
        cells = {heading: group.label, "N": count(group.n), "Different": count(group.n_different)}
        for name, (attribute, digits, factor) in _QUANTITIES.items():
            cells[name] = _number(getattr(group, attribute).median, digits, factor)
        rows.append(cells | {"Special / %": _number(group.special, 0, 100)})
    frame = pd.DataFrame(rows)
    lead = (
        f"Medians. {_WORDS} Special is the share of structures with a non-hydrogen atom on a special "
        "position. Under “different” redeterminations of one crystal count once. A dash: no file says."
    )
    return _Part("groups", f"By {heading.lower()}", lead, html_table(frame, numeric=list(frame.columns[1:])))


def _number(value: float | None, digits: int, factor: float = 1) -> str:
    return "–" if value is None or pd.isna(value) else f"{factor * value:,.{digits}f}"


def _distributions(summary: Summary) -> _Part:
    if summary.all.n < FEWEST:
        lead = f"Histograms are drawn of {FEWEST} structures or more; here are {summary.all.n}."
        return _Part("distributions", "Distributions", lead)
    sample = Sample("all structures", summary.all.n, summary.all.n_different)
    meta = FigureMeta(Path(summary.source).name, (sample,), "declared", summary.digest)
    caption = (
        "Redeterminations share the weight of one structure. Values beyond the axes count in the heights and "
        "are not drawn."
    )
    frame = sheet.data(summary.entries, {}).assign(series="structures")
    drawn = render(sheet, "summary", "", "Distributions", frame, meta, caption)
    label = f"Histograms of volume, lengths, packing and displacement. {caption}"
    return _Part(
        "distributions",
        "Distributions",
        "One value for each structure that has one; the cell is that which the file declares.",
        wide=Markup(inline_svg(drawn.svg, "summary", label)),
        narrow=Markup(inline_svg(drawn.svg_narrow, "summary-narrow", label)),
        caption=caption,
    )


def _structures(summary: Summary) -> _Part:
    shown = summary.entries.head(LISTED)
    frame = pd.DataFrame(
        {
            "File": shown["file_id"],
            "Block": shown["block"],
            "Formula": shown["formula_declared"].fillna("–"),
            "Group no.": shown["sg_number"].astype(str),
            "V / Å³": _numbers(shown["volume_angstrom3"], 1),
            "V/atom / Å³": _numbers(shown["volume_per_non_h_atom_angstrom3"], 1),
            "U_iso / Å²": _numbers(shown["u_iso_mean_angstrom2"], 4),
            "H / %": _numbers(shown["h_fraction"], 0, 100),
            "Special": _numbers(shown["n_special_positions"], 0),
            "Agreement": shown["composition_agreement"].fillna("–"),
        }
    )
    lead = (
        "Every structure, by the name of its file. Special counts its special positions with non-hydrogen "
        "atoms; the last column says whether the formula agrees with the atoms."
    )
    if len(summary.entries) > LISTED:
        lead = f"The first {LISTED:,} of {len(summary.entries):,} structures, by the names of their files."
    return _Part("structures", "Structures", lead, html_table(frame, numeric=list(frame.columns[3:9])))


def _numbers(values: pd.Series[float], digits: int, factor: float = 1) -> list[str]:
    return [_number(value, digits, factor) for value in values]


def _rejections(summary: Summary) -> _Part:
    found = summary.rejections
    frame = pd.DataFrame(
        {
            "File": found["file_id"],
            "Block": found["block"].fillna("–"),
            "Reason": found["code"],
            "What was found": found["detail"],
        }
    )
    return _Part(
        "not-read",
        "Not read",
        "Files and blocks that hold no structure, or none that can be trusted, and why.",
        html_table(frame),
    )
