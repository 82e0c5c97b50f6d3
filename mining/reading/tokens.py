"""`Tokens`, what every reader gives: the wanted values of a batch of files as positions in one byte buffer.

Whatever reads a file (the scanner, gemmi, PyCifRW) leaves the same thing behind: one row per wanted
value, saying which tag it belongs to, its row in its loop, and where its bytes lie. Everything after
that works on whole batches of these arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from xtalpriors.arrays import F64, I16, I32, I64, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at, uncounted
from xtalpriors.mining.reading.tags import (
    ANISO,
    BLOCK_NUMBERS,
    BLOCK_TEXTS,
    PRESENCE,
    SITE_NUMBERS,
    SITE_TEXTS,
    SYMOPS,
)
from xtalpriors.mining.reading.units import tags_with_units

__all__ = [
    "FIELDS",
    "FIELD_INDEX",
    "TAG_FIELD",
    "TAG_INDEX",
    "TAG_SCALE",
    "TokenWriter",
    "Tokens",
    "joined",
    "room_for_tokens",
    "uncounted_tokens",
    "values_alone",
]


_GROUPS: Final = (BLOCK_NUMBERS, BLOCK_TEXTS, PRESENCE, SITE_NUMBERS, SITE_TEXTS, ANISO, SYMOPS)
FIELDS: Final[tuple[str, ...]] = tuple(name for group in _GROUPS for name in group)
"""Every field, block fields first; a field's position is its number."""
FIELD_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(FIELDS)}
_ALIASES: Final = tuple(
    (tag, FIELD_INDEX[name], scale)
    for group in _GROUPS
    for name, tags in group.items()
    for tag, scale in tags_with_units(name, tags)
)
TAG_INDEX: Final[dict[str, int]] = {tag: i for i, (tag, _, _) in enumerate(_ALIASES)}
"""Number of a tag in its normal form; tags of one field are in the order of their rank."""
TAG_FIELD: Final[I32] = np.array([index for _, index, _ in _ALIASES], dtype=np.int32)
"""Field of each tag number."""
TAG_SCALE: Final[F64] = np.array([scale for _, _, scale in _ALIASES])
"""Factor and summand of each tag number that bring its values to the unit of its field; mostly 1 and 0."""
PRESENCE_ONLY: Final[Bool] = np.isin(TAG_FIELD, [FIELD_INDEX[name] for name in PRESENCE])
"""Tags of which only the first row matters: what counts is that the tag is there with a value."""
_NUMERIC: Final = [n for g in (BLOCK_NUMBERS, SITE_NUMBERS, ANISO) for n in g if n != "aniso_label"]
NUMERIC_TAG: Final[Bool] = np.isin(TAG_FIELD, [FIELD_INDEX[n] for n in _NUMERIC])
"""Tags whose values are numbers."""


class Tokens(NamedTuple):
    """Wanted values of a batch: value `i` is `buffer[start[i]:end[i]]`, without its quotes.

    A null (`?` or `.` without quotes) is kept as it stands, with `quoted` false. `row` counts from 0 in the
    loop, and is 0 for a value outside a loop. `block` numbers the data blocks of the whole batch. A named
    tuple, so that kernels take it as one argument.
    """

    buffer: U8
    block: I32
    tag: I16
    row: I32
    start: I32
    end: I32
    quoted: Bool


@kernel(forceinline=True)
def uncounted_tokens(tokens: Tokens) -> Tokens:
    """The same tokens without reference counts, see `uncounted`."""
    return Tokens(
        uncounted(tokens.buffer),
        uncounted(tokens.block),
        uncounted(tokens.tag),
        uncounted(tokens.row),
        uncounted(tokens.start),
        uncounted(tokens.end),
        uncounted(tokens.quoted),
    )


