"""Subsets: bounds, filters, waterfall, and files that depend on their content alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from tables import entry, make_database, site

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining import (
    DEFAULT_SUBSETS,
    SubsetDefinition,
    SubsetReport,
    dropped_entries,
    read_metadata,
    write_subset,
)
from xtalpriors.mining.database.digest import unset_digest
from xtalpriors.mining.database.schema import CLUSTER, ENTRY, SITE, arrow_schema
from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.files import sites_path
from xtalpriors.mining.subsets.filters import FILTERS
from xtalpriors.params import load_params


def cell(a: float, b: float = 6.0, c: float = 7.0, beta: float = 95.0) -> tuple[float, ...]:
    return (a, b, c, 90.0, beta, 90.0)


def kept(
    tmp_path: Path, definition: SubsetDefinition, *rows: dict[str, Any]
) -> tuple[list[str], SubsetReport]:
    database = tmp_path / "crystals.duckdb"
    if rows:
        make_database(database, rows)
    output = tmp_path / f"{definition.name}.parquet"
    report = write_subset(database, definition, output)
    names = pq.read_table(output)["entry_id"].to_pylist()
    assert names == sorted(names)
    assert report.n_entries == len(names)
    return names, report


def test_bounds_of_the_papers_subsets(tmp_path: Path) -> None:
    """4 ≤ … ≤ 10 is closed; < 20 with one > 10 is open (Melgalvis & Reķis 2026, Tables 1 and 2)."""
    rows = [
        entry("x:below", cell(3.999), formula="C"),
        entry("x:four", cell(4.0), formula="N"),
        entry("x:ten", cell(10.0), formula="O"),
        entry("x:eleven", cell(10.001), formula="F"),
        entry("x:nineteen", cell(19.999), formula="S"),
        entry("x:twenty", cell(20.0), formula="P"),
        entry("x:triclinic", (5.0, 6.0, 7.0, 80.0, 85.0, 95.0), "P -1", "Cl"),
        entry("x:huge", (5.0, 6.0, 50.001, 90.0, 90.0, 90.0), "P -1", "Br"),
    ]
    small, _ = kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], *rows)
    assert small == ["x:four", "x:ten"]
    assert kept(tmp_path, DEFAULT_SUBSETS["p21c-20"])[0] == ["x:eleven", "x:nineteen"]
    assert kept(tmp_path, DEFAULT_SUBSETS["all-10"])[0] == ["x:four", "x:ten", "x:triclinic"]
    everything = ["x:eleven", "x:four", "x:nineteen", "x:ten", "x:triclinic", "x:twenty"]
    assert kept(tmp_path, DEFAULT_SUBSETS["all-50"])[0] == everything


def test_counts_under_both_conventions(tmp_path: Path) -> None:
    """A P2₁/n cell within 10 Å whose least-oblique P2₁/c cell is longer counts in one of them only."""
    rows = [
        entry("x:1", cell(9.0)),
        entry("x:2", cell(9.5, beta=91.0), "P 1 21/n 1", "C", least_oblique_c_angstrom=11.7),
    ]
    names, report = kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], *rows)
    assert names == ["x:1", "x:2"]
    assert report.n_by_convention == {"declared": 2, "least_oblique": 1}
    other = DEFAULT_SUBSETS["p21c-10"].model_copy(update={"convention": "least_oblique"})
    assert kept(tmp_path, other)[0] == ["x:1"]


def test_waterfall_and_what_each_filter_drops_alone(tmp_path: Path) -> None:
    rows = [
        entry("x:1", formula="C"),
        entry("x:2", formula="N", is_retracted=True, has_errors=True),
        entry("x:3", formula="O", has_errors=True),
        entry("x:4", formula="F", n_sites=0),
        entry("x:5", (3.0, 6.0, 7.0, 90.0, 95.0, 90.0), formula="S"),
        entry("x:6", hm="P -1", formula="P"),
    ]
    names, report = kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], *rows)
    assert names == ["x:1"]
    steps = {step.step: step.n for step in report.waterfall}
    assert list(steps)[:5] == ["files", "readable files", "files about a structure", "blocks", "structures"]
    assert list(steps)[5:7] == ["space group", "cell lengths"]
    assert [steps[s] for s in ("structures", "space group", "cell lengths")] == [6, 5, 4]
    assert [steps[s] for s in ("not_retracted", "no_errors", "has_coordinates")] == [3, 2, 1]
    assert report.dropped_alone["no_errors"] == 2
    assert report.dropped_alone["not_superspace"] == 0
    table = dropped_entries(tmp_path / "crystals.duckdb", DEFAULT_SUBSETS["p21c-10"])
    assert dict(zip(table["entry_id"].to_pylist(), table["filter"].to_pylist(), strict=True)) == {
        "x:2": "not_retracted",
        "x:3": "no_errors",
        "x:4": "has_coordinates",
    }


def test_models_that_are_not_what_was_measured_are_left_out_by_default(tmp_path: Path) -> None:
    """Neither a missing formula nor hydrogen that only the formula has is a contradiction."""
    agreements = ("agree", "hydrogen", "multiple", "no-formula", "disagree")
    rows = [
        entry(f"x:{how}", formula=f"C{i + 1}", composition_agreement=how) for i, how in enumerate(agreements)
    ]
    rows += [
        entry("x:two", formula="N", notes="inherited;overfull-position"),
        entry("x:one", formula="O", notes="x"),
    ]
    names, report = kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], *rows)
    assert names == ["x:agree", "x:hydrogen", "x:multiple", "x:no-formula", "x:one"]
    assert report.dropped_alone["composition_not_contradicted"] == 1
    assert report.dropped_alone["no_overfull_positions"] == 1


def test_weights_within_the_subset(tmp_path: Path) -> None:
    """Three redeterminations, the best of them retracted: the two that stay weigh one half each."""
    rows = [
        entry("x:1", r1=0.01, is_retracted=True),
        entry("x:2", r1=0.03),
        entry("x:3", r1=0.02),
        entry("x:4", formula="S8"),
    ]
    names, report = kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], *rows)
    table = pq.read_table(tmp_path / "p21c-10.parquet")
    assert dict(zip(names, table["weight"].to_pylist(), strict=True)) == {"x:2": 0.5, "x:3": 0.5, "x:4": 1.0}
    assert dict(zip(names, table["is_best"].to_pylist(), strict=True)) == {
        "x:2": False,
        "x:3": True,
        "x:4": True,
    }
    assert report.n_clusters == 2
    filters = (*DEFAULT_SUBSETS["p21c-10"].filters, "best_of_cluster")
    best = SubsetDefinition(name="best", space_group_numbers=(14,), filters=filters)
    assert kept(tmp_path, best)[0] == ["x:3", "x:4"]
    assert pq.read_table(tmp_path / "best.parquet")["weight"].to_pylist() == [1.0, 1.0]


def test_files_depend_on_content_alone(tmp_path: Path) -> None:
    rows = [entry(f"x:{i:03d}", cell(4 + 0.05 * i), formula=f"C{i + 1} H4") for i in range(100)]
    sites = [site(row["entry_id"], i) for row in rows for i in range(5)]
    written = []
    for name in ("first", "second"):
        database = make_database(tmp_path / name / "d.duckdb", rows, sites)
        write_subset(database, DEFAULT_SUBSETS["all-10"], tmp_path / name / "s.parquet")
        files = (tmp_path / name / "s.parquet", sites_path(tmp_path / name / "s.parquet"))
        written.append([file.read_bytes() for file in files])
        random.Random(1).shuffle(rows)
        random.Random(2).shuffle(sites)
    assert written[0] == written[1]
    table = pq.read_table(tmp_path / "first" / "s.sites.parquet")
    assert table.num_rows == 500
    keys = list(zip(table["entry_id"].to_pylist(), table["site_index"].to_pylist(), strict=True))
    assert keys == sorted(keys)


def test_columns_and_metadata(tmp_path: Path) -> None:
    kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], entry("x:1"))
    subset = tmp_path / "p21c-10.parquet"
    assert pq.read_schema(subset).remove_metadata() == arrow_schema((*ENTRY, *CLUSTER[1:]))
    assert pq.read_schema(sites_path(subset)).remove_metadata() == arrow_schema(SITE)
    metadata = read_metadata(subset)
    assert SubsetDefinition(**metadata["definition"]) == DEFAULT_SUBSETS["p21c-10"]
    assert metadata["corpus"] == "x"
    counts = count_subset(tmp_path / "crystals.duckdb", DEFAULT_SUBSETS["p21c-10"])
    assert counts.waterfall[-1] == ("volume_plausible", 1)
    assert metadata["pool_to"] == "all-10"
    assert metadata["n_entries"] == metadata["n_sites"] == 1
    assert metadata["subset_digest"] == counts.digest and len(counts.digest) == 32


def test_a_subset_that_an_update_spares_keeps_its_bytes(tmp_path: Path) -> None:
    """So that the pipeline stops at it; another content of one of its entries' files does change it."""
    small, large = DEFAULT_SUBSETS["p21c-10"], DEFAULT_SUBSETS["all-50"]
    inside, outside = entry("x:1"), entry("x:2", cell(11.0), formula="N")
    written = {}
    for name, rows in {
        "before": [inside],
        "after": [inside, outside],
        "changed": [inside | {"content_hash": "f" * 32}],
    }.items():
        database = make_database(tmp_path / f"{name}.duckdb", rows)
        for definition in (small, large):
            output = tmp_path / name / f"{definition.name}.parquet"
            write_subset(database, definition, output)
            written[name, definition.name] = output.read_bytes() + sites_path(output).read_bytes()
    assert written["before", "p21c-10"] == written["after", "p21c-10"]
    assert written["before", "all-50"] != written["after", "all-50"]
    assert written["before", "p21c-10"] != written["changed", "p21c-10"]


