"""Files through the program rsync, from `rsync://HOST/MODULE/`: only what changed, and resumed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.mirror.program import require_program, run_program
from xtalpriors.mining.mirror.transfer import Transfer, delete_unlisted, go_on, revision_of
from xtalpriors.mining.sources import MAX_TEXT_BYTES
from xtalpriors.progress import Advance

__all__ = ["fetch_by_rsync"]

_FOLDERS = ("/[1-9]/", "/[1-9]/[0-9][0-9]/", "/[1-9]/[0-9][0-9]/[0-9][0-9]/")
_FILES = f"{_FOLDERS[-1]}[1-9][0-9][0-9][0-9][0-9][0-9][0-9].cif"
_LINE = re.compile(r"(?P<what>[>.]f.{9}) (?P<size>\d+) (?P<name>.*)")
_REPLACED = "replaced"
"""Folder of the workplace where rsync puts a file that it replaces, until the revisions are compared."""
_VANISHED = 24
"""A file was deleted on the server between its listing and its reading."""


def fetch_by_rsync(
    origin: str, root: Path, ranges: Sequence[str], transfer: Transfer, advance: Advance, *, is_dry_run: bool
) -> None:
    """Bring a mirror up to date, one connection at a time.

    Files that the server no longer lists are deleted here, at the end, when the whole listing has come:
    rsync's own limit of deletions would delete up to the limit first. An unfinished file waits in a hidden
    folder `.rsync-partial` beside its place; what rsync works on lies in one hidden folder at the root, which
    is removed at the end, and by the next update where this one was killed.

    Raises
    ------
    XtalpriorsError
        rsync is not installed, the server is not reached or breaks off, the disk is full, or more files would
        be deleted than may be.
    """
    require_program("rsync", "rsync")
    root = root.absolute()  # rsync takes `a:b` for a folder of another machine
    listed: set[str] = set()
    with _workplace(root, is_dry_run) as workplace:
        for one in ranges or [""]:
            said = _Said(root, transfer, listed, advance, workplace)
            part = f"{origin.rstrip('/')}/./{one + '/' if one else ''}"
            try:
                status, errors = run_program([*_command(transfer, workplace), part, f"{root}/"], said.take)
            finally:
                said.count()
            if transfer.is_full:
                return
            if one and re.search("link_stat .*No such file", errors):
                transfer.absent.append(one)
            elif status not in (0, _VANISHED):
                raise XtalpriorsError(
                    f"rsync of {origin} ended with status {status}: {_last_line(errors)}. {_remedy(errors)}"
                )
    there = [one for one in ranges if one not in transfer.absent]
    if ranges and not there:
        raise XtalpriorsError(f"{origin} has no part {', '.join(ranges)}. Nothing was changed.")
    delete_unlisted(root, there, listed, transfer, origin, is_dry_run=is_dry_run)


@contextmanager
def _workplace(root: Path, is_dry_run: bool) -> Iterator[Path | None]:
    """An empty folder for the files that rsync works on and replaces; none where it only counts."""
    if is_dry_run:
        yield None
        return
    folder = root / ".rsync-temporary"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _command(transfer: Transfer, workplace: Path | None) -> list[str]:
    limits = transfer.limits
    return [
        *("rsync", "--recursive", "--times", "--omit-dir-times", "--relative", "--prune-empty-dirs"),
        *("--partial-dir=.rsync-partial", f"--max-size={MAX_TEXT_BYTES}"),
        *(
            "--timeout=300",
            "--contimeout=60",
            "--itemize-changes",
            "--itemize-changes",
            "--out-format=%i %l %n",
        ),
        *(f"--include={pattern}" for pattern in (*_FOLDERS, _FILES)),
        "--exclude=*",
        *([f"--bwlimit={limits.kilobytes_per_second}"] if limits.kilobytes_per_second else []),
        *(
            (f"--temp-dir={workplace}", "--backup", f"--backup-dir={workplace}/{_REPLACED}")
            if workplace
            else ("--dry-run",)
        ),
    ]


@dataclass
class _Said:
    """What rsync says, line by line; a file, named before it is in place, counts when the next is named."""

    root: Path
    transfer: Transfer
    listed: set[str]
    advance: Advance
    workplace: Path | None
    last: re.Match[str] | None = None

    def take(self, line: str) -> bool:
        """Take a line; False when enough has come."""
        self.count()
        match = _LINE.fullmatch(line)
        if match is not None:
            self.listed.add(match["name"])
            self.last = match if match["what"].startswith(">") else None
            if self.last is None and self.transfer.is_resumed:
                self.transfer.reached(revision_of(self.root / match["name"]))
        return not self.transfer.is_full

    def count(self) -> None:
        """Count the file that was named last, which is in place now."""
        if self.last is None:
            return
        name, is_new = self.last["name"], self.last["what"].endswith("+")
        if self.workplace is None or (self.root / name).is_file():
            self.transfer.add(int(self.last["size"]), is_new=is_new)
            if self.workplace is not None:
                replaced = self.workplace / _REPLACED / name
                self.transfer.reached(revision_of(self.root / name), before=revision_of(replaced))
                replaced.unlink(missing_ok=True)
            self.advance(1, note=name)
        self.last = None


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line and not line.startswith("rsync error")]
    return (lines or text.splitlines() or ["it said nothing"])[-1].rstrip(".")


def _remedy(errors: str) -> str:
    """What helps: the same command again, unless the address is wrong."""
    if "Unknown module" in errors:
        return "Check the address rsync://HOST/MODULE/: `rsync rsync://HOST/` lists the modules of a server."
    if "change_dir" in errors:
        return "Check the folder in the address, and the ranges: the server has none of that name."
    if "getaddrinfo" in errors and "Temporary failure" not in errors:
        return "Check the name of the host in the address, and the network."
    return go_on(errors)
