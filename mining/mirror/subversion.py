"""Files through the program svn, from a repository: a working copy, brought to one revision."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.mirror.layout import entry_path, mirrored_files
from xtalpriors.mining.mirror.program import require_program, run_program
from xtalpriors.mining.mirror.transfer import Transfer, go_on, revision_of, unlisted
from xtalpriors.progress import Advance

__all__ = ["fetch_by_svn"]

_SVN = ("svn", "--non-interactive")
_LINE = re.compile(r"(?P<what>[AUGDRCE ])[UGC ]?[B ]?[C ]? +(?P<name>\S.*)")
_RESTORED = re.compile(r"^Restored '(.+)'$")
"""A file that was removed here, and comes again; a link was removed by the update that first brought it."""
_NOWHERE = re.compile(r"E670002|E180001|E210005|E170000|E160013|E200009")
"""Errors of svn: no such host, no repository, no such path in it."""


def fetch_by_svn(
    origin: str,
    root: Path,
    ranges: Sequence[str],
    transfer: Transfer,
    advance: Advance,
    *,
    is_dry_run: bool,
    known_revision: int | None,
) -> None:
    """Bring a working copy to the newest revision; a file that was edited here stays as it is.

    The listing of the repository comes first: svn itself knows no limit of deletions, and names a folder that
    it deletes without its files.

    Raises
    ------
    XtalpriorsError
        svn is not installed, the server is not reached or breaks off, its newest revision is older than the
        one that the mirror holds, it has no entry, or more entries would be deleted than may be.
    UsageError
        The folder is a working copy of another repository, or holds entries and is no working copy.
    """
    require_program("svn", "subversion")
    there = _info(origin)
    revision = there.revision
    if known_revision is not None and revision < known_revision:
        raise XtalpriorsError(
            f"{origin} is at revision {revision}, older than the {known_revision} that the mirror holds: is "
            "it an old copy? Nothing was changed. To go back all the same, mirror it into another folder."
        )
    has_copy = (root / ".svn").is_dir()
    moved = None
    if has_copy:
        _go(["cleanup"], root, transfer, advance)  # of the locks of a run that was cut off
        moved = _moved_from(_info(".", root), there, root)
    elif next(mirrored_files(root, ()), None):
        raise UsageError(
            f"{root} holds entries and is no working copy of svn, which would fetch all of them again and "
            "leave those that differ as they are. Nothing was changed. Mirror into another folder, or update "
            "this one from an rsync:// address."
        )
    listed, to_come = _listing(origin, root, ranges, revision)
    gone = unlisted(root, ranges, listed, transfer.limits, origin, is_dry_run=is_dry_run)
    if is_dry_run:
        transfer.deleted, transfer.revision = len(gone), revision
        for name, size in to_come.items():
            transfer.add(size, is_new=not (root / name).is_file())
        return
    before = {name: stated for name in to_come if (stated := revision_of(root / name)) is not None}
    at, whole = ["--revision", str(revision), "--ignore-externals"], ["--set-depth", "infinity"]
    steps = [["update", *at, "--accept", "mine-full", *whole, *(["--parents", *ranges] if ranges else [])]]
    if not has_copy:
        depth = "empty" if ranges else "infinity"
        steps.insert(0, ["checkout", "--force", "--depth", depth, *at, origin, "."])
    elif moved:
        steps.insert(0, ["relocate", moved, there.repository])
    try:
        for arguments in steps:
            if not transfer.is_full:
                _go(arguments, root, transfer, advance)
    finally:
        transfer.deleted = sum(not (root / name).exists() for name in gone)
    for name, stated in before.items():
        transfer.reached(revision_of(root / name), before=stated)
    transfer.revision = revision


class _Entry(NamedTuple):
    """What svn's XML says of a file or folder; of a listing, the address and the repository are empty."""

    name: str
    is_file: bool
    size_bytes: int
    revision: int
    changed_in: int
    address: str
    repository: str
    """Address of the repository's root."""
    repository_id: str

    @property
    def place(self) -> tuple[str, str]:
        """The repository by its id, and the path in it: what a move of the server leaves as it is."""
        return self.repository_id, self.address.removeprefix(self.repository)


def _info(of: str, folder: Path | None = None) -> _Entry:
    """What svn says of an address, or of a working copy; its revision is the newest, or the one here."""
    entries = _entries(["info", "--xml", of], folder)
    if not entries or (folder is None and not entries[0].revision):
        raise XtalpriorsError(
            f"{of} says no revision of itself: is it the address of a folder in a repository?"
        )
    return entries[0]


