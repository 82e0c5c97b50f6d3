"""Repairs of broken CIF text, each with a note, guided by where gemmi stumbles.

Only what cannot change a value of the structure is repaired: words with characters that are no ASCII and
stand outside quotes (gemmi refuses the whole file for one), curly quotes, text before the first block, names
of blocks with blanks, quotes and text fields left open, tags without values, values that may not stand
without quotes (`$P2_1/c$`), lines that are neither tag nor value, loops of other categories with a wrong
number of values. A broken list of atoms stays broken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from xtalpriors.mining.reading.tags import normal_tag

__all__ = ["repaired_texts"]

_MOST_REPAIRS: Final = 12
_LARGEST_CHARACTERS: Final = 5_000_000
_ERROR: Final = re.compile(r"^line (\d+):(\d+)\(\d+\): (.*)", re.DOTALL)
_HEADER: Final = re.compile(r"^[ \t]*data_\S", re.IGNORECASE | re.MULTILINE)
_FIRST_ITEM: Final = re.compile(r"^[ \t]*(?:_[A-Za-z]|loop_)", re.IGNORECASE | re.MULTILINE)
_CELL: Final = re.compile(r"^[ \t]*_cell[_.]length_a\s", re.IGNORECASE | re.MULTILINE)
_OF_STRUCTURE: Final = re.compile(
    r"[ \t]*_(?:cell[_.]length_a|atom_site[_.]label|symmetry_equiv_|space_group_symop)", re.IGNORECASE
)
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HEADING: Final = re.compile(
    r"^([ \t]*data_)(\S*)[ \t]+(?![_#]|loop_)([^#]*[^#\s])[ \t]*(?:#.*)?$", re.IGNORECASE
)
_NUMERIC: Final = re.compile(r"(?<!\S)[-+]?\.?\d[\d.()eE+-]*(?!\S)")
_WORD: Final = re.compile(
    r"'(?:[^']|'(?=\S))*'(?!\S)|\"(?:[^\"]|\"(?=\S))*\"(?!\S)|[‘’“”][^‘’“”]+[‘’“”](?!\S)|#.*|\S+"
)
"""A value in quotes, those of word processors among them, a comment, or a word without quotes."""
_LONGEST_LINE: Final = 10_000
"""Characters of a line in which words are told apart; a line of quotes left open would take their square."""
_ERROR_APART: Final = re.compile(r"(?<=[\d.)])[ \t]*±[ \t]*(?=[\d.])")
_GREEK: Final = {"α": "alpha", "β": "beta", "γ": "gamma"}
_BROKEN_LOOP_TAGS: Final = ("_atom_site_aniso_", "_geom_", "_symmetry_equiv_", "_space_group_symop_")


def repaired_texts(text: str, complaint: Callable[[str], str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The text as it is, then as repaired step by step, with the notes of the repairs so far.

    Parameters
    ----------
    complaint
        Says what is wrong with a text (`line 12:30(400): parse error`), or the empty string.
    """
    yield text, ()
    if len(text) > _LARGEST_CHARACTERS:
        return
    notes: list[str] = []
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROLS.search(text):
        text = _CONTROLS.sub(" ", text)
        notes.append("control-bytes")
    if not text.isascii() and complaint(text):
        quoted = _with_words_quoted(text)
        if quoted != text:
            text = quoted
            notes.append("non-ascii-words")
    for _ in range(_MOST_REPAIRS):
        message = complaint(text)
        match = _ERROR.match(message)
        if match is None:
            break
        repaired = _repair(text, int(match[1]), match[3])
        if repaired is None or repaired[0] == text:
            return
        text, note = repaired
        notes.append(note)
    yield text, tuple(sorted(set(notes)))


def _repair(text: str, number: int, problem: str) -> tuple[str, str] | None:
    """One repair at line `number` (from 1), and its note; None where there is none."""
    if "block header" in problem:
        return _with_header(text)
    if "unterminated text field" in problem:
        return _close_text(text.split("\n"))
    lines = text.split("\n")
    if not 1 <= number <= len(lines):
        return None
    at = number - 1
    if "unterminated" in problem:
        return _close_quote(lines, at)
    if "Wrong number of values" in problem:
        return _drop_loop(lines, at)
    if "parse error" in problem:
        return _join_headings(lines, at) if _HEADING.match(lines[at]) else _mend_line(lines, at)
    return None


def _close_text(lines: list[str]) -> tuple[str, str]:
    """Close the last text field at the end, or before the structure that it swallows.

    That is at an indented semicolon, else before the first item. A semicolon at the very end opens no field.
    """
    start = max((i for i, line in enumerate(lines) if line.startswith(";")), default=len(lines))
    rest = lines[start + 1 :]
    if start < len(lines) and not any(line.strip() for line in (lines[start][1:], *rest)):
        return "\n".join(lines[:start]) + "\n", "line-dropped"
    indented = next((i for i, line in enumerate(rest, start + 1) if line.strip() == ";"), None)
    if not any(_OF_STRUCTURE.match(line) for line in rest):
        lines += [";", ""]
    elif indented is not None:
        lines[indented] = ";"
    else:
        item = next(i for i, line in enumerate(rest, start + 1) if _FIRST_ITEM.match(line))
        lines.insert(item, ";")
    return "\n".join(lines), "unterminated-text"


