"""Files out of a downloaded archive of the COD: those of its layout, wherever they lie in it."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from xtalpriors.atomic_write import replacing
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.interrupts import stop_flag
from xtalpriors.mining.mirror.layout import entry_path, in_ranges
from xtalpriors.mining.mirror.program import interruption
from xtalpriors.mining.mirror.record import MIRRORED
from xtalpriors.mining.mirror.transfer import Transfer, check_listed, delete_unlisted, revision_of
from xtalpriors.mining.sources import SourceFile, UnreadableError
from xtalpriors.mining.sources.archives import SingleFileSource, TarSource, ZipSource, open_archive
from xtalpriors.mining.sources.fingerprint import header_revision
from xtalpriors.progress import Advance

__all__ = ["ArchiveListing", "list_archive", "unpack_archive"]


class ArchiveListing(NamedTuple):
    """An archive that is whole, and its entries by their places in a mirror."""

    source: ZipSource | TarSource
    entries: dict[str, SourceFile]


def list_archive(archive: Path, ranges: Sequence[str]) -> ArchiveListing:
    """The entries that an archive holds; of the ranges only, if there are any.

    Raises
    ------
    UsageError
        The file is no archive.
    XtalpriorsError
        The archive is damaged, holds an entry at two places, or nothing of the COD's layout.
    """
    source = open_archive(archive)
    if isinstance(source, SingleFileSource):
        raise UsageError(
            f"{archive} is one CIF, not an archive of the COD: `--source archive:{archive}` reads it."
        )
    entries = _entries(source.files(), ranges, archive)
    check_listed(entries.keys(), ranges, str(archive))
    return ArchiveListing(source, entries)


def unpack_archive(
    listing: ArchiveListing,
    root: Path,
    ranges: Sequence[str],
    transfer: Transfer,
    advance: Advance,
    *,
    is_dry_run: bool,
) -> None:
    """Bring a mirror to what an archive holds. A file of the same size and time is not read again.

    Raises
    ------
    XtalpriorsError
        A member is damaged, the disk is full, or more entries are gone than may be deleted.
    """
    source, entries = listing
    with stop_flag() as stopped:
        for name, member in entries.items():
            if stopped.is_set():
                raise interruption()
            if transfer.is_full:
                return
            if _differs(root / name, member):
                _take(source.read, member, root / name, transfer, is_dry_run)
                advance(1, note=name)
            elif transfer.is_resumed:
                transfer.reached(revision_of(root / name))
    delete_unlisted(root, ranges, entries.keys(), transfer, str(source.path), is_dry_run=is_dry_run)


def _entries(files: Iterable[SourceFile], ranges: Sequence[str], archive: Path) -> dict[str, SourceFile]:
    """Members by their places in a mirror; the last of one name, and none at two places of the archive."""
    listed: dict[str, SourceFile] = {}
    for member in files:
        name = entry_path(member.file_id)
        if name is None or (ranges and not in_ranges(name, ranges)):
            continue
        before = listed.get(name)
        if before and posixpath.normpath(before.file_id) != posixpath.normpath(member.file_id):
            raise XtalpriorsError(
                f"{archive} holds {name} twice, as {before.file_id} and as {member.file_id}: which is "
                "the entry cannot be told. Pack one of the two folders. Nothing was changed."
            )
        listed[name] = member
    return listed


def _differs(path: Path, member: SourceFile) -> bool:
    """Whether a file may be another than the archive's; by size and time, as rsync does."""
    try:
        status = path.lstat()
    except OSError:
        return True
    return member.mtime_ns is None or (status.st_size, status.st_mtime_ns) != (
        member.size_bytes,
        member.mtime_ns,
    )


def _take(
    read: Callable[[str], bytes], member: SourceFile, path: Path, transfer: Transfer, is_dry_run: bool
) -> None:
    """Unpack one file, if its bytes are others than those that are here."""
    try:
        data = read(member.file_id)
    except OSError as error:
        if isinstance(error, UnreadableError) and error.code == "not-a-file":
            transfer.skipped += 1
            return
        raise XtalpriorsError(
            f"{member.file_id} of the archive cannot be unpacked: {error}. Fetch it again."
        ) from error
    is_new = not path.exists()
    here = b"" if is_new or path.is_symlink() else path.read_bytes()
    if is_new or here != data:
        transfer.add(len(data), is_new=is_new)
        transfer.reached(header_revision(data), before=header_revision(here))
        if not is_dry_run:
            with replacing(path, MIRRORED) as part:
                part.write_bytes(data)
    if not is_dry_run and member.mtime_ns is not None:
        os.utime(path, ns=(member.mtime_ns, member.mtime_ns))
