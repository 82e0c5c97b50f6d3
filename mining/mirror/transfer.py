"""What an update of a mirror takes, and what it did; the limits that hold for every way."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from xtalpriors.counted import counted
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.mirror.layout import mirrored_files
from xtalpriors.mining.sources.fingerprint import header_revision

__all__ = ["MirrorLimits", "Transfer", "check_listed", "delete_unlisted", "go_on", "revision_of", "unlisted"]


@dataclass(frozen=True)
class MirrorLimits:
    """Bounds of one update."""

    size_bytes: int | None = None
    """Ends the update, which then goes on from there the next time, when so much has come; null: no end."""
    deletions: int = 1_000
    """More files than this are not deleted: a server that has lost its files is no reason to lose these."""
    kilobytes_per_second: int | None = None


@dataclass
class Transfer:
    """Counts of an update, as it goes on."""

    limits: MirrorLimits
    is_resumed: bool = False
    """An update that did not end brought files without recording their revisions: they are asked now."""
    new: int = 0
    changed: int = 0
    deleted: int = 0
    skipped: int = 0
    """Kept as they are here: links, files edited by hand."""
    older: int = 0
    """Replaced by a content whose header states a lower revision; where one states none, not counted."""
    size_bytes: int = 0
    revision: int | None = None
    """Highest revision of the files that came."""
    absent: list[str] = field(default_factory=list)
    """Ranges that were asked for and that the origin does not have."""

    def add(self, size_bytes: int, *, is_new: bool) -> None:
        """Count a file that came."""
        self.new += is_new
        self.changed += not is_new
        self.size_bytes += size_bytes

    def reached(self, revision: int | None, *, before: int | None = None) -> None:
        """Note the revision of a file that came, and of the one that it replaced, where they are known."""
        if revision is not None:
            self.revision = max(revision, self.revision or 0)
            self.older += before is not None and revision < before

    @property
    def brought_nothing(self) -> bool:
        """Whether the mirror is as it was."""
        return not (self.new or self.changed or self.deleted)

    @property
    def is_full(self) -> bool:
        """Whether as much has come as may come."""
        return self.limits.size_bytes is not None and self.size_bytes >= self.limits.size_bytes


def revision_of(path: Path) -> int | None:
    """Revision that the header of a file states; null without, and where it cannot be read."""
    try:
        with path.open("rb") as file:
            return header_revision(file.read(4096))
    except OSError:
        return None


def check_listed(listed: Set[str], ranges: Sequence[str], origin: str) -> None:
    """Raise `XtalpriorsError` if an origin has no entry at all."""
    if not listed:
        where = f" in {', '.join(ranges)}" if ranges else ""
        raise XtalpriorsError(
            f"{origin} holds no file such as 9/00/00/9000000.cif{where}. Is it a copy of the COD? "
            "Nothing was deleted."
        )


def unlisted(
    root: Path,
    ranges: Sequence[str],
    listed: Set[str],
    limits: MirrorLimits,
    origin: str,
    *,
    is_dry_run: bool,
) -> list[str]:
    """The entries of a mirror that its origin no longer has.

    Raises
    ------
    XtalpriorsError
        The origin has none at all, or more are gone than may be deleted and they are to be.
    """
    check_listed(listed, ranges, origin)
    gone = [name for name in mirrored_files(root, ranges) if name not in listed]
    if len(gone) > limits.deletions and not is_dry_run:
        raise XtalpriorsError(
            f"No longer at {origin}: {counted(len(gone), 'entry')} of the mirror, more than the "
            f"{limits.deletions:,} that are deleted without being told. What has come is kept, nothing was "
            f"deleted. If the origin is right, run again with --max-deletions {len(gone)}."
        )
    return gone


def delete_unlisted(
    root: Path, ranges: Sequence[str], listed: Set[str], transfer: Transfer, origin: str, *, is_dry_run: bool
) -> None:
    """Delete, or count, the entries of a mirror that its origin no longer has; raises as `unlisted` does."""
    gone = unlisted(root, ranges, listed, transfer.limits, origin, is_dry_run=is_dry_run)
    transfer.deleted += len(gone)
    if not is_dry_run:
        for name in gone:
            (root / name).unlink()


def go_on(errors: str) -> str:
    """What helps where a program ended and the address was right."""
    first = "free some space and run" if "No space left" in errors else "run"
    return f"What has come is kept; {first} the same command again to go on."
