from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from docs_tables import renewed
from tables import entry, make_database, rejection, site

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.digest import (
    Digest,
    digest_file,
    get_digest,
    read_digest,
    set_digest,
    write_digest,
)
from xtalpriors.mining.database.schema import ENTRY, SCHEMA_VERSION, arrow_schema
from xtalpriors.mining.database.store import CONTENT_TABLES, TABLES, open_database, reading, set_meta
from xtalpriors.mining.database.views import VIEWS
from xtalpriors.outputs import FileKind
from xtalpriors.paths import CorpusPaths
from xtalpriors.write_tables import parquet_with, write_parquet

ROWS = FileKind("rows", parquet_with(b"k"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "crystals.duckdb"
    open_database(path, read_only=False).close()
    return path


def test_tables_have_the_columns_of_the_schema_in_order(path: Path) -> None:
    with open_database(path) as connection:
        for name, (_, columns) in TABLES.items():
            schema = connection.sql(f"FROM {name}").to_arrow_table().schema
            assert schema.names == [column.name for column in columns]
            assert schema.types == arrow_schema(columns).types


def test_meanings_are_inside_the_database(path: Path) -> None:
    with open_database(path) as connection:
        told = connection.execute("SELECT table_name, column_name, comment FROM duckdb_columns()").fetchall()
        meanings = {(table, column): comment for table, column, comment in told}
        for table, (_, columns) in TABLES.items():
            for column in columns:
                assert meanings[table, column.name] == column.meaning
        comments = connection.execute(
            "SELECT comment FROM duckdb_tables() UNION ALL "
            "SELECT comment FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
        assert len(comments) >= len(TABLES) + len(VIEWS)
        assert all(comment for (comment,) in comments)


def test_columns_that_may_not_be_null_are_kept_so(path: Path) -> None:
    with open_database(path, read_only=False) as connection, pytest.raises(duckdb.ConstraintException):
        connection.execute("INSERT INTO cluster (entry_id) VALUES ('x')")


@pytest.mark.parametrize("view", VIEWS)
def test_views_can_be_queried(path: Path, view: str) -> None:
    with open_database(path) as connection:
        assert connection.execute(f"FROM {view}").fetchall() == []


def test_views_of_an_older_program_are_renewed(path: Path) -> None:
    with open_database(path, read_only=False) as connection:
        connection.execute("CREATE OR REPLACE VIEW p21c AS SELECT 1 AS x")
        set_meta(connection, "views", "other")
    open_database(path, read_only=False).close()
    with open_database(path) as connection:
        assert "least_oblique_operator" in [row[0] for row in connection.execute("DESCRIBE p21c").fetchall()]


def test_opening_for_writing_changes_nothing(path: Path) -> None:
    before = path.read_bytes()
    open_database(path, read_only=False).close()
    open_database(path).close()
    assert path.read_bytes() == before


def test_missing_database_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match=r"no database .*x\.duckdb.*xtalpriors mine"):
        open_database(tmp_path / "x.duckdb")


@pytest.mark.parametrize("read_only", [True, False])
def test_file_that_is_no_database_is_left_alone(tmp_path: Path, read_only: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"precious notes\n" * 1000)
    with pytest.raises(XtalpriorsError, match=r"notes\.txt.*not a database"):
        open_database(path, read_only)
    assert path.read_bytes() == b"precious notes\n" * 1000


def test_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sales.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE sale (x INTEGER)")
    before = path.read_bytes()
    with pytest.raises(XtalpriorsError, match="not one that xtalpriors mined"):
        open_database(path, read_only=False)
    assert path.read_bytes() == before


@pytest.mark.parametrize("read_only", [True, False])
def test_other_schema_version_is_refused_and_kept(path: Path, read_only: bool) -> None:
    with open_database(path, read_only=False) as connection:
        set_meta(connection, "schema_version", "999")
    before = path.read_bytes()
    with pytest.raises(XtalpriorsError, match=rf"version 999.*{SCHEMA_VERSION}.*Nothing was changed"):
        open_database(path, read_only)
    assert path.read_bytes() == before


def test_database_open_elsewhere_names_the_process(path: Path) -> None:
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(XtalpriorsError, match=rf"open in another process \(PID {other.pid}\)"):
            open_database(path, read_only=False)
        other.communicate("\n")


def _filled(path: Path) -> int:
    """Fill a table with more than a block; the number of bytes of the file."""
    with open_database(path, read_only=False) as connection:
        connection.execute(
            "INSERT INTO rejection (source, file_id, stage, code, detail) "
            "SELECT 's', i, 'parse', 'c', md5(i::VARCHAR) FROM range(40_000) AS t(i)"
        )
    return path.stat().st_size


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_file_that_was_cut_off_is_no_healthy_database(path: Path, read_only: bool, share: float) -> None:
    os.truncate(path, round(_filled(path) * share))
    with pytest.raises(XtalpriorsError, match=r"crystals\.duckdb is damaged .*Remove it and run"):
        open_database(path, read_only)


def test_bytes_that_changed_are_damage(path: Path) -> None:
    length = _filled(path)
    with path.open("r+b") as file:
        for block in range(12_288, length, 262_144):
            file.seek(block + 100)
            file.write(b"x")
    with (
        pytest.raises(XtalpriorsError, match=r"crystals\.duckdb is damaged .*Corrupt.*Remove it and run"),
        reading(path) as connection,
    ):
        connection.execute("FROM rejection").fetchall()


def test_a_file_that_became_shorter_by_itself_is_whole(path: Path) -> None:
    _filled(path)
    with open_database(path, read_only=False) as connection:
        connection.execute("CREATE TABLE big AS SELECT md5(i::VARCHAR) AS x FROM range(100_000) AS t(i)")
        connection.execute("CHECKPOINT")
        connection.execute("DROP TABLE big")
    with reading(path) as connection:
        assert connection.execute("SELECT count(detail) FROM rejection").fetchall() == [(40_000,)]


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    path.touch()
    with pytest.raises(XtalpriorsError, match=r"empty\.duckdb is empty.*xtalpriors mine"):
        open_database(path)
    open_database(path, read_only=False).close()
    open_database(path).close()


def test_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(XtalpriorsError, match="file is a file and no folder"):
        open_database(tmp_path / "file" / "x.duckdb", read_only=False)


def digest_of(connection: duckdb.DuckDBPyConnection) -> Digest:
    set_digest(connection)
    digest = get_digest(connection)
    assert digest is not None
    return digest


def _fill(connection: duckdb.DuckDBPyConnection, ids: list[int], chunk: int = 3) -> None:
    """Twenty files; every file gives a rejection, two where 5 divides its number."""
    for start in range(0, len(ids), chunk):
        some = ids[start : start + chunk]
        files = ", ".join(f"('cod', '{i}.cif', {i}, {i}, NULL, 'hash {i}', NULL)" for i in some)
        connection.execute(f"INSERT INTO file VALUES {files}")
        values = ", ".join(
            f"('cod', '{i}.cif', 'parse', 'c', 'd {i}')" for i in some for _ in range(1 + (i % 5 == 0))
        )
        connection.execute(f"INSERT INTO rejection (source, file_id, stage, code, detail) VALUES {values}")
        sites = ", ".join(f"('e{i}', {i}, {i / 7}, false)" for i in some)
        connection.execute(f"INSERT INTO site (entry_id, site_index, x, u_is_evidence) VALUES {sites}")


def test_digest_is_of_the_rows_not_of_their_order(tmp_path: Path) -> None:
    digests = []
    for k, ids in enumerate([list(range(20)), list(range(19, -1, -1))]):
        with open_database(tmp_path / f"{k}.duckdb", read_only=False) as connection:
            _fill(connection, ids, chunk=3 + k)
            digests.append(digest_of(connection))
    assert digests[0] == digests[1]
    assert digests[0]["tables"] == {"entry": 0, "site": 20, "rejection": 24, "file": 20, "cluster": 0}


CHANGES = [
    "UPDATE file SET content_hash = 'other' WHERE file_id = '7.cif'",
    "UPDATE file SET content_hash = NULL WHERE file_id = '7.cif'",
    "DELETE FROM file WHERE file_id = '7.cif'",
    "INSERT INTO file VALUES ('cod', '70.cif', 7, 7, 7, 'hash 7', NULL)",
    "UPDATE file SET source = 'amcsd' WHERE file_id = '7.cif'",
    "UPDATE file SET content_hash = 'hash ' || CASE file_id WHEN '7.cif' THEN '8' ELSE '7' END"
    " WHERE file_id IN ('7.cif', '8.cif')",
    "UPDATE rejection SET code = 'd', detail = 'c' WHERE file_id = '7.cif'",
    "UPDATE rejection SET stage = 'cell' WHERE file_id = '7.cif'",
    "DELETE FROM rejection WHERE file_id = '7.cif'",
    "INSERT INTO rejection FROM rejection WHERE file_id = '7.cif'",
    "UPDATE meta SET value = '999' WHERE key = 'extractor_version'",
]
NO_CHANGES = [  # none of these can differ between databases that were made of the same files by the same code
    "UPDATE site SET x = nextafter(x, 'inf'::DOUBLE) WHERE site_index = 7",
    "UPDATE file SET mtime_ns = 5, ctime_ns = 6",
    "INSERT INTO run (started, schema_version, extractor_version, packages, n_files_seen, n_files_read)"
    " VALUES ('now', 1, 'x', '{}', 1, 1)",
    "CREATE TABLE other AS FROM rejection; DELETE FROM rejection;"
    " INSERT INTO rejection FROM other ORDER BY file_id DESC",
]


@pytest.mark.parametrize("change", CHANGES)
def test_digest_sees_every_change_of_what_was_read(path: Path, change: str) -> None:
    with open_database(path, read_only=False) as connection:
        set_meta(connection, "extractor_version", "7")
        _fill(connection, list(range(20)))
        before = digest_of(connection)
        connection.execute(change)
        assert digest_of(connection)["digest"] != before["digest"]


@pytest.mark.parametrize("change", NO_CHANGES)
def test_digest_leaves_out_runs_times_and_what_a_processor_computes(path: Path, change: str) -> None:
    with open_database(path, read_only=False) as connection:
        _fill(connection, list(range(20)))
        before = digest_of(connection)
        connection.execute(change)
        assert digest_of(connection) == before
        assert before["sources"] == {"cod": {"files": 20, "entries": 0, "rejections": 24}}


def test_an_entry_more_is_another_outcome(tmp_path: Path) -> None:
    """Two entries of one file, or of two files: the number that each file gave counts."""
    digests = set()
    for files in (("x:a",), ("x:a", "x:a"), ("x:a", "x:b")):
        rows = [entry(f"{name}#{i}") | {"file_id": name[2:]} for i, name in enumerate(files)]
        database = make_database(tmp_path / f"{len(digests)}.duckdb", rows)
        with open_database(database) as connection:
            digests.add(read_digest(connection, database)["digest"])
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("database", "file"),
    [("data/cod/crystals.duckdb", "data/cod/digest.json"), ("mine/cod.duckdb", "mine/cod.digest.json")],
)
def test_where_the_digest_file_of_a_database_is(database: str, file: str) -> None:
    assert digest_file(Path(database)) == Path(file)
    assert digest_file(CorpusPaths("x").database) == CorpusPaths("x").digest


def test_a_database_that_its_digest_file_does_not_name_is_refused(path: Path) -> None:
    with open_database(path, read_only=False) as connection:
        _fill(connection, list(range(20)))
        with pytest.raises(XtalpriorsError, match=r"crystals\.duckdb did not finish.*xtalpriors mine"):
            read_digest(connection, path)
        digest = digest_of(connection)
        assert read_digest(connection, path) == digest  # without a file there is nothing to compare with
        write_digest(digest, digest_file(path))
        assert read_digest(connection, path) == digest
        write_digest({**digest, "digest": "another"}, digest_file(path))
        with pytest.raises(
            XtalpriorsError, match=r"digest\.json names the database another.*xtalpriors mine"
        ):
            read_digest(connection, path)
        digest_file(path).write_text("{}")
        with pytest.raises(XtalpriorsError, match=r"digest\.json cannot be read, but"):
            read_digest(connection, path)


def test_digest_file_is_canonical(path: Path, tmp_path: Path) -> None:
    with open_database(path, read_only=False) as connection:
        digest = digest_of(connection)
    write_digest(digest, tmp_path / "digest.json")
    text = (tmp_path / "digest.json").read_text()
    assert json.loads(text) == digest
    assert list(json.loads(text)) == sorted(json.loads(text))
    assert set(digest["tables"]) == set(CONTENT_TABLES)


def test_page_of_the_documentation_is_the_schema() -> None:
    page = Path(__file__).parents[2] / "docs" / "database.md"
    text = page.read_text(encoding="utf-8")
    assert text == renewed("docs/database.md", text), "run `python tools/docs_tables.py`"
    assert text.count("\n| `") > sum(len(columns) for _, columns in TABLES.values())


def test_queries_of_the_documentation_find_what_the_page_says(tmp_path: Path) -> None:
    """Two redeterminations at 290 K, a structure at 150 K and one with disorder, iron on a, one rejection."""
    page = (Path(__file__).parents[2] / "docs" / "database.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    columns, groups, rejections, contradictions, u_iso, iron, decided = blocks
    notes, implausible = contradictions.rstrip().rstrip(";").split(";\n")
    warm, cold = {"temperature_kelvin": 290.0}, {"temperature_kelvin": 150.0}
    rows = [
        entry("x:1", formula="Fe S", u_iso_mean_angstrom2=0.01, **warm),
        entry("x:2", formula="Fe S", u_iso_mean_angstrom2=0.03, notes="decided-by-cell;inherited", **warm),
        entry("x:3", formula="C H4", u_iso_mean_angstrom2=0.05, **cold),
        entry("x:4", hm="P -1", formula="N", u_iso_mean_angstrom2=0.9, has_disorder=True, **cold)
        | {"notes": "volume-implausible"},
    ]
    sites = [site(f"x:{i}", 0, "Fe", wyckoff_letter="a") for i in (1, 2)]
    sites += [site("x:3", 0, "C", wyckoff_letter="e"), site("x:3", 1, "H", wyckoff_letter="e")]
    lost = [rejection("bad.cif", "symmetry", "no-group")]
    with open_database(make_database(tmp_path / "d.duckdb", rows, sites, lost)) as connection:
        assert dict(connection.execute(columns).fetchall()) == {c.name: c.meaning for c in ENTRY}
        found = [(row[0], *row[3:]) for row in connection.execute(groups).fetchall()]
        assert found == [(14, 3, 2, 75.0), (2, 1, 1, 25.0)]  # number, entries, clusters, per cent
        assert connection.execute(rejections).fetchall() == [("bad.cif", "as told")]
        counts = {row[0]: row[1] for row in connection.execute(notes).fetchall()}
        assert counts == {"decided-by-cell": 1, "inherited": 1, "volume-implausible": 1}
        assert [row[0] for row in connection.execute(implausible).fetchall()] == ["x:4"]
        assert connection.execute(u_iso).fetchall() == [
            (150.0, 1, pytest.approx(0.05)),
            (300.0, 2, pytest.approx(0.02)),
        ]
        assert connection.execute(iron).fetchall() == [(14, "a", 2)]
        assert [row[0] for row in connection.execute(decided).fetchall()] == ["x:2"]


def test_files_that_cannot_be_written_are_named(path: Path, tmp_path: Path) -> None:
    with open_database(path, read_only=False) as connection:
        digest = digest_of(connection)
    (tmp_path / "file").write_text("")
    with pytest.raises(XtalpriorsError, match=r"digest\.json cannot be written: .*is a file and no folder"):
        write_digest(digest, tmp_path / "file" / "digest.json")
    rows = pa.table({"x": [1, 2]})
    with pytest.raises(XtalpriorsError, match=r"x\.parquet cannot be written: .*is a file and no folder"):
        write_parquet(rows, rows.schema, tmp_path / "file" / "x.parquet", {}, ROWS)


def test_rows_that_fail_leave_the_former_parquet_file_alone(tmp_path: Path) -> None:
    rows, file = pa.table({"x": [1, 2]}), tmp_path / "x.parquet"
    assert write_parquet(rows, rows.schema, file, {b"k": b"v"}, ROWS) == 2
    before = file.read_bytes()

    def broken() -> Iterator[pa.RecordBatch]:
        yield rows.to_batches()[0]
        raise pa.ArrowInvalid("out of rows")

    with pytest.raises(pa.ArrowInvalid):
        write_parquet(pa.RecordBatchReader.from_batches(rows.schema, broken()), rows.schema, file, {}, ROWS)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["x.parquet"]
