from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mining_double import LAZY, Shuffled, cif

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.database.digest import get_digest, unset_digest
from xtalpriors.mining.database.store import open_database, set_meta
from xtalpriors.mining.run import MineReport, mine
from xtalpriors.mining.sources import Source
from xtalpriors.mining.sources.archives import open_archive
from xtalpriors.mining.sources.manifest import update_manifest
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.process import Limits
from xtalpriors.mining.work.task import Reader


@pytest.fixture
def tree(tmp_path: Path) -> TreeSource:
    root = tmp_path / "cod"
    for i in range(24):
        (root / str(i % 3)).mkdir(parents=True, exist_ok=True)
        (root / str(i % 3) / f"{i:02d}.cif").write_text(cif(f"s{i}", sites=i % 4))
    (root / "no.cif").write_text("nothing here")
    return TreeSource(root)


def run(source: Source, database: Path, **options: object) -> MineReport:
    given = {"workers": 1, "reader": LAZY, "limits": Limits(task_files=7), **options}
    manifest = given.pop("manifest", None)
    return mine([source], manifest, database, **given)  # type: ignore[arg-type]


def content(database: Path) -> dict[str, list[tuple[object, ...]]]:
    queries = {
        "entry": "SELECT entry_id, content_hash, a_angstrom FROM entry ORDER BY ALL",
        "site": "SELECT entry_id, site_index, x FROM site ORDER BY ALL",
        "rejection": "FROM rejection ORDER BY ALL",
        "file": "SELECT source, file_id, content_hash FROM file ORDER BY ALL",
        "cluster": "FROM cluster ORDER BY ALL",
        "pending": "FROM pending",
    }
    with open_database(database) as connection:
        return {name: connection.execute(query).fetchall() for name, query in queries.items()}


def count(database: Path, what: str) -> int:
    with open_database(database) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {what}").fetchall()[0][0])


def test_first_run_reads_everything(tree: TreeSource, tmp_path: Path) -> None:
    report = run(tree, tmp_path / "db", digest=tmp_path / "digest.json")
    assert (report.plan.new, report.n_read, report.n_entries, report.n_rejections) == (25, 25, 24, 1)
    rows = content(tmp_path / "db")
    assert len(rows["site"]) == sum(i % 4 for i in range(24))
    assert len(rows["cluster"]) == 24
    assert json.loads((tmp_path / "digest.json").read_text())["digest"] == report.digest
    with open_database(tmp_path / "db") as connection:
        ((finished, version, n),) = connection.execute(
            "SELECT finished, extractor_version, n_entries FROM run"
        ).fetchall()
    assert finished
    assert (version, n) == ("double-1", 24)


def test_every_file_is_accounted_for(tree: TreeSource, tmp_path: Path) -> None:
    (tree.root / "gone.cif").symlink_to(tmp_path / "nowhere")
    (tree.root / "empty.cif").write_text("")
    run(tree, tmp_path / "db")
    with open_database(tmp_path / "db") as connection:
        listed = {row[0] for row in connection.execute("SELECT file_id FROM file").fetchall()}
        accounted = connection.execute(
            "SELECT file_id FROM entry UNION SELECT file_id FROM rejection"
        ).fetchall()
    assert len(listed) == 27
    assert listed == {row[0] for row in accounted}


def test_nothing_changed_reads_nothing_and_leaves_the_file(tree: TreeSource, tmp_path: Path) -> None:
    (tree.root / "gone.cif").symlink_to(tmp_path / "nowhere")
    first = run(tree, tmp_path / "db", digest=tmp_path / "digest.json")
    before = (tmp_path / "db").read_bytes(), (tmp_path / "digest.json").read_bytes()
    (tmp_path / "digest.json").unlink()
    second = run(tree, tmp_path / "db", digest=tmp_path / "digest.json")
    assert second.plan.n_read == second.plan.retry == 1  # what cannot be read is tried again
    assert (second.n_updated, second.digest) == (0, first.digest)
    assert ((tmp_path / "db").read_bytes(), (tmp_path / "digest.json").read_bytes()) == before


