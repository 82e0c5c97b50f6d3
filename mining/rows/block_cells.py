"""The unit cells of a batch: declared parameters, and what is wrong where they make no valid cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from xtalpriors.arrays import F64, I32, I64, Bool
from xtalpriors.crystal.cells.cell import cell_volumes, metric_tensors
from xtalpriors.crystal.cells.lengths_by_symmetry import lengths_by_symmetry
from xtalpriors.crystal.symmetry.resolve import SymmetryFailure
from xtalpriors.mining.reading.numbers import PARTLY, TEXT
from xtalpriors.mining.reading.tokens import TAG_SCALE
from xtalpriors.mining.reading.units import QUANTITY, number_and_unit
from xtalpriors.mining.rows.batch import Batch
from xtalpriors.mining.rows.symmetry.blocks import resolve_blocks
from xtalpriors.mining.rows.symmetry.missing_angles import settle_angles

__all__ = ["PARAMETERS", "BlockCells", "block_cells", "cell_problem", "declared_volumes"]

PARAMETERS: Final = ("a", "b", "c", "alpha", "beta", "gamma")

_SHORTEST_ANGSTROM, _LONGEST_ANGSTROM = 0.1, 1e6
_FLATTEST: Final = 1e-4
"""Least volume of a cell with the lengths 1, 1, 1. A rhombohedral angle of 1° has more."""
_SMALLEST_NM, _LARGEST_NM = 0.008, 4.0
"""nm³, or Å³ if it were so: a cell of 2 Å cubed in nanometre, and less than one atom in ångström."""
_CROWDED: Final = 1.0
"""Å³ for each site listed: a tenth of what any crystal has, and nanometre if there would be less."""
_NOTE_OF_SCALE: Final = {10.0: "cell-from-nanometre", 0.01: "cell-from-picometre"}
_PLACEHOLDER: Final = np.array([1.0, 1.0, 1.0, 90.0, 90.0, 90.0])


@dataclass(frozen=True, slots=True)
class BlockCells:
    """Cells of b blocks.

    Attributes
    ----------
    cells, su
        (b, 6) as declared, in Å and degrees, and their s.u.
    volumes, stated
        (b,) recomputed volume in Å³, and whether a length is given.
    sound
        (b,) nothing is wrong with the cell; `cell_problem` says what is wrong with the others.
    usable
        (b, 6) cells to compute with: NaN for those that are not sound (1e400 Å).
    metric
        (b, 3, 3) metric tensors of these in Å².
    notes
        Decisions worth knowing, by block.
    """

    cells: F64
    su: F64
    volumes: F64
    stated: Bool
    sound: Bool
    usable: F64
    metric: F64
    notes: dict[int, list[str]]


def block_cells(batch: Batch) -> BlockCells:
    """Cells of all blocks; NaN where a parameter is missing.

    A missing angle is 90°, as the core dictionary defines for `_cell_angle_*`, unless the group or the volume
    tells it; one that is `?` or cannot be read is unknown unless these do.
    """
    tokens = np.stack([batch.block_tokens(p) for p in PARAMETERS], axis=1)
    cells = np.stack([batch.numbers(tokens[:, i]) for i in range(6)], axis=1)
    su = batch.su[tokens]
    notes = batch.notes
    _apply_units(batch, tokens, cells, su, notes)
    stated: Bool = np.any(tokens[:, :3] >= 0, axis=1)
    known = ~np.isnan(cells[:, :3])
    if (incomplete := np.flatnonzero(known.any(axis=1) & ~known.all(axis=1))).size:
        _fill_lengths(batch, tokens, cells, incomplete, notes)
    unknown = np.isnan(cells[:, 3:]) & stated[:, None]
    for b, i in zip(*np.nonzero(unknown), strict=True):
        token = tokens[b, 3 + i]
        if token < 0 or batch.raw(token) == ".":
            cells[b, 3 + i] = 90.0
        elif not batch.null[token]:
            notes.setdefault(int(b), []).append("angle-not-a-number")
    _to_angstrom(batch, cells, su, notes)
    if unknown.any():
        settle_angles(batch, cells, unknown, declared_volumes(batch), notes)
    with np.errstate(invalid="ignore", over="ignore"):
        volumes = cell_volumes(cells) if len(cells) else np.empty(0)
    sound = _sound(cells, volumes)
    usable = np.where(sound[:, None], cells, np.nan)
    return BlockCells(cells, su, volumes, stated, sound, usable, metric_tensors(usable), notes)


def _fill_lengths(batch: Batch, tokens: I32, cells: F64, blocks: I64, notes: dict[int, list[str]]) -> None:
    """Fill lengths that are missing where the group makes them equal to a known one, in place, and note it.

    Not a length that cannot be read: it may be another one. The rows `blocks` lack a length.
    """
    lengths = tokens[blocks, :3]
    absent = (lengths < 0) | batch.null[lengths] | ~np.isnan(cells[blocks, :3])
    for b, reading in resolve_blocks(batch, [""] * len(cells), blocks[absent.all(axis=1)].tolist()).items():
        answer = reading.answer
        if isinstance(answer, SymmetryFailure) or answer.agreement == "disagree":
            continue
        found = lengths_by_symmetry(answer.group.rotations.astype(np.float64), cells[b, :3])
        if not np.isnan(found).any():
            cells[b, :3] = found
            notes.setdefault(b, []).append("length-from-group")


def declared_volumes(batch: Batch) -> F64:
    """Declared volumes (b,) in Å³, NaN where a block states none."""
    tokens = batch.block_tokens("volume")
    stated = batch.numbers(tokens)
    for b in np.flatnonzero(batch.kind[tokens] == PARTLY):
        known = number_and_unit(batch.raw(int(tokens[b])), QUANTITY["volume"])
        stated[b] = stated[b] if known is None else known
    return stated


def _apply_units(batch: Batch, tokens: I32, cells: F64, su: F64, notes: dict[int, list[str]]) -> None:
    """Apply units written behind a number or into its tag, in place."""
    lengths = tokens[:, :3]
    by_tag, given = np.ones(lengths.shape), lengths >= 0
    by_tag[given] = TAG_SCALE[batch.tokens.tag[lengths[given]], 0]
    for b in np.flatnonzero((by_tag != 1.0).any(axis=1)):
        unit = "picometre" if by_tag[b].min() < 1.0 else "nanometre"
        notes.setdefault(int(b), []).append(f"cell-from-{unit}")
    for b, i in zip(*np.nonzero(batch.kind[tokens] == PARTLY), strict=True):
        text, stated = batch.raw(tokens[b, i]), cells[b, i]
        known = number_and_unit(text, QUANTITY[PARAMETERS[i]])
        if known is not None and known != stated:
            cells[b, i], su[b, i] = known, su[b, i] * (known / stated)
            note = _NOTE_OF_SCALE.get(round(known / stated, 9), "cell-with-unit")
            if note not in notes.setdefault(int(b), []):
                notes[int(b)].append(note)


def _to_angstrom(batch: Batch, cells: F64, su: F64, notes: dict[int, list[str]]) -> None:
    """Bring lengths in nanometre or picometre to ångström, in place, where nothing else makes sense.

    Nanometre: the product of the lengths is below 4, less than any atom's volume in Å³, or there would be
    less than 1 Å³ for each site listed. Picometre: every length is above 100 and there would be more than
    5 · 10⁶ Å³ for each site listed (5 Å³ if it is picometre). Only cells with sites are looked at: the sites
    are what makes the unit certain.
    """
    sites = np.diff(batch.site_start)
    with np.errstate(invalid="ignore", over="ignore"):
        size = cells[:, :3].prod(axis=1)
        small = (size > _SMALLEST_NM) & (size < np.maximum(_LARGEST_NM, _CROWDED * sites))
        nanometre = (sites > 0) & ~(cells == _PLACEHOLDER).all(axis=1) & small
        picometre = (sites > 0) & (cells[:, :3] > 100.0).all(axis=1) & (size > 5e6 * sites)
    for chosen, factor, note in (
        (nanometre, 10.0, "cell-from-nanometre"),
        (picometre, 0.01, "cell-from-picometre"),
    ):
        cells[chosen, :3] *= factor
        su[chosen, :3] *= factor
        for b in np.flatnonzero(chosen):
            notes.setdefault(int(b), []).append(note)


def _sound(values: F64, volumes: F64) -> Bool:
    with np.errstate(invalid="ignore"):
        lengths = (values[:, :3] >= _SHORTEST_ANGSTROM) & (values[:, :3] < _LONGEST_ANGSTROM)
        angles = (values[:, 3:] > 0.0) & (values[:, 3:] < 180.0)
        sound: Bool = lengths.all(axis=1) & angles.all(axis=1) & _has_volume(values, volumes)
    sound &= ~(values == _PLACEHOLDER).all(axis=1)
    return sound


def _has_volume(values: F64, volumes: F64) -> Bool:
    """(b,) the angles enclose a volume that is worth the name."""
    with np.errstate(invalid="ignore", over="ignore"):
        enclosed: Bool = volumes > _FLATTEST * values[:, :3].prod(axis=1)
    return enclosed


def cell_problem(batch: Batch, cells: BlockCells, block: int) -> tuple[str, str] | None:
    """Code and detail of what makes a block's cell unusable; None for a good cell."""
    values = cells.cells[block]
    for name, value in zip(PARAMETERS, values, strict=True):
        tag = f"_cell_{'length' if len(name) == 1 else 'angle'}_{name}"
        token = int(batch.block_tokens(name)[block])
        if token < 0 and np.isnan(value):
            return "cell-incomplete", f"{tag} is missing"
        found = batch.raw(token) if token >= 0 else "missing"
        if np.isnan(value):
            code = "cell-not-a-number" if batch.kind[token] in (TEXT, PARTLY) else "cell-unknown"
            return code, f"{tag} is {found!r}"
        low, high = (_SHORTEST_ANGSTROM, _LONGEST_ANGSTROM) if len(name) == 1 else (0.0, 180.0)
        if not (low <= value < high) or value == 0.0:
            return "cell-impossible", f"{tag} is {found!r}"
    if not _has_volume(cells.cells, cells.volumes)[block]:
        return "cell-impossible", f"angles {values[3]:g}, {values[4]:g}, {values[5]:g} enclose no volume"
    if (values == _PLACEHOLDER).all():
        return "cell-placeholder", "the cell is 1 1 1 90 90 90, which stands for no cell (NMR, molecules)"
    return None
