"""Whether a file may be written: the one place that decides it for every command and library function.

An output is written where nothing is, or over a file that this project wrote for the same purpose, which the
file's own content shows: each writer names the kind of its file (`FileKind`) and how one is recognised. Any
other file belongs to somebody, and is refused in a sentence. An empty file holds nothing and may be filled.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xtalpriors.errors import UsageError

__all__ = [
    "FileKind",
    "check_folder",
    "check_output",
    "check_outputs",
    "content_of",
    "is_not",
    "json_with",
    "read_object",
    "text_with",
]

_LARGEST_JSON = 2**28
"""Bytes; no JSON file of this project is nearly as large, and none larger is read to recognise it."""
_HEAD = 2**14


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that this project writes.

    Attributes
    ----------
    name
        With its article, as messages call it: `a prior bundle`.
    is_own
        Whether a file, which exists and is not empty, is of this kind and written by this project. It may
        raise OSError or ValueError for a file of another kind.
    """

    name: str
    is_own: Callable[[Path], bool]


def check_output(path: Path, kind: FileKind) -> Path:
    """The place where a file of a kind is to be written: `path`, or what it points to if it is a link.

    Raises
    ------
    UsageError
        Something is there that must not be replaced: a file of another kind or of somebody else, a file that
        is protected against writing, a folder, a pipe or a device; or a link that leads nowhere, a folder
        that is a file, or `-`.
    """
    place = _behind_link(path)
    if not place.exists():
        _check_way(path, place)
        return place
    if place.is_dir():
        raise UsageError(f"{path} is a folder, and {kind.name} is a file. Name a file.")
    if not place.is_file():
        raise UsageError(
            f"{path} is a pipe or a device, and {kind.name} is a file: it is written beside its place first. "
            "Name a file."
        )
    if place.stat().st_mode & 0o222 == 0:
        raise UsageError(
            f"{path} is protected against writing, and is left as it is. Name another output, or allow it: "
            f"`chmod u+w {path}`."
        )
    if place.stat().st_size and not _is_own(place, kind):
        raise UsageError(
            f"{path} is there already: {content_of(place)}, and not {kind.name} that xtalpriors wrote. It is "
            "left as it is. Name another output, or move the file away."
        )
    return place


def check_outputs(outputs: Iterable[tuple[Path, FileKind]], inputs: Iterable[Path] = ()) -> None:
    """Check all files that a command is going to write, before it begins its work.

    Parameters
    ----------
    outputs
        The files and their kinds.
    inputs
        Files that the command reads.

    Raises
    ------
    UsageError
        As `check_output`; or an output is one of the inputs, or two outputs are one file.
    """
    taken = {Path(path).resolve() for path in inputs}
    for path, kind in outputs:
        if _behind_link(path).resolve() in taken:
            raise UsageError(f"{path} would be replaced by the output. Give the output another name.")
        check_output(path, kind)
        taken.add(path.resolve())


def check_folder(folder: Path) -> None:
    """Check that a folder is there or can be made.

    Raises
    ------
    UsageError
        A file, or a link that leads nowhere, is in its place.
    """
    place = _behind_link(folder)
    if not place.exists():
        _check_way(folder, place)
    elif not place.is_dir():
        raise UsageError(f"{folder} is a file, and the output is a folder. Name a folder.")


def content_of(path: Path) -> str:
    """What a file seems to be, by its first bytes: `a DuckDB database`, `a Parquet file`, …."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return "a file that cannot be read"
    if head[8:12] == b"DUCK":
        return "a DuckDB database"
    if head[208:212] == b"MAP ":
        return "a CCP4 map"
    for start, name in _BEGINNINGS.items():
        if head.startswith(start):
            return name
    text = head.lstrip()
    if text[:1] in (b"{", b"["):
        return "JSON"
    if text[:9].lower() in (b"<!doctype", b"<html") or text[:5].lower() == b"<html":
        return "a page of HTML"
    if any(line.lower().startswith(b"data_") for line in head.splitlines()):
        return "a CIF"
    return "a file of another kind"


def is_not(path: Path, kind: str, command: str) -> str:
    """Sentence on a file that a command cannot use: what it is, and which command writes the right one.

    >>> is_not(Path("notes.json"), "a subset", "subset")
    'notes.json is JSON, and not a subset: give the file that `xtalpriors subset` wrote.'
    """
    return f"{path} is {content_of(path)}, and not {kind}: give the file that `xtalpriors {command}` wrote."


_BEGINNINGS = {
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a picture",
    b"%PDF": "a PDF",
}


def json_with(*keys: str) -> Callable[[Path], bool]:
    """Recognise a JSON file by keys that its object has."""
    return lambda path: set(keys) <= read_object(path).keys()


def text_with(mark: str) -> Callable[[Path], bool]:
    """Recognise a text file by words in its beginning."""

    def is_own(path: Path) -> bool:
        """Whether the words stand in the first bytes of the file."""
        with path.open("rb") as file:
            return mark in file.read(_HEAD).decode("utf-8", "replace")

    return is_own


def read_object(path: Path) -> dict[str, Any]:
    """The object of a JSON file; ValueError for anything else."""
    if path.stat().st_size > _LARGEST_JSON:
        raise ValueError("too large")
    content = json.loads(path.read_bytes())
    if not isinstance(content, dict):
        raise ValueError("no object")
    return content


def _check_way(path: Path, place: Path) -> None:
    """UsageError where a file is in the place of a folder that the output would be in."""
    for above in place.parents:
        if above.exists():
            if not above.is_dir():
                raise UsageError(
                    f"{path} cannot be written: {above} is a file and no folder. Name another output."
                )
            return


def _is_own(path: Path, kind: FileKind) -> bool:
    try:
        return kind.is_own(path)
    except (OSError, ValueError, LookupError, RecursionError, zipfile.BadZipFile):
        return False


def _behind_link(path: Path) -> Path:
    """What a link points to, which is written in its place; any other path is itself."""
    if str(path) == "-":
        raise UsageError(
            "the output is '-', which is no name: it is not written to standard output. Name it."
        )
    if not path.is_symlink():
        return path
    try:
        place = path.resolve()
    except (OSError, RuntimeError) as error:  # a link to itself
        raise UsageError(f"{path} is a link that leads nowhere ({error}). Name another output.") from error
    if path.exists() and not place.exists():  # /dev/stdout, where it is a pipe
        return path
    if place.is_symlink() or not (place.exists() or place.parent.is_dir()):
        raise UsageError(
            f"{path} is a link to {place}, and the folder of that is not there. Is its disk mounted? Name "
            "another output, or remove the link."
        )
    return place