def test_files_of_an_older_revision_than_before_are_counted(tree: TreeSource, tmp_path: Path) -> None:
    """A copy of the source that is out of date: what it says is taken, and that it does is said."""
    for name, revision in {"0/00": 20, "1/01": 20, "2/02": 20}.items():
        (tree.root / f"{name}.cif").write_text(cif(name[2:]) + f"#$Revision: {revision} $\n")
    assert "older" not in str(run(tree, tmp_path / "db"))
    for name, revision in {"0/00": 19, "1/01": 21, "2/02": 7}.items():
        (tree.root / f"{name}.cif").write_text(cif(name[2:]) + f"#$Revision: {revision} $\n")
    report = run(tree, tmp_path / "db")
    assert (report.plan.changed, report.n_older) == (3, 2)
    assert "2 files of an older revision than before" in str(report)


def test_new_changed_touched_and_deleted(tree: TreeSource, tmp_path: Path) -> None:
    run(tree, tmp_path / "db")
    (tree.root / "new.cif").write_text(cif("fresh"))
    (tree.root / "0/00.cif").write_text(cif("changed", sites=5))
    (tree.root / "1/01.cif").write_text("now broken")
    (tree.root / "no.cif").write_text(cif("now_good"))
    os.utime(tree.root / "2/02.cif", ns=(0, 0))
    (tree.root / "0/03.cif").unlink()
    report = run(tree, tmp_path / "db")
    assert (report.plan.new, report.plan.changed, report.plan.deleted) == (1, 4, 1)
    assert report.n_updated == 4  # the touched one was read, found the same, and left
    assert "(1 new, 3 changed" in str(report) and "1 touched, 1 deleted" in str(report)
    fresh = run(tree, tmp_path / "fresh")
    assert report.digest == fresh.digest
    assert content(tmp_path / "db") == content(tmp_path / "fresh")
    assert run(tree, tmp_path / "db").is_noop


def test_a_run_that_finds_nothing_else_than_new_times_is_no_interrupted_run(
    tree: TreeSource, tmp_path: Path
) -> None:
    run(tree, tmp_path / "db")
    os.utime(tree.root / "2/02.cif", ns=(0, 0))
    assert run(tree, tmp_path / "db").n_updated == 0
    assert count(tmp_path / "db", "run") == 2
    assert count(tmp_path / "db", "run WHERE finished IS NULL") == 0


def test_status_change_is_a_change_of_content(tree: TreeSource, tmp_path: Path) -> None:
    """The COD marks a structure retracted inside its file; the size may stay, the hash does not."""
    run(tree, tmp_path / "db")
    path = tree.root / "0/00.cif"
    text = path.read_text()
    path.write_text(text.replace("s0", "r0"))
    assert path.stat().st_size == len(text)
    assert run(tree, tmp_path / "db").n_updated == 1
    assert count(tmp_path / "db", "entry WHERE block = 'r0'") == 1
    assert count(tmp_path / "db", "entry WHERE block = 's0'") == 0


