"""`to_utf8`: the bytes of any file as the UTF-8 text that the scanner and gemmi read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Unreadable", "to_utf8"]


def _any_of(characters: str, *, after: bytes = b"", before: bytes = b"") -> re.Pattern[bytes]:
    """Pattern of the UTF-8 of any of the characters, with what must stand around it."""
    choices = b"|".join(re.escape(c.encode()) for c in characters)
    return re.compile(after + b"(?:" + choices + b")" + before)


_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT_SHARE: Final = 0.02
"""A file is taken for binary if a larger share of its bytes than this are control characters."""

_LOOKALIKES: Final = (
    (_any_of("\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\ufeff\u2028\u2029\u0085"), b" ", "no-break-spaces"),
    (_any_of("\u2212\ufe63\uff0d", before=rb"(?=[\d.xyzXYZ])"), b"-", "unicode-minus"),
    (
        _any_of("\u2010\u2011\u2013\u0096", after=rb"(?<![\w)])", before=rb"(?=[\d.xyzXYZ])"),
        b"-",
        "unicode-minus",
    ),
)
"""Characters of typesetters that stand for a blank or a minus sign, what they become, and the note. A hyphen
or a dash is a minus sign where no number ends before it: `0.4–3.5` stays a range."""

_PROSE: Final = re.compile(rb"^;.*?^;|'[^'\n]{40,}'|\"[^\"\n]{40,}\"", re.MULTILINE | re.DOTALL)
"""Text fields and long quoted values. What was replaced in them alone is not worth a note."""


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
    changed = data
    for pattern, plain, _ in _LOOKALIKES:
        changed = pattern.sub(plain, changed)
    if changed != data:
        values = _PROSE.sub(b"", data)
        notes += sorted({note for pattern, _, note in _LOOKALIKES if pattern.search(values)})
        data = changed
    return (data, tuple(notes)) if data.strip() else Unreadable("read", "empty-file", _emptiness(data))


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
