"""The section on what files contradict themselves in: counts by kind, and one file of each."""

from __future__ import annotations

from markupsafe import Markup

from xtalpriors.reports.html import markup, words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.section import Section, Table

__all__ = ["TABLE", "contradictions_section"]

TABLE = "contradictions"
"""Name of the table's CSV."""


def contradictions_section(inputs: Inputs) -> Section:
    """A table of the kinds of contradiction, the most frequent first."""
    corpus = inputs.corpus
    frame = corpus.contradictions
    lead = words("contradictions", "lead", n=corpus.n_contradicting, entries=corpus.n_entries)
    html = Markup() if frame.empty else markup("contradictions", "table", rows=frame.to_dict("records"))
    tables = [] if frame.empty else [Table("Contradictions by kind", html, csv=TABLE)]
    return Section("contradictions", "Where do the files contradict themselves?", lead, tables=tables)