def test_file_replaced_with_equal_size_and_mtime_is_read_again(tree: TreeSource, tmp_path: Path) -> None:
    run(tree, tmp_path / "db")
    path = tree.root / "0/00.cif"
    before = path.stat()
    other = path.with_name("other")
    other.write_text(path.read_text().replace("s0", "r0"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert run(tree, tmp_path / "db").n_updated == 1
    assert count(tmp_path / "db", "entry WHERE block = 'r0'") == 1


def test_database_of_an_earlier_version_gets_its_digest_and_says_so(tree: TreeSource, tmp_path: Path) -> None:
    """Its meta had no digest of what was read; its rows stay as they are."""
    first = run(tree, tmp_path / "db")
    before = content(tmp_path / "db")
    with open_database(tmp_path / "db", read_only=False) as connection:
        unset_digest(connection)
        set_meta(connection, "clusters", "built")
    second = run(tree, tmp_path / "db")
    assert (second.n_read, second.digest) == (0, first.digest)
    assert "an earlier version" in str(second) and "an earlier version" not in str(first)
    assert content(tmp_path / "db") == before
    assert "an earlier version" not in str(run(tree, tmp_path / "db"))


@pytest.mark.parametrize("change", ["content", "new", "deleted", "rejected"])
def test_digest_changes_with_the_files_and_comes_back_with_them(
    tree: TreeSource, tmp_path: Path, change: str
) -> None:
    first = run(tree, tmp_path / "db").digest
    path = tree.root / "0/00.cif"
    text = path.read_text()
    if change == "deleted":
        path.unlink()
    elif change == "new":
        (tree.root / "new.cif").write_text(cif("fresh"))
    else:
        path.write_text(cif("other") if change == "content" else "nothing")
    changed = run(tree, tmp_path / "db").digest
    assert changed != first
    assert run(tree, tmp_path / "fresh").digest == changed
    (tree.root / "new.cif").unlink(missing_ok=True)
    path.write_text(text)
    assert run(tree, tmp_path / "db").digest == first


def test_an_interrupted_run_leaves_no_digest(tree: TreeSource, tmp_path: Path) -> None:
    """Neither reading some of the changed files nor another reader's version may keep the former digest."""
    run(tree, tmp_path / "db")

    class Broken:
        def run(self, tasks: Iterator, stop: object) -> Iterator:
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError):
        run(tree, tmp_path / "db", reader=Reader(LAZY.extract, "double-2"), executor=Broken())
    with open_database(tmp_path / "db") as connection:
        assert get_digest(connection) is None


def test_interrupted_anywhere_the_next_run_goes_on(tree: TreeSource, tmp_path: Path) -> None:
    whole = run(tree, tmp_path / "whole")

    class Stopping:
        """Gives some results and then breaks off, as a crash of the whole program would."""

        def run(self, tasks: Iterator, stop: object) -> Iterator:
            from xtalpriors.mining.work.pool import LocalPool

            with LocalPool(LAZY.extract, 1) as pool:
                for n, result in enumerate(pool.run(tasks, lambda: False)):
                    if n == 2:
                        raise RuntimeError("pulled the plug")
                    yield result

    with pytest.raises(RuntimeError):
        run(tree, tmp_path / "db", executor=Stopping())
    report = run(tree, tmp_path / "db")
    assert report.digest == whole.digest
    assert content(tmp_path / "db") == content(tmp_path / "whole")


def test_another_reader_version_reads_all_again(tree: TreeSource, tmp_path: Path) -> None:
    run(tree, tmp_path / "db")
    report = run(tree, tmp_path / "db", reader=Reader(LAZY.extract, "double-2"))
    assert (report.plan.reread, report.n_read, report.n_entries) == (25, 25, 24)
    assert content(tmp_path / "db") == content(tmp_path / "db")
    assert content(tmp_path / "db")["pending"] == []
    assert run(tree, tmp_path / "db", reader=Reader(LAZY.extract, "double-2")).is_noop


@pytest.mark.parametrize("workers", [1, 2])
def test_digest_does_not_depend_on_workers_tasks_or_order(
    tree: TreeSource, tmp_path: Path, workers: int
) -> None:
    plain = run(tree, tmp_path / "plain")
    other = run(Shuffled(tree.root), tmp_path / "db", workers=workers, limits=Limits(task_files=2 + workers))
    assert plain.digest == other.digest


def test_same_files_elsewhere_have_the_same_digest(tree: TreeSource, tmp_path: Path) -> None:
    here = run(tree, tmp_path / "db")
    shutil.copytree(tree.root, tmp_path / "copy", copy_function=shutil.copyfile)
    assert run(TreeSource(tmp_path / "copy"), tmp_path / "other").digest == here.digest


def test_manifest_says_what_the_database_holds(tree: TreeSource, tmp_path: Path) -> None:
    (tmp_path / "one.cif").write_text(cif("one"))
    single, manifest = open_archive(tmp_path / "one.cif"), tmp_path / "manifest.parquet"
    update_manifest([tree, single], manifest)
    mine([tree, single], manifest, tmp_path / "db", workers=1, reader=LAZY)
    assert count(tmp_path / "db", "entry") == 25
    (tree.root / "later.cif").write_text(cif("later"))  # not in the manifest: not there
    assert mine([tree, single], manifest, tmp_path / "db", workers=1, reader=LAZY).is_noop
    update_manifest([tree], manifest)
    report = mine([tree], manifest, tmp_path / "db", workers=1, reader=LAZY)
    assert (report.plan.deleted, report.plan.new) == (1, 1)
    assert count(tmp_path / "db", "entry WHERE source = 'one'") == 0


def test_without_a_manifest_other_sources_stay(tree: TreeSource, tmp_path: Path) -> None:
    (tmp_path / "one.cif").write_text(cif("one"))
    run(open_archive(tmp_path / "one.cif"), tmp_path / "db")
    run(tree, tmp_path / "db")
    assert count(tmp_path / "db", "entry") == 25


@pytest.mark.parametrize("hash_new", [True, False])
def test_manifest_with_and_without_hashes_gives_the_same(
    tree: TreeSource, tmp_path: Path, hash_new: bool
) -> None:
    plain = run(tree, tmp_path / "plain")
    manifest = tmp_path / "m"
    update_manifest([tree], manifest, hash_new=hash_new)
    assert run(tree, tmp_path / "db", manifest=manifest).digest == plain.digest
    os.utime(tree.root / "0/00.cif", ns=(1, 1))
    assert update_manifest([tree], manifest, hash_new=hash_new).n_files == 25
    report = run(tree, tmp_path / "db", manifest=manifest)
    assert (report.plan.touched, report.n_read) == (1, 0)
    assert (report.n_updated, report.digest) == (0, plain.digest)
    assert run(tree, tmp_path / "db", manifest=manifest).is_noop


def test_change_that_only_verify_sees_is_mined(tree: TreeSource, tmp_path: Path) -> None:
    manifest, path = tmp_path / "m", tree.root / "0/00.cif"
    update_manifest([tree], manifest)
    run(tree, tmp_path / "db", manifest=manifest)
    with open_database(tmp_path / "db", read_only=False) as connection:  # as if it had been other bytes then
        connection.execute("UPDATE file SET content_hash = 'aa' WHERE file_id = '0/00.cif'")
        connection.execute("DELETE FROM entry WHERE file_id = '0/00.cif'")
    report = run(tree, tmp_path / "db", manifest=manifest)
    assert (report.plan.changed, report.n_updated) == (1, 1)
    assert path.name in [row[1][2:] for row in content(tmp_path / "db")["file"]]


def test_manifest_of_a_source_that_is_not_given(tree: TreeSource, tmp_path: Path) -> None:
    update_manifest([tree], tmp_path / "m")
    other = TreeSource(tree.root, name="other")
    with pytest.raises(UsageError, match="source 'cod', which is not given"):
        run(other, tmp_path / "db", manifest=tmp_path / "m")


def test_archive_in_worker_processes(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for i in (3, 1, 2):
            archive.writestr(f"{i}.cif", cif(f"s{i}"))
    source = open_archive(tmp_path / "x.zip")
    assert run(source, tmp_path / "db").n_entries == 3
    assert run(source, tmp_path / "db").is_noop
    (tmp_path / "x.zip").touch()
    report = run(source, tmp_path / "db")
    assert (report.n_read, report.n_updated) == (3, 0)


def test_empty_source_removes_nothing(tree: TreeSource, tmp_path: Path) -> None:
    run(tree, tmp_path / "db")
    shutil.rmtree(tree.root)
    tree.root.mkdir()
    with pytest.raises(XtalpriorsError, match="holds no CIF"):
        run(tree, tmp_path / "db")
    assert count(tmp_path / "db", "entry") == 24


def test_report_reads_well(tree: TreeSource, tmp_path: Path) -> None:
    assert "25 of 25 files read (25 new" in str(run(tree, tmp_path / "db"))
    assert "nothing changed" in str(run(tree, tmp_path / "db"))
