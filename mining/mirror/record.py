"""What a mirror says of itself: where it comes from, which revision it holds, whether it is whole."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from xtalpriors.atomic_write import write_text
from xtalpriors.errors import UsageError
from xtalpriors.frozen_model import Frozen
from xtalpriors.outputs import FileKind, json_with

__all__ = ["MARK", "MIRRORED", "MirrorRecord", "SyncRun", "parts_of", "read_record", "write_record"]

MARK = ".xtalpriors-mirror.json"
"""File at the root of a mirror. It is hidden, so mining does not take it for an entry."""

MIRRORED = FileKind(
    "a file of a mirror", lambda path: any((folder / MARK).is_file() for folder in path.parents)
)
_RECORD = FileKind("the record of a mirror", json_with("format", "origin", "runs"))
_RUNS_KEPT = 100


class SyncRun(Frozen):
    """One update that came to its end, or to the size that it was given."""

    started: str
    finished: str
    ranges: tuple[str, ...]
    new: int
    changed: int
    deleted: int
    size_bytes: int
    revision: int | None
    """Highest revision known of the mirror after it."""
    is_complete: bool = True
    """False where it stopped at its size before it was done."""


class MirrorRecord(Frozen):
    """Origin and history of a mirror."""

    format: Literal["xtalpriors-mirror/1"] = "xtalpriors-mirror/1"
    origin: str
    unfinished: tuple[str, ...] = ()
    """Ranges of which an update began and did not end; an empty string is the whole database."""
    runs: tuple[SyncRun, ...] = ()

    @property
    def goes_on_by(self) -> str:
        """Options of `xtalpriors sync` that bring what is unfinished."""
        return "" if "" in self.unfinished else "".join(f" --range {one}" for one in self.unfinished)

    @property
    def revision(self) -> int | None:
        """Highest revision of the COD that is known to have reached the mirror; null where none is stated."""
        return self.last.revision if self.last else None

    @property
    def last(self) -> SyncRun | None:
        """The last update that was done with all it had to do; null where none was."""
        return next((run for run in reversed(self.runs) if run.is_complete), None)

    def begun(self, ranges: tuple[str, ...]) -> MirrorRecord:
        """The record while an update runs."""
        return self.model_copy(update={"unfinished": tuple(sorted({*self.unfinished, *(ranges or ("",))}))})

    def ended(self, run: SyncRun) -> MirrorRecord:
        """The record after an update; a complete one of the whole database finishes every part of it."""
        done = (run.ranges or self.unfinished) if run.is_complete else ()
        left = [one for one in self.unfinished if one not in done]
        return self.model_copy(update={"unfinished": tuple(left), "runs": (*self.runs, run)[-_RUNS_KEPT:]})


def parts_of(ranges: Iterable[str]) -> str:
    """` (2, 9)`: ranges as a reader names them; nothing where one of them is the whole database."""
    given = tuple(ranges)
    return "" if "" in given else f" ({', '.join(given)})"


def read_record(root: Path) -> MirrorRecord | None:
    """The record of a folder; null where there is none.

    Raises
    ------
    UsageError
        The file is there and is no record that this version can read.
    """
    path = root / MARK
    try:
        return MirrorRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        raise UsageError(
            f"{path} should say where this mirror comes from and cannot be read as that. If the folder is "
            "yours to mirror into, remove that file and sync again with --adopt."
        ) from error


def write_record(root: Path, record: MirrorRecord) -> None:
    """Put the record at the root of the mirror."""
    write_text(root / MARK, record.model_dump_json(indent=1) + "\n", _RECORD)
