"""A folder of CIFs at any depth: a COD mirror (535,041 files at `9/00/00/9000000.cif`) or any other tree."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR

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
        return _walk(os.fsencode(self.root))

    def read(self, file_id: str) -> bytes:
        """Bytes of one file, decompressed (see `bounded.read_file`)."""
        return read_file(os.fsdecode(os.fsencode(self.root) + b"/" + decode_name(file_id)))


_OTHER_ENDINGS = tuple(ending.encode() for ending in OTHER_FORMATS)


def _walk(root: bytes) -> Iterator[SourceFile]:
    """Files under a folder, in the order of their ids: a folder sorts as its name with `/` after it.

    One loop over a stack of open folders: half a million files pass through one generator each, not through
    as many as they are deep.
    """
    seen: set[tuple[int, int]] = set()
    stack = [(b"", iter(_entries(root, seen)))]
    while stack:
        prefix, entries = stack[-1]
        for name, status in entries:
            path = prefix + name
            if name.endswith(b"/"):
                stack.append((path, iter(_entries(root + b"/" + path[:-1], seen))))
                break
            if status is None:  # a broken link: reading it will say why
                yield SourceFile(encode_name(path), 0)
            else:
                yield SourceFile(encode_name(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        else:
            stack.pop()


def _entries(folder: bytes, seen: set[tuple[int, int]]) -> list[tuple[bytes, os.stat_result | None]]:
    """What is listed of a folder, sorted by name; nothing where the same folder was seen before.

    A folder has `/` after its name, and the status is null where a link leads nowhere. Each of half a million
    files is asked for its status once.
    """
    found: list[tuple[bytes, os.stat_result | None]] = []  # no two of one name: sorting compares no more
    try:
        of_folder = Path(os.fsdecode(folder)).stat()
        if (of_folder.st_dev, of_folder.st_ino) in seen:
            return found
        seen.add((of_folder.st_dev, of_folder.st_ino))
        with os.scandir(folder) as listing:
            for entry in listing:
                name = entry.name
                if name.startswith(b".") or name == b"lost+found":
                    continue
                try:
                    status = entry.stat()
                except OSError:
                    status = None
                if status is not None and S_ISDIR(status.st_mode):
                    found.append((name + b"/", status))
                elif name.endswith(b".cif") or not name.lower().endswith(_OTHER_ENDINGS):
                    found.append((name, status))
    except OSError as error:
        raise XtalpriorsError(
            f"The folder {os.fsdecode(folder)!r} cannot be listed ({error.strerror}). Its files would look "
            "deleted, so nothing was changed: make it readable, or move it out of the tree."
        ) from error
    found.sort()
    return found


def encode_name(name: bytes) -> str:
    """`file_id` of a path's bytes: UTF-8, odd bytes as `\\xff`, a backslash doubled."""
    if b"\\" in name:
        name = name.replace(b"\\", b"\\\\")
    return name.decode("utf-8", "backslashreplace")


def decode_name(file_id: str) -> bytes:
    """Bytes of the path that `encode_name` made the id from."""
    if "\\" not in file_id:
        return file_id.encode("utf-8")
    return re.sub(
        rb"\\(?:x([0-9a-f]{2})|\\)",
        lambda m: bytes.fromhex(m[1].decode()) if m[1] else b"\\",
        file_id.encode("utf-8"),
    )
