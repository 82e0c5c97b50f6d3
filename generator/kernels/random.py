"""Counter-based random numbers: Philox4x32-10, one independent stream per (key, structure index).

Salmon, Moraes, Dror & Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC'11 (doi
10.1145/2063384.2063405). The block of four 32-bit words at position b of structure i is philox(counter = (b,
0, i mod 2^32, i div 2^32), key), a pure function: nothing that was generated before has an influence on it.
Blocks are computed sixteen at a time because that loop runs in vector registers.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import hashlib

import numpy as np

from xtalpriors.arrays import U32
from xtalpriors.generator.kernels.compilation import kernel

__all__ = [
    "ONE",
    "THREE",
    "TWO",
    "WORDS",
    "bounded",
    "fill_words",
    "new_stream",
    "position",
    "reserve",
    "scaled",
    "seek",
    "set_position",
    "stream_key",
    "uniform",
    "unit",
    "word",
]

LANES = 16
WORDS = 4 * LANES
"""32-bit words per refill of the buffer."""
UNIT = 2.0**-32
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
"""Steps of a position (a signed step would turn it into a float)."""

# where the state stands in the array of a stream, behind the words
_POSITION, _BLOCK, _INDEX_LOW, _INDEX_HIGH, _KEY_LOW, _KEY_HIGH = range(WORDS, WORDS + 6)

_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)


def stream_key(priors_digest: str, config_digest: str, seed: int) -> int:
    """The 64-bit Philox key of a run: BLAKE2b of the two digests and the seed."""
    text = f"{priors_digest}\n{config_digest}\n{seed}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


@kernel(forceinline=True)
def _round(c0, c1, c2, c3, k0, k1):
    p0 = _M0 * c0
    p1 = _M1 * c2
    return (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _MASK, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _MASK


@kernel()
def fill_words(buffer, block, c1, c2, c3, k0, k1):
    """Words of the blocks `block` … `block + 15`: word w of block b stands at buffer[w*16 + b].

    Parameters
    ----------
    buffer
        uint32, its first 64 words overwritten.
    block, c1, c2, c3
        The four words of the first counter, uint64 below 2^32.
    k0, k1
        The two words of the key, uint64 below 2^32.
    """
    for lane in range(LANES):
        x0 = (block + np.uint64(lane)) & _MASK
        x1, x2, x3, a, b = c1 & _MASK, c2 & _MASK, c3 & _MASK, k0 & _MASK, k1 & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        a, b = (a + _W0) & _MASK, (b + _W1) & _MASK
        x0, x1, x2, x3 = _round(x0, x1, x2, x3, a, b)
        buffer[lane] = np.uint32(x0)
        buffer[lane + LANES] = np.uint32(x1)
        buffer[lane + 2 * LANES] = np.uint32(x2)
        buffer[lane + 3 * LANES] = np.uint32(x3)


def new_stream(key: int) -> U32:
    """A stream with this key, uint32 (70,): 64 words and the state. Call `seek` before drawing."""
    stream = np.zeros(WORDS + 6, np.uint32)
    stream[_KEY_LOW], stream[_KEY_HIGH] = key & 0xFFFFFFFF, key >> 32
    return stream


@kernel()
def _refill(stream):
    fill_words(
        stream,
        np.uint64(stream[_BLOCK]),
        np.uint64(0),
        np.uint64(stream[_INDEX_LOW]),
        np.uint64(stream[_INDEX_HIGH]),
        np.uint64(stream[_KEY_LOW]),
        np.uint64(stream[_KEY_HIGH]),
    )
    stream[_BLOCK] += np.uint32(LANES)
    stream[_POSITION] = 0


@kernel()
def seek(stream, index):
    """Start the stream of structure `index` ≥ 0."""
    stream[_INDEX_LOW] = np.uint32(index & 0xFFFFFFFF)
    stream[_INDEX_HIGH] = np.uint32(index >> 32)
    stream[_BLOCK] = 0
    _refill(stream)


# A kernel keeps its position in a local variable while it draws, because writing it to memory after every
# draw would take longer than the draw:
#     p = position(stream)
#     p = reserve(stream, p, n)  # before n words are taken with word(stream, p), word(stream, p + ONE), …
#     set_position(stream, p + n)  # in the end


@kernel(forceinline=True)
def position(stream):
    """Where the stream stands, uint64."""
    return np.uint64(stream[_POSITION])


@kernel(forceinline=True)
def set_position(stream, p):
    """The words before `p` are taken."""
    stream[_POSITION] = np.uint32(p)


@kernel(forceinline=True)
def reserve(stream, p, n):
    """Position from which `n` ≤ 64 words can be taken: `p`, or 0 in the next sixteen blocks."""
    if p + np.uint64(n) > np.uint64(WORDS):
        _refill(stream)
        return np.uint64(0)
    return p


@kernel(forceinline=True)
def word(stream, p):
    """The 32 random bits at position `p`, as int64 in [0, 2^32)."""
    return np.int64(stream[p])


@kernel(forceinline=True)
def unit(stream, p):
    """The word at position `p` as a number of the open interval (0, 1): (word + ½)/2^32."""
    return (np.float64(stream[p]) + 0.5) * UNIT


@kernel(forceinline=True)
def scaled(stream, p, n):
    """The word at position `p` as an integer in [0, n), by multiplication (bias below n/2^32)."""
    return (np.int64(stream[p]) * np.int64(n)) >> np.int64(32)


@kernel()
def uniform(stream):
    """The next number of (0, 1), where speed does not matter."""
    p = reserve(stream, position(stream), 1)
    set_position(stream, p + ONE)
    return unit(stream, p)


@kernel()
def bounded(stream, n):
    """The next integer in [0, n), where speed does not matter."""
    p = reserve(stream, position(stream), 1)
    set_position(stream, p + ONE)
    return scaled(stream, p, n)
