"""The first section after an update, on a release of the first 150 of 200 made-up structures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from xtalpriors.priors import last_release, release_bundles
from xtalpriors.reports.build import build_report
from xtalpriors.reports.inputs import Inputs, gather
from xtalpriors.reports.section import Section
from xtalpriors.reports.sections.update import update_section

Fitted = tuple[Path, list[Path], list[Path]]


@pytest.fixture(scope="module")
def releases(
    tmp_path_factory: pytest.TempPathFactory,
    make_database: Callable[[Path, int], Path],
    fit_database: Callable[[Path], Fitted],
) -> Path:
    folder = tmp_path_factory.mktemp("released")
    database, bundles, _ = fit_database(make_database(folder / "of" / "crystals.duckdb", 150))
    release_bundles(bundles, folder / "made", "2026.1", database=database)
    return folder / "made"


def section_of(inputs: Inputs, releases: Path) -> tuple[Section, dict[str, int]]:
    release = last_release(releases)
    assert release is not None
    section, frames = update_section(inputs, release)
    return section, frames["update-entries"]["change"].value_counts().to_dict()


def test_what_entered_and_a_verdict_on_each_prior(fitted: Fitted, releases: Path) -> None:
    section, counts = section_of(gather(*fitted), releases)
    assert counts == {"entered": 50}
    assert "50 entries entered and 0 left" in section.lead
    titles = [table.title for table in section.tables]
    assert titles == ["Entries", "Subsets", "Priors of all-50", "Priors of p21c-10"]
    of_all = section.tables[2]
    assert "85.7 % of their structures" in of_all.lead, "2 · 150 of 150 + 200"
    assert "excludes zero by chance" in of_all.lead and "excludes zero" not in section.tables[3].lead, "once"
    assert re.search(
        r"Volume of the cell</td>.*? Å³</td>.*?[+−][\d.]+ Å³<br>.*?sampling: [\d.]+ %", of_all.html
    )
    assert re.search(
        r"<td>all-50</td><td class=\"number\">150</td><td class=\"number\">50</td>", section.tables[1].html
    )
    rows = re.findall(r'<td class="wide">([^<]*)<?.*?</td><td class="verdict \w+">([^<]*)<', of_all.html)
    assert ("Volume of the cell", "within sampling error") in rows, "both are of one law"
    assert len(rows) >= 8 and {verdict for _, verdict in rows} <= {"within sampling error", "real", "large"}


@pytest.mark.slow
def test_the_report_begins_with_it(fitted: Fitted, releases: Path, tmp_path: Path) -> None:
    database, bundles, subsets = fitted
    page = build_report(database, bundles, tmp_path, subsets=subsets, releases=releases).read_text()
    assert page.index('id="update"') < page.index('id="corpus"')
    assert (tmp_path / "figures" / "update-entries.csv").read_text().count("entered") == 50
    release_bundles(bundles, releases, "2026.2", database=database)
    section, counts = section_of(gather(*fitted), releases)
    assert counts == {} and "no entry has changed" in section.lead
    assert "0 of them" in section.lead or "0 moved" in section.lead
