"""`scan`: the fast reader, called from Python. One pass over many CIFs finds the wanted values.

Four fifths of a crystal database's bytes are reflection lists, bond tables and publication text. The
scanner finds where each word, quoted value and text field ends, so that it never takes text for a tag, but
keeps only the wanted values. Anything unusual or wrong in a file makes it give the file up
(`status` ≠ 0), and gemmi reads it instead. Whatever it accepts, gemmi accepts with the same values:
`tests/mining/test_reader_scan.py` and `test_reader_scan_blocks.py` check that.

`scan_kernel` is the loop over the files, `scan_bytes` finds where words end, `scan_tags` looks tags up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import I32, I64, U8
from xtalpriors.mining.reading.idle_tensors import TAG_ROLE
from xtalpriors.mining.reading.scan_kernel import N_NAMES, N_OUT, scan_files, scratch
from xtalpriors.mining.reading.scan_tags import TABLES
from xtalpriors.mining.reading.tokens import PRESENCE_ONLY, Tokens, room_for_tokens, values_alone

__all__ = ["LARGEST_BYTES", "Scanned", "scan"]


LARGEST_BYTES: Final = 2**31 - 1
"""Positions are 32-bit numbers."""


class Scanned(NamedTuple):
    """Outcome of a scan.

    Attributes
    ----------
    tokens
        Wanted values of the files that were understood, in a buffer of their own.
    status
        (files,) 0 where a file was understood.
    n_blocks
        (files,) number of data blocks, 0 for a file given up.
    name_start, name_end
        (blocks,) where the names of the blocks are, each in its file.
    """

    tokens: Tokens
    status: U8
    n_blocks: I32
    name_start: I64
    name_end: I64


def scan(texts: Sequence[bytes], *, only_ascii: bool = False, idle_tensors: bool = True) -> Scanned:
    """Scan files, each where it lies in memory.

    Parameters
    ----------
    texts
        Bytes of the files, UTF-8 or ASCII. One of more than `LARGEST_BYTES` is given up.
    only_ascii
        Look at the bytes first: a file in which one is zero or no ASCII is given up. Without it, the caller
        knows that the texts are UTF-8.
    idle_tensors
        False lets it leave out displacement tensors that nobody will read.
    """
    role = np.zeros_like(TAG_ROLE) if idle_tensors else TAG_ROLE
    addresses = np.array([pa.py_buffer(text).address for text in texts], dtype=np.int64)
    sizes = np.array([len(text) if len(text) <= LARGEST_BYTES else -1 for text in texts], dtype=np.int64)
    # a token for every 8 bytes where there is little else than atoms; far fewer in a large file
    total = sum(map(len, texts))
    capacity = 4096 + min(total // 8, 1_000_000 + total // 64)
    while True:
        room, counters = room_for_tokens(capacity), np.zeros(3, dtype=np.int64)
        names = np.empty((len(texts) + 1 + capacity // 16, 3), dtype=np.int64)
        status, blocks, first, enough = scan_files(
            addresses, sizes, only_ascii, *TABLES, PRESENCE_ONLY, role, room, names, counters, *scratch()
        )
        if enough:
            break
        capacity *= 4
    for column in room[1:]:
        column.resize(counters[N_OUT], refcheck=False)  # gives the rest of the memory back, without a copy
    names = names[: counters[N_NAMES]]
    tokens = values_alone(addresses, first, room, PRESENCE_ONLY)
    return Scanned(tokens, status, blocks, names[:, 0].copy(), names[:, 1].copy())
