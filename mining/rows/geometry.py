"""Columns of the cell in its three forms, and of the space group, declared and computed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from xtalpriors.arrays import F64, I64, Bool
from xtalpriors.compilation import kernel
from xtalpriors.crystal.cells.least_oblique import least_oblique_cells
from xtalpriors.crystal.cells.niggli import niggli_reduce
from xtalpriors.crystal.symmetry.primitive import primitive_basis
from xtalpriors.crystal.symmetry.settings import plane_change, reference_axes
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.mining.rows.block_cells import BlockCells, declared_volumes
from xtalpriors.mining.rows.entries import Entries, Groups

__all__ = ["cell_columns", "contradicting_cells", "symmetry_columns"]


_UNITS: Final = ("angstrom",) * 3 + ("degree",) * 3
_NAMES: Final = ("a", "b", "c", "alpha", "beta", "gamma")
_VOLUME_TOLERANCE: Final = 0.01
"""Relative; a declared volume further from the recomputed one is noted."""
_METRIC_TOLERANCE: Final = 0.01
"""Relative; a cell whose metric the group changes by more is noted as contradicting its system."""


def cell_columns(entries: Entries, cells: BlockCells) -> dict[str, Any]:
    """Declared, Niggli-reduced and least-oblique cell, s.u. and volume of the entries."""
    keep, groups = entries.block, entries.groups
    declared, su, volume = cells.cells[keep], cells.su[keep], cells.volumes[keep]
    reduced = niggli_reduce(declared, groups.array(primitive_basis)).cells
    oblique, operators = _least_oblique(declared, entries)
    stated = declared_volumes(entries.batch)[keep]
    columns: dict[str, Any] = {
        "volume_angstrom3": volume,
        "volume_declared_angstrom3": stated,
        "least_oblique_operator": operators,
    }
    for prefix, values in (("", declared), ("niggli_", reduced), ("least_oblique_", oblique)):
        columns |= {
            f"{prefix}{n}_{u}": values[:, i] for i, (n, u) in enumerate(zip(_NAMES, _UNITS, strict=True))
        }
    columns |= {f"{n}_su_{u}": su[:, i] for i, (n, u) in enumerate(zip(_NAMES, _UNITS, strict=True))}
    with np.errstate(invalid="ignore"):
        differs = np.abs(stated - volume) > _VOLUME_TOLERANCE * volume
    entries.note(np.flatnonzero(differs), "volume-mismatch")
    entries.note(contradicting_cells(cells.metric[keep], groups), "cell-contradicts-group")
    return columns


def _least_oblique(cells: F64, entries: Entries) -> tuple[F64, list[str | None]]:
    """Least-oblique P2₁/c cells, NaN for other groups, and the triplets of the changes to them."""
    out = np.full(cells.shape, np.nan)
    operators: list[str | None] = [None] * len(cells)
    found = [(i, s.group) for i, s in enumerate(entries.symmetry) if s.group.number == 14]
    if found:
        rows = [i for i, _ in found]
        axes = np.stack([reference_axes(group) for _, group in found])
        out[rows], planes = least_oblique_cells(cells[rows], axes)
        for (i, group), plane in zip(found, planes.tolist(), strict=True):
            operators[i] = _triplet(group, *plane)
    return out, operators


@lru_cache(maxsize=4096)
def _triplet(group: SpaceGroup, p: int, q: int, r: int, s: int) -> str:
    return plane_change(group, p, q, r, s).triplet


@lru_cache(maxsize=4096)
def _rotations(group: SpaceGroup) -> F64:
    """Distinct rotation parts (n, 3, 3)."""
    distinct = np.unique(group.rotations, axis=0).astype(np.float64)
    distinct.setflags(write=False)
    return distinct


def contradicting_cells(metric: F64, groups: Groups) -> list[int]:
    """Entries whose metric tensor (n, 3, 3) is not invariant under the rotations of their group."""
    rotations = [_rotations(group) for group in groups.distinct]
    bounds = np.concatenate([[0], np.cumsum([len(r) for r in rotations])])
    first, last = bounds[groups.place], bounds[groups.place + 1]
    changes = _changes(metric, np.concatenate(rotations), first, last)
    changed: list[int] = np.flatnonzero(changes).tolist()
    return changed


@kernel()
def _changes(metric: F64, rotations: F64, first: I64, last: I64) -> Bool:
    """(n,) some rotation R of the entry, `first` to `last`, changes G by more than the tolerance."""
    out = np.zeros(len(metric), dtype=np.bool_)
    for e in range(len(metric)):
        g = metric[e]
        for k in range(first[e], last[e]):
            r = rotations[k]
            for i in range(3):
                for j in range(i, 3):
                    moved = 0.0
                    for p in range(3):
                        if r[p, i] != 0.0:
                            for q in range(3):
                                moved += r[p, i] * g[p, q] * r[q, j]
                    out[e] |= abs(moved - g[i, j]) > _METRIC_TOLERANCE * np.sqrt(g[i, i] * g[j, j])
    return out


def symmetry_columns(entries: Entries) -> dict[str, Any]:
    """Space group as declared and as computed."""
    groups, symmetry = entries.groups, entries.symmetry
    number = entries.numbers("sg_number")
    number[~((number >= 1) & (number <= 230))] = np.nan
    return {
        "sg_declared_number": number,
        "sg_declared_hm": entries.texts("hm"),
        "sg_declared_hall": entries.texts("hall"),
        "sg_number": groups.column(lambda g: g.number),
        "sg_hm": groups.column(lambda g: g.hm),
        "sg_hall": groups.column(lambda g: g.hall),
        "sg_source": [s.source for s in symmetry],
        "sg_agreement": [s.agreement for s in symmetry],
        "operators": groups.column(_joined),
        "n_operators": groups.column(lambda g: g.order),
        "crystal_system": groups.column(lambda g: g.crystal_system),
        "laue_class": groups.column(lambda g: g.laue_class),
        "centrosymmetric": groups.column(lambda g: g.centrosymmetric),
    }


@lru_cache(maxsize=4096)
def _joined(group: SpaceGroup) -> str:
    return ";".join(group.operators)
