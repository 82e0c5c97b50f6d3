"""gemmi and PyCifRW as readers: from text to tokens.

gemmi reads what the scanner gives up: strictly first, then without its check for duplicate tags, then
after repairs of the text, each of which leaves a note. PyCifRW has the last word. It is slow, and its
effort on a hostile text has no known bound, so it is given small files only, and for a limited time.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import types
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import gemmi

from xtalpriors.mining.reading.encoding import Unreadable
from xtalpriors.mining.reading.repair import repaired_texts
from xtalpriors.mining.reading.tags import normal_tag
from xtalpriors.mining.reading.tokens import PRESENCE_ONLY, TAG_INDEX, TokenWriter

__all__ = ["Parsed", "read_slowly"]

_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_NULLS: Final = ("?", ".")
_PYCIFRW_LIMIT_BYTES: Final = 200_000
_PYCIFRW_LIMIT_SECONDS: Final = 5.0
_GEMMI_ERRORS: Final = (ValueError, RuntimeError, IndexError, UnicodeError)
_PYCIFRW_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    TimeoutError,
)
"""What PyCifRW raises on text that it cannot read, beside its own `StarError` and `CifError`."""


class Parsed(NamedTuple):
    """A file that was read: the reader's name, the names of its blocks, and notes on how."""

    reader: str
    blocks: tuple[str, ...]
    notes: tuple[str, ...]


def read_slowly(data: bytes, writer: TokenWriter, first_block: int) -> Parsed | Unreadable:
    """Read UTF-8 text with gemmi, repairing it if need be, else with PyCifRW.

    The wanted values go to `writer`, the file's blocks numbered from `first_block`.
    """
    text = data.decode("utf-8")
    if _LONE_RETURN.search(text):  # gemmi's comments end at a line feed only
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    failure = ""
    for attempt, (candidate, repairs) in enumerate(repaired_texts(text, _syntax_error)):
        document, notes, message = _gemmi(candidate)
        if document is not None:
            names = tuple(block.name for block in document)
            for number, block in enumerate(document):
                _add_block(block, writer, first_block + number)
            reader = "gemmi-repaired" if notes or repairs else "gemmi"
            return Parsed(reader, names, (*notes, *repairs))
        if attempt == 0:
            failure = message
    by_pycifrw = _read_with_pycifrw(text, writer, first_block)
    return by_pycifrw if by_pycifrw is not None else Unreadable("parse", "syntax", failure)


def _syntax_error(text: str) -> str:
    """gemmi's complaint about a text, empty where it has none."""
    return _gemmi(text)[2]


def _gemmi(text: str) -> tuple[gemmi.cif.Document | None, tuple[str, ...], str]:
    """Document, notes, and the error message where there is no document."""
    try:
        return gemmi.cif.read_string(text, check_level=1), (), ""
    except _GEMMI_ERRORS as strict:
        complaint = str(strict)
    try:
        return gemmi.cif.read_string(text, check_level=0), (_lenient_note(complaint),), ""
    except _GEMMI_ERRORS as error:
        return None, (), re.sub(r"^string:", "line ", str(error))[:300]


def _lenient_note(message: str) -> str:
    for words, note in (
        ("duplicate tag", "duplicate-tag"),
        ("duplicate block", "duplicate-block"),
        ("has no value", "tag-without-value"),
    ):
        if words in message:
            return note
    return "lenient-syntax"


def _wanted(tag: str) -> int:
    return TAG_INDEX.get(normal_tag(tag), -1)


def _add_block(block: gemmi.cif.Block, writer: TokenWriter, number: int) -> None:
    for item in block:
        pair: Any = item.pair
        if pair is not None:
            tag = _wanted(pair[0])
            if tag >= 0:
                _add_raw(writer, number, tag, 0, pair[1])
        elif item.loop is not None:
            tags = [_wanted(t) for t in item.loop.tags]
            if max(tags, default=-1) < 0:
                continue
            values, width = item.loop.values, len(tags)
            for column, tag in enumerate(tags):
                if tag >= 0:
                    rows = values[column::width]
                    for row, value in enumerate(rows[:1] if PRESENCE_ONLY[tag] else rows):
                        _add_raw(writer, number, tag, row, value)


def _add_raw(writer: TokenWriter, block: int, tag: int, row: int, raw: str) -> None:
    quoted = raw[:1] in {"'", '"'} or (raw[:1] == ";" and "\n" in raw)  # `;7` within a line is no text field
    writer.add(block, tag, row, gemmi.cif.as_string(raw) if quoted else raw, quoted)


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[bool]:
    """Raise TimeoutError in the block after `seconds`; yields false where that cannot be had (no alarm)."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield False
        return

    def stop(signum: int, frame: types.FrameType | None) -> None:
        """Handler of the alarm: end the block by an error that names the limit."""
        raise TimeoutError(f"no end after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _read_with_pycifrw(text: str, writer: TokenWriter, first_block: int) -> Parsed | None:
    """The file as PyCifRW reads it; None where it cannot, or where it is too large to try."""
    import CifFile  # here, because few files need it and it loads an HTTP client

    try:
        with _time_limit(_PYCIFRW_LIMIT_SECONDS) as limited:
            if len(text) > _PYCIFRW_LIMIT_BYTES / (1 if limited else 10) or "data_" not in text.lower():
                return None
            document = CifFile.ReadCif(_Readable(text), grammar="auto", permissive=True)
            found = [(str(name), _pycifrw_values(document[name])) for name in document.keys()]  # noqa: SIM118
    except (*_PYCIFRW_ERRORS, CifFile.StarFile.StarError, CifFile.CifError):
        return None
    if not any(values for _, values in found):
        return None
    for number, (_, values) in enumerate(found):
        for tag, row, value in values:
            writer.add(first_block + number, tag, row, value, value not in _NULLS)
    return Parsed("pycifrw", tuple(name for name, _ in found), ("read-by-pycifrw",))


class _Readable:
    """A text as the file object that PyCifRW wants."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> str:
        """The whole text."""
        return self._text

    def close(self) -> None:
        """There is nothing to close."""


def _pycifrw_values(block: Any) -> list[tuple[int, int, str]]:
    out = []
    for tag in block.keys():  # noqa: SIM118
        number = _wanted(str(tag))
        if number < 0:
            continue
        value = block[tag]
        rows = value if isinstance(value, list) else [value]
        out += [(number, row, str(v)) for row, v in enumerate(rows[:1] if PRESENCE_ONLY[number] else rows)]
    return out
