"""Measured crystals of mined databases as a test set that no training sees (split R).

Ordered structures with every atom in place, one for each formula and space group, in the reference setting,
with a (the longest axis of a cubic cell) of at most 10 Å.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import CELL
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import atomic_number
from xtalpriors.crystal.chemistry.form_factors import LAST_ELEMENT
from xtalpriors.crystal.symmetry.settings import to_reference
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.wyckoff.site_symmetry import site_symmetries
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.store import fetch_table, reading
from xtalpriors.model.powder.canonical import canonical_coordinates
from xtalpriors.model.powder.crystals import PowderCrystal, PowderCrystals, gather
from xtalpriors.model.powder.prototypes import System, orbit
from xtalpriors.model.powder.structure_type import structure_type

__all__ = ["LONGEST_A_ANGSTROM", "real_crystals"]

LONGEST_A_ANGSTROM: Final = 10.0

_ENTRIES = f"""
    SELECT entry_id, operators, {", ".join(CELL)} FROM entry
    WHERE crystal_system = $system AND NOT has_disorder AND NOT has_partial_occupancy AND NOT has_mixed_sites
      AND NOT has_dummy_sites AND hydrogen_origin IN ('none', 'sites')
      AND NOT is_retracted AND NOT has_errors AND NOT is_theoretical AND NOT is_superspace
      AND NOT regexp_matches(coalesce(notes, ''), 'implausible|overfull-position|cell-contradicts')
      AND composition_agreement IN ('agree', 'no-formula', 'multiple')
    ORDER BY entry_id
"""
_SITES = """
    SELECT entry_id, element, x, y, z FROM site SEMI JOIN chosen USING (entry_id)
    WHERE multiplicity IS NOT NULL ORDER BY entry_id, site_index
"""


def real_crystals(databases: Sequence[Path], system: System, count: int | None = None) -> PowderCrystals:
    """Measured crystals of databases, in the order of their `entry_id`.

    Parameters
    ----------
    databases
        That `xtalpriors mine` made; of a formula and space group that several have, one is taken.
    system
        `cubic` or `trigonal`.
    count
        At most so many, drawn at random but the same ones each time; null: all.

    Raises
    ------
    XtalpriorsError
        A database cannot be read, or none holds such a crystal.
    """
    rows: list[dict[str, Any]] = []
    by_entry: dict[str, list[dict[str, Any]]] = {}
    for database in databases:
        with reading(database) as connection:
            entries = fetch_table(connection, _ENTRIES, {"system": system})
            connection.register("chosen", entries.select(["entry_id"]))
            by_entry |= _grouped(fetch_table(connection, _SITES))
        rows += entries.to_pylist()
    found: dict[tuple[str, int], PowderCrystal] = {}
    order = range(len(rows)) if count is None else np.random.default_rng(0).permutation(len(rows)).tolist()
    for entry in (rows[i] for i in order):
        if count is not None and len(found) == count:
            break
        crystal = _crystal(entry, by_entry.get(entry["entry_id"], []), system)
        if crystal is not None:
            found.setdefault((str(crystal.composition), crystal.group.number), crystal)
    if not found:
        raise XtalpriorsError(
            f"{' and '.join(map(str, databases))}: no ordered {system} structure with a ≤ "
            f"{LONGEST_A_ANGSTROM:g} Å. Mine a larger corpus."
        )
    return gather(sorted(found.values(), key=lambda crystal: crystal.name))


def _grouped(sites: pa.Table) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for site in sites.to_pylist():
        grouped.setdefault(site["entry_id"], []).append(site)
    return grouped


def _crystal(entry: dict[str, Any], sites: list[dict[str, Any]], system: System) -> PowderCrystal | None:
    """One entry in the reference setting; None without atoms, without their places, or with a long axis."""
    numbers = [atomic_number(site["element"]) for site in sites if site["element"]]
    if not sites or len(numbers) < len(sites) or max(numbers) > LAST_ELEMENT:
        return None
    if any(site[axis] is None for site in sites for axis in "xyz"):
        return None
    group = SpaceGroup.from_operators(entry["operators"].split(";"))
    fract = np.array([[site[axis] for axis in "xyz"] for site in sites], dtype=np.float64)
    moved = to_reference(group, UnitCell(*(entry[c] for c in CELL)), fract)
    cell = _exact_cell(moved.cell, system)
    if cell.a > LONGEST_A_ANGSTROM:
        return None
    snapped = site_symmetries(moved.group, moved.fract, cell.metric_tensor).fract
    orbits = [orbit(moved.group, point) for point in snapped]
    z = np.concatenate([np.full(len(o), n) for n, o in zip(numbers, orbits, strict=True)])
    label = structure_type(moved.group, cell, numbers, snapped)
    x = canonical_coordinates(moved.group, cell, z, np.concatenate(orbits))
    return PowderCrystal(cell, moved.group, z, x, label, entry["entry_id"])


def _exact_cell(cell: UnitCell, system: System) -> UnitCell:
    """The cell with the equalities of its system exact, lengths to 1e-5 Å."""
    if system == "cubic":
        a = round((cell.a + cell.b + cell.c) / 3.0, 5)
        return UnitCell(a, a, a)
    a = round((cell.a + cell.b) / 2.0, 5)
    return UnitCell(a, a, round(cell.c, 5), gamma=120.0)
