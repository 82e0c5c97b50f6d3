"""Which displacement tensors need not be read: those of blocks in which every site has an isotropic U > 0.

Tensors are read only to compute U_eq. In most files they come after sites that have U, and are half of all
wanted values, so the scanner skips them. Where they come before the sites, they are left out afterwards.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import I16, Bool
from xtalpriors.compilation import kernel
from xtalpriors.mining.reading.addresses import byte_at
from xtalpriors.mining.reading.characters import NINE, OPEN, ZERO
from xtalpriors.mining.reading.tags import ANISO
from xtalpriors.mining.reading.tokens import FIELD_INDEX, TAG_FIELD, Tokens

__all__ = ["TAG_ROLE", "TENSOR_ROLE", "idle_blocks", "pass_over_tensors"]

I8 = npt.NDArray[np.int8]

SITE_ROLE, U_ROLE, TENSOR_ROLE = 1, 2, 3


def _roles() -> I8:
    role = np.zeros(len(TAG_FIELD), dtype=np.int8)
    for number, fields in ((SITE_ROLE, ("label", "x")), (U_ROLE, ("u_iso",)), (TENSOR_ROLE, tuple(ANISO))):
        role[np.isin(TAG_FIELD, [FIELD_INDEX[name] for name in fields])] = number
    return role


TAG_ROLE: Final = _roles()
"""Of each tag: 1 label or x of a site, 2 its U, 3 tensor, 0 anything else."""


@kernel()
def _has_role(columns: I16, width: int, role: I8, wanted: int) -> bool:
    found = False
    for k in range(width):
        found |= columns[k] >= 0 and role[columns[k]] == wanted
    return found


@kernel(forceinline=True)
def _says_something(base: int, start: int, end: int) -> bool:
    """Whether a U is a number other than zero: beside a tensor, 0 is a place holder."""
    for i in range(start, end):
        byte = byte_at(base + i)
        if ZERO < byte <= NINE:
            return True
        if byte == OPEN or byte > NINE:  # `0.l09` is no number
            return False
    return False


@kernel()
def _sites_have_u(base: int, out: Tokens, n: int, block: int, role: I8) -> bool:
    """The block of the last of n tokens (of `scan_kernel`) has sites, and a U with a value for each."""
    sites, displacements, i = 0, 0, n - 1
    while i >= 0 and out.block[i] == block:
        kind = role[out.tag[i]]
        if kind == SITE_ROLE:
            sites = max(sites, out.row[i] + 1)
        elif kind == U_ROLE and _says_something(base, out.start[i], out.end[i]):
            displacements += 1
        i -= 1
    return 0 < sites <= displacements


@kernel()
def pass_over_tensors(
    base: int, columns: I16, width: int, role: I8, out: Tokens, n_out: int, block: int, idle: int
) -> tuple[bool, int]:
    """Leave idle tensors out of the columns of a loop whose values begin.

    Parameters
    ----------
    base
        Address of the bytes.
    out, n_out, block
        Tokens of the file so far, and the block that the loop is in.
    idle
        One more than the last block of which tensors were left out.

    Returns
    -------
    Whether any column is still wanted; and the new `idle`, −1 where sites come after tensors left out.
    """
    if idle == block + 1 and _has_role(columns, width, role, SITE_ROLE):
        return True, -1
    if not _has_role(columns, width, role, TENSOR_ROLE) or not _sites_have_u(base, out, n_out, block, role):
        return True, idle
    wanted = False
    for k in range(width):
        if columns[k] >= 0 and role[columns[k]] == TENSOR_ROLE:
            columns[k] = -1
        wanted |= columns[k] >= 0
    return wanted, block + 1


@kernel()
def idle_blocks(base: int, tokens: Tokens, role: I8, n_blocks: int) -> Bool:
    """(n_blocks,) blocks in which every site has a U with a value, by their tokens at the address `base`."""
    block, tag, row, start, end = tokens.block, tokens.tag, tokens.row, tokens.start, tokens.end
    missing = np.zeros(n_blocks, dtype=np.int32)
    sites = np.zeros(n_blocks, dtype=np.int32)
    for i in range(block.size):
        kind = role[tag[i]]
        if kind == SITE_ROLE:
            sites[block[i]] = max(sites[block[i]], row[i] + 1)
        elif kind == U_ROLE and _says_something(base, start[i], end[i]):
            missing[block[i]] -= 1
    return missing + sites <= 0
