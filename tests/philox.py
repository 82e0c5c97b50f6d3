"""Philox4x32-10 in plain integers, from its paper (doi 10.1145/2063384.2063405), and streams of its words."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS_AT_ONCE = 16


def philox(counter: Sequence[int], key: Sequence[int]) -> tuple[int, ...]:
    """Four words of 32 bits for a counter of four words and a key of two."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        high_a, low_a = divmod(0xD2511F53 * a, 2**32)
        high_c, low_c = divmod(0xCD9E8D57 * c, 2**32)
        a, b, c, d = high_c ^ b ^ k, low_c, high_a ^ d ^ m, low_a
        k, m = (k + 0x9E3779B9) % 2**32, (m + 0xBB67AE85) % 2**32
    return a, b, c, d


def words(key: int, index: int, n: int, second: int = 0) -> list[int]:
    """The first n words of structure `index`: sixteen blocks give their first words, then their second, …"""
    high, low = divmod(index, 2**32)
    found: list[int] = []
    while len(found) < n:
        first = len(found) // 4
        blocks = [
            philox((first + k, second, low, high), (key % 2**32, key >> 32)) for k in range(BLOCKS_AT_ONCE)
        ]
        found += [block[w] for w in range(4) for block in blocks]
    return found[:n]
