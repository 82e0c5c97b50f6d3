"""From bytes to tokens with gemmi, and with PyCifRW where gemmi refuses the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import gemmi

from xtalpriors.mining.tags import normal_tag
from xtalpriors.mining.tokens import TAG_INDEX, TokenWriter

__all__ = ["Parsed", "Unreadable", "decode", "read_with_gemmi", "wanted_tag"]

_TAG_CACHE: Final[dict[str, int]] = {}
_TAG_CACHE_LIMIT: Final = 20_000
_NULLS: Final = ("?", ".")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that was read: the reader's name, the names of its blocks, and notes on how."""

    reader: str
    blocks: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that was not: why, in the words of a rejection."""

    stage: str
    code: str
    detail: str


def wanted_tag(tag: str) -> int:
    """Number of the tag in `TAG_INDEX`, or −1 for a tag that the reader does not look for."""
    number = _TAG_CACHE.get(tag)
    if number is None:
        number = TAG_INDEX.get(normal_tag(tag), -1)
        if len(_TAG_CACHE) < _TAG_CACHE_LIMIT:
            _TAG_CACHE[tag] = number
    return number


def decode(data: bytes) -> tuple[str, tuple[str, ...]] | Unreadable:
    """Text of a file in whichever encoding it is, and what there is to note about that."""
    notes: list[str] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), ("utf-16",)
        except UnicodeDecodeError as error:
            return Unreadable("read", "encoding", f"the byte-order mark says UTF-16, but {error}")
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append("utf-8-bom")
    if not data.strip():
        return Unreadable("read", "empty-file", f"{len(data)} bytes, none of them text")
    if b"\0" in data:
        return Unreadable("read", "binary", f"a NUL byte at position {data.index(0)}: not a text file")
    try:
        return data.decode("utf-8"), tuple(notes)
    except UnicodeDecodeError:
        return data.decode("latin-1"), (*notes, "latin-1")


def read_with_gemmi(text: str, writer: TokenWriter, first_block: int) -> Parsed | Unreadable:
    """Read `text` with gemmi, strictly, then without the check for duplicate tags.

    The blocks' wanted values go to `writer`, blocks numbered from `first_block`.
    """
    notes: tuple[str, ...] = ()
    try:
        document = gemmi.cif.read_string(text, check_level=1)
    except (ValueError, RuntimeError) as strict:
        try:
            document = gemmi.cif.read_string(text, check_level=0)
        except (ValueError, RuntimeError) as error:
            return Unreadable("parse", "syntax", _message(error))
        notes = (_lenient_note(str(strict)),)
    names = []
    for number, block in enumerate(document):
        names.append(block.name)
        _add_block(block, writer, first_block + number)
    return Parsed("gemmi-repaired" if notes else "gemmi", tuple(names), notes)


def _message(error: Exception) -> str:
    return re.sub(r"^string:", "line ", str(error))[:300]


def _lenient_note(message: str) -> str:
    if "duplicate tag" in message:
        return "duplicate-tag"
    if "duplicate block" in message:
        return "duplicate-block"
    if "has no value" in message:
        return "tag-without-value"
    return "lenient-syntax"


def _add_block(block: gemmi.cif.Block, writer: TokenWriter, number: int) -> None:
    for item in block:
        pair = item.pair
        if pair is not None:
            tag = wanted_tag(pair[0])
            if tag >= 0:
                _add_value(writer, number, tag, 0, pair[1])
            continue
        loop = item.loop
        if loop is None:
            continue
        tags = [wanted_tag(t) for t in loop.tags]
        if max(tags, default=-1) < 0:
            continue
        values, width = loop.values, len(tags)
        for column, tag in enumerate(tags):
            if tag >= 0:
                for row, value in enumerate(values[column::width]):
                    _add_value(writer, number, tag, row, value)


def _add_value(writer: TokenWriter, block: int, tag: int, row: int, raw: str) -> None:
    quoted = raw[:1] in {"'", '"', ";"} and raw not in _NULLS
    writer.add(block, tag, row, gemmi.cif.as_string(raw) if quoted else raw, quoted)
