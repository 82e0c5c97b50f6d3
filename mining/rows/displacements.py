"""U_iso of every site with where it came from, and whether it is evidence.

A value is used as evidence for the priors if it is positive, at most 0.5 Å², refined, and in an entry whose
values have the size of what their tag names (`displacement_scale`). A riding hydrogen has 1.2 or 1.5 × U of
its parent, which says nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from xtalpriors.arrays import F64, I16, I32, I64, U8, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.metric_kernel import distance2
from xtalpriors.crystal.chemistry.displacement import B_PER_U, beta_weights, u_weights
from xtalpriors.mining.reading.addresses import uncounted
from xtalpriors.mining.reading.tokens import Tokens
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.block_cells import BlockCells
from xtalpriors.mining.rows.displacement_scale import settle_scale

__all__ = ["NONE", "ORIGINS", "Displacements", "site_displacements"]


ORIGINS: Final = ("U", "B", "tensor", "B-tensor", "beta-tensor")
NONE: Final = -1
_IJ: Final = ("11", "22", "33", "12", "13", "23")
_LARGEST: Final = 0.5
"""Å²; above it a U is a failed refinement (53 of 19,389 in a sample of the COD)."""
_BOND: Final = 1.3
"""Å; a riding hydrogen is nearer than this to its parent."""


@dataclass(frozen=True, slots=True)
class Displacements:
    """Of each site (s,): U in Å² (NaN if unknown), where it came from, and whether it is used as evidence.

    `origin` is an index into `ORIGINS`, or `NONE`.
    """

    u_iso: F64
    origin: npt.NDArray[np.int8]
    evidence: Bool


def site_displacements(
    batch: Batch,
    cells: BlockCells,
    site_block: I32,
    fract: F64,
    number: I16,
    kelvin: F64,
    notes: dict[int, list[str]],
) -> Displacements:
    """Displacements of all sites of a batch.

    Parameters
    ----------
    cells
        Of the b blocks.
    site_block
        (s,) block of each site.
    fract
        (s, 3) fractional coordinates.
    number
        (s,) atomic numbers.
    kelvin
        (b,) temperatures, NaN where unknown.
    notes
        By block; what was decided is added.
    """
    u_token = batch.site_tokens("u_iso")
    u = batch.numbers(u_token)
    origin = np.where(np.isnan(u), NONE, 0).astype(np.int8)
    b = batch.numbers(batch.site_tokens("b_iso")) / B_PER_U
    _take(u, origin, b, 1)
    bare = np.flatnonzero(np.isnan(u) | (u == 0.0))  # beside a tensor, 0 is a place holder
    bare = bare[np.diff(batch.aniso_start)[site_block[bare]] > 0]
    if len(bare):
        _from_tensors(batch, cells.usable, site_block, bare, u, origin)
    doubtful = settle_scale(u, origin, site_block, number, kelvin, notes)
    with np.errstate(invalid="ignore"):
        evidence = (u > 0.0) & (u <= _LARGEST) & ~doubtful
    su = batch.su[u_token]
    evidence &= ~_riding(batch, cells.metric, fract, number, u, su)
    return Displacements(u, origin, evidence)


def _from_tensors(
    batch: Batch,
    cells: F64,
    site_block: I32,
    bare: I64,
    u: F64,
    origin: npt.NDArray[np.int8],
) -> None:
    """Fill U of the sites `bare` from their tensors, U before B before β."""
    rows = _tensor_rows(batch)[bare]
    bare, rows = bare[rows >= 0], rows[rows >= 0]
    if not bare.size:
        return
    blocks, place = np.unique(site_block[bare], return_inverse=True)
    of_u = u_weights(cells[blocks])
    forms = (("u", 2, of_u), ("b", 3, of_u / B_PER_U), ("beta", 4, beta_weights(cells[blocks])))
    for name, code, weights in forms:
        tensor = np.stack([batch.numbers(batch.aniso_tokens(f"{name}{ij}")[rows]) for ij in _IJ], axis=1)
        found = (tensor * weights[place]).sum(axis=1)
        with np.errstate(invalid="ignore"):
            empty = (np.isnan(u[bare]) & np.isfinite(found)) | ((u[bare] == 0.0) & (found > 0.0))
        u[bare[empty]] = found[empty]
        origin[bare[empty]] = code


def _take(u: F64, origin: npt.NDArray[np.int8], other: F64, code: int) -> None:
    """Fill the missing values of `u` from `other`, and zeros, which beside a value are place holders."""
    with np.errstate(invalid="ignore"):
        empty = (np.isnan(u) & np.isfinite(other)) | ((u == 0.0) & (other > 0.0))
    u[empty] = other[empty]
    origin[empty] = code


def _tensor_rows(batch: Batch) -> I32:
    """Row of the tensor loop with the label of each site (s,), −1 where there is no such row."""
    rows: I32 = _match(
        batch.tokens,
        batch.site_start,
        batch.site_tokens("label"),
        batch.aniso_start,
        batch.aniso_tokens("aniso_label"),
    )
    return rows


@kernel()
def _same(buffer: U8, start: I32, end: I32, p: int, q: int) -> bool:
    if p < 0 or q < 0 or end[p] - start[p] != end[q] - start[q]:
        return False
    same = True
    for k in range(end[p] - start[p]):
        same &= buffer[start[p] + k] == buffer[start[q] + k]
    return same


@kernel()
def _match(
    tokens: Tokens,
    site_start: I32,
    site_label: I32,
    aniso_start: I32,
    aniso_label: I32,
) -> I32:
    """The kernel of `_tensor_rows`.

    Both loops nearly always have one order, so the search for a label begins after the last one found.
    """
    buffer, start, end = tokens.buffer, tokens.start, tokens.end
    out = np.full(site_start[-1], -1, dtype=np.int32)
    for block in range(site_start.size - 1):
        first, n = site_start[block], site_start[block + 1] - site_start[block]
        rows = range(aniso_start[block], aniso_start[block + 1])
        if n == 0:
            continue
        at = 0
        for row in rows:
            if aniso_label[row] < 0:  # tensors inside the site loop itself, without labels of their own
                if len(rows) == n:
                    out[first + row - aniso_start[block]] = row
                continue
            for k in range(n):
                site = first + (at + k) % n
                if out[site] < 0 and _same(buffer, start, end, site_label[site], aniso_label[row]):
                    out[site] = row
                    at = (at + k + 1) % n
                    break
    return out


def _riding(batch: Batch, metric: F64, fract: F64, number: I16, u: F64, su: F64) -> Bool:
    """Hydrogens whose U a riding model has set: no s.u., and flagged, or 1.2 or 1.5 × U of their parent."""
    flagged = _starts_with(batch.tokens, batch.site_tokens("calc_flag"), b"Cc")
    flagged |= _contains(batch.tokens, batch.site_tokens("flags"), ord("R"))
    riding: Bool = _riding_hydrogens(batch.site_start, metric, fract, number, u, su, flagged)
    return riding


@kernel()
def _starts_with(values: Tokens, tokens: I32, letters: bytes) -> Bool:
    """(s,) the token's first character is one of the letters."""
    buffer, start, end = values.buffer, values.start, values.end
    out = np.zeros(tokens.size, dtype=np.bool_)
    for i in range(tokens.size):
        t = tokens[i]
        if t >= 0 and end[t] > start[t]:
            for k in range(len(letters)):
                out[i] |= buffer[start[t]] == letters[k]
    return out