def _with_words_quoted(text: str) -> str:
    """The text with quotes around the words outside quotes and text fields that are not ASCII.

    Tags and blocks get names in ASCII, so that a loop keeps its columns.
    """
    lines, in_text = text.split("\n"), False
    for i, line in enumerate(lines):
        if line.startswith(";"):
            in_text = not in_text
        elif not in_text and not line.isascii() and len(line) <= _LONGEST_LINE:
            plain = _ERROR_APART.sub("±", line)
            first, *others = _WORD.findall(plain)
            if first[0] == "_" and len(others) > 1 and not any(word[0] in "_'\"#" for word in others):
                lines[i] = f"{first} {_quoted(plain.partition(first)[2])}"
            else:
                lines[i] = _WORD.sub(_in_ascii, plain)
    return "\n".join(lines)


def _in_ascii(match: re.Match[str]) -> str:
    """A word as the CIF syntax allows it: a value in quotes, a tag or the name of a block in ASCII."""
    word = match[0]
    if word.isascii() or word[0] in "'\"#":
        return word
    if word[0] == "_" or word[:5].lower() in ("data_", "save_"):
        plain = unicodedata.normalize("NFD", word)
        return "".join(
            c if c.isascii() else _GREEK.get(c, f"{ord(c):x}") for c in plain if not unicodedata.combining(c)
        )
    return _quoted(word[1:-1]) if word[0] in "‘’“”" and word[-1] in "‘’“”" else f"'{word}'"


def _quoted(value: str) -> str:
    """A value in the quotes that it does not end itself."""
    value = value.strip()
    for quote in ("'", '"'):
        if not re.search(rf"{quote}\s", value):
            return f"{quote}{value}{quote}"
    return "'" + value.replace("'", "") + "'"


def _with_header(text: str) -> tuple[str, str] | None:
    header = _HEADER.search(text)
    if header is not None and header.start() > 0 and not _FIRST_ITEM.search(text[: header.start()]):
        return text[header.start() :], "text-before-data"
    first = _FIRST_ITEM.search(text)
    if first is not None and _CELL.search(text):
        return "data_unnamed\n" + text[first.start() :], "no-data-header"
    return None


def _join_headings(lines: list[str], at: int) -> tuple[str, str]:
    """Join the words of block names (`data_Zr mono`) by underscores, from line `at` on."""
    joined, in_text = lines[:at], False
    for line in lines[at:]:
        match = None if in_text else _HEADING.match(line)
        in_text ^= line.startswith(";")
        name = "_".join(f"{match[2]} {match[3]}".split()).strip("'\"") if match else ""
        joined.append(f"{match[1]}{name}" if match else line)
    return "\n".join(joined), "blank-in-block-name"


def _close_quote(lines: list[str], at: int) -> tuple[str, str] | None:
    line = lines[at].rstrip()
    opened = re.search(r"(?<!\S)(['\"])(?=[^'\"]*$|.*$)", line)
    if opened is None:
        return None
    lines[at] = line + opened[1]
    return "\n".join(lines), "unterminated-quote"


def _drop_loop(lines: list[str], at: int) -> tuple[str, str] | None:
    """Leave out the loop that begins at line `at`, or ends before it, unless it lists atoms."""
    start = at
    while start >= 0 and not lines[start].lstrip().lower().startswith("loop_"):
        start -= 1
    for first in (start, _loop_before(lines, start)):
        if first < 0:
            continue
        end = _loop_end(lines, first)
        tags = [
            normal_tag(word) for line in lines[first:end] for word in line.split()[:2] if word.startswith("_")
        ]
        if not tags or not end >= min(at, len(lines) - 1):
            continue
        if any(t.startswith("_atom_site_") and not t.startswith(_BROKEN_LOOP_TAGS) for t in tags):
            return None
        return "\n".join(lines[:first] + lines[end:]), "broken-loop-dropped"
    return None


def _loop_before(lines: list[str], at: int) -> int:
    at -= 1
    while at >= 0 and not lines[at].lstrip().lower().startswith("loop_"):
        at -= 1
    return at


def _loop_end(lines: list[str], first: int) -> int:
    """One past the last line of the loop that begins at `first`."""
    at, in_text, in_header = first + 1, False, True
    while at < len(lines):
        line = lines[at]
        word = line.lstrip().lower()
        if line.startswith(";"):
            in_text = not in_text
            in_header = False
        elif not in_text:
            if word.startswith(("loop_", "data_")) or (word.startswith("_") and not in_header):
                break
            if word and not word.startswith(("_", "#")):
                in_header = False
        at += 1
    return at


def _mend_line(lines: list[str], at: int) -> tuple[str, str] | None:
    line = lines[at]
    words = line.split()
    if line.strip().lower().startswith(("loop_", "data_")) or not words:
        before = at - 1
        while before >= 0 and not lines[before].strip():
            before -= 1
        last = lines[before].split() if before >= 0 else []
        if last and last[-1].lower() == "loop_":
            return "\n".join(lines[:before] + lines[before + 1 :]), "empty-loop"
        if len(last) == 1 and last[0].startswith("_"):
            return "\n".join([*lines[:before], f"{last[0]} ?", *lines[before + 1 :]]), "tag-without-value"
        return None
    if words[0].startswith("_") and len(words) > 2:
        value = " ".join(words[1:])
        if value[0] in "'\"":  # of quotes around a part of it nobody knows what they are
            value = value.replace("'", "").replace('"', "")
        return "\n".join([*lines[:at], f"{words[0]} {_quoted(value)}", *lines[at + 1 :]]), "unquoted-blank"
    if words[0].startswith("_") and len(words) == 2 and re.match(r"[^_'\"]|_[^A-Za-z]", words[1]):
        return "\n".join([*lines[:at], f"{words[0]} {_quoted(words[1])}", *lines[at + 1 :]]), "unquoted-value"
    if len(_NUMERIC.findall(line)) >= 3:
        return None  # it may be an atom
    return "\n".join(lines[:at] + lines[at + 1 :]), "line-dropped"