def room_for_tokens(n: int) -> Tokens:
    """Tokens that are not known yet, without a buffer."""
    return Tokens(
        buffer=np.frombuffer(b"", np.uint8),
        block=np.empty(n, np.int32),
        tag=np.empty(n, np.int16),
        row=np.empty(n, np.int32),
        start=np.empty(n, np.int32),
        end=np.empty(n, np.int32),
        quoted=np.empty(n, np.bool_),
    )


def joined(first: Tokens, others: Sequence[tuple[Tokens, int]]) -> Tokens:
    """Tokens of several readings as one.

    Parameters
    ----------
    first
        Kept as it is, block numbers included.
    others
        Further tokens, each with the number that its block 0 gets.
    """
    parts, shift = [first], first.buffer.size
    for tokens, block in others:
        start, end = tokens.start + np.int32(shift), tokens.end + np.int32(shift)
        parts.append(tokens._replace(block=tokens.block + np.int32(block), start=start, end=end))
        shift += tokens.buffer.size
    return _read_only(Tokens(*map(np.concatenate, zip(*parts, strict=True)))) if others else first


def _read_only(tokens: Tokens) -> Tokens:
    """The tokens with a buffer that nobody writes to: kernels are compiled for one sort of buffer, once."""
    tokens.buffer.setflags(write=False)
    return tokens


def values_alone(addresses: I64, first: I64, tokens: Tokens, presence: Bool) -> Tokens:
    """Tokens whose buffer holds the values alone, so that files of many megabytes do not outlive their scan.

    Parameters
    ----------
    addresses, first
        (files,) where the files lie, from where `tokens.start` and `tokens.end` count; (files + 1,) first
        token of each.
    presence
        Tags of which only the presence matters: of their values the beginning is enough.
    """
    buffer, start, end = _copied(addresses, first, tokens, presence)
    return _read_only(tokens._replace(buffer=buffer, start=start, end=end))


@kernel()
def _copied(addresses: I64, first: I64, tokens: Tokens, presence: Bool) -> tuple[U8, I32, I32]:
    """Values one behind the other, one separating byte after each, and where each begins and ends."""
    start, end = tokens.start, tokens.end
    new_start, new_end = np.empty_like(start), np.empty_like(end)
    total = 0
    for i in range(start.size):
        size = end[i] - start[i]
        if presence[tokens.tag[i]]:
            size = min(size, 64)
        new_start[i], new_end[i] = total, total + size
        total += size + 1
    out = np.full(max(total, 1), 10, dtype=np.uint8)
    for f in range(addresses.size):
        for i in range(first[f], first[f + 1]):
            value = addresses[f] + start[i]
            for k in range(new_end[i] - new_start[i]):
                out[new_start[i] + k] = byte_at(value + k)
    return out, new_start, new_end


@dataclass(slots=True)
class TokenWriter:
    """Gathers tokens of readers that hand out strings (gemmi, PyCifRW)."""

    parts: list[bytes] = field(default_factory=list)
    tag: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    block: list[int] = field(default_factory=list)
    quoted: list[bool] = field(default_factory=list)

    def add(self, block: int, tag: int, row: int, text: str, quoted: bool) -> None:
        """Add one value of block number `block`."""
        self.parts.append(text.encode("utf-8", "replace"))
        self.tag.append(tag)
        self.row.append(row)
        self.block.append(block)
        self.quoted.append(quoted)

    def tokens(self) -> Tokens:
        """The arrays."""
        lengths = np.fromiter(map(len, self.parts), dtype=np.int64, count=len(self.parts))
        end = np.cumsum(lengths + 1) - 1  # one separating byte after each
        return Tokens(
            buffer=np.frombuffer(b"\n".join([*self.parts, b""]) or b"\n", dtype=np.uint8),
            block=np.array(self.block, dtype=np.int32),
            tag=np.array(self.tag, dtype=np.int16),
            row=np.array(self.row, dtype=np.int32),
            start=(end - lengths).astype(np.int32),
            end=end.astype(np.int32),
            quoted=np.array(self.quoted, dtype=np.bool_),
        )
