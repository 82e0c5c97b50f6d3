"""The page of a corpus, `index.html`: its sections in the order of a reader's questions."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from markupsafe import Markup

from xtalpriors.reports.glossary import Glossary
from xtalpriors.reports.html import Fact, markup, page_title, page_view, render_html, words
from xtalpriors.reports.inputs import SMALL, Inputs
from xtalpriors.reports.meta import count, short_digest
from xtalpriors.reports.section import Section, Table
from xtalpriors.reports.sections.as_measured import as_measured_figures
from xtalpriors.reports.sections.drift import DriftTable
from xtalpriors.reports.sections.fitted_priors import bundle_table
from xtalpriors.reports.sections.paper import compare_with_paper
from xtalpriors.reports.subset_data import described

__all__ = [
    "moved_section",
    "phasing_section",
    "powder_section",
    "priors_section",
    "render_page",
    "seeding_section",
]

PAPER_SIZES = {"all-50": "1.25 million", "all-10": "38,730", "p21c-10": "3,086", "p21c-20": "5,000"}
"""Section 2 and Table 2 of the 2026 paper."""


def render_page(inputs: Inputs, sections: Sequence[Section], pages: Collection[str] = ()) -> str:
    """HTML of the whole page; `pages` are the names of the subsets that have a page of their own."""
    subsets = {name: described(subset) for name, subset in inputs.subsets.items()}
    glossary = Glossary(subsets, tabled=True)
    return render_html(
        "report.html",
        title=page_title(inputs.name),
        lead=glossary.link(words("notes", "lead", corpus=inputs.corpus)),
        facts=_facts(inputs),
        warnings=inputs.warnings,
        sections=page_view(sections, glossary),
        database_digest=inputs.corpus.digest,
        summary=_summary(inputs, pages),
    )


def moved_section(inputs: Inputs, drifts: Sequence[DriftTable]) -> Section:
    """The paper's numbers beside this corpus, and a table for each earlier bundle."""
    rows = compare_with_paper(inputs.bundles, {name: subset.frame for name, subset in inputs.subsets.items()})
    paper = Table(
        "Numbers of the paper", markup("moved", "paper_table", rows=rows), markup("moved", "paper_table_lead")
    )
    title = "What moved since the paper and the last bundle?"
    return Section("moved", title, _paper_lead(inputs), [], [paper, *map(_drift, drifts)])


def _drift(drift: DriftTable) -> Table:
    moved, still = (
        markup("moved", macro, columns=drift.columns, rows=rows) if rows else Markup()
        for macro, rows in (("drift_table", drift.moved), ("drift_still", drift.still))
    )
    return Table(drift.title, moved, drift.lead, drift.name, still)


def phasing_section(teaser: str) -> Section:
    """The sentence that leads to the page on phasing."""
    return Section("phasing", "How well are crystals phased?", body=markup("scores", "way", teaser=teaser))


def powder_section(teaser: str) -> Section:
    """The sentence that leads to the page on powder patterns."""
    title = "What does a powder pattern tell?"
    return Section("powder", title, body=markup("densities", "way", teaser=teaser))


def seeding_section(teaser: str) -> Section:
    """The sentence that leads to the page on phase seeding."""
    return Section("seeding", "How many phases are enough?", body=markup("seeding", "way", teaser=teaser))


def priors_section(inputs: Inputs) -> Section:
    """Every prior of every bundle of this database."""
    tables = [bundle_table(bundle) for _, bundle in sorted(inputs.bundles.items())]
    lead = words("priors", "section_lead")
    return Section("priors", "Which priors were fitted?", lead, as_measured_figures(inputs), tables)


def _summary(inputs: Inputs, pages: Collection[str]) -> str:
    """What the index of all corpora says of this one, as JSON."""
    corpus = inputs.corpus
    found: dict[str, object] = {
        "name": inputs.name,
        "structures": corpus.n_entries,
        "clusters": corpus.n_clusters,
        "files": corpus.n_files,
        "sources": sorted(corpus.sources),
        "database": corpus.digest,
    }
    found["subsets"] = sorted(pages)
    return json.dumps(found, ensure_ascii=False, sort_keys=True)


def _paper_lead(inputs: Inputs) -> str:
    sizes = {
        name: (len(inputs.subsets[name].frame), of_paper)
        for name, of_paper in PAPER_SIZES.items()
        if name in inputs.subsets
    }
    few = SMALL if len(inputs.small.frame) < 100 else None
    return words("moved", "paper_lead", sizes=sizes, few=few)


def _facts(inputs: Inputs) -> list[Fact]:
    corpus = inputs.corpus
    return [
        Fact("entries", count(corpus.n_entries)),
        Fact("different crystals", count(corpus.n_clusters)),
        Fact("files read", count(corpus.n_files)),
        Fact("files or blocks rejected", count(corpus.n_rejections)),
        Fact("bundles of priors", count(len(inputs.bundles))),
        Fact("digest of the database", short_digest(corpus.digest), mono=True),
    ]
