from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import pickle
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
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


def test_of_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "twice.tar"
    make_tar(path, "w", {"x.cif": b"data_1\n", "y.cif": b"data_y\n"})
    make_tar(path, "a", {"x.cif": b"data_22\n"})
    source = open_archive(path)
    assert [(f.file_id, source.read(f.file_id)) for f in source.files()] == [
        ("y.cif", b"data_y\n"),
        ("x.cif", b"data_22\n"),
    ]


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


def damaged_tars() -> Iterator[tuple[str, bytes, str]]:
    """A tar of 20 files of 1,024 bytes (1,536 with the header) with the damage that it says."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for i in range(20):
            info = tarfile.TarInfo(f"{i}.cif")
            info.size = 1024
            archive.addfile(info, io.BytesIO(hashlib.sha512(b"%d" % i).digest() * 16))
    tar, end = made.getvalue(), 20 * 1536
    yield "cut between two files", tar[: 12 * 1536], "after 12 files: the mark of its end is missing"
    yield "cut in a header", tar[: 12 * 1536 + 200], "after 12 files: the next header"
    yield "cut in a file", tar[: 12 * 1536 + 900], r"after 1\d files"
    yield "cut in its mark", tar[: end + 512], "after 20 files: the mark"
    yield "header", tar[: 12 * 1536] + b"?" + tar[12 * 1536 + 1 :], "after 12 files: the next header"
    yield "zeros", tar[: 12 * 1536] + bytes(1536) + tar[13 * 1536 :], "after 12 files: more follows"
    yield "joined", tar + tar, "after 20 files: more follows"
    for name, packed in [("gz", gzip.compress(tar)), ("bz2", bz2.compress(tar)), ("xz", lzma.compress(tar))]:
        yield f"{name} cut", packed[:-3], r"after \d+ files"
        yield f"{name} flip", bytes([*packed[:-9], packed[-9] ^ 1, *packed[-8:]]), r"after \d+ files"


@pytest.mark.parametrize(
    ("content", "said"), [pytest.param(data, said, id=name) for name, data, said in damaged_tars()]
)
def test_a_damaged_tar_is_no_shorter_one(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "cod.tar"
    path.write_bytes(content)
    with pytest.raises(XtalpriorsError, match=rf"cod\.tar is damaged or cut off {said}") as error:
        list(open_archive(path).files())
    assert "Fetch it again. Nothing was deleted." in str(error.value)


def test_one_bit_of_a_compressed_tar_is_noticed(tmp_path: Path) -> None:
    """The first block is stored as it is, so the damage shows in the checksum of the stream alone."""
    path = tmp_path / "cod.tar.gz"
    make_tar(path, "w", {"a.cif": b"data_a\n_cell_length_a 5\n", "b.cif": b"data_b\n"})
    packed = bytearray(gzip.compress(path.read_bytes(), compresslevel=0))
    packed[packed.index(b"length_a 5") + 9] ^= 1
    path.write_bytes(packed)
    with pytest.raises(XtalpriorsError, match="after 2 files: CRC check failed"):
        list(open_archive(path).files())


@pytest.mark.skipif(shutil.which("tar") is None, reason="the program tar is not installed")
@pytest.mark.parametrize("layout", ["gnu", "posix", "ustar", "v7"])
def test_archives_of_the_program_tar_are_whole(tmp_path: Path, layout: str) -> None:
    (tmp_path / "long").mkdir()
    for name in MEMBERS:
        (tmp_path / "long" / Path(name).name).write_bytes(MEMBERS[name])
    path = tmp_path / "cod.tar"
    subprocess.run(["tar", f"--format={layout}", "-cf", path, "-C", tmp_path, "long"], check=True)
    assert len(list(open_archive(path).files())) == len(MEMBERS)


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
