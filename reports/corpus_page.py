"""The page of a corpus, `index.html`: head, comparison with the paper, sections, fitted priors."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.reports.html import Fact, page_title, render_html, section_view, words
from xtalpriors.reports.inputs import SMALL, Inputs
from xtalpriors.reports.meta import count, short_digest
from xtalpriors.reports.section import Section
from xtalpriors.reports.sections.drift import DriftTable
from xtalpriors.reports.sections.fitted_priors import bundle_view
from xtalpriors.reports.sections.paper import compare_with_paper

__all__ = ["render_page"]

PAPER_SIZES = {"all-50": "1.25 million", "all-10": "38,730", "p21c-10": "3,086", "p21c-20": "5,000"}
"""Section 2 and Table 2 of the 2026 paper."""


def render_page(
    inputs: Inputs, sections: Sequence[Section], drifts: Sequence[DriftTable], phasing: str | None = None
) -> str:
    """HTML of the whole report; `phasing` is the sentence that links to the page on phasing."""
    return render_html(
        "report.html",
        title=page_title(inputs.name),
        lead=words("notes", "lead", corpus=inputs.corpus),
        facts=_facts(inputs),
        warnings=inputs.warnings,
        paper_lead=_paper_lead(inputs),
        paper_rows=compare_with_paper(
            inputs.bundles, {name: subset.frame for name, subset in inputs.subsets.items()}
        ),
        drifts=drifts,
        sections=[section_view(section) for section in sections],
        phasing=phasing,
        bundles=[bundle_view(bundle) for _, bundle in sorted(inputs.bundles.items())],
        database_digest=inputs.corpus.digest,
    )


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
        Fact("structures", count(corpus.n_entries)),
        Fact("different ones", count(corpus.n_clusters)),
        Fact("files", count(corpus.n_files)),
        Fact("rejections", count(corpus.n_rejections)),
        Fact("bundles", count(len(inputs.bundles))),
        Fact("database", short_digest(corpus.digest), mono=True),
    ]
