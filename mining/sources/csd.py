"""The Cambridge Structural Database through its licensed Python API (package `ccdc`), where it is installed.

Each entry's CIF text goes down the same path as any file. Without the package, CIF exports of Mercury or
ConQuest do: `archive:FILE`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from xtalpriors.errors import UsageError
from xtalpriors.mining.sources import SourceFile, UnreadableError

__all__ = ["CsdSource", "require_ccdc"]


@dataclass(frozen=True)
class CsdSource:
    """Every entry of the CSD, or of one database file of its format; `file_id` is the refcode."""

    location: str = "CSD"
    name: str = "csd"
    kind: str = "csd"
    database: str | None = "CSD"
    text_origin: str = "rebuilt"

    def files(self) -> Iterator[SourceFile]:
        """Every entry by refcode; the times are those of the database file, where the API tells it."""
        reader = _reader(self.location, os.getpid())
        changed = _changed(reader)
        refcodes = sorted({str(entry.identifier) for entry in reader})
        yield from (SourceFile(refcode, 0, None, changed) for refcode in refcodes)

    def read(self, file_id: str) -> bytes:
        """CIF text of one entry, as the API writes it."""
        reader = _reader(self.location, os.getpid())
        try:
            return str(reader.entry(file_id).to_string("cif")).encode("utf-8")
        except RuntimeError as error:  # what the API raises for an unknown or unreadable entry
            raise UnreadableError("unreadable", f"the CSD gives no CIF of {file_id}: {error}") from error


def require_ccdc() -> None:
    """Refuse the source where the package is not installed.

    Raises
    ------
    UsageError
    """
    if importlib.util.find_spec("ccdc") is None:
        raise UsageError(
            "The source `csd` needs the CSD Python API (package `ccdc`, licensed by the CCDC), which is not "
            "installed here. CIFs exported from Mercury or ConQuest work without it: `archive:FILE`, or "
            "`cod:DIR` for a folder of them."
        )


@lru_cache(maxsize=2)
def _reader(location: str, process: int) -> Any:
    """Reader of this process: its handle may not be carried through a fork."""
    require_ccdc()
    module = importlib.import_module("ccdc.io")
    try:
        return module.EntryReader(location)
    except RuntimeError as error:  # no licence, no database
        raise UsageError(
            f"The CSD Python API cannot open '{location}' ({error}). Check the licence and the installation."
        ) from error


def _changed(reader: Any) -> int | None:
    """Last change of the database's files (the CSD and its updates), so that a new release is noticed.

    Null where the API does not tell them.
    """
    names = getattr(reader, "file_name", None) or ()
    paths = [Path(str(name)) for name in ([names] if isinstance(names, str) else names)]
    return max((path.stat().st_ctime_ns for path in paths if path.is_file()), default=None)
