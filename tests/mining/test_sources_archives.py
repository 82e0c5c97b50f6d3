from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.sources import UnreadableError, archives, bounded
from xtalpriors.mining.sources.archives import open_archive

MEMBERS = {"z/b.cif": b"data_b\n", "a.CIF": b"data_a\n", "/etc/c.cif": b"data_c\n", "../d.cif": b"data_d\n"}


def make_tar(path: Path, mode: str, members: dict[str, bytes]) -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_000_000_000
            archive.addfile(info, io.BytesIO(data))


@pytest.fixture(params=["zip", "w:", "w:gz", "w:bz2", "w:xz"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "some.archive"
    others = {"readme.txt": b"no", "__MACOSX/._a.cif": b"no", "folder/e.cif.gz": gzip.compress(b"data_e\n")}
    members = MEMBERS | others
    if request.param == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            for name, data in members.items():
                made.writestr(name, data)
    else:
        make_tar(path, request.param, members)
    return path


def test_members_are_listed_and_read_in_any_order(archive: Path) -> None:
    source = pickle.loads(pickle.dumps(open_archive(archive)))
    files = {file.file_id: file for file in source.files()}
    assert set(files) == {*MEMBERS, "folder/e.cif.gz"}
    for name, data in [*MEMBERS.items(), *reversed(MEMBERS.items())]:
        assert source.read(name) == data
        assert files[name].size_bytes == len(data)
    assert source.read("folder/e.cif.gz") == b"data_e\n"
    assert {file.ctime_ns for file in files.values()} == {archive.stat().st_ctime_ns}
    with pytest.raises(FileNotFoundError):
        source.read("readme.txt")


def test_nothing_is_written_outside(archive: Path, tmp_path: Path) -> None:
    source = open_archive(archive)
    for file in source.files():
        source.read(file.file_id)
    assert [path.name for path in tmp_path.iterdir()] == [archive.name]


def test_members_of_one_name_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "twice.tar"
    with tarfile.open(path, "w") as archive:
        for data in (b"data_1\n", b"data_22\n"):
            info = tarfile.TarInfo("x.cif")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    source = open_archive(path)
    assert {f.file_id: source.read(f.file_id) for f in source.files()} == {
        "x.cif": b"data_1\n",
        "x.cif#2": b"data_22\n",
    }


def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in [
            ("self.cif", tarfile.SYMTYPE),
            ("hard.cif", tarfile.LNKTYPE),
            ("p.cif", tarfile.FIFOTYPE),
        ]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, name
            archive.addfile(info)
    source = open_archive(path)
    listed = [file.file_id for file in source.files()]
    assert listed == ["self.cif", "hard.cif", "p.cif"]
    for file_id in listed:
        with pytest.raises(UnreadableError) as error:
            source.read(file_id)
        assert error.value.code == "not-a-file"


def test_zip_bomb_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.cif", b"\0" * 4_000_000)
    monkeypatch.setattr(
        archives, "read_stream", lambda stream, name, size: bounded.read_stream(stream, name, size, 1_000_000)
    )
    with pytest.raises(UnreadableError) as error:
        open_archive(path).read("bomb.cif")
    assert error.value.code == "too-large"


def test_size_that_an_archive_claims_is_not_believed() -> None:
    with pytest.raises(UnreadableError) as error:
        bounded.read_stream(io.BytesIO(b"x" * 2000), "small.cif", 10, limit=1000)
    assert error.value.code == "too-large"


def test_encrypted_and_damaged_members_are_oserrors(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.cif", b"data_x\n" * 1000)
    raw = bytearray(path.read_bytes())
    encrypted = bytearray(raw)
    encrypted[6] |= 1
    encrypted[raw.index(b"PK\x01\x02") + 8] |= 1
    raw[45:60] = b"\xff" * 15
    for content in (encrypted, raw):
        path.write_bytes(bytes(content))
        with pytest.raises(UnreadableError) as error:
            open_archive(path).read("x.cif")
        assert error.value.code == "damaged"


def test_archive_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cut.tar.gz"
    make_tar(path, "w:gz", {f"{i}.cif": bytes(range(256)) * 100 for i in range(50)})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(XtalpriorsError, match=r"cut\.tar\.gz is damaged"):
        list(open_archive(path).files())


def test_single_file_of_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "export.cif"
    path.write_text("data_a\n\ndata_b\n")
    source = open_archive(path)
    assert [file.file_id for file in source.files()] == ["export.cif"]
    assert source.read("export.cif") == b"data_a\n\ndata_b\n"
    assert source.name == "export"


def test_archive_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    for data in (b"data_one\n", b"data_number_two\n"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x.cif", data)
        assert open_archive(path).read("x.cif") == data
