"""Archives of CIFs: .zip, .tar (plain or compressed), and one file that may hold many blocks.

Nothing is unpacked to disk, so a member called `/etc/passwd` or `../x` is only a name. What sort of archive
a file is, its bytes say, not its name. Of members of one full name the last counts, as when they are
unpacked: `tar -r` and `tar -u` put a new version behind the old one.
"""

from __future__ import annotations

import calendar
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TypeVar

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.sources import SourceFile, UnreadableError
from xtalpriors.mining.sources.bounded import is_cif_name, read_file, read_stream
from xtalpriors.mining.sources.tree import encode_name

__all__ = ["SingleFileSource", "TarSource", "ZipSource", "open_archive"]

_TAR_ERRORS = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class _ArchiveFile:
    """What the three sorts have in common."""

    path: Path
    name: str
    kind: str = "archive"
    database: str | None = None
    text_origin: str = "original"


class SingleFileSource(_ArchiveFile):
    """One CIF, usually of many blocks, as Mercury and ConQuest export it from the CSD."""

    def files(self) -> Iterator[SourceFile]:
        """The one file."""
        status = self.path.stat()
        yield SourceFile(self._file_id, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def read(self, file_id: str) -> bytes:
        """Its bytes, decompressed."""
        if file_id != self._file_id:
            raise FileNotFoundError(f"{self.path} is one file; there is no {file_id} in it")
        return read_file(self.path)

    @property
    def _file_id(self) -> str:
        return encode_name(os.fsencode(self.path.name))


class ZipSource(_ArchiveFile):
    """CIFs in a .zip; `file_id` is the member's name."""

    def files(self) -> Iterator[SourceFile]:
        """Every CIF member, in the archive's order."""
        changed = self.path.stat().st_ctime_ns
        for file_id, member in _zip_index(self.path, _stamp(self.path), os.getpid())[1].items():
            yield SourceFile(file_id, member.file_size, _zip_time(member), changed)

    def read(self, file_id: str) -> bytes:
        """Bytes of one member."""
        archive, index = _zip_index(self.path, _stamp(self.path), os.getpid())
        member = _member(index, file_id, self.path)
        try:
            with archive.open(member) as stream:
                return read_stream(stream, member.filename, member.file_size)
        except (RuntimeError, NotImplementedError) as error:  # encrypted; an unknown compression
            raise UnreadableError("damaged", f"the archive's member cannot be unpacked: {error}") from error
        except (zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise UnreadableError("damaged", f"the archive's member is damaged: {error}") from error


class TarSource(_ArchiveFile):
    """CIFs in a tar. A compressed one has no index and is read from front to back: unpack one of many GB."""

    def files(self) -> Iterator[SourceFile]:
        """Every CIF member, in the archive's order, which is the order to read them in."""
        changed = self.path.stat().st_ctime_ns
        for file_id, member in _tar_index(self.path, _stamp(self.path), os.getpid())[1].items():
            yield SourceFile(file_id, member.size, int(member.mtime * 1_000_000_000), changed)

    def read(self, file_id: str) -> bytes:
        """Bytes of one member."""
        archive, index = _tar_index(self.path, _stamp(self.path), os.getpid())
        member = _member(index, file_id, self.path)
        if not member.isreg():
            raise UnreadableError("not-a-file", "the archive's member is a link or a device, not a file")
        try:
            stream = archive.extractfile(member)
            if stream is None:
                raise UnreadableError("not-a-file", "the archive's member is not a file")
            with stream:
                return read_stream(stream, member.name, member.size)
        except _TAR_ERRORS as error:
            raise UnreadableError("damaged", f"the archive's member is damaged: {error}") from error


def open_archive(path: Path, name: str | None = None) -> SingleFileSource | ZipSource | TarSource:
    """Source of the sort that the file's bytes say.

    Raises
    ------
    UsageError
        There is no such file, or it is neither an archive nor called `.cif` or `.cif.gz`.
    """
    if not path.is_file():
        remedy = f"`cod:{path}` reads a folder." if path.is_dir() else "Check its spelling."
        raise UsageError(f"The file of source `archive:{path}` is not there. {remedy}")
    path = path.resolve()
    name = name or _stem(path)
    if is_cif_name(path.name):
        return SingleFileSource(path, name)
    try:
        if zipfile.is_zipfile(path):
            return ZipSource(path, name)
        if tarfile.is_tarfile(path):
            return TarSource(path, name)
    except OSError as error:
        raise UsageError(f"The archive {path} cannot be read ({error}). Make it readable.") from error
    raise UsageError(
        f"{path} is no archive that can be read: neither .zip, nor .tar (plain, .gz, .bz2, .xz), nor a file "
        "called .cif or .cif.gz. If its download was cut off, fetch it again; else unpack it and use "
        "`cod:DIR`, or rename it if it is a CIF."
    )


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".gz", ".bz2", ".xz", ".tgz", ".txz", ".tar", ".zip", ".cif"):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return encode_name(os.fsencode(name))


def _stamp(path: Path) -> tuple[int, int]:
    """An index made before the archive was replaced is not used again."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=4)
def _zip_index(
    path: Path, stamp: tuple[int, int], process: int
) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """The open archive of this process (a descriptor may not be shared with a fork) and its CIF members."""
    try:
        archive = zipfile.ZipFile(path)
        return archive, _by_id((m.filename, m) for m in archive.infolist() if not m.is_dir())
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise XtalpriorsError(f"The archive {path} is damaged ({error}). Fetch it again.") from error


@lru_cache(maxsize=4)
def _tar_index(
    path: Path, stamp: tuple[int, int], process: int
) -> tuple[tarfile.TarFile, dict[str, tarfile.TarInfo]]:
    """The open archive of this process and its CIF members, once it is known to be whole."""
    archive: tarfile.TarFile | None = None
    members: list[tarfile.TarInfo] = []
    try:
        archive = tarfile.open(path, "r:*")  # noqa: SIM115 (kept open for the life of the process)
        members.extend(archive)
        problem = _end_problem(archive)
    except (*_TAR_ERRORS, OSError, ValueError) as error:  # ValueError: a header of no numbers
        problem = str(error)
    if archive is None or problem:
        found = sum(not member.isdir() for member in members)
        raise XtalpriorsError(
            f"The archive {path} is damaged or cut off after {found:,} files: {problem}. Fetch it again. "
            "Nothing was deleted."
        )
    return archive, _by_id((m.name, m) for m in members if not m.isdir())


def _end_problem(archive: tarfile.TarFile) -> str:
    """What is wrong with the end of a tar whose members have been listed; empty if nothing.

    `tarfile` takes any header that it cannot read for the end, as of an archive that was cut off. The real
    end is two blocks of zeros, and only zeros follow. A compressed one is read to its end, where its checksum
    is.
    """
    stream = archive.fileobj
    assert stream is not None
    stream.seek(archive.offset)
    marker = stream.read(2 * tarfile.BLOCKSIZE)
    if any(marker[: tarfile.BLOCKSIZE]):
        return "the next header cannot be read"
    if len(marker) < 2 * tarfile.BLOCKSIZE:
        return "the mark of its end is missing"
    has_more = any(marker)
    while block := stream.read(_BLOCK):
        has_more = has_more or block.count(0) < len(block)
    return "more follows the mark of its end, as where two archives were joined" if has_more else ""


_M = TypeVar("_M", zipfile.ZipInfo, tarfile.TarInfo)


def _by_id(members: Iterator[tuple[str, _M]]) -> dict[str, _M]:
    """CIF members by `file_id`, in the archive's order; of one name the last."""
    index: dict[str, _M] = {}
    for name, member in members:
        if not is_cif_name(PurePosixPath(name.replace("\\", "/")).name):
            continue
        file_id = encode_name(name.encode("utf-8", "surrogateescape"))
        index.pop(file_id, None)
        index[file_id] = member
    return index


def _member(index: dict[str, _M], file_id: str, path: Path) -> _M:
    if file_id not in index:
        raise FileNotFoundError(f"{path} has no member {file_id}")
    return index[file_id]


def _zip_time(member: zipfile.ZipInfo) -> int | None:
    """The member's time (local, 2 s steps) as if it were UTC: it is only compared with itself."""
    try:
        return calendar.timegm((*member.date_time, 0, 0, 0)) * 1_000_000_000
    except (ValueError, OverflowError):
        return None
