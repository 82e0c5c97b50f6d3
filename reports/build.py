"""The report of a corpus: one self-contained page, and each figure as SVG with its data as CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from xtalpriors.outputs import check_folder
from xtalpriors.priors.tell.release import last_release
from xtalpriors.reports.corpus_page import (
    moved_section,
    phasing_section,
    powder_section,
    priors_section,
    render_page,
    seeding_section,
)
from xtalpriors.reports.generated_data import read_generated
from xtalpriors.reports.inputs import Inputs, gather
from xtalpriors.reports.section import FIGURES, PAGE, Section, figure_files
from xtalpriors.reports.sections.cells import cells_section
from xtalpriors.reports.sections.contents import contents_section
from xtalpriors.reports.sections.contradictions import TABLE as CONTRADICTIONS
from xtalpriors.reports.sections.contradictions import contradictions_section
from xtalpriors.reports.sections.drift import drift_tables
from xtalpriors.reports.sections.reading import files_section, reading_section
from xtalpriors.reports.sections.symmetry import losses_section, symmetry_section
from xtalpriors.reports.sections.synthetic import synthetic_section
from xtalpriors.reports.sections.update import update_section
from xtalpriors.reports.subset_page import SubsetPage, subset_page
from xtalpriors.written_folder import FILES_LIST, check_written_folder, write_folder

__all__ = ["build_report"]

PHASING, POWDER, SEEDING, SUBSETS = "phasing", "powder", "seeding", "subsets"
"""Names in the folder of a report; the parts have the same form, `subsets` has one a subset."""

_EARLIER_PAGE = re.compile("<title>[^<]* – (crystal statistics and priors|phasing real crystals)</title>")


def build_report(
    database: Path,
    bundles: Sequence[Path],
    output: Path,
    *,
    subsets: Sequence[Path] = (),
    generated: Sequence[Path] = (),
    evaluations: Sequence[Path] | None = None,
    releases: Path | None = None,
    powder: Path | None = None,
    seeding: Path | None = None,
) -> Path:
    """Write the report of a mined database.

    Parameters
    ----------
    database
        The DuckDB file; opened read-only.
    bundles
        Bundles fitted to subsets of this database. Bundles of other databases (an earlier release, the
        published one) are compared with these and used for nothing else.
    output
        Folder of the report. It gets `index.html` and `figures/`, with subsets or bundles `subsets/NAME/` of
        the same form, with evaluations `phasing/` and `powder/`, and a list of what was written,
        `files.json`. Files that an earlier report lists are replaced or removed, all others stay.
    subsets
        Parquet files of subsets; those not given are selected from the database.
    generated
        Parquet files of generated structures, one per strategy, named by their stem.
    evaluations
        Files of `xtalpriors evaluate` on structures of this database, for the page `phasing/index.html`;
        null: no such page.
    releases
        Folder of the releases of this corpus (see `priors.tell.release`); what has changed since the last
        one is then the first section. Null, or a folder without one: no such section.
    powder
        Folder of `xtalpriors powder evaluate`, for the page `powder/index.html`; null: no such page.
    seeding
        Folder of `xtalpriors seed-study`, for the page `seeding/index.html`; null: no such page.

    Returns
    -------
    Path of `index.html`.

    Raises
    ------
    XtalpriorsError
        An input cannot be read, no bundle is of this database, an evaluation is of another one, or the
        output cannot be written. The report that was there before is then still whole.
    UsageError
        A file in the folder would be replaced that is not an earlier report's, or was changed since.
    """
    output = Path(output)
    for folder in (output, output / PHASING, output / POWDER, output / SEEDING, output / SUBSETS):
        check_written_folder(folder, {PAGE: ""}, _of_earlier_version)
        check_folder(folder / FIGURES)
    inputs = gather(Path(database), [Path(b) for b in bundles], [Path(s) for s in subsets])
    teasers, beside = _other_pages(inputs, evaluations, powder, seeding)  # may refuse: before what takes long
    pages = _own_pages(inputs) if subsets or inputs.bundles else {}
    sections, tables = _statistics(inputs, pages, generated, releases)
    figures = [figure for section in sections for figure in section.figures]
    sections += teasers
    beside[SUBSETS] = {
        f"{name}/{file}": text
        for name, subset in pages.items()
        for file, text in (figure_files(subset.figures, {}) | {PAGE: subset.html}).items()
    }
    if inputs.bundles:
        section = priors_section(inputs)
        sections.append(section)
        figures += section.figures
    files = figure_files(figures, tables)
    written = [PAGE, FILES_LIST, *files]
    written += [f"{part}/{name}" for part, about in beside.items() if about for name in (FILES_LIST, *about)]
    sections += [reading_section(), files_section(written)]
    files |= {PAGE: render_page(inputs, sections, pages)}
    # each folder has a list of its own: git may hold one and not another
    folders = {output / part: about for part, about in beside.items()} | {output: files}
    for folder, content in folders.items():
        check_written_folder(folder, content, _of_earlier_version)
    for folder, content in folders.items():
        if content or (folder / FILES_LIST).exists():
            write_folder(folder, content, _of_earlier_version)
    return output / PAGE


def _statistics(
    inputs: Inputs, pages: dict[str, SubsetPage], generated: Sequence[Path], releases: Path | None
) -> tuple[list[Section], dict[str, pd.DataFrame]]:
    """Sections on the crystals, what moved and the generated structures, and the tables beside them."""
    drifts = drift_tables(inputs)
    tables: dict[str, pd.DataFrame] = {table.name: table.frame for table in drifts}
    if not inputs.corpus.contradictions.empty:
        tables[CONTRADICTIONS] = inputs.corpus.contradictions
    sections = []
    if releases is not None and (release := last_release(releases)) is not None:
        section, frames = update_section(inputs, release)
        sections.append(section)
        tables |= frames
    sections += [losses_section(inputs, pages), contradictions_section(inputs)]
    sections += [cells_section(inputs), contents_section(inputs), symmetry_section(inputs)]
    sections.append(moved_section(inputs, drifts))
    if generated:
        section, tables["gap"] = synthetic_section(inputs, [read_generated(Path(p)) for p in generated])
        sections.append(section)
    return sections, tables


def _other_pages(
    inputs: Inputs, evaluations: Sequence[Path] | None, powder: Path | None, seeding: Path | None
) -> tuple[list[Section], dict[str, dict[str, str]]]:
    """Pages on phasing, powders and seeds: a section each that leads there, and their files by folder."""
    sections: list[Section] = []
    files: dict[str, dict[str, str]] = {PHASING: {}, POWDER: {}, SEEDING: {}}
    # each import loads torch, which nothing else here needs
    if evaluations is not None:
        from xtalpriors.reports.phasing.phasing_page import phasing_page

        page = phasing_page(inputs, evaluations)
        sections.append(phasing_section(page.teaser))
        files[PHASING] = page.files()
    if powder is not None:
        from xtalpriors.reports.powder.powder_page import powder_page

        page = powder_page(powder, inputs.name, inputs.corpus.digest)
        sections.append(powder_section(page.teaser))
        files[POWDER] = page.files()
    if seeding is not None:
        from xtalpriors.model.seeding.rows import read_rows
        from xtalpriors.reports.seeding_page import seeding_page

        page = seeding_page(read_rows(seeding)[0], inputs.name)
        sections.append(seeding_section(page.teaser))
        files[SEEDING] = page.files()
    return sections, files


def _own_pages(inputs: Inputs) -> dict[str, SubsetPage]:
    """A page for each subset; one without structures says so."""
    return {name: subset_page(inputs, name) for name in inputs.subsets}


def _of_earlier_version(folder: Path) -> Iterator[str]:
    """Files of a report without a list: its page, known by the title, and the figures that the page links."""
    page = folder / PAGE
    if not page.is_file():
        return
    text = page.read_text(encoding="utf-8", errors="replace")
    if _EARLIER_PAGE.search(text):
        yield PAGE
        yield from set(re.findall(rf'href="({FIGURES}/[^"/]+)"', text))
