"""Which sources are mirrors, and which of them are not complete."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from xtalpriors.errors import UsageError
from xtalpriors.mining.mirror.record import MARK, parts_of, read_record
from xtalpriors.mining.sources import Source
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.sources.tree import TreeSource

__all__ = ["incomplete_mirrors", "mirrors_of"]


def mirrors_of(sources: Iterable[str]) -> list[Path]:
    """Folders among sources such as `cod:DIR` or `DIR` that are mirrors made by `sync_mirror`.

    Raises
    ------
    UsageError
        The folder of a source is not there.
    """
    others = re.compile(r"([\w.-]+=)?(amcsd|csd|archive)(:.*)?", re.IGNORECASE | re.DOTALL)
    trees = [text for text in sources if not others.fullmatch(text)]
    for text in trees:
        folder = re.sub(r"^([\w.-]+=)?(cod:)?", "", text)
        if not Path(folder).expanduser().exists():
            raise UsageError(
                f"The folder of source '{text}' is not there. If it is to be a mirror of the COD, "
                f"`xtalpriors sync {shlex.quote(folder)}` makes it."
            )
    found = map(parse_source, trees)
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
        f"database. `xtalpriors sync {shlex.quote(str(root))}{record.goes_on_by}` goes on."
        for root, record in records.items()
        if record and record.unfinished
    ]
