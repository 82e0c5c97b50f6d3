"""The page of one subset: its losses, cells, contents, symmetry and fitted priors."""

from __future__ import annotations

from dataclasses import dataclass

from xtalpriors.reports.glossary import Glossary
from xtalpriors.reports.html import Fact, page_title, page_view, render_html, words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.meta import Rendered, count, short_digest
from xtalpriors.reports.section import Section, drawn
from xtalpriors.reports.sections.cells import angle_figure
from xtalpriors.reports.sections.contents import contents_section
from xtalpriors.reports.sections.fitted_priors import bundle_table
from xtalpriors.reports.sections.reading import reading_section
from xtalpriors.reports.sections.sheet import sheet_figure
from xtalpriors.reports.sections.symmetry import symmetry_section, waterfall_figure
from xtalpriors.reports.subset_data import described

__all__ = ["SubsetPage", "subset_page"]


@dataclass(frozen=True, slots=True)
class SubsetPage:
    """The page and its figures."""

    html: str
    figures: list[Rendered]


def subset_page(corpus: Inputs, name: str) -> SubsetPage:
    """The page of a subset; the same for every subset, the paper's and a user's own."""
    inputs = corpus.only(name)
    subset = inputs.large
    losses, unknown = drawn([waterfall_figure(inputs)])
    sections = [Section("corpus", "What is in this subset?", unknown, losses)]
    if len(subset.frame):
        sections += _statistics(inputs)
    if name in inputs.bundles:
        tables = [bundle_table(inputs.bundles[name])]
        sections.append(
            Section("priors", "Which priors were fitted?", words("priors", "section_lead"), [], tables)
        )
    sections.append(reading_section())
    html = render_html(
        "subset.html",
        title=page_title(inputs.name),
        name=name,
        lead=words(
            "subsets",
            "own_lead",
            description=described(subset),
            entries=len(subset.frame),
            clusters=subset.n_clusters,
        ),
        facts=_facts(inputs),
        warnings=(),
        sections=page_view(sections, Glossary({name: described(subset)})),
        database_digest=inputs.corpus.digest,
    )
    return SubsetPage(html, [figure for section in sections for figure in section.figures])


def _statistics(inputs: Inputs) -> list[Section]:
    """Cells, contents and symmetry of a subset that has structures."""
    cells = [sheet_figure(inputs)]
    if set(inputs.large.frame["sg_number"]) == {14}:
        cells.append(angle_figure(inputs, None))
    shapes, lead = drawn(cells)
    return [
        Section("cells", "How large are the cells, and of what shape?", lead, shapes),
        contents_section(inputs),
        symmetry_section(inputs),
    ]


def _facts(inputs: Inputs) -> list[Fact]:
    subset = inputs.large
    bundle = inputs.bundles.get(subset.name)
    facts = [
        Fact("structures", count(len(subset.frame))),
        Fact("different crystals", count(subset.n_clusters)),
        Fact("space groups", count(subset.frame["sg_number"].nunique())),
        Fact("digest of the database", short_digest(inputs.corpus.digest), mono=True),
    ]
    return (
        facts
        if bundle is None
        else [*facts, Fact("digest of its priors", short_digest(bundle.priors_digest), mono=True)]
    )
