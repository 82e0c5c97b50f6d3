"""The last sections of a page: how to read it, and which files belong to it."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.reports.html import markup
from xtalpriors.reports.section import Section

__all__ = ["files_section", "reading_section"]


def reading_section() -> Section:
    """The last section of every page on statistics."""
    return Section("reading", "How to read this page", body=markup("reading", "text"))


def files_section(names: Sequence[str]) -> Section:
    """The files that a report consists of, by their names in its folder."""
    return Section("files", "Files of this report", body=markup("reading", "files", names=sorted(names)))
