"""The scanner's hash tables: which wanted tag a name is, and whether its block has had it before."""

from __future__ import annotations

from typing import Final

import numpy as np

from xtalpriors.arrays import I16, U64
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.scan_bytes import HASH_FACTOR, HASH_START
from xtalpriors.mining.reading.tokens import TAG_INDEX

__all__ = ["SEEN_SIZE", "TABLES", "is_new", "look_up"]


_TABLE_SIZE: Final = 2048
SEEN_SIZE: Final = 8192
"""Rows of the set of names that a block has had."""


def _hash(tag: str) -> int:
    """Hash of a tag in its normal form, as `name_end` makes it."""
    value, text = int(HASH_START), tag.encode()
    for i in range(0, len(text), 8):
        value = (value ^ int.from_bytes(text[i : i + 8], "little")) * int(HASH_FACTOR) % 2**64
        value ^= value >> 32
    return value


def _tables() -> tuple[U64, I16]:
    """Open-addressing table of the hashes of wanted tags, and their numbers."""
    keys, values = np.zeros(_TABLE_SIZE, dtype=np.uint64), np.full(_TABLE_SIZE, -1, dtype=np.int16)
    for tag, number in TAG_INDEX.items():
        spellings = [tag, "_[local]" + tag] if tag.startswith("_cod_") else [tag]
        for spelling in spellings:
            key = _hash(spelling)
            slot = key % _TABLE_SIZE
            while keys[slot]:
                slot = (slot + 1) % _TABLE_SIZE
            keys[slot], values[slot] = key, number
    return keys, values


TABLES: Final = _tables()
"""Hashes of the wanted tags, and their numbers."""


@kernel(forceinline=True)
def look_up(keys: U64, numbers: I16, key: np.uint64) -> int:
    """Number of the tag with a hash, −1 for none that is wanted."""
    slot = np.int64(key % np.uint64(_TABLE_SIZE))
    while keys[slot] != 0:
        if keys[slot] == key:
            return int(numbers[slot])
        slot = (slot + 1) % _TABLE_SIZE
    return -1


@kernel(forceinline=True)
def is_new(seen: U64, generation: int, key: np.uint64) -> bool:
    """Whether a hash is new in this generation of the set (size, 2); false also when the set is full."""
    slot = np.int64(key % np.uint64(SEEN_SIZE))
    for _ in range(SEEN_SIZE // 2):
        if seen[slot, 0] != np.uint64(generation):
            seen[slot, 0], seen[slot, 1] = np.uint64(generation), key
            return True
        if seen[slot, 1] == key:
            return False
        slot = (slot + 1) % SEEN_SIZE
    return False
