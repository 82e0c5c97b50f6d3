"""One update of a mirror: from its origin, within limits, with a record of what came."""

from __future__ import annotations

import re
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from xtalpriors.counted import counted
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.mining.mirror.layout import check_ranges
from xtalpriors.mining.mirror.lock import alone
from xtalpriors.mining.mirror.record import MARK, MirrorRecord, SyncRun, parts_of, read_record, write_record
from xtalpriors.mining.mirror.rsync import fetch_by_rsync
from xtalpriors.mining.mirror.subversion import fetch_by_svn
from xtalpriors.mining.mirror.transfer import MirrorLimits, Transfer
from xtalpriors.mining.mirror.unpacking import list_archive, unpack_archive
from xtalpriors.outputs import check_folder
from xtalpriors.progress import Progress, silent

__all__ = ["COD", "SyncReport", "sync_mirror"]

COD = "rsync://www.crystallography.net/cif/"
"""Where the COD offers its CIFs to rsync."""
_ADDRESS = re.compile(r"(rsync://[^/]+/[^/]+|svn(\+ssh)?://[^/]+|file://.)")


@dataclass(frozen=True)
class SyncReport:
    """What an update brought, or would bring."""

    origin: str
    root: Path
    transfer: Transfer
    revision: int | None
    record: MirrorRecord
    """Of the mirror after it."""
    is_dry_run: bool
    seconds: float

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Parts of the mirror that are not complete; an empty string is the whole database."""
        return self.record.unfinished

    def __str__(self) -> str:
        """A few lines for the terminal."""
        t, free = self.transfer, shutil.disk_usage(_existing(self.root)).free
        counts = f"{t.new:,} new, {t.changed:,} changed, {t.deleted:,} deleted, {_size(t.size_bytes)}"
        if self.is_dry_run:
            lines = [f"sync: would bring {counts} from {self.origin}; {_size(free)} are free at {self.root}"]
        else:
            lines = [f"sync: {counts} ({self.seconds:.1f} s); revision {self.revision or 'not stated'}"]
        if self.is_dry_run and t.deleted > t.limits.deletions:
            lines.append(
                f"      No more than {t.limits.deletions:,} are deleted without being told: if the origin is "
                f"right, run with --max-deletions {t.deleted}."
            )
        if t.absent:
            lines.append(f"      The origin has no part {', '.join(t.absent)}.")
        if t.older:
            went = "would go" if self.is_dry_run else "went"
            lines.append(
                f"      {counted(t.older, 'file')} {went} back to an older revision than here before: is "
                f"{self.origin} an old copy?"
            )
        if t.skipped and not self.is_dry_run:
            lines.append(f"      Not as at the origin: {counted(t.skipped, 'file')}, links or edited here.")
        if self.unfinished and not self.is_dry_run:
            by = f"`xtalpriors sync {shlex.quote(str(self.root))}{self.record.goes_on_by}` goes on."
            lines.append(
                f"      The mirror is not complete yet{parts_of(self.unfinished)}. "
                f"{'Run the same command again to go on.' if t.is_full else by}"
            )
        return "\n".join(lines)


def sync_mirror(
    root: Path,
    origin: str | None = None,
    *,
    ranges: Sequence[str] = (),
    limits: MirrorLimits | None = None,
    is_dry_run: bool = False,
    adopt: bool = False,
    progress: Progress = silent,
) -> SyncReport:
    """Make a mirror of the COD or bring it up to date.

    Another origin than before is recorded once it has given something: a mistyped one changes nothing.

    Parameters
    ----------
    root
        Folder of the mirror. One that holds something and is no mirror yet is refused without `adopt`.
    origin
        `rsync://…`, `svn://…` (or `svn+ssh://…`, `file://…`), or a downloaded .zip or .tar; by default
        where the mirror came from before, else the COD's own rsync server. Its pages are not crawled.
    ranges
        Parts such as `2` or `2/01`; all without any.
    limits
        Bounds of the update.
    is_dry_run
        Count what would come, and change nothing.
    adopt
        Take a folder as a mirror of `origin` that was not made by this routine, or came from elsewhere.

    Raises
    ------
    UsageError
        A folder that is no mirror of the origin, an origin of another kind, a range that is none.
    XtalpriorsError
        The transfer failed; what has come is kept.
    InterruptedRunError
        By Ctrl-C or SIGTERM; likewise.
    """
    started, clock = _now(), time.monotonic()
    root, parts = Path(root), check_ranges(ranges)
    check_folder(root)
    old = read_record(root)
    origin = origin or (old.origin if old else COD)
    fetch = _way(origin)
    if fetch == "archive":
        origin = str(Path(origin).resolve())
    if old is None or (old.origin != origin and not (fetch == "archive" and "://" not in old.origin)):
        _may_mirror(root, old, origin, adopt)
    runs, unfinished = (old.runs, old.unfinished) if old else ((), ())
    record = MirrorRecord(origin=origin, runs=runs, unfinished=unfinished)
    before, begun = record.revision, record.begun(parts)
    transfer = Transfer(limits or MirrorLimits(), is_resumed=old is None or bool(unfinished))
    if fetch != "rsync" and transfer.limits.kilobytes_per_second is not None:
        raise UsageError(
            f"Only rsync can be slowed down: take --kB-per-second away, or fetch {origin} another way."
        )
    with progress(f"sync {origin}", None, "file") as advance, ExitStack() as stack:
        listing = list_archive(Path(origin), parts) if fetch == "archive" else None
        if not is_dry_run:
            _make(root)
            stack.enter_context(alone(root))
            stack.enter_context(_begun_unless_idle(root, transfer, old or record))
            write_record(root, begun)
        if listing is not None:
            unpack_archive(listing, root, parts, transfer, advance, is_dry_run=is_dry_run)
        elif fetch == "rsync":
            fetch_by_rsync(origin, root, parts, transfer, advance, is_dry_run=is_dry_run)
        else:
            fetch_by_svn(origin, root, parts, transfer, advance, is_dry_run=is_dry_run, known_revision=before)
    revision = max((r for r in (before, transfer.revision) if r is not None), default=None)
    if not is_dry_run:
        run = SyncRun(
            started=started,
            finished=_now(),
            ranges=parts,
            new=transfer.new,
            changed=transfer.changed,
            deleted=transfer.deleted,
            size_bytes=transfer.size_bytes,
            revision=revision,
            is_complete=not transfer.is_full,
        )
        record = begun.ended(run)
        write_record(root, record)
    return SyncReport(origin, root, transfer, revision, record, is_dry_run, time.monotonic() - clock)


def _make(root: Path) -> None:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"No folder can be made at {root} ({error.strerror}). Name another one.") from error


@contextmanager
def _begun_unless_idle(root: Path, transfer: Transfer, record: MirrorRecord) -> Iterator[None]:
    """Put the record back, with its origin, where an update fails before it changed anything."""
    try:
        yield
    except XtalpriorsError:
        if transfer.brought_nothing:
            write_record(root, record)
        raise


def _way(origin: str) -> str:
    """How files come from an origin: `rsync`, `svn` or `archive`."""
    scheme = re.match(r"([A-Za-z+]+)://", origin)
    if scheme is None:
        if Path(origin).is_file():
            return "archive"
        raise UsageError(
            f"There is no archive {origin}; other origins are rsync://HOST/MODULE/ and svn://HOST/PATH."
        )
    ways = {"rsync": "rsync", "svn": "svn", "svn+ssh": "svn", "file": "svn"}
    if scheme[1] in ways:
        if not _ADDRESS.match(origin):
            raise UsageError(
                f"{origin} is no whole address: those are rsync://HOST/MODULE/, such as {COD}, and "
                "svn://HOST/PATH."
            )
        return ways[scheme[1]]
    raise UsageError(
        f"{origin} is not fetched from: {scheme[1]} is not one of rsync, svn, svn+ssh and file. The COD does "
        f"not want its pages crawled; its rsync server is {COD}."
    )


def _may_mirror(root: Path, record: MirrorRecord | None, origin: str, adopt: bool) -> None:
    """Raise unless a folder is new, empty, or said to be a mirror of the origin."""
    if root.exists() and not root.is_dir():
        raise UsageError(f"{root} is a file, not a folder to mirror into.")
    if adopt or not root.exists() or not any(path.name != MARK for path in root.iterdir()):
        return
    if record is not None:
        raise UsageError(
            f"{root} is a mirror of {record.origin}, not of {origin}: its files would be replaced. With "
            "--adopt they are; or mirror into another folder."
        )
    raise UsageError(
        f"{root} holds files and no {MARK}: it may be no mirror. If it is one (made by rsync, say), run "
        "again with --adopt: entries in the COD's layout are then replaced, and deleted where the origin no "
        "longer has them. Other files are left alone."
    )


def _existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(place for place in (path.absolute(), *path.absolute().parents) if place.is_dir())


def _size(n: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:,.0f} {unit}" if unit in ("bytes", "kB") else f"{n:,.1f} {unit}"
        n /= 1000
    raise AssertionError


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
