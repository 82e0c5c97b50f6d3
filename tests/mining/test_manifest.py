from __future__ import annotations

import gzip
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.database.schema import FILE
from xtalpriors.mining.sources.archives import open_archive
from xtalpriors.mining.sources.fingerprint import content_hash
from xtalpriors.mining.sources.manifest import read_manifest, update_manifest
from xtalpriors.mining.sources.tree import TreeSource


class Counting(TreeSource):
    """A tree that notes what is read."""

    reads: list[str] = []  # noqa: RUF012 (one list for the test)

    def read(self, file_id: str) -> bytes:
        self.reads.append(file_id)
        return super().read(file_id)


@pytest.fixture
def tree(tmp_path: Path) -> Counting:
    Counting.reads = []
    for i in range(5):
        path = tmp_path / "cod" / str(i) / f"{i}.cif"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"#$Revision: 12%d $\ndata_%d\n" % (i, i))
    return Counting(tmp_path / "cod")


def rows(path: Path) -> dict[str, dict[str, object]]:
    return {row["file_id"]: row for row in read_manifest(path).to_pylist()}


def test_first_manifest_has_a_line_per_file(tree: Counting, tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    report = update_manifest([tree], path)
    assert (report.n_files, report.new, report.hashed, report.same) == (5, 5, 5, 0)
    assert pq.read_schema(path).names == [column.name for column in FILE]
    line = rows(path)["3/3.cif"]
    content = b"#$Revision: 123 $\ndata_3\n"
    assert line["content_hash"] == content_hash(content)
    assert (line["size_bytes"], line["revision"], line["source"]) == (len(content), 123, "cod")


def test_unchanged_files_are_not_read_and_the_bytes_stay(tree: Counting, tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    update_manifest([tree], path)
    before, Counting.reads[:] = path.read_bytes(), []
    report = update_manifest([tree], path)
    assert (report.same, report.hashed, tree.reads) == (5, 0, [])
    assert path.read_bytes() == before


def test_only_what_differs_is_hashed_again(tree: Counting, tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    update_manifest([tree], path)
    Counting.reads[:] = []
    (tree.root / "0/0.cif").write_bytes(b"data_other\n")
    os.utime(tree.root / "1/1.cif", ns=(0, 0))  # older, the same content
    (tree.root / "2/2.cif").unlink()
    (tree.root / "9.cif").write_bytes(b"data_9\n")
    report = update_manifest([tree], path)
    assert (report.new, report.changed, report.touched, report.deleted, report.same) == (1, 1, 1, 1, 2)
    assert sorted(tree.reads) == ["0/0.cif", "1/1.cif", "9.cif"]
    assert sorted(rows(path)) == ["0/0.cif", "1/1.cif", "3/3.cif", "4/4.cif", "9.cif"]


def test_a_file_replaced_with_equal_size_and_mtime_is_hashed_again(tree: Counting, tmp_path: Path) -> None:
    """`rsync --times` and `cp -p` set the mtime of a file; its ctime is the system's."""
    path = tmp_path / "manifest.parquet"
    update_manifest([tree], path)
    file = tree.root / "3/3.cif"
    before = file.stat()
    file.write_bytes(file.read_bytes().replace(b"data_3", b"data_X"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    report = update_manifest([tree], path)
    assert (report.changed, report.hashed, report.same) == (1, 1, 4)
    assert rows(path)["3/3.cif"]["content_hash"] == content_hash(file.read_bytes())


def test_verify_finds_what_size_and_times_hide(tree: Counting, tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    update_manifest([tree], path)
    table = read_manifest(path)
    forged = ["0" * 32, *table["content_hash"].to_pylist()[1:]]
    column = table.schema.names.index("content_hash")
    pq.write_table(table.set_column(column, "content_hash", pa.array(forged)), path)
    assert update_manifest([tree], path).changed == 0
    report = update_manifest([tree], path, verify=True)
    assert (report.changed, report.hashed, report.same) == (1, 5, 4)
    assert rows(path)["0/0.cif"]["content_hash"] != "0" * 32


def test_bytes_do_not_depend_on_history(tree: Counting, tmp_path: Path) -> None:
    gradual, direct = tmp_path / "a.parquet", tmp_path / "b.parquet"
    hidden = (tree.root / "4").rename(tmp_path / "hidden")
    update_manifest([tree], gradual)
    hidden.rename(tree.root / "4")
    (tree.root / "0/0.cif").write_bytes(b"data_changed\n")
    update_manifest([tree], gradual)
    update_manifest([tree], direct)
    assert gradual.read_bytes() == direct.read_bytes()


def test_bytes_do_not_depend_on_the_order_of_sources(tree: Counting, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("b.cif", "data_b\n")
        archive.writestr("a.cif", "data_a\n")
    zipped = open_archive(tmp_path / "z.zip")
    update_manifest([tree, zipped], tmp_path / "1")
    update_manifest([zipped, tree], tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    keys = [(row["source"], row["file_id"]) for row in read_manifest(tmp_path / "1").to_pylist()]
    assert len(keys) == 7
    assert keys == sorted(keys)


def test_new_files_can_be_left_for_mining_to_hash(tree: Counting, tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    report = update_manifest([tree], path, hash_new=False)
    assert (report.new, report.hashed, tree.reads) == (5, 0, [])
    assert {row["content_hash"] for row in rows(path).values()} == {None}
    assert update_manifest([tree], path, hash_new=False).same == 5
    (tree.root / "0/0.cif").write_bytes(b"data_other\n")
    assert update_manifest([tree], path, hash_new=False).changed == 1
    assert tree.reads == ["0/0.cif"]


def test_hash_is_of_the_text_not_of_its_compression(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "a.cif.gz").write_bytes(gzip.compress(b"data_a\n"))
    update_manifest([TreeSource(tmp_path / "t")], tmp_path / "m")
    expected = content_hash(b"data_a\n")
    assert rows(tmp_path / "m")["a.cif.gz"]["content_hash"] == expected


def test_unreadable_files_are_listed_without_a_hash(tree: Counting, tmp_path: Path) -> None:
    (tree.root / "gone.cif").symlink_to(tmp_path / "nowhere")
    report = update_manifest([tree], tmp_path / "m")
    assert (report.n_files, report.unreadable) == (6, 1)
    line = rows(tmp_path / "m")["gone.cif"]
    assert (line["content_hash"], line["mtime_ns"], line["size_bytes"]) == (None, None, 0)
    assert update_manifest([tree], tmp_path / "m").same == 6


def test_source_that_is_no_longer_named_leaves_the_manifest(tree: Counting, tmp_path: Path) -> None:
    (tmp_path / "one.cif").write_text("data_one\n")
    single = open_archive(tmp_path / "one.cif")
    assert update_manifest([tree, single], tmp_path / "m").n_files == 6
    report = update_manifest([tree], tmp_path / "m")
    assert (report.n_files, report.deleted) == (5, 1)


def test_empty_folder_is_an_error_and_keeps_the_manifest(tree: Counting, tmp_path: Path) -> None:
    path = tmp_path / "manifest.parquet"
    update_manifest([tree], path)
    before = path.read_bytes()
    tree.root.rename(tmp_path / "unmounted")
    tree.root.mkdir()
    with pytest.raises(XtalpriorsError, match=r"'cod'.*holds no CIF.*mounted"):
        update_manifest([tree], path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no parquet", b"PAR1" + b"x" * 50 + b"PAR1"])
def test_file_that_is_no_manifest_is_left_alone(tree: Counting, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(XtalpriorsError, match=r"notes\.txt is there already.*not a manifest"):
        update_manifest([tree], path)
    assert path.read_bytes() == content


def test_table_of_other_columns_is_no_manifest(tree: Counting, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "m")
    with pytest.raises(XtalpriorsError, match="a Parquet file, and not a manifest"):
        update_manifest([tree], tmp_path / "m")


def test_two_sources_of_one_name_are_refused(tree: Counting, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Two sources"):
        update_manifest([tree, tree], tmp_path / "m")
