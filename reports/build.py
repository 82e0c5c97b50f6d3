"""The report of a corpus: one self-contained page, and each figure as SVG with its data as CSV."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from xtalpriors.errors import XtalpriorsError
from xtalpriors.reports.corpus_page import (
    moved_section,
    phasing_section,
    priors_section,
    reading_section,
    render_page,
)
from xtalpriors.reports.generated_data import read_generated
from xtalpriors.reports.inputs import gather
from xtalpriors.reports.meta import Rendered
from xtalpriors.reports.section import DIGITS
from xtalpriors.reports.sections.cells import cells_section
from xtalpriors.reports.sections.contents import contents_section
from xtalpriors.reports.sections.drift import drift_tables
from xtalpriors.reports.sections.others import others_section
from xtalpriors.reports.sections.symmetry import losses_section, symmetry_section
from xtalpriors.reports.sections.synthetic import synthetic_section

__all__ = ["build_report"]

FIGURES = Path("figures")
PHASING = Path("phasing")


def build_report(
    database: Path,
    bundles: Sequence[Path],
    output: Path,
    *,
    subsets: Sequence[Path] = (),
    generated: Sequence[Path] = (),
    evaluations: Sequence[Path] | None = None,
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
        Folder of the report. It gets `index.html` and `figures/`, and with evaluations `phasing/`; each is
        replaced as a whole, other files in the folder stay.
    subsets
        Parquet files of subsets; those not given are selected from the database.
    generated
        Parquet files of generated structures, one per strategy, named by their stem.
    evaluations
        Files of `xtalpriors evaluate` on structures of this database, for the page `phasing/index.html`;
        null: no such page.

    Returns
    -------
    Path of `index.html`.

    Raises
    ------
    XtalpriorsError
        An input cannot be read, no bundle is of this database, an evaluation is of another one, or the
        output cannot be written. The report that was there before is then still whole.
    """
    inputs = gather(Path(database), [Path(b) for b in bundles], [Path(s) for s in subsets])
    sets = [read_generated(Path(path)) for path in generated]
    drifts = drift_tables(inputs)
    tables: dict[str, pd.DataFrame] = {table.name: table.frame for table in drifts}
    sections = [losses_section(inputs), cells_section(inputs), contents_section(inputs)]
    sections += [symmetry_section(inputs)]
    if (others := others_section(inputs)) is not None:
        sections.append(others)
    sections.append(moved_section(inputs, drifts))
    if sets:
        section, tables["gap"] = synthetic_section(inputs, sets)
        sections.append(section)
    figures = [figure for section in sections for figure in section.figures]
    files = _figure_files(FIGURES, figures, tables)
    if evaluations is not None:
        from xtalpriors.reports.phasing.phasing_page import (
            phasing_page,  # loads torch, which nothing else here needs
        )

        page = phasing_page(inputs, evaluations)
        sections.append(phasing_section(page.teaser))
        files |= {PHASING / "index.html": page.html}
        files |= _figure_files(PHASING / FIGURES, page.figures, page.tables)
    if inputs.bundles:
        sections.append(priors_section(inputs))
    sections.append(reading_section())
    files |= {Path("index.html"): render_page(inputs, sections)}
    return _write(files, Path(output))


def _figure_files(
    folder: Path, figures: Sequence[Rendered], tables: dict[str, pd.DataFrame]
) -> dict[Path, str]:
    """Text of the files of figures and tables."""
    frames = tables | {figure.name: figure.frame for figure in figures}
    files = {folder / f"{figure.name}.svg": figure.svg for figure in figures}
    for name, frame in frames.items():
        files[folder / f"{name}.csv"] = frame.to_csv(
            index=False, float_format=f"%.{DIGITS}g", lineterminator="\n"
        )
    return files


def _write(files: dict[Path, str], output: Path) -> Path:
    """Write all files beside the output first, then move them into place."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=output) as name:
            folder = Path(name)
            for file, text in files.items():
                path = folder / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
            for part in (FIGURES, PHASING):
                if (folder / part).is_dir():
                    _swap(folder / part, output / part, folder / f"former-{part}")
            (folder / "index.html").replace(output / "index.html")
    except OSError as error:
        raise XtalpriorsError(
            f"The report cannot be written to {output}: {error.strerror or error}. "
            "Free some space, or name another folder with `--output`."
        ) from error
    return output / "index.html"


def _swap(new: Path, place: Path, former: Path) -> None:
    """Put a folder in the place of another one, which comes back if that fails."""
    if place.is_dir():
        place.rename(former)
    try:
        new.rename(place)
    except OSError:
        if former.is_dir():
            former.rename(place)
        raise
