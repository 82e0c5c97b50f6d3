"""The reader and the machinery together, on real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpus import corpus_dir
from tables import contents

from xtalpriors.mining.database.store import open_database
from xtalpriors.mining.database.views import VIEWS
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.tree import OTHER_FORMATS, TreeSource


@pytest.fixture(scope="module", params=["cod", "dirty"])
def mined(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = corpus_dir(request.param)
    database = tmp_path_factory.mktemp(request.param) / "crystals.duckdb"
    mine([TreeSource(root)], None, database, workers=2)
    return root, database


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with open_database(database) as connection:
        return connection.execute(query).fetchall()


def test_every_file_is_an_entry_or_a_rejection(mined: tuple[Path, Path]) -> None:
    root, database = mined
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    files = {name for name in files if not name.lower().endswith(OTHER_FORMATS)}
    accounted = rows(database, "SELECT file_id FROM entry UNION SELECT file_id FROM rejection")
    assert len(files) > 1500
    assert {name for (name,) in accounted} == files
    assert rows(database, "SELECT count(*) FROM file WHERE content_hash IS NULL") == [(0,)]


def test_no_file_takes_its_reader_down(mined: tuple[Path, Path]) -> None:
    _, database = mined
    worst = "SELECT * FROM rejection WHERE stage IN ('crash', 'memory', 'timeout') OR code = 'nothing'"
    assert rows(database, worst) == []


NOTHING_WRONG = {
    "entry_id is a key": "SELECT entry_id FROM entry GROUP BY entry_id HAVING count(*) > 1",
    "sites have a key": "SELECT entry_id, site_index FROM site GROUP BY ALL HAVING count(*) > 1",
    "sites have an entry": "SELECT entry_id FROM site ANTI JOIN entry USING (entry_id)",
    "entries have their sites": """SELECT entry_id FROM entry LEFT JOIN site USING (entry_id)
        GROUP BY entry_id, n_sites HAVING n_sites > count(site.entry_id)""",
    "entries have a cluster": "SELECT entry_id FROM entry ANTI JOIN cluster USING (entry_id)",
    "hashes are those of the files": """SELECT entry_id FROM entry JOIN file USING (source, file_id)
        WHERE entry.content_hash <> file.content_hash""",
}


@pytest.mark.parametrize("rule", NOTHING_WRONG)
def test_tables_agree(mined: tuple[Path, Path], rule: str) -> None:
    _, database = mined
    assert rows(database, "SELECT count(*) > 1000 FROM entry") == [(True,)]
    assert rows(database, NOTHING_WRONG[rule]) == []


@pytest.mark.parametrize("view", VIEWS)
def test_views_say_something_of_real_data(mined: tuple[Path, Path], view: str) -> None:
    _, database = mined
    if view == "rejections_by_reason" and not rows(database, "FROM rejection LIMIT 1"):
        pytest.skip("no file of this corpus is rejected")
    assert rows(database, f"FROM {view} LIMIT 3")


@pytest.mark.slow
def test_one_file_tasks_give_the_same_rows(tmp_path: Path) -> None:
    from xtalpriors.mining.work.process import Limits

    root = corpus_dir("cod") / "cif" / "2"
    found = []
    for name, limits in (("a", Limits(task_files=1)), ("b", Limits())):
        mine([TreeSource(root)], None, tmp_path / name, workers=2, limits=limits)
        found.append(contents(tmp_path / name))
    assert found[0]["entry"] and found[0] == found[1]
