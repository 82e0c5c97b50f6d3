"""The first section after an update, on a release of the first 150 of 200 made-up structures."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from xtalpriors.mining.subsets.snapshot import Changes
from xtalpriors.priors import last_release, release_bundles
from xtalpriors.priors.tell.compare import Move
from xtalpriors.priors.tell.verdict import PriorVerdict
from xtalpriors.reports.build import build_report
from xtalpriors.reports.html import markup, words
from xtalpriors.reports.inputs import Inputs, gather
from xtalpriors.reports.section import Section
from xtalpriors.reports.sections.update import _other_structures, _rows, update_section

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


def section_of(inputs: Inputs, releases: Path) -> tuple[Section, dict[str, pd.DataFrame]]:
    release = last_release(releases)
    assert release is not None
    return update_section(inputs, release)


def test_what_entered_and_a_verdict_on_each_prior(fitted: Fitted, releases: Path) -> None:
    section, frames = section_of(gather(*fitted), releases)
    assert frames["update-entries"]["change"].value_counts().to_dict() == {"entered": 50}
    assert "50 entries entered and 0 left" in section.lead
    titles = [table.title for table in section.tables]
    assert titles == ["Entries", "Subsets", "Priors of all-50", "Priors of p21c-10"]
    of_all = section.tables[2]
    assert "85.7 % of their structures" in of_all.lead, "2 · 150 of 150 + 200"
    assert "excludes zero by chance" in of_all.lead and "excludes zero" not in section.tables[3].lead, "once"
    assert "(150 structures)" in of_all.lead and "(200 structures)" in of_all.lead
    assert re.search(
        r"Volume of the cell</td>.*? Å³</td>.*?[+−][\d.]+ Å³<br>.*?>[\d.]+ Å³<br>.*?sampling: [\d.]+ Å³",
        of_all.html,
    )
    assert re.search(
        r"<td>all-50</td><td class=\"number\">150</td><td class=\"number\">50</td>", section.tables[1].html
    )
    rows = re.findall(r'<td class="prior">([^<]*)<?.*?</td><td class="verdict \w+">([^<]*)<', of_all.html)
    assert ("Volume of the cell", "within sampling error") in rows, "both are of one law"
    assert len(rows) >= 8 and {verdict for _, verdict in rows} <= {"within sampling error", "real", "large"}


def test_what_an_entry_was_and_is_that_stands_for_another_structure() -> None:
    columns = (
        "change",
        "entry_id",
        "elements_before",
        "elements_now",
        "sg_number_now",
        "volume_angstrom3_now",
    )
    rows = [
        ("structure", "a", "C", "C", 2, 900.0),
        ("structure", "b", "C", "C Sb", 14, None),
        ("content", "c", "C", "C", 2, 1784.2),
    ]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    frame = frame.with_columns(sg_number_before=pl.lit(2), volume_angstrom3_before=pl.lit(1784.2))
    (table,) = _other_structures(Changes("", frame, {}))
    shown = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.html.split("<tr>")[2:]]
    assert shown == [["b", "C → C Sb", "2 → 14", "1,784 → –"], ["a", "C", "2", "1,784 → 900"]]
    assert _other_structures(Changes("", frame.head(0), {})) == []


def test_the_row_of_a_verdict_has_the_quantity_and_the_measure_that_decided_it() -> None:
    """The mean decided; the median is within sampling, though the distribution is not."""
    volume = Move(
        name="cell_volume", kind="distribution", unit="Å³", a=1817, b=1863, shift=46, shift_low=-72,
        shift_high=148, change=199, ks_d=0.02, noise=142, exceeds=True,
    )  # fmt: skip
    mean = Move(
        name="cell_volume.mean", kind="number", unit="Å³", a=2533, b=2724, shift=191, shift_low=76,
        shift_high=312, change=191, noise=115, exceeds=True,
    )  # fmt: skip
    of = PriorVerdict(
        prior="cell_volume", verdict="real", drawn_otherwise=0.02, move=volume, needed=1.3, decisive=mean
    )
    decided, drawn = _rows(of)
    assert (decided.verdict, decided.quantity) == ("real", "decided by: Volume of the cell, mean")
    assert (decided.moved_by, decided.by_sampling, decided.otherwise) == ("191 Å³", "150 Å³", "–")
    assert (drawn.verdict, drawn.means) == ("beyond sampling", "other spread, median within sampling error")
    assert (drawn.moved_by, drawn.by_sampling, drawn.otherwise) == ("199 Å³", "185 Å³", "2.0 %")
    (_, drawn) = _rows(of.model_copy(update={"needed": 1.5}))
    assert drawn.verdict == "within sampling error", "199 < 1.5 · 142"


def test_shares_of_few_structures_do_not_move_by_more_than_all() -> None:
    sets = Move(name="contents.sets", kind="shares", a=None, b=None, change=0.405, noise=0.9, exceeds=False)
    of = PriorVerdict(
        prior="contents",
        verdict="within sampling error",
        drawn_otherwise=None,
        move=sets,
        needed=1.6,
        decisive=None,
    )
    (row,) = _rows(of)
    assert (row.moved_by, row.by_sampling, row.too_few) == ("40.5 %", "100.0 %", True)
    assert "too few structures" in markup("update", "priors", rows=[row])


@pytest.mark.parametrize(
    ("has_list", "unknown", "shared", "says"),
    [
        (
            True,
            "all-10",
            0.0,
            "The priors borrow from all-10, which the release does not have, so the two count",
        ),
        (False, None, 0.0, "no list of its entries, so the two count as independent samples"),
        (True, None, 0.0, "They share no structure"),
        (True, None, 0.662, "share 66.2 % of their structures"),
    ],
)
def test_each_section_says_what_is_known_of_shared_structures(
    has_list: bool, unknown: str | None, shared: float, says: str
) -> None:
    about = {"digest": "5b8b", "before": 6, "now": 10, "explained": False}
    lead = words("update", "priors_lead", has_list=has_list, unknown=unknown, shared=shared, **about)
    assert says in lead and "(6 structures)" in lead and "(10 structures)" in lead


@pytest.mark.slow
def test_the_report_begins_with_it(fitted: Fitted, releases: Path, tmp_path: Path) -> None:
    database, bundles, subsets = fitted
    page = build_report(database, bundles, tmp_path, subsets=subsets, releases=releases).read_text()
    assert page.index('id="update"') < page.index('id="corpus"')
    assert (tmp_path / "figures" / "update-entries.csv").read_text().count("entered") == 50
    release_bundles(bundles, releases, "2026.2", database=database)
    section, frames = section_of(gather(*fitted), releases)
    assert frames["update-entries"].empty and "no entry has changed" in section.lead
    assert "0 of them" in section.lead or "0 moved" in section.lead
