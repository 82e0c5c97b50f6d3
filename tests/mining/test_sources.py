from __future__ import annotations

import gzip
import os
import pickle
import sys
import types
import zipfile
from pathlib import Path

import pytest

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.sources import UnreadableError, check_names
from xtalpriors.mining.sources.bounded import read_file
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.sources.tree import TreeSource, decode_name, encode_name


def ids(source: TreeSource) -> list[str]:
    return [file.file_id for file in source.files()]


def test_tree_lists_every_depth_in_one_order(tmp_path: Path) -> None:
    for name in ["9/00/00/9000000.cif", "1/2.cif", "1.cif", "1-a/x.CIF", "deep/a/b/c/d.cif.gz", "9/00.hkl"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"data_x\n")
    listed = ids(TreeSource(tmp_path))
    assert listed == ["1-a/x.CIF", "1.cif", "1/2.cif", "9/00/00/9000000.cif", "deep/a/b/c/d.cif.gz"]
    assert listed == sorted(listed)


def test_tree_leaves_out_hidden_files_and_unfinished_downloads(tmp_path: Path) -> None:
    for name in [".svn/pristine/a.cif", ".2016452.cif", "lost+found/b.cif", "c.cif"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"data_x\n")
    assert ids(TreeSource(tmp_path)) == ["c.cif"]


def test_files_of_other_names_are_not_lost(tmp_path: Path) -> None:
    for name in ["magnetic.mcif", "ciftest1", "structure.txt", "list.tsv", "x.FCF", "crystals.duckdb"]:
        (tmp_path / name).write_bytes(b"data_x\n")
    assert ids(TreeSource(tmp_path)) == ["ciftest1", "magnetic.mcif", "structure.txt"]


def test_tree_fingerprint_is_what_the_system_says(tmp_path: Path) -> None:
    (tmp_path / "a.cif").write_bytes(b"12345")
    os.utime(tmp_path / "a.cif", ns=(0, 1_234_567_890_123_456_789))
    (file,) = TreeSource(tmp_path).files()
    assert (file.size_bytes, file.mtime_ns) == (5, 1_234_567_890_123_456_789)
    assert file.ctime_ns == (tmp_path / "a.cif").stat().st_ctime_ns


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.cif").write_bytes(b"data_a\n")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "linked").symlink_to(real)
    (real / "up").symlink_to(tmp_path / "tree")
    (real / "self").symlink_to(real)
    (tmp_path / "tree" / "own.cif").symlink_to("own.cif")
    source = TreeSource(tmp_path / "tree")
    assert ids(source) == ["linked/a.cif", "own.cif"]
    assert source.read("linked/a.cif") == b"data_a\n"
    with pytest.raises(OSError, match="symbolic links"):
        source.read("own.cif")


def test_broken_link_is_listed_so_that_it_becomes_a_rejection(tmp_path: Path) -> None:
    (tmp_path / "gone.cif").symlink_to(tmp_path / "nowhere")
    source = TreeSource(tmp_path)
    assert ids(source) == ["gone.cif"]
    with pytest.raises(FileNotFoundError):
        source.read("gone.cif")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.cif")
    source = TreeSource(tmp_path)
    assert ids(source) == ["pipe.cif"]
    with pytest.raises(UnreadableError) as error:
        source.read("pipe.cif")
    assert error.value.code == "not-a-file"


def test_names_that_are_not_utf8_round_trip(tmp_path: Path) -> None:
    name = b"caf\xe9\\x41 \xc3\xa9.cif"
    try:
        (tmp_path / os.fsdecode(name)).write_bytes(b"data_e\n")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes UTF-8 names only")
    source = TreeSource(tmp_path)
    (file_id,) = ids(source)
    assert file_id == r"caf\xe9\\x41 é.cif"
    file_id.encode("utf-8")
    assert source.read(file_id) == b"data_e\n"


@pytest.mark.parametrize("name", [b"plain.cif", b"back\\slash", b"\\xff", b"\xff\\\xfe", "é\\\\".encode()])
def test_encoded_name_gives_the_bytes_back(name: bytes) -> None:
    assert decode_name(encode_name(name)) == name


def test_gzip_is_unpacked_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.cif.gz"
    path.write_bytes(gzip.compress(b"\0" * 5_000_000))
    assert path.stat().st_size < 10_000
    assert len(read_file(path)) == 5_000_000
    with pytest.raises(UnreadableError, match="more than 1000000 bytes") as error:
        read_file(path, limit=1_000_000)
    assert error.value.code == "too-large"


