"""A folder of CIFs at any depth: a COD mirror (535,041 files at `9/00/00/9000000.cif`) or any other tree."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.sources import SourceFile
from xtalpriors.mining.sources.bounded import read_file

__all__ = ["OTHER_FORMATS", "TreeSource", "decode_name", "encode_name"]

OTHER_FORMATS = (".hkl", ".fcf", ".tsv", ".csv", ".json", ".parquet", ".db", ".sqlite", ".duckdb")
"""Endings of files beside the CIFs that are something else and may be many or large."""


@dataclass(frozen=True)
class TreeSource:
    """Every file under a folder, whatever it is called; `file_id` is the path relative to it, with `/`.

    CIFs come under many names (`.cif`, `.mcif`, `.txt`, none), so a file that is none is not left out but
    rejected with the reason. Not listed are reflection lists, tables and databases by their names
    (`OTHER_FORMATS`), hidden files and folders (`.svn`, unfinished rsync downloads) and `lost+found`.
    Links are followed, but each real folder is listed once, so that a loop ends.
    """

    root: Path
    name: str = "cod"
    kind: str = "cod"
    database: str | None = "COD"
    text_origin: str = "original"

    def files(self) -> Iterator[SourceFile]:
        """Every file in the order of the paths' bytes; one that cannot be opened is listed all the same.

        Raises
        ------
        XtalpriorsError
            A folder cannot be listed: its files would look deleted, so nothing goes on.
        """
        yield from _walk(os.fsencode(self.root), b"", set())

    def read(self, file_id: str) -> bytes:
        """Bytes of one file, decompressed (see `bounded.read_file`)."""
        return read_file(self.root / os.fsdecode(decode_name(file_id)))


_OTHER_ENDINGS = tuple(ending.encode() for ending in OTHER_FORMATS)


def _walk(folder: bytes, prefix: bytes, seen: set[tuple[int, int]]) -> Iterator[SourceFile]:
    """Files under `folder`, in the order of their ids: a folder sorts as its name with `/` after it."""
    entries: list[tuple[bytes, os.DirEntry[bytes]]] = []
    try:
        status = Path(os.fsdecode(folder)).stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as listing:
            for entry in listing:
                if entry.name.startswith(b".") or entry.name == b"lost+found":
                    continue
                if _is_folder(entry):
                    entries.append((entry.name + b"/", entry))
                elif not entry.name.lower().endswith(_OTHER_ENDINGS):
                    entries.append((entry.name, entry))
    except OSError as error:
        raise XtalpriorsError(
            f"The folder {os.fsdecode(folder)!r} cannot be listed ({error.strerror}). Its files would look "
            "deleted, so nothing was changed: make it readable, or move it out of the tree."
        ) from error
    for name, entry in sorted(entries, key=lambda pair: pair[0]):
        if name.endswith(b"/"):
            yield from _walk(entry.path, prefix + name, seen)
        else:
            yield _fingerprint(prefix + name, entry)


def _is_folder(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: a file that cannot be read
        return False


def _fingerprint(path: bytes, entry: os.DirEntry[bytes]) -> SourceFile:
    try:
        status = entry.stat()
    except OSError:  # a broken link: reading it will say why
        return SourceFile(encode_name(path), 0)
    return SourceFile(encode_name(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def encode_name(name: bytes) -> str:
    """`file_id` of a path's bytes: UTF-8, odd bytes as `\\xff`, a backslash doubled."""
    return name.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def decode_name(file_id: str) -> bytes:
    """Bytes of the path that `encode_name` made the id from."""
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|\\)",
        lambda m: bytes.fromhex(m[1].decode()) if m[1] else b"\\",
        file_id.encode("utf-8"),
    )
