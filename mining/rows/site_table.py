"""The `site` table of a batch, and the arrays of sites that the `entry` table is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import F64, I16, I32, I64, Bool
from xtalpriors.crystal.cells.cell import orthogonalization_matrices
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.mining.database.schema import SITE
from xtalpriors.mining.rows.arrow import coded, table_of
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.composition import formula_counts
from xtalpriors.mining.rows.displacements import ORIGINS, Displacements
from xtalpriors.mining.rows.occupancy import site_occupancies
from xtalpriors.mining.rows.positions import Positions
from xtalpriors.mining.rows.species import SiteSpecies, site_species

__all__ = ["Sites", "read_sites", "site_table"]


Notes = dict[int, list[str]]

_FAR, _FARTHEST = 2.0, 100.0
"""Fractional coordinates of the second size are a mistake; few structures have most beyond the first. One
entry of the AMCSD (5548) counts 60 cells, rightly."""
_WORDS: Final = (None, *SYMBOLS[1:])
_LETTERS: Final = tuple(map(chr, range(128)))


@dataclass(frozen=True, slots=True)
class Sites:
    """Sites of all blocks of a batch, (s,) each.

    Attributes
    ----------
    block
        Block of each site.
    fract
        (s, 3) fractional coordinates, NaN where there are none.
    cartesian
        The coordinates were made from Cartesian ones.
    placed
        The site is an atom with coordinates: neither a dummy, nor a name without a place, nor a repetition.
    dummy
        The site is no atom.
    repeated
        The site is an earlier one again, or an image of it (`shared_positions.repeated_sites`).
    occupancy
        As in the file; 1 where the file has no occupancies or gives `.`, NaN where it gives `?` or text.
    maybe_percent
        Numbers as stated, by block, where `occupancy` is their hundredth and that is not sure (`percent`).
    attached
        Hydrogens attached to the atom without sites of their own, NaN where the file says nothing.
    """

    block: I32
    fract: F64
    cartesian: Bool
    placed: Bool
    dummy: Bool
    repeated: Bool
    species: SiteSpecies
    occupancy: F64
    maybe_percent: dict[int, F64]
    attached: F64

    def at(self, rows: I64) -> Sites:
        """The sites (r,) in these places, in order."""
        return Sites(
            block=self.block[rows],
            fract=self.fract[rows],
            cartesian=self.cartesian[rows],
            placed=self.placed[rows],
            dummy=self.dummy[rows],
            repeated=self.repeated[rows],
            species=self.species.at(rows),
            occupancy=self.occupancy[rows],
            maybe_percent=self.maybe_percent,
            attached=self.attached[rows],
        )


def read_sites(batch: Batch, cells: F64, notes: Notes) -> Sites:
    """Sites of a batch, repetitions not told yet; `cells` (b, 6) place Cartesian coordinates."""
    counts = np.diff(batch.site_start)
    block = np.repeat(np.arange(batch.n_blocks, dtype=np.int32), counts)
    fract = np.stack([batch.numbers(batch.site_tokens(n)) for n in "xyz"], axis=1)
    dotted = _default_coordinates(batch, block, fract, notes)
    fract, cartesian = _from_cartesian(batch, cells, block, fract)
    with np.errstate(invalid="ignore"):
        near = (np.abs(fract) < _FAR).all(axis=1)
    if not near.all():
        _leave_out_the_farthest(block, fract, np.flatnonzero(~near), cartesian, notes)
    species = site_species(batch, block)
    if dotted.size:
        _place_by_formula(batch, block, fract, species.number, dotted, notes)
    occupancy, maybe_percent = site_occupancies(batch, block, fract, notes)
    dummy = species.dummy | _is_dum(batch) | (occupancy == 0.0)  # centroids are entered with occupancy 0
    if species.x.any():
        dummy |= species.x & ~_refined(batch)
    placed = ~(np.isnan(fract[:, 0]) | dummy)
    repeated = np.zeros_like(placed)
    shares = (occupancy, maybe_percent, _attached(batch))
    return Sites(block, fract, cartesian, placed, dummy, repeated, species, *shares)


def _leave_out_the_farthest(block: I32, fract: F64, rows: I64, cartesian: Bool, notes: Notes) -> None:
    """Make coordinates that are impossible, or NaN in part, NaN in place; say so, and where most are far off.

    `rows` are the sites that have a coordinate of `_FAR` or more, or NaN.
    """
    with np.errstate(invalid="ignore"):
        impossible = (np.abs(fract[rows]) >= _FARTHEST).any(axis=1)
    known = ~np.isnan(fract[rows]).any(axis=1)
    for b in np.unique(block[rows[impossible]]).tolist():
        notes.setdefault(b, []).append("coordinate-out-of-range")
    fract[rows[impossible | ~known]] = np.nan
    blocks, n_far = np.unique(block[rows[known & ~impossible & ~cartesian[rows]]], return_counts=True)
    for b, n in zip(blocks.tolist(), n_far.tolist(), strict=True):
        if 2 * n > np.count_nonzero(block == b):
            notes.setdefault(b, []).append("coordinates-far-off")


def _from_cartesian(batch: Batch, cells: F64, block: I32, fract: F64) -> tuple[F64, Bool]:
    """Fill missing fractional coordinates from Cartesian ones (a along x, b in the xy plane)."""
    if not (batch.site_tokens("cartn_x") >= 0).any():
        return fract, np.zeros(len(fract), dtype=np.bool_)
    none = np.isnan(fract).all(axis=1)
    cartn = np.stack([batch.numbers(batch.site_tokens(f"cartn_{n}")) for n in "xyz"], axis=1)
    use: Bool = none & np.all(np.isfinite(cartn), axis=1)
    for b in np.unique(block[use]):
        rows = use & (block == b)
        matrix = orthogonalization_matrices(cells[b : b + 1])[0]
        if np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 1e-6:
            fract[rows] = cartn[rows] @ np.linalg.inv(matrix).T
    return fract, use


def _refined(batch: Batch) -> Bool:
    """(s,) the site has a displacement: a centroid called `X` has none, an atom of unknown element has."""
    found: Bool = np.zeros(len(batch.site), dtype=np.bool_)
    for name in ("u_iso", "b_iso"):
        with np.errstate(invalid="ignore"):
            found |= batch.numbers(batch.site_tokens(name)) > 0.0
    return found


def _default_coordinates(batch: Batch, block: I32, fract: F64, notes: Notes) -> I64:
    """Fill coordinates of `.` with 0, the dictionary's default, where the site has another coordinate.

    Of a site with nothing but `.` the Wyckoff symbol says that it has a place: one of a centroid, of a
    hydrogen that was not located or of a squeezed solvent has none. Returns such sites without a symbol, of
    which the formula may say it (`_place_by_formula`).
    """
    rows: I64 = np.flatnonzero(np.isnan(fract[:, 0] + fract[:, 1] + fract[:, 2]))
    if not rows.size:
        return rows
    lost = np.isnan(fract[rows])
    tokens = np.stack([batch.site_tokens(n)[rows] for n in "xyz"], axis=1)
    stated = lost & (tokens >= 0)
    start, end = (of[tokens[stated]] for of in (batch.tokens.start, batch.tokens.end))
    dot = np.zeros_like(lost)
    dot[stated] = (end - start == 1) & (batch.tokens.buffer[start] == ord("."))
    placeless = lost.all(axis=1) & batch.null[batch.site_tokens("wyckoff")[rows]]
    filled = dot.any(axis=1) & (dot == lost).all(axis=1) & ~placeless
    fract[rows[filled]] = np.where(dot[filled], 0.0, fract[rows[filled]])
    for b in np.unique(block[rows[filled]]).tolist():
        notes.setdefault(b, []).append("coordinate-by-default")
    return rows[dot.all(axis=1) & placeless]


def _place_by_formula(batch: Batch, block: I32, fract: F64, number: I16, dotted: I64, notes: Notes) -> None:
    """Put a site of nothing but `.` at the origin, where the formula has its element and no other site does.

    Not a hydrogen, which may not have been located, and not one of two: they cannot both be there.
    """
    for i in dotted[number[dotted] > 1].tolist():
        mine = np.flatnonzero((block == block[i]) & (number == number[i]))
        text = batch.texts(batch.block_tokens("formula")[block[i : i + 1]]).to_pylist()
        formula, known = formula_counts(text)
        if mine.size == 1 and known[0] and formula[0, number[i]] > 0:
            fract[i] = 0.0
            notes.setdefault(int(block[i]), []).append("coordinate-by-default")


def _is_dum(batch: Batch) -> Bool:
    tokens = batch.site_tokens("calc_flag")
    out = np.zeros(len(tokens), dtype=np.bool_)
    start, end = batch.tokens.start, batch.tokens.end
    here = np.flatnonzero(tokens >= 0)
    here = here[(end - start)[tokens[here]] == 3]
    for i in here:
        out[i] = batch.raw(int(tokens[i])).lower() == "dum"
    return out


def _attached(batch: Batch) -> F64:
    value = batch.numbers(batch.site_tokens("attached_hydrogens"))
    value[~((value >= 0) & (value <= 8))] = np.nan
    return value


def site_table(
    batch: Batch,
    sites: Sites,
    displacements: Displacements,
    positions: Positions,
    rows: I64 | slice,
    entry_ids: pa.Array,
    index: I64,
) -> pa.Table:
    """Rows of the `site` table.

    Parameters
    ----------
    rows
        (r,) sites to write, in order; or a slice, for sites that lie so.
    entry_ids, index
        (r,) entry and position in the entry's list of each.
    """
    order = positions.order[rows].astype(np.float64)
    nothing = (order == 0) | sites.repeated[rows]
    order[nothing] = np.nan
    letters = np.where(nothing, -1, positions.letter[rows].astype(np.int32))
    isotope = np.where(sites.species.isotope[rows] == 0, -1, sites.species.isotope[rows] - 2)
    columns: dict[str, Any] = {
        "entry_id": entry_ids,
        "site_index": index.astype(np.int32),
        "label": batch.texts(batch.site_tokens("label")[rows]),
        "element": coded(sites.species.number[rows], _WORDS),
        "isotope": coded(isotope, ("D", "T")),
        "type_symbol": batch.texts(batch.site_tokens("type_symbol")[rows]),
        "x": sites.fract[rows, 0],
        "y": sites.fract[rows, 1],
        "z": sites.fract[rows, 2],
        "occupancy": sites.occupancy[rows],
        "multiplicity": np.where(nothing, np.nan, positions.multiplicity[rows]),
        "site_symmetry_order": order,
        "declared_multiplicity": batch.numbers(batch.site_tokens("declared_multiplicity")[rows]),
        "wyckoff_letter": coded(letters, _LETTERS),
        "is_special": pa.array(order > 1, pa.bool_(), mask=nothing),
        "u_iso_angstrom2": displacements.u_iso[rows],
        "u_iso_origin": coded(displacements.origin[rows], ORIGINS),
        "u_is_evidence": displacements.evidence[rows] & ~sites.repeated[rows],
        "calc_flag": batch.texts(batch.site_tokens("calc_flag")[rows]),
        "disorder_assembly": batch.texts(batch.site_tokens("disorder_assembly")[rows]),
        "disorder_group": batch.texts(batch.site_tokens("disorder_group")[rows]),
        "attached_hydrogens": sites.attached[rows],
    }
    return table_of(columns, SITE)