@pytest.mark.parametrize(
    "content", [b"no gzip at all", gzip.compress(b"data_x\n" * 999)[:-20]], ids=["not gzip", "cut short"]
)
def test_damaged_gzip_is_an_oserror(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.cif.gz"
    path.write_bytes(content)
    with pytest.raises(UnreadableError) as error:
        read_file(path)
    assert error.value.code == "damaged"


def test_file_larger_than_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.cif"
    with path.open("wb") as stream:
        stream.truncate(10**12)  # a hole: a terabyte that takes no space
    with pytest.raises(UnreadableError) as error:
        read_file(path)
    assert error.value.code == "too-large"


def test_folder_that_cannot_be_listed_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def scandir(path: bytes) -> object:
        if path.endswith(b"locked"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(XtalpriorsError, match=r"locked.*Permission denied"):
        ids(TreeSource(tmp_path))


def test_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"cod:DIR.*archive:FILE.*amcsd.*csd"):
        parse_source("icsd:/data")
    with pytest.raises(UsageError, match="There is no file or folder '/no/such/cod'"):
        parse_source("/no/such/cod")


def test_a_path_alone_is_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is a tree, a file an archive; the name of a scheme is the scheme, `./amcsd` a folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("my cifs", "amcsd", "a=b"):
        (tmp_path / name).mkdir()
    (tmp_path / "export.cif").write_text("data_x\n")
    for text, root in (("my cifs", "my cifs"), ("./amcsd", "amcsd"), ("a=b", "a=b")):
        source = parse_source(text)
        assert isinstance(source, TreeSource) and source.root == tmp_path / root and source.name == "cod"
    assert parse_source("mine=my cifs").name == "mine"
    assert parse_source("export.cif").name == "export"
    assert parse_source("mine=export.cif").name == "mine"
    with pytest.raises(UsageError, match="There is no file or folder"):
        parse_source("mine=nothing here")
    with pytest.raises(UsageError, match="There is no file or folder"):
        parse_source("")


@pytest.mark.parametrize("text", ["cod:/no/such/folder", "archive:/no/such.zip", "amcsd:/no/such.db"])
def test_missing_places_are_named(text: str) -> None:
    with pytest.raises(UsageError, match="not there"):
        parse_source(text)


def test_file_given_as_folder_and_folder_as_file(tmp_path: Path) -> None:
    (tmp_path / "x.cif").write_text("data_x\n")
    with pytest.raises(UsageError, match="archive:"):
        parse_source(f"cod:{tmp_path / 'x.cif'}")
    with pytest.raises(UsageError, match="cod:"):
        parse_source(f"archive:{tmp_path}")
    with pytest.raises(UsageError, match="needs a folder"):
        parse_source("cod")


def test_file_that_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("not a zip")
    with pytest.raises(UsageError, match="no archive"):
        parse_source(f"archive:{tmp_path / 'x.zip'}")


def test_names_of_sources(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("a.cif", "data_a\n")
    assert parse_source(f"cod:{tmp_path}").name == "cod"
    assert parse_source(f"mirror=cod:{tmp_path}").name == "mirror"
    assert parse_source(f"archive:{tmp_path / 'export.zip'}").name == "export"
    with pytest.raises(UsageError, match="Two sources are called 'cod'"):
        check_names([parse_source(f"cod:{tmp_path}"), parse_source(f"cod:{tmp_path}")])
    with pytest.raises(UsageError, match="No source"):
        check_names([])


def test_sources_travel_to_worker_processes(tmp_path: Path) -> None:
    source = parse_source(f"cod:{tmp_path}")
    assert pickle.loads(pickle.dumps(source)) == source
    assert len(pickle.dumps(source)) < 1000


def test_csd_without_its_package_says_what_works_instead() -> None:
    if "ccdc" in sys.modules:
        pytest.skip("the ccdc package is here")
    with pytest.raises(UsageError, match="archive:FILE"):
        parse_source("csd")


def test_csd_entries_go_down_the_same_path(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        def __init__(self, identifier: str) -> None:
            self.identifier = identifier

        def to_string(self, format: str) -> str:
            assert format == "cif"
            return f"data_{self.identifier}\n_database_code_CSD {self.identifier}\n"

    class EntryReader(list[Entry]):
        def __init__(self, location: str) -> None:
            super().__init__(map(Entry, ["ACSALA", "AABHTZ"]))
            assert location == "CSD"

        def entry(self, identifier: str) -> Entry:
            if identifier not in {entry.identifier for entry in self}:
                raise RuntimeError("no such entry")
            return Entry(identifier)

    package, module = types.ModuleType("ccdc"), types.ModuleType("ccdc.io")
    package.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    module.EntryReader = EntryReader  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ccdc", package)
    monkeypatch.setitem(sys.modules, "ccdc.io", module)
    source = parse_source("csd")
    assert [file.file_id for file in source.files()] == ["AABHTZ", "ACSALA"]
    assert source.read("ACSALA").startswith(b"data_ACSALA\n")
    assert (source.database, source.text_origin) == ("CSD", "rebuilt")
    with pytest.raises(OSError, match="no CIF of NOSUCH"):
        source.read("NOSUCH")
