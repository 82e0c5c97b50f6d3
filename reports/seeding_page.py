"""The page of a seeding study, with its figures and tables as files, and its table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xtalpriors.model.seeding.rows import ROWS_NAME, SEEDING, of_networks
from xtalpriors.model.seeding.shares import solved_shares
from xtalpriors.outputs import check_output
from xtalpriors.reports.glossary import Glossary
from xtalpriors.reports.html import Fact, page_view, render_html, words
from xtalpriors.reports.meta import count
from xtalpriors.reports.section import PAGE, LinkedPage
from xtalpriors.reports.sections.seeding import printed, seeding_sections
from xtalpriors.written_folder import check_written_folder, write_folder

__all__ = ["check_study_folder", "seeding_page", "study_text", "write_study"]

SHARES = "shares"

Rows = Sequence[Mapping[str, Any]]


def seeding_page(rows: Rows, report: str | None = None) -> LinkedPage:
    """The page of a study.

    Parameters
    ----------
    rows
        Of the study.
    report
        Name of the report that the page is part of; null: it stands alone.
    """
    sections = seeding_sections(rows)
    crystals = {(r["source"], r["space_group"], r["volume_class_angstrom3"], r["crystal"]) for r in rows}
    groups = {row["space_group"] for row in rows}
    lead = words("seeding", "page_lead", n=len(crystals), groups=len(groups))
    html = render_html(
        "study.html",
        title="How many phases are enough?",
        report=report,
        lead=lead,
        facts=[Fact("crystals", count(len(crystals))), Fact("phasings", count(len(rows)))],
        warnings=[],
        sections=page_view(sections, Glossary()),
    )
    figures = [figure for section in sections for figure in section.figures]
    teaser = words("seeding", "teaser", n=len(crystals))
    return LinkedPage(html, figures, {SHARES: solved_shares(rows)}, teaser)


def check_study_folder(folder: Path) -> None:
    """Check, before the work begins, that a study may be written to a folder.

    Raises
    ------
    UsageError
        A file of somebody else is in the way.
    """
    check_written_folder(folder, {PAGE: ""})
    check_output(folder / ROWS_NAME, SEEDING)


def study_text(rows: Rows) -> str:
    """The shares as a table of text, a line for each combination; lines of networks with their errors."""
    frame = printed(rows)
    text = frame.to_string(index=False)
    networks = of_networks(rows)
    if networks:
        by = ("source", "space_group", "volume_class_angstrom3", "d_min_angstrom")
        shares = solved_shares(networks, by).drop(columns=["bins", "overlapped"])
        shares = shares.fillna({"fraction": "own"})
        text += "\n\n" + shares.to_string(index=False, float_format=lambda x: f"{x:.3g}", na_rep="–")
    return text


def write_study(rows: Rows, folder: Path) -> list[str]:
    """Write page, figures and tables of a study beside its rows; the names of the files.

    Raises
    ------
    XtalpriorsError, UsageError
        The folder cannot be written, or a file of somebody else is in the way.
    """
    page = seeding_page(rows)
    files = page.files()
    write_folder(folder, files)
    return [ROWS_NAME, *files]
