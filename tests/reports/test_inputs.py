"""Matching of bundles, subsets and databases; the comparison with the paper and the drift."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from xtalpriors.errors import XtalpriorsError
from xtalpriors.priors.bundle import load_bundle
from xtalpriors.reports.build import build_report
from xtalpriors.reports.inputs import gather
from xtalpriors.reports.subset_data import load_subset

Fitted = tuple[Path, list[Path], list[Path]]


@pytest.fixture(scope="module")
def older(
    tmp_path_factory: pytest.TempPathFactory,
    make_database: Callable[[Path, int, int], Path],
    fit_database: Callable[[Path], Fitted],
) -> Fitted:
    """The same of other structures."""
    return fit_database(make_database(tmp_path_factory.mktemp("older") / "crystals.duckdb", 150, 2))


def test_report_with_bundles_names_their_digests_and_draws_their_fits(fitted: Fitted, tmp_path: Path) -> None:
    database, bundles, subsets = fitted
    page = build_report(database, bundles, tmp_path, subsets=subsets).read_text()
    bundle = load_bundle(bundles[1])
    assert bundle.priors.cell_volume is not None
    svg = (tmp_path / "figures" / "volume.svg").read_text()
    assert bundle.priors_digest[:12] in svg
    assert "log-normal fit" in svg
    assert "Which priors were fitted?" in page and bundle.priors_digest in page
    volumes = pd.read_csv(tmp_path / "figures" / "volume.csv")
    assert set(volumes[volumes["panel"] == "small"]["role"]) == {"data", "fit", "paper", "rule"}


@pytest.mark.slow
def test_subsets_are_selected_where_they_are_not_given(fitted: Fitted, tmp_path: Path) -> None:
    database, bundles, subsets = fitted
    build_report(database, bundles, tmp_path / "given", subsets=subsets)
    build_report(database, bundles, tmp_path / "selected")
    for name in ("volume.csv", "lengths.csv", "waterfall.csv"):
        both = [(tmp_path / folder / "figures" / name).read_bytes() for folder in ("given", "selected")]
        assert both[0] == both[1]


def test_bundles_of_another_database_alone_are_an_error_with_both_digests(
    fitted: Fitted, older: Fitted
) -> None:
    digest = gather(fitted[0], [], []).corpus.digest
    foreign = load_bundle(older[1][0]).created_from.subset_digest
    assert foreign is not None and foreign != load_bundle(fitted[1][0]).created_from.subset_digest
    with pytest.raises(XtalpriorsError, match=f"(?s){digest}.*{foreign}"):
        gather(fitted[0], older[1], [])


@pytest.mark.slow
def test_bundles_of_another_database_beside_are_for_the_drift(
    fitted: Fitted, older: Fitted, tmp_path: Path
) -> None:
    page = build_report(fitted[0], [*fitted[1], *older[1]], tmp_path).read_text()
    foreign = load_bundle(older[1][0]).created_from.subset_digest
    assert foreign is not None and foreign in page and "used for the drift only" in page
    moves = pd.read_csv(tmp_path / "figures" / "drift-2-p21c-10.csv")
    assert {"cell_volume.parametric.mu", "cell_volume"} <= set(moves["name"])
    noise = moves["noise"].fillna(0.0)
    times = (moves["change"].abs() / noise.where(noise > 0, 1e-30)).where(moves["change"] != 0, 0.0)
    for exceeds in (True, False):
        of_kind = times[moves["exceeds"] == exceeds]
        assert of_kind.is_monotonic_decreasing, "the largest moves come first"
    # Both were drawn from the same law with other seeds: the medians of V agree within their errors.
    by_name = moves.set_index("name")
    assert abs(by_name.loc["cell_volume.parametric.mu", "change"]) < 0.15


@pytest.mark.slow
def test_the_same_bundle_twice_has_not_moved(fitted: Fitted, tmp_path: Path) -> None:
    build_report(fitted[0], [*fitted[1], fitted[1][1]], tmp_path)
    moves = pd.read_csv(tmp_path / "figures" / "drift-1-p21c-10.csv")
    assert len(moves) > 10
    assert not moves["exceeds"].any()


def test_a_subset_of_another_database_is_selected_anew(fitted: Fitted, older: Fitted) -> None:
    inputs = gather(fitted[0], fitted[1], older[2])
    assert len(inputs.small.frame) == load_bundle(fitted[1][1]).created_from.structures
    assert sum("does not hold the structures" in w for w in inputs.warnings) == 2


def test_a_subset_cut_short_is_an_error_that_names_it(fitted: Fitted, tmp_path: Path) -> None:
    database = fitted[0]
    short = tmp_path / "p21c-10.parquet"
    short.write_bytes(fitted[2][1].read_bytes()[:500])
    with pytest.raises(XtalpriorsError, match=re.escape(str(short))):
        load_subset(short, database)
    with pytest.raises(XtalpriorsError, match=r"There is no subset .*gone"):
        load_subset(tmp_path / "gone.parquet", database)