@kernel()
def _contains(values: Tokens, tokens: I32, letter: int) -> Bool:
    """(s,) the letter stands anywhere in the token."""
    buffer, start, end = values.buffer, values.start, values.end
    out = np.zeros(tokens.size, dtype=np.bool_)
    for i in range(tokens.size):
        if tokens[i] >= 0:
            for k in range(start[tokens[i]], end[tokens[i]]):
                out[i] |= buffer[k] == letter
    return out


@kernel()
def _riding_hydrogens(
    site_start: I32, metric: F64, fract: F64, number: I16, u: F64, su: F64, flagged: Bool
) -> Bool:
    metric, fract = uncounted(metric), uncounted(fract)
    out = np.zeros(u.size, dtype=np.bool_)
    for block in range(site_start.size - 1):
        first, last = site_start[block], site_start[block + 1]
        for i in range(first, last):
            if number[i] != 1 or not np.isnan(su[i]) or np.isnan(u[i]):
                continue
            if flagged[i]:
                out[i] = True
                continue
            nearest, parent = _BOND**2, -1
            # The parent nearly always stands just before its hydrogens; go outwards from the hydrogen.
            for step in range(1, last - first):
                for j in (i - step, i + step):
                    if first <= j < last and number[j] > 1:
                        d = distance2(metric[block], fract[i], fract[j])
                        if d < nearest:
                            nearest, parent = d, j
                if parent >= 0 and nearest < 1.44:
                    break
            if parent >= 0:
                for factor in (1.2, 1.5):
                    out[i] |= abs(u[i] - factor * u[parent]) <= 0.0006 * (1.0 + factor)
    return out
