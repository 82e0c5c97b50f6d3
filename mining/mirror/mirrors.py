"""Which sources are mirrors, and which of them are not complete."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from xtalpriors.mining.mirror.record import MARK, parts_of, read_record
from xtalpriors.mining.sources import Source
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.sources.tree import TreeSource

__all__ = ["incomplete_mirrors", "mirrors_of"]


def mirrors_of(sources: Iterable[str]) -> list[Path]:
    """Folders among sources such as `cod:DIR` or `DIR` that are mirrors made by `sync_mirror`."""
    databases = re.compile(r"([\w.-]+=)?(amcsd|csd)(:.*)?", re.IGNORECASE | re.DOTALL)
    found = (parse_source(text) for text in sources if not databases.fullmatch(text))
    return [
        source.root for source in found if isinstance(source, TreeSource) and (source.root / MARK).exists()
    ]


def incomplete_mirrors(sources: Iterable[Source]) -> list[str]:
    """A sentence on each source that is a mirror of which an update did not end.

    Raises
    ------
    UsageError
        The record of a mirror cannot be read.
    """
    trees = [source.root for source in sources if isinstance(source, TreeSource)]
    records = {root: read_record(root) for root in trees}
    return [
        f"The mirror {root} is not complete{parts_of(record.unfinished)}: what has not come is not in the "
        f"database. `xtalpriors sync {shlex.quote(str(root))}` goes on."
        for root, record in records.items()
        if record and record.unfinished
    ]
