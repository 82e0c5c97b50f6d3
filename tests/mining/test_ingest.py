"""Results into the database: what goes into one transaction, and what becomes of an error in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from mining_double import cif, extract

from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.sources.manifest import list_files
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.ingest import Ingest
from xtalpriors.mining.work.plan import make_plan, make_tasks
from xtalpriors.mining.work.process import Limits
from xtalpriors.mining.work.task import TaskResult
from xtalpriors.mining.work.worker import run_task


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_database(tmp_path / "db", read_only=False) as connection:
        yield connection


def results(connection: duckdb.DuckDBPyConnection, root: Path) -> list[TaskResult]:
    """Six tasks, each of one file with four sites."""
    root.mkdir()
    for i in range(6):
        (root / f"{i}.cif").write_text(cif(f"s{i}", sites=4))
    source = TreeSource(root)
    make_plan(connection, list_files([source]), None, "double-1")
    tasks = make_tasks(connection, [source], Limits(task_files=1), 1)
    return [run_task(task, extract, lambda index: None) for task in tasks]


def test_a_transaction_holds_no_more_sites_than_it_may(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Of ten sites: two tasks of four, since a third one would be too much."""
    with Ingest(connection, most_sites=10) as ingest:
        stored = []
        for result in results(connection, tmp_path / "cod"):
            ingest.add(result)
            stored.append(ingest.n_stored)
        ingest.flush()
        assert ingest.n_stored == ingest.n_updated == 6
    # two tasks are handed over when the third comes, and are known to be stored when the fifth does
    assert stored[:2] == [0, 0] and set(stored[2:4]) <= {0, 2} and set(stored[4:]) <= {2, 4}
    assert connection.execute("SELECT count(*), count(DISTINCT entry_id) FROM site").fetchall() == [(24, 6)]


def test_what_goes_wrong_while_storing_is_raised_and_undone(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    good, bad, *_ = results(connection, tmp_path / "cod")
    sites = bad.sites.rename_columns(["other", *bad.sites.column_names[1:]])
    ingest = Ingest(connection, most_files=1)
    with pytest.raises(duckdb.Error, match="other"), ingest:
        ingest.add(good)
        ingest.add(bad._replace(sites=sites))
        ingest.flush()
    assert ingest.n_stored == 1
    assert connection.execute("SELECT count(*) FROM entry").fetchall() == [(1,)]