def _moved_from(here: _Entry, there: _Entry, root: Path) -> str | None:
    """Former address of the repository of a working copy, where it is at another one now; else null.

    Raises
    ------
    UsageError
        The working copy is of another repository, or of another folder of it.
    """
    if here.place != there.place:
        raise UsageError(
            f"{root} is a working copy of {here.address}, and {there.address} is another repository or "
            "another folder of it. Nothing was changed: mirror that into another folder."
        )
    return here.repository if here.repository != there.repository else None


def _listing(
    origin: str, root: Path, ranges: Sequence[str], revision: int
) -> tuple[set[str], dict[str, int]]:
    """The entries of a repository, and the sizes of those that are not here or changed since what is here."""
    listed: set[str] = set()
    to_come: dict[str, int] = {}
    for one in ranges or [""]:
        has_copy = (root / ".svn").is_dir() and (root / one).is_dir()
        info = _entries(["info", "--xml", one or "."], root) if has_copy else []
        here = max((entry.revision for entry in info), default=0)
        for entry in _entries(["list", "--xml", "--recursive", f"{origin.rstrip('/')}/{one}@{revision}"]):
            path = "/".join(part for part in (one, entry.name) if part)
            if not entry.is_file or entry_path(path) != path:
                continue
            listed.add(path)
            if entry.changed_in > here or not (root / path).is_file():
                to_come[path] = entry.size_bytes
    return listed, to_come


def _go(arguments: list[str], root: Path, transfer: Transfer, advance: Advance) -> None:
    """Run svn in the working copy and count the files that it names."""
    named: dict[Path, str] = {}

    def take(line: str) -> bool:
        """Count the file that a line of svn names; lines on other things are passed over."""
        match = _LINE.fullmatch(_RESTORED.sub(r"A    \1", line))
        if match is None or entry_path(match["name"]) != match["name"]:
            return True
        if match["what"] in "AUR":
            named[root / match["name"]] = match["what"]
            advance(1, note=match["name"])
        else:
            transfer.skipped += match["what"] in "GC"
        _count([path for path in named if os.path.lexists(path)], named, transfer)
        return not transfer.is_full

    try:
        status, errors = run_program([*_SVN, *arguments], take, cwd=root)
    finally:
        _count(list(named), named, transfer)
    if status and not transfer.is_full:
        raise _failed(arguments[0], status, errors)


def _count(paths: list[Path], named: dict[Path, str], transfer: Transfer) -> None:
    """Count files that svn has named, which it does before they are in place; links are not kept."""
    for path in paths:
        what = named.pop(path)
        if path.is_symlink():
            path.unlink()  # a link could name any file of this machine
            transfer.skipped += 1
        elif path.is_file():
            transfer.add(path.stat().st_size, is_new=what == "A")


def _entries(arguments: list[str], root: Path | None = None) -> list[_Entry]:
    """The entries of svn's XML, which may be 100 MB: of the XML itself one entry at a time is kept."""
    parser: ElementTree.XMLPullParser[ElementTree.Element] = ElementTree.XMLPullParser(["end"])
    found: list[_Entry] = []

    def take(line: str) -> bool:
        """Feed a line to the parser and keep the entries that it completes."""
        parser.feed(line + "\n")
        for event in parser.read_events():
            element = event[-1]
            if isinstance(element, ElementTree.Element) and element.tag == "entry":
                found.append(_entry(element))
                element.clear()
        return True

    status, errors = run_program([*_SVN, *arguments], take, cwd=root)
    if status:
        raise _failed(arguments[0], status, errors)
    return found


def _entry(element: ElementTree.Element) -> _Entry:
    commit = element.find("commit")
    return _Entry(
        element.findtext("name") or "",
        element.get("kind") == "file",
        int(element.findtext("size") or 0),
        int(element.get("revision", 0)),
        int(commit.get("revision", 0)) if commit is not None else 0,
        element.findtext("url") or "",
        element.findtext("repository/root") or "",
        element.findtext("repository/uuid") or "",
    )


def _failed(what: str, status: int, errors: str) -> XtalpriorsError:
    first = errors.splitlines()[0] if errors else "it said nothing"
    said = re.sub(r"svn: (warning: )?[EW]\d+: ", "", first).rstrip(".")
    remedy = (
        "Check the host and the folder in the address, and the ranges."
        if _NOWHERE.search(errors)
        else go_on(errors)
    )
    return XtalpriorsError(f"svn {what} ended with status {status}: {said}. {remedy}")
