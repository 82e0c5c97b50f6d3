"""A reader for tests of the machinery around it: a file's text says what shall happen to its reader.

It has the signature of `xtalpriors.mining.cif.extract` and is imported by worker processes.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import ENTRY, REJECTION, SITE, Column, arrow_schema
from xtalpriors.mining.sources import SourceFile
from xtalpriors.mining.sources.fingerprint import content_hash
from xtalpriors.mining.sources.tree import TreeSource
from xtalpriors.mining.work.task import Reader

LAZY = Reader("mining_double:extract", "double-1")
EAGER = Reader("mining_double:extract_eagerly", "double-1")


class Extracted(NamedTuple):
    entries: pa.Table
    sites: pa.Table
    rejections: pa.Table


class Shuffled(TreeSource):
    """A tree that lists its files in some other order."""

    def files(self) -> Iterator[SourceFile]:
        files = list(super().files())
        random.Random(5).shuffle(files)
        yield from files


class Failing(TreeSource):
    """A tree whose disk goes away when file 002 is read."""

    def read(self, file_id: str) -> bytes:
        if file_id.startswith("002"):
            raise XtalpriorsError("the disk was pulled out")
        return super().read(file_id)


def cif(name: str, *, sites: int = 2, then: str = "") -> str:
    """Text of a structure with so many sites; `then` is what happens to the one who reads it."""
    return f"data_{name}\n# sites {sites}\n# then {then}\n"


def extract(
    source: str, database: str | None, text_origin: str, items: Sequence[tuple[str, bytes]]
) -> Extracted:
    """Read file by file, and suffer at the file that says so."""
    entries, sites, rejections = [], [], []
    for file_id, data in items:
        text = data.decode("utf-8", "replace")
        suffer(text)
        if "# then lose" in text:
            continue
        match = re.match(r"data_(\S+)\n# sites (\d+)", text)
        if match is None:
            rejections.append(
                {
                    "source": source,
                    "file_id": file_id,
                    "stage": "parse",
                    "code": "no-cif",
                    "detail": text[:20],
                }
            )
            continue
        entry_id = f"{source}:{file_id}#{match[1]}"
        given = {
            "entry_id": entry_id,
            "source": source,
            "file_id": file_id,
            "block": match[1],
            "database": database,
            "text_origin": text_origin,
            "content_hash": content_hash(data),
            "a_angstrom": float(len(data)),
        }
        entries.append({**_blank(ENTRY), **given})
        for i in range(int(match[2])):
            sites.append({**_blank(SITE), "entry_id": entry_id, "site_index": i, "x": i / 7, "element": "C"})
        if "# then null" in text:
            entries[-1]["crystal_system"] = None
    tables = zip((entries, sites, rejections), (ENTRY, SITE, REJECTION), strict=True)
    return Extracted(*[_table(rows, columns) for rows, columns in tables])


def extract_eagerly(
    source: str, database: str | None, text_origin: str, items: Sequence[tuple[str, bytes]]
) -> Extracted:
    """Look at all files before it suffers, as a reader does that works on columns."""
    every = list(items)
    for _, data in every:
        suffer(data.decode("utf-8", "replace"))
    return extract(source, database, text_origin, every)


def suffer(text: str) -> None:
    if "# then SEGV" in text:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "# then KILL" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "# then exit" in text:
        os._exit(3)
    if "# then eat" in text:
        hoard = []
        while True:
            hoard.append(bytearray(16 * 2**20))
    if "# then hang" in text:
        while True:
            time.sleep(60)
    if "# then spin" in text:
        while True:
            pass
    if "# then raise" in text:
        raise ValueError("this file raises at 0x7f00dead with \udce9")
    if match := re.search(r"# then wait (\S+)", text):
        time.sleep(float(match[1]))
    if match := re.search(r"# then note (\S+)", text):
        with Path(match[1]).open("a") as stream:
            stream.write(f"{os.getpid()}\n")


def deadly(caller: int, item: int) -> tuple[int, int]:
    """The item and the process that works on it; number 3 ends any process but its caller."""
    if item == 3 and os.getpid() != caller:
        os._exit(1)
    return item, os.getpid()


def _blank(columns: tuple[Column, ...]) -> dict[str, object]:
    """A value for every column that may not be null."""
    values: dict[pa.DataType, object] = {pa.string(): "", pa.bool_(): False}
    return {c.name: None if c.nullable else values.get(c.type, 1) for c in columns}


def _table(rows: list[dict[str, object]], columns: tuple[Column, ...]) -> pa.Table:
    return pa.Table.from_pylist(rows, arrow_schema(columns))
