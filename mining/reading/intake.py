"""`take_in`: the files of a batch become tokens, by the scanner nearly all, by gemmi and PyCifRW the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from xtalpriors.mining.reading.encoding import Unreadable, to_utf8
from xtalpriors.mining.reading.readers import Parsed, read_slowly
from xtalpriors.mining.reading.scan import LARGEST_BYTES, Scanned, scan
from xtalpriors.mining.reading.tokens import Tokens, TokenWriter, joined
from xtalpriors.mining.sources.fingerprint import content_hash, header_revision

__all__ = ["FileBlocks", "Intake", "Rejection", "take_in"]

_Text = tuple[bytes, tuple[str, ...]]
"""UTF-8, and notes on what had to be done for it."""

Rejection = tuple[str, str | None, str, str, str]
"""File id, block (None for the whole file), stage, code and detail of a row of the table `rejection`."""


class FileBlocks(NamedTuple):
    """A file that was read: where its blocks are in the batch, and how it was read.

    `blocks` are the names of its blocks; the first of them is block `first_block` of the batch.
    """

    file_id: str
    content_hash: str
    revision: int | None
    reader: str
    notes: tuple[str, ...]
    first_block: int
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intake:
    """Tokens of a batch, its files in the order given, and the files that could not be read."""

    tokens: Tokens
    n_blocks: int
    files: list[FileBlocks]
    rejections: list[Rejection]


def take_in(items: Sequence[tuple[str, bytes]]) -> Intake:
    """Read the files of a batch.

    Nearly all are ASCII that the scanner understands. The encoding of the others is looked at, and they are
    scanned once more; what is left then is read slowly.

    `items` is gone through twice: gemmi and PyCifRW, which a hostile file could make crash, work in the
    second round, so that whoever watches the iteration knows which file it was.
    """
    data = [content for _, content in items]
    outcomes: list[Parsed | Unreadable | None] = [None] * len(data)
    first_block = [0] * len(data)
    scanned = scan(data, only_ascii=True, idle_tensors=False)
    n_blocks = _note_blocks(scanned, data, list(range(len(data))), outcomes, first_block, 0)
    texts: dict[int, _Text] = {}
    for i, content in enumerate(data):
        if outcomes[i] is None:
            text = _checked(to_utf8(content))
            if isinstance(text, Unreadable):
                outcomes[i] = text
            else:
                texts[i] = text
    others: list[tuple[Tokens, int]] = []
    if texts:
        converted = [text for text, _ in texts.values()]
        scanned_again = scan(converted, idle_tensors=False)
        others.append((scanned_again.tokens, n_blocks))
        n_blocks += _note_blocks(scanned_again, converted, list(texts), outcomes, first_block, n_blocks)
    writer, first_slow = TokenWriter(), n_blocks
    for i, _ in enumerate(items):
        if outcomes[i] is None:
            outcome = outcomes[i] = read_slowly(texts[i][0], writer, n_blocks - first_slow)
            if isinstance(outcome, Parsed):
                first_block[i] = n_blocks
                n_blocks += len(outcome.blocks)
    if writer.tag:
        others.append((writer.tokens(), first_slow))
    return _intake(items, texts, outcomes, first_block, joined(scanned.tokens, others), n_blocks)


def _checked(text: _Text | Unreadable) -> _Text | Unreadable:
    """The text, unless it is larger than the scanner and its positions can be."""
    if isinstance(text, Unreadable) or len(text[0]) <= LARGEST_BYTES:
        return text
    return Unreadable("read", "too-large", f"{len(text[0])} bytes, more than {LARGEST_BYTES}")


def _note_blocks(
    scanned: Scanned,
    texts: Sequence[bytes],
    files: Sequence[int],
    outcomes: list[Parsed | Unreadable | None],
    first_block: list[int],
    block: int,
) -> int:
    """Note the blocks of those of the texts that the scanner understood; returns how many there are.

    `files` are the numbers of the texts in the batch, `block` is that of the first block.
    """
    places = list(zip(scanned.name_start.tolist(), scanned.name_end.tolist(), strict=True))
    noted = 0
    for i, text, status, n in zip(
        files, texts, scanned.status.tolist(), scanned.n_blocks.tolist(), strict=True
    ):
        if status == 0:
            names = tuple(str(text[start:end], "ascii") for start, end in places[noted : noted + n])
            outcomes[i] = Parsed("scan", names, ())
            first_block[i] = block + noted
            noted += n
    return noted


def _intake(
    items: Sequence[tuple[str, bytes]],
    texts: dict[int, _Text],
    outcomes: list[Parsed | Unreadable | None],
    first_block: list[int],
    tokens: Tokens,
    n_blocks: int,
) -> Intake:
    files: list[FileBlocks] = []
    rejections: list[Rejection] = []
    for i, ((file_id, data), outcome) in enumerate(zip(items, outcomes, strict=True)):
        if isinstance(outcome, Unreadable):
            rejections.append((file_id, None, *outcome))
        elif outcome is not None:
            notes = (*texts[i][1], *outcome.notes) if i in texts else outcome.notes
            where = (outcome.reader, notes, first_block[i], outcome.blocks)
            files.append(FileBlocks(file_id, content_hash(data), header_revision(data), *where))
    return Intake(tokens, n_blocks, files, rejections)
