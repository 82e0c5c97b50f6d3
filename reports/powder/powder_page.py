"""The page on densities from powder patterns: networks beside trivial answers, maps, tries, and failures."""

from __future__ import annotations

from pathlib import Path

from xtalpriors.reports.glossary import Glossary
from xtalpriors.reports.html import Fact, page_title, page_view, render_html, words
from xtalpriors.reports.meta import FigureMeta, Rendered, Sample, count
from xtalpriors.reports.powder import map_figure, score_figure
from xtalpriors.reports.powder.data import PowderScores, read_powder
from xtalpriors.reports.powder.score_tables import (
    failure_tables,
    paper_tables,
    parts_table,
    set_tables,
    tries_table,
)
from xtalpriors.reports.section import LinkedPage, Section, render

__all__ = ["powder_page"]

FULL_POINTS, FULL_CRYSTALS = 50, 30
"""With fewer points or crystals the page says so."""


def powder_page(folder: Path, corpus: str, database_digest: str | None) -> LinkedPage:
    """The page of a corpus report.

    Parameters
    ----------
    folder
        Of `xtalpriors powder evaluate`.
    corpus, database_digest
        Of the report.

    Raises
    ------
    XtalpriorsError
        A file of the folder is missing or another one.
    """
    scores = read_powder(folder)
    figures = _figures(scores, corpus, database_digest)
    sections = [
        Section(
            "sets",
            "How good are the maps?",
            "",
            figures[:1],
            [*set_tables(scores), *parts_table(scores)],
            tables_first=True,
        ),
        Section("maps", "What do the maps look like?", "", figures[1:], [tries_table(scores)]),
        Section("failures", "Where does it fail?", "", [], failure_tables(scores)),
        Section("paper", "How does it stand beside Guo et al.?", "", [], paper_tables(scores)),
    ]
    sizes = {name: content["n"] for name, content in scores.sets.items()}
    notes = [words("densities", "coarse", points=scores.points)] if scores.points < FULL_POINTS else []
    if max(sizes.values()) < FULL_CRYSTALS:
        notes.append(words("densities", "small", n=max(sizes.values())))
    glossary = Glossary()
    html = render_html(
        "powder.html",
        title=page_title(corpus),
        lead=glossary.link(words("densities", "lead", points=scores.points)),
        facts=[Fact(f"crystals, set {name}", count(n)) for name, n in sizes.items()]
        + [Fact("points of an edge", str(scores.points))],
        warnings=notes,
        sections=page_view(sections, glossary),
        database_digest=database_digest,
    )
    teaser = words("densities", "teaser", networks=scores.networks, sets=list(sizes))
    return LinkedPage(html, figures, {"powder-scores": scores.scores.drop(columns="seconds")}, teaser)


def _figures(scores: PowderScores, corpus: str, digest: str | None) -> list[Rendered]:
    samples = tuple(Sample(f"set {name}", content["n"]) for name, content in scores.sets.items())
    meta = FigureMeta(corpus, samples, "no cell", digest, networks=tuple(scores.networks))
    return [
        render(
            score_figure,
            "powder-ssim",
            "",
            "SSIM of each answer",
            score_figure.data(scores.scores),
            meta,
            words("densities", "scores_caption"),
        ),
        render(
            map_figure,
            "powder-maps",
            "",
            "True and predicted densities",
            map_figure.data(scores.sections),
            meta,
            words("densities", "maps_caption", levels=map_figure.LEVELS),
        ),
    ]