def test_an_empty_subset_says_so(tmp_path: Path) -> None:
    names, report = kept(tmp_path, DEFAULT_SUBSETS["p21c-20"], entry("x:1"))
    assert names == []
    assert "empty" in str(report)
    assert pq.read_table(sites_path(tmp_path / "p21c-20.parquet")).num_rows == 0


def test_a_large_subset_is_not_pooled(tmp_path: Path) -> None:
    rows = [entry(f"x:{i}", formula=f"C{i + 1}") for i in range(50)]
    assert kept(tmp_path, DEFAULT_SUBSETS["p21c-10"], *rows)[1].pool_to is None


def test_every_filter_is_true_or_false_for_every_entry(tmp_path: Path) -> None:
    """Also where every column that may be null is null."""
    null = entry("x:null", formula=None) | {c.name: None for c in ENTRY if c.nullable}
    with open_database(make_database(tmp_path / "d.duckdb", [entry("x:full"), null])) as connection:
        for name, filter_ in FILTERS.items():
            rows = connection.execute(f"SELECT {filter_.sql} FROM entry").fetchall()
            assert len(rows) == 2
            assert all(isinstance(row[0], bool) for row in rows), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "a", "filters": ("not_retracked",)}, "not_retracted"),
        ({"name": "a", "filters": ("no_errors", "no_errors")}, "named twice"),
        ({"name": "A b"}, "should match pattern"),
        ({"name": "a", "length_minimum": 4}, "Extra inputs"),
        ({"name": "a", "space_group_numbers": (231,)}, "less than or equal to 230"),
        ({"name": "a", "length_min_angstrom": 11, "length_max_angstrom": 10}, "no cell can meet both"),
        ({"name": "a", "longest_above_angstrom": 10, "length_below_angstrom": 9}, "no cell can meet both"),
        ({"name": "a", "length_max_angstrom": float("nan")}, "greater than 0|finite"),
        ({"name": "a", "convention": "least_oblique"}, "space group 14"),
    ],
)
def test_definitions_that_cannot_be(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SubsetDefinition(**wrong)


def test_errors_name_the_file(tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match="There is no database"):
        write_subset(tmp_path / "absent.duckdb", DEFAULT_SUBSETS["all-50"], tmp_path / "a.parquet")
    with pytest.raises(XtalpriorsError, match="There is no subset"):
        read_metadata(tmp_path / "absent.parquet")
    (tmp_path / "other.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(XtalpriorsError, match="is a Parquet file, and not a subset"):
        read_metadata(tmp_path / "other.parquet")
    database = make_database(tmp_path / "d.duckdb", [entry("x:1")])
    (tmp_path / "file").touch()
    with pytest.raises(XtalpriorsError, match="cannot be written"):
        write_subset(database, DEFAULT_SUBSETS["all-50"], tmp_path / "file" / "a.parquet")


def test_unfinished_databases_are_refused(tmp_path: Path) -> None:
    database = make_database(tmp_path / "d.duckdb", [entry("x:1")])
    with open_database(database, read_only=False) as connection:
        unset_digest(connection)
    with pytest.raises(XtalpriorsError, match="did not finish"):
        write_subset(database, DEFAULT_SUBSETS["all-50"], tmp_path / "a.parquet")


ROOT = Path(__file__).resolve().parents[2]


def test_params_and_documentation_say_the_same() -> None:
    """`params.yaml` ships the default subsets; docs/subsets.md lists every filter with its meaning."""
    assert load_params(ROOT / "params.yaml").subsets == DEFAULT_SUBSETS
    assert [d.name for d in DEFAULT_SUBSETS.values()] == list(DEFAULT_SUBSETS)
    text = (ROOT / "docs" / "subsets.md").read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 3]
    table = {line.split("|")[1].strip(" `"): line.split("|")[2].strip() for line in listed}
    assert {name: table.get(name) for name in FILTERS} == {name: f.keeps for name, f in FILTERS.items()}
