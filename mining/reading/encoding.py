"""`to_utf8`: the bytes of any file as the UTF-8 text that the scanner and gemmi read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Unreadable", "to_utf8"]

_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT_SHARE: Final = 0.02
"""A file is taken for binary if a larger share of its bytes than this are control characters."""


class Unreadable(NamedTuple):
    """A file that could not be read: stage, code and detail of its rejection."""

    stage: str
    code: str
    detail: str


def to_utf8(data: bytes) -> tuple[bytes, tuple[str, ...]] | Unreadable:
    """Bytes of a file as UTF-8 text, with notes on what had to be done.

    Plain ASCII and valid UTF-8 come back as they are. Other 8-bit text is taken for Latin-1, which gives
    every byte a letter: names may come out wrong, numbers and symbols do not. NUL and other control bytes
    in what is text otherwise become blanks.
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
