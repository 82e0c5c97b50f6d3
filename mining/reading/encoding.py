"""`to_utf8`: the bytes of any file as the UTF-8 text that the scanner and gemmi read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Unreadable", "to_utf8"]


def _any_of(characters: str, *, after: bytes = b"", before: bytes = b"") -> re.Pattern[bytes]:
    """Pattern of the UTF-8 of any of the characters, with what may not stand before it and must after it.

    What stands before is looked at behind the character: so the engine looks for its first byte alone.
    """
    spelt = [(re.escape(c.encode()), len(c.encode())) for c in characters]
    behind = [b"(?<!" + after + b"[\x80-\xff]{%d})" % size if after else b"" for _, size in spelt]
    choices = b"|".join(text + back for (text, _), back in zip(spelt, behind, strict=True))
    return re.compile(b"(?:" + choices + b")" + before)


_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT_SHARE: Final = 0.02
"""A file is taken for binary if a larger share of its bytes than this are control characters."""

_ASCII: Final = bytes(range(128))
_BLANKS: Final = "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\ufeff\u2028\u2029\u0085"
_MINUSES: Final = "\u2212\ufe63\uff0d"
_DASHES: Final = "\u2010\u2011\u2013\u0096"
_BEFORE_A_NUMBER: Final = rb"(?=[\d.xyzXYZ])"
_LOOKALIKES: Final = (
    (_any_of(_BLANKS), _any_of(_BLANKS), b" ", "no-break-spaces"),
    (_any_of(_MINUSES), _any_of(_MINUSES, before=_BEFORE_A_NUMBER), b"-", "unicode-minus"),
    (_any_of(_DASHES), _any_of(_DASHES, after=rb"[\w)]", before=_BEFORE_A_NUMBER), b"-", "unicode-minus"),
)
"""Characters of typesetters that stand for a blank or a minus sign: any of them, what of them is replaced,
by what, and the note. A hyphen or a dash is a minus sign where no number ends before it: `0.4–3.5` stays."""

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
    foreign = data.translate(None, _ASCII)  # of most files an Å and the name of an author
    changed = data
    for characters, pattern, plain, _ in _LOOKALIKES:
        if characters.search(foreign):
            changed = pattern.sub(plain, changed)
    if changed != data:
        values = _PROSE.sub(b"", data)
        notes += sorted({note for _, pattern, _, note in _LOOKALIKES if pattern.search(values)})
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
