"""The page of a corpus, `index.html`: head, comparison with the paper, sections, fitted priors."""

from __future__ import annotations

from collections.abc import Sequence

from xtalpriors.reports.html import Fact, page_title, render_html, section_view
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
        lead=_lead(inputs),
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
        reading=_reading(),
        database_digest=inputs.corpus.digest,
    )


def _lead(inputs: Inputs) -> str:
    corpus = inputs.corpus
    sources = ", ".join(sorted(corpus.sources))
    text = f"Mined from {sources}: {count(corpus.n_entries)} structures of {count(corpus.n_files)} files."
    if corpus.classes:
        parts = [f"{100 * share:.0f} % {name}" for name, share in corpus.classes.items()]
        text += f" Of those with a composition, {', '.join(parts)}."
    if corpus.classes.get("inorganic", 0) > 0.5:
        text += (
            " These are mostly inorganic crystals: minerals, salts and oxides. The paper's statistics are "
            "of COD "
            "and CSD, where carbon compounds prevail, and differences to it below are first of all "
            "differences "
            "between these two kinds of matter."
        )
    return text


def _paper_lead(inputs: Inputs) -> str:
    parts = [
        f"{name} {count(len(inputs.subsets[name].frame))} ({size} in the paper)"
        for name, size in PAPER_SIZES.items()
        if name in inputs.subsets
    ]
    text = f"Structures in this corpus: {', '.join(parts)}."
    if len(inputs.small.frame) < 100:
        text += f" So few in {SMALL} give wide intervals: a value within its interval is no confirmation."
    return text


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


def _reading() -> list[str]:
    return [
        "Cells. Declared is the cell and setting that the entry states, whichever of the equivalent "
        "settings its "
        "authors chose; lengths, volumes and subsets refer to it, as in the paper. Least-oblique is the "
        "P2₁/c "
        "setting of a no. 14 structure with β nearest to 90°; it is what the phasing network is given. Every "
        "figure names its own.",
        "Weights. Redeterminations of one structure share a cluster and weigh 1/size of it, so histograms "
        "count "
        "structures, not publications. N counts entries; intervals are over clusters.",
        "Distances. D is the Kolmogorov–Smirnov distance, the largest difference between two distribution "
        "functions: 0.05 is hard to see in a figure, 0.2 is plain, 1 is no overlap. Nothing here is a "
        "p-value, "
        "which for many structures only says that there are many.",
        "Files. Each figure's SVG and data are beside this page in figures/. Densities in the CSV are per "
        "unit of "
        "the axis, whatever the axis of the figure says.",
    ]
