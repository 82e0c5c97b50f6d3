"""The page on phasing: scores of trained networks on real crystals, the paper's tables and Figs 5 to 7."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from xtalpriors.model.network.card import SOLVED
from xtalpriors.reports.figures import phasing_maps
from xtalpriors.reports.figures.phasing_scores import BY_CLASS, BY_SPECIAL, ScoreFigure
from xtalpriors.reports.glossary import Glossary
from xtalpriors.reports.html import Fact, page_title, page_view, render_html, words
from xtalpriors.reports.inputs import Inputs
from xtalpriors.reports.meta import FigureMeta, Rendered, Sample, count, short_digest
from xtalpriors.reports.phasing.data import (
    PhasingSet,
    check_database,
    labelled,
    read_phasing,
    scores_frame,
)
from xtalpriors.reports.phasing.equal_time import equal_time_section
from xtalpriors.reports.phasing.score_tables import lineage_table, score_tables, strategy_tables, volume_table
from xtalpriors.reports.phasing.training import training_section
from xtalpriors.reports.section import LinkedPage, Section, render
from xtalpriors.reports.subset_data import described

__all__ = ["phasing_page", "phasing_sections"]

MOST = 3
"""Evaluations that a figure shows, as in the paper."""
PAPER_PARAMETERS, PAPER_STRUCTURES = 42_443_882, 100_000_000
"""Of the networks of Melgalvis & Reķis 2026."""


def phasing_page(inputs: Inputs, evaluations: Sequence[Path]) -> LinkedPage:
    """The page of a corpus report.

    Parameters
    ----------
    inputs
        Of the report.
    evaluations
        Files of `xtalpriors evaluate`; none gives a page that says so.

    Raises
    ------
    XtalpriorsError
        A file cannot be read, is of structures of another database, or two have the same name.
    """
    digest = inputs.corpus.digest
    read = []
    for path in map(Path, evaluations):
        read.append(read_phasing(path))
        check_database(path, read[-1], inputs.database)
    sets = labelled(read)
    if not sets:
        lead = words("scores", "no_structures")
        return LinkedPage(_render(inputs, lead, [], [], []), [], {}, lead)
    sections = phasing_sections(sets, inputs.name, digest)
    first = next(iter(sets.values()))
    html = _render(
        inputs,
        words("scores", "lead", protocol=first.evaluation.protocol),
        _facts(sets),
        _notes(sets),
        sections,
    )
    networks = list(dict.fromkeys(s.network for s in sets.values()))
    teaser = words("scores", "teaser", networks=networks, labels=list(sets))
    figures = [figure for section in sections for figure in section.figures]
    return LinkedPage(html, figures, {"phasing": scores_frame(sets)}, teaser)


def phasing_sections(
    sets: dict[str, PhasingSet], corpus: str, database_digest: str | None = None
) -> list[Section]:
    """The sections on evaluations that are read already, by label."""
    shown = dict(list(sets.items())[:MOST])
    meta = _meta(shown, corpus, database_digest)
    rows = [(k, s.evaluation.rows.drop_columns(["r_by_run"]).to_pandas()) for k, s in shown.items()]
    figures = [
        _scores(BY_CLASS, "phasing-class", "Fig. 5", "compound class", rows, meta),
        _scores(BY_SPECIAL, "phasing-special", "Fig. 6", "special positions", rows, meta),
    ]
    mapped = next((k for k, s in sets.items() if s.maps is not None and len(s.maps)), None)
    if mapped is not None:
        figures.append(_maps(mapped, sets[mapped], corpus, database_digest))
    sections = [
        equal_time_section(),
        Section(
            "scores",
            "How many are solved, and by how much more than chance?",
            "",
            [],
            [*score_tables(sets), *volume_table(sets)],
        ),
        Section("figures", "Which structures are solved?", "", figures),
    ]
    if tables := strategy_tables(list(sets.values())):
        sections.append(Section("paper", "How do the scores stand beside the paper?", "", [], tables))
    sections.append(training_section(list(sets.values())))
    lead = words("scores", "lineage")
    return [*sections, Section("lineage", "What do the scores depend on?", lead, [], lineage_table(sets))]


def _render(
    inputs: Inputs, lead: str, facts: Sequence[Fact], notes: Sequence[str], sections: Sequence[Section]
) -> str:
    subsets = {name: described(subset) for name, subset in inputs.subsets.items()}
    glossary = Glossary(subsets)
    return render_html(
        "phasing.html",
        title=page_title(inputs.name),
        lead=glossary.link(lead),
        facts=[*facts, Fact("database", short_digest(inputs.corpus.digest), mono=True)],
        warnings=notes,
        sections=page_view(sections, glossary),
        database_digest=inputs.corpus.digest,
    )


def _meta(sets: dict[str, PhasingSet], corpus: str, digest: str | None) -> FigureMeta:
    samples = tuple(Sample(label, s.summary.n) for label, s in sets.items())
    bundles = {
        str(s.described["bundle"]): str(s.described["priors_digest"])
        for s in sets.values()
        if s.described.get("bundle")
    }
    networks = dict.fromkeys(
        f"{s.network}, weights {short_digest(s.described.get('weights_digest'))}" for s in sets.values()
    )
    trained = {label: s.trained_volumes for label, s in sets.items() if s.trained_volumes is not None}
    return FigureMeta(
        corpus, samples, "least-oblique", digest, bundles, networks=tuple(networks), trained_volumes=trained
    )


def _notes(sets: dict[str, PhasingSet]) -> list[str]:
    """What must be known before the numbers are read."""
    notes = []
    for network in dict.fromkeys(s.network for s in sets.values()):
        what = next(s.described for s in sets.values() if s.network == network)
        parameters, structures = what.get("parameters"), what.get("structures")
        if parameters and structures and parameters * structures < PAPER_PARAMETERS * PAPER_STRUCTURES / 10:
            notes.append(
                words(
                    "scores",
                    "small_network",
                    name=network,
                    parameters=parameters,
                    structures=structures,
                    paper_parameters=PAPER_PARAMETERS,
                    paper_structures=PAPER_STRUCTURES,
                    max_index=what.get("max_index"),
                )
            )
    if assumed := sum(s.summary.n_u_assumed for s in sets.values()):
        notes.append(words("scores", "assumed", n=assumed))
    if refused := sum(s.summary.n_refused for s in sets.values()):
        notes.append(words("scores", "refused", n=refused))
    return notes


def _facts(sets: dict[str, PhasingSet]) -> list[Fact]:
    facts = [Fact(f"N, {label}", count(s.summary.n)) for label, s in sets.items()]
    for network in dict.fromkeys(s.network for s in sets.values()):
        what = next(s.described for s in sets.values() if s.network == network)
        facts.append(Fact(f"{network}, weights", short_digest(what.get("weights_digest")), mono=True))
    return facts


def _scores(
    figure: ScoreFigure,
    name: str,
    number: str,
    grouped_by: str,
    rows: Sequence[tuple[str, pd.DataFrame]],
    meta: FigureMeta,
) -> Rendered:
    caption = words("scores", "scatter", run=figure.run, has_trained_volumes=bool(meta.trained_volumes))
    title = f"r against volume, by {grouped_by}"
    return render(figure, name, number, title, figure.data(rows), meta, caption)


def _maps(label: str, one: PhasingSet, corpus: str, digest: str | None) -> Rendered:
    assert one.maps is not None
    n_solved = int((one.maps["r"] >= SOLVED).sum())
    n_failed = len(one.maps) - n_solved
    levels = phasing_maps.LEVELS
    caption = words("scores", "maps", label=label, n_solved=n_solved, n_failed=n_failed, levels=levels)
    return render(
        phasing_maps,
        "phasing-maps",
        "Fig. 7",
        "Density maps of predicted phases",
        phasing_maps.data(one.maps),
        _meta({label: one}, corpus, digest),
        caption,
    )
