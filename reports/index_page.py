"""The index of all reports: `reports/index.html`, a table of the corpora with links to their pages."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from xtalpriors.atomic_write import write_text
from xtalpriors.outputs import FileKind, text_with
from xtalpriors.reports.html import page_title, render_html

__all__ = ["INDEX_PAGE", "write_index"]

INDEX_PAGE: Final = FileKind(
    "an index of reports", text_with('<meta name="generator" content="xtalpriors index">')
)
_SUMMARY = re.compile('<meta name="xtalpriors-corpus" content="([^"]*)">')
_HEAD = 2**16


@dataclass(frozen=True, slots=True)
class _Report:
    """A report as the table shows it."""

    folder: str
    title: str
    structures: int
    clusters: int
    files: int
    sources: list[str]
    database: str
    subsets: list[str]


def write_index(folder: Path, corpora: Sequence[str]) -> Path:
    """Write `index.html` of the reports in `folder/CORPUS/`, in the order of `corpora`.

    Each page says of itself what the table needs, so the index depends on the pages alone: whichever corpus
    was reported on last, and on whichever machine, the same pages give the same index. Corpora without a
    report, and pages that do not say it, are left out.

    Raises
    ------
    XtalpriorsError, UsageError
        The file cannot be written, or a file of somebody else is in its place.
    """
    reports = [found for name in corpora if (found := _read(folder, name)) is not None]
    page = render_html(
        "index.html",
        title="Reports",
        lead="What is known of each corpus of crystal structures, and of the priors fitted to it.",
        facts=(),
        warnings=(),
        sections=(),
        reports=reports,
    )
    write_text(folder / "index.html", page, INDEX_PAGE)
    return folder / "index.html"


def _read(folder: Path, name: str) -> _Report | None:
    """What the page of a corpus says of itself; None without a page, or from another version."""
    try:
        with (folder / name / "index.html").open(encoding="utf-8", errors="replace") as file:
            found = _SUMMARY.search(file.read(_HEAD))
        said: dict[str, Any] = json.loads(html.unescape(found[1])) if found else {}
        return _Report(
            folder=name,
            title=page_title(str(said["name"])),
            structures=int(said["structures"]),
            clusters=int(said["clusters"]),
            files=int(said["files"]),
            sources=[str(one) for one in said["sources"]],
            database=str(said["database"]),
            subsets=[str(one) for one in said["subsets"]],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
