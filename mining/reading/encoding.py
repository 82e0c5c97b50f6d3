"""`to_utf8`: the bytes of any file as the UTF-8 text that the scanner and gemmi read."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import numpy as np

__all__ = ["DASHES", "MINUSES", "Unreadable", "to_utf8"]

_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TEXT_SHARE: Final = 0.02
"""A file is taken for binary if a larger share of its bytes than this are control characters."""

_BLANKS: Final = frozenset(
    c.encode()
    for c in (*map(chr, range(0x2000, 0x200B)), *"\u00a0\u202f\u205f\u3000\ufeff\u2028\u2029\u0085")
)
MINUSES: Final = "\u2212\ufe63\uff0d"
DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u00ad\u0096\u0097"
"""Characters of typesetters that stand for a minus sign, minuses before a number or a letter of an operator,
hyphens and dashes there too where no number ends before them: `0.4–3.5` stays a range."""
_DASHES: Final = frozenset(c.encode() for c in DASHES)
_TYPESET: Final = _BLANKS | _DASHES | frozenset(c.encode() for c in MINUSES)
_LEADS: Final = tuple(sorted({c[:1] for c in _TYPESET}))
_SIGNED: Final = frozenset(b"0123456789.xyzXYZ")
_DIGIT: Final = re.compile(rb"\d")
_ENDS_NUMBER: Final = re.compile(rb"[\w)]")


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
        is_blank = not data or data.isspace()
        return Unreadable("read", "empty-file", _emptiness(data)) if is_blank else (data, ())
    notes: list[str] = []
    has_zeros = b"\0" in data
    utf16 = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else has_zeros and _is_utf16(data)
    if utf16:
        try:
            data = data.decode(utf16).encode("utf-8")
        except UnicodeDecodeError as error:
            return Unreadable("read", "encoding", f"it looks like UTF-16, but {error}")
        notes.append("utf-16")
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        notes.append("utf-8-bom")
    controls = len(_CONTROLS.findall(data)) if b"\0" in data else 0
    if controls > _TEXT_SHARE * len(data):
        said = f"{controls} of {len(data)} bytes are control characters: no text file"
        if data.startswith(b"\x1f\x8b"):
            said = "compressed by gzip, and the name does not say so: it should end in .cif.gz"
        return Unreadable("read", "binary", said)
    if controls:
        data = _CONTROLS.sub(b" ", data)
        notes.append("control-bytes")
    if not _is_utf8(data):
        data = data.decode("latin-1").encode("utf-8")
        notes.append("latin-1")
    data, found = _plain(data)
    notes += found
    is_blank = not data or data.isspace()
    return Unreadable("read", "empty-file", _emptiness(data)) if is_blank else (data, tuple(notes))


def _is_utf8(data: bytes) -> bool:
    """Whether a text is UTF-8: decoded is what lies between the first and the last byte that is no ASCII."""
    is_other = (np.frombuffer(data, dtype=np.int8) < 0).tobytes()
    try:
        data[is_other.find(1) : is_other.rfind(1) + 1].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _plain(data: bytes) -> tuple[bytes, list[str]]:
    """The text with plain blanks and minus signs, and a note on each that matters to more than prose."""
    parts: list[bytes] = []
    signs: dict[int, str] = {}
    end = length = 0
    for start, character in _typeset(data):
        by = _stands_for(data, start, character)
        if by:
            parts += (data[end:start], by)
            length += start - end + 1
            end = start + len(character)
            signs[length - 1] = "no-break-spaces" if by == b" " else "unicode-minus"
    if not signs:
        return data, []
    plain = b"".join((*parts, data[end:]))
    found = {note for at, note in signs.items() if _stands_in_values(plain, at)}
    return plain, sorted(found)


def _typeset(data: bytes) -> list[tuple[int, bytes]]:
    """Where the text has blanks, minuses and dashes of typesetters, in order."""
    found = []
    for lead in _LEADS:
        at = data.find(lead)
        while at >= 0:
            for character in (data[at : at + 2], data[at : at + 3]):
                if character in _TYPESET:
                    found.append((at, character))
            at = data.find(lead, at + 1)
    return sorted(found)


def _stands_for(data: bytes, start: int, character: bytes) -> bytes:
    """The plain character that a typeset one stands for; empty where it is a dash."""
    if character in _BLANKS:
        return b" "
    end = start + len(character)
    is_sign = end < len(data) and data[end] in _SIGNED
    if is_sign and character in _DASHES:
        is_sign = not _ENDS_NUMBER.match(data, max(start - 1, 0), start)
    return b"-" if is_sign else b""


def _stands_in_values(plain: bytes, at: int) -> bool:
    """Whether a character stands in a line of values: of two words, or of words half with a digit."""
    end = plain.find(b"\n", at)
    line = plain[plain.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(plain)]
    words = line.split()
    return len(words) <= 2 or 2 * sum(bool(_DIGIT.search(word)) for word in words) >= len(words)


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
