"""`take_in`: the files of a batch become tokens, by the scanner nearly all, by gemmi and PyCifRW the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from xtalpriors.mining.reading.encoding import Unreadable, to_utf8
from xtalpriors.mining.reading.readers import Parsed, read_slowly
from xtalpriors.mining.reading.scan import LARGEST_BYTES, Scanned, scan
from xtalpriors.mining.reading.tokens import Tokens, TokenWriter, joined
from xtalpriors.mining.sources.fingerprint import content_hash, header_revision

__all__ = ["FileBlocks", "Intake", "Rejection", "take_in"]

_Text = tuple[bytes, tuple[str, ...]] | Unreadable

_TOGETHER_BYTES: Final = 2**29
"""What is copied into one buffer at most; the rest of a larger batch is scanned file by file."""
_ALONE_BYTES: Final = 256 * 1024
"""A larger file is scanned where it lies instead of being copied into the buffer of the batch."""


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

    `items` is gone through twice: gemmi and PyCifRW, which a hostile file could make crash, work in the
    second round, so that whoever watches the iteration knows which file it was.
    """
    outcomes: list[Parsed | Unreadable | None] = []
    texts = [_checked(to_utf8(data)) for _, data in items]
    small = _small(texts)
    first_block = [0] * len(texts)
    outcomes = [t if isinstance(t, Unreadable) else None for t in texts]
    scanned = _scan_together([_data(texts[i]) for i in small])
    n_blocks = _note_blocks(scanned, small, outcomes, first_block, 0)
    others: list[tuple[Tokens, int]] = []
    in_batch = set(small)
    for i, text in enumerate(texts):
        if isinstance(text, Unreadable) or i in in_batch:
            continue
        alone = _scan_together([text[0]])
        others.append((alone.tokens, n_blocks))
        n_blocks += _note_blocks(alone, [i], outcomes, first_block, n_blocks)
    writer, first_slow = TokenWriter(), n_blocks
    for i, _ in enumerate(items):
        text = texts[i]
        if outcomes[i] is None and not isinstance(text, Unreadable):
            outcome = outcomes[i] = read_slowly(text[0], writer, n_blocks - first_slow)
            if isinstance(outcome, Parsed):
                first_block[i] = n_blocks
                n_blocks += len(outcome.blocks)
    if writer.tag:
        others.append((writer.tokens(), first_slow))
    tokens = joined(scanned.tokens, others)
    return _intake(items, texts, outcomes, first_block, tokens, n_blocks)


def _checked(text: _Text) -> _Text:
    """The text, unless it is larger than the scanner and its positions can be."""
    if isinstance(text, Unreadable) or len(text[0]) <= LARGEST_BYTES:
        return text
    return Unreadable("read", "too-large", f"{len(text[0])} bytes, more than {LARGEST_BYTES}")


def _small(texts: list[_Text]) -> list[int]:
    """Files to be scanned together."""
    chosen, total = [], 0
    for i, text in enumerate(texts):
        size = _ALONE_BYTES if isinstance(text, Unreadable) else len(text[0])
        if size < _ALONE_BYTES and total + size < _TOGETHER_BYTES:
            chosen.append(i)
            total += size
    return chosen


def _data(text: _Text) -> bytes:
    return b"" if isinstance(text, Unreadable) else text[0]


def _scan_together(texts: list[bytes]) -> Scanned:
    buffer = np.frombuffer(texts[0] if len(texts) == 1 else b"\n".join([*texts, b""]), dtype=np.uint8)
    sizes = np.array([len(t) + 1 for t in texts], dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    if len(texts) == 1:
        bounds[-1] -= 1
    return scan(buffer, bounds, idle_tensors=False)


def _note_blocks(
    scanned: Scanned,
    files: list[int],
    outcomes: list[Parsed | Unreadable | None],
    first_block: list[int],
    block: int,
) -> int:
    """Note the blocks of the files that the scanner understood; returns how many there are."""
    view = scanned.tokens.buffer.data
    starts, ends = scanned.name_start.tolist(), scanned.name_end.tolist()
    names = [str(view[a:b], "ascii") for a, b in zip(starts, ends, strict=True)]
    name = 0
    for i, status, n in zip(files, scanned.status.tolist(), scanned.n_blocks.tolist(), strict=True):
        if status == 0:
            outcomes[i] = Parsed("scan", tuple(names[name : name + n]), ())
            first_block[i] = block + name
            name += n
    return name


def _intake(
    items: Sequence[tuple[str, bytes]],
    texts: list[_Text],
    outcomes: list[Parsed | Unreadable | None],
    first_block: list[int],
    tokens: Tokens,
    n_blocks: int,
) -> Intake:
    files: list[FileBlocks] = []
    rejections: list[Rejection] = []
    for (file_id, data), text, outcome, first in zip(items, texts, outcomes, first_block, strict=True):
        if isinstance(outcome, Unreadable):
            rejections.append((file_id, None, *outcome))
        elif outcome is not None:
            notes = (*text[1], *outcome.notes) if not isinstance(text, Unreadable) else outcome.notes
            digest = content_hash(data)
            where = (outcome.reader, notes, first, outcome.blocks)
            files.append(FileBlocks(file_id, digest, header_revision(data), *where))
    return Intake(tokens, n_blocks, files, rejections)
