"""`to_utf8`: the bytes of any file as the UTF-8 text that the scanner and gemmi read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import numpy as np

__all__ = ["Unreadable", "to_utf8"]

_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT_SHARE: Final = 0.02
"""A file is taken for binary if a larger share of its bytes than this are control characters."""

_BLANKS: Final = tuple(
    c.encode() for c in "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\ufeff\u2028\u2029\u0085"
)
_MINUSES: Final = tuple(
    (c.encode(), re.compile(re.escape(c.encode()) + rb"(?=[\d.xyzXYZ])")) for c in "\u2212\ufe63\uff0d"
) + tuple(
    (
        c.encode(),
        re.compile(re.escape(c.encode()) + rb"(?<![\w)]" + re.escape(c.encode()) + rb")(?=[\d.xyzXYZ])"),
    )
    for c in "\u2010\u2011\u2013\u0096"
)
"""Characters of typesetters that stand for a minus sign, and where they do. A hyphen or a dash is one where
no number ends before it: `0.4–3.5` stays a range."""
_LAST_CONTINUATION: Final = 0xBF
"""Larger bytes begin a character of several bytes."""


class Unreadable(NamedTuple):
    """A file that could not be read: stage, code and detail of its rejection."""

    stage: str
    code: str
    detail: str


def to_utf8(data: bytes) -> tuple[bytes, tuple[str, ...]] | Unreadable:
    """Bytes of a file as UTF-8 text, with notes on what had to be done.

    Plain ASCII and valid UTF-8 come back as they are. Other 8-bit text is taken for Latin-1, which gives
    every byte a letter: names may come out wrong, numbers and symbols do not. NUL and other control bytes
    in what is text otherwise become blanks; so do no-break spaces, and typeset minus signs before a number
    become hyphens.
    """
    if data.isascii() and b"\0" not in data:
        blank = not data or data.isspace()
        return Unreadable("read", "empty-file", _emptiness(data)) if blank else (data, ())
    notes: list[str] = []
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_utf16(data):
        try:
            encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else _is_utf16(data)
            data = data.decode(encoding or "utf-16").encode("utf-8")
        except UnicodeDecodeError as error:
            return Unreadable("read", "encoding", f"it looks like UTF-16, but {error}")
        notes.append("utf-16")
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append("utf-8-bom")
    controls = len(_CONTROLS.findall(data)) if b"\0" in data else 0
    if controls > _TEXT_SHARE * len(data):
        return Unreadable(
            "read", "binary", f"{controls} of {len(data)} bytes are control characters: no text file"
        )
    if controls:
        data = _CONTROLS.sub(b" ", data)
        notes.append("control-bytes")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = data.decode("latin-1").encode("utf-8")
        notes.append("latin-1")
    data, found = _plain(data)
    notes += found
    return (data, tuple(notes)) if data.strip() else Unreadable("read", "empty-file", _emptiness(data))


def _plain(data: bytes) -> tuple[bytes, list[str]]:
    """The text with plain blanks and minus signs, and a note on each that matters to more than prose."""
    begins = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) > _LAST_CONTINUATION).tolist()
    present = {data[i : i + 3] for i in begins} | {data[i : i + 2] for i in begins}
    blanks = [re.compile(re.escape(c)) for c in _BLANKS if c in present]
    minuses = [pattern for c, pattern in _MINUSES if c in present]
    plain = data
    for patterns, by in ((minuses, b"-"), (blanks, b" ")):
        for pattern in patterns:
            plain = pattern.sub(by, plain)
    notes = [
        note
        for note, patterns, by in (("no-break-spaces", blanks, b" "), ("unicode-minus", minuses, b"-"))
        if any(_stands_in_values(data, pattern, by) for pattern in patterns)
    ]
    return plain, notes


def _stands_in_values(data: bytes, pattern: re.Pattern[bytes], by: bytes) -> bool:
    """Whether a character stands in a line of values: of two words, or of words half with a digit."""
    end = 0
    while (found := pattern.search(data, end)) is not None:
        start, end = data.rfind(b"\n", 0, found.start()) + 1, data.find(b"\n", found.end())
        end = len(data) if end < 0 else end
        words = pattern.sub(by, data[start:end]).split()
        with_digit = sum(any(48 <= byte <= 57 for byte in word) for word in words)
        if len(words) <= 2 or 2 * with_digit >= len(words):
            return True
    return False


def _emptiness(data: bytes) -> str:
    return f"{len(data)} bytes, none of them text"


def _is_utf16(data: bytes) -> str | None:
    """The UTF-16 that a file without a byte-order mark is in: every other of its first bytes is zero."""
    head = data[:400]
    if len(head) < 8:
        return None
    if head[1::2].count(0) > 0.4 * len(head) and head[0::2].count(0) == 0:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * len(head) and head[1::2].count(0) == 0:
        return "utf-16-be"
    return None
