"""Structures of supergroups of P2₁/c as rows of `entry` and `site` that describe them in P2₁/c."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from xtalpriors.arrays import CELL
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.niggli import niggli_reduce
from xtalpriors.crystal.chemistry.formula import hill_formula, parse_formula
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.subgroups import P21cDescription, describe_in_p21c, split_sites
from xtalpriors.crystal.wyckoff import site_symmetries

__all__ = ["BroughtToP21c", "bring_to_p21c"]

_PER_CELL = ("z_declared", "formula_units", "n_atoms_non_h_cell", "n_atoms_h_cell")

_P21C = 14


class BroughtToP21c(NamedTuple):
    """Rows in the columns of the tables given, and the entries that could not be brought there."""

    entries: pa.Table
    sites: pa.Table
    refused: tuple[tuple[str, str], ...]
    """`entry_id` and reason."""


def bring_to_p21c(entries: pa.Table, sites: pa.Table) -> BroughtToP21c:
    """Describe each structure in the P2₁/c subgroup of its group (see `crystal.subgroups`).

    Cell, operators, sites (expanded to the asymmetric unit of P2₁/c), their multiplicities and Wyckoff
    letters, and the numbers of sites and special positions become those of the description in the
    least-oblique P2₁/c cell; the columns `sg_declared_…` keep what the file said, contents of the cell and
    everything measured stay as they are, for the volume is the same (but of no. 14 in a centred setting).

    Parameters
    ----------
    entries, sites
        Rows of a subset, both sorted by `entry_id`.

    Returns
    -------
    BroughtToP21c
        Refused are groups without a P2₁/c subgroup, cells of another symmetry than the group's, and sites
        whose orbits do not add up.
    """
    by_entry: dict[str, list[dict[str, Any]]] = {}
    for site in sites.to_pylist():
        by_entry.setdefault(site["entry_id"], []).append(site)
    kept_entries: list[dict[str, Any]] = []
    kept_sites: list[dict[str, Any]] = []
    refused: list[tuple[str, str]] = []
    for entry in entries.to_pylist():
        brought = _describe(entry, by_entry.get(entry["entry_id"], []))
        if isinstance(brought, str):
            refused.append((entry["entry_id"], brought))
            continue
        kept_entries.append(brought[0])
        kept_sites += brought[1]
    return BroughtToP21c(
        pa.Table.from_pylist(kept_entries, schema=entries.schema),
        pa.Table.from_pylist(kept_sites, schema=sites.schema),
        tuple(refused),
    )


def _describe(
    entry: dict[str, Any], sites: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]] | str:
    """The rows of one structure, or why there are none."""
    group = SpaceGroup.from_operators(entry["operators"].split(";"))
    cell = UnitCell(*(entry[name] for name in CELL))
    if not _is_compatible(group, cell):
        return "the cell has not the symmetry of the group"
    description = describe_in_p21c(group, cell)
    if description is None:
        return "the group has no subgroup P2₁/c on its cell"
    located = [s for s in sites if None not in (s["x"], s["y"], s["z"])]
    moved = _move_sites(group, cell, description, located)
    if moved is None:
        return "the orbits of the sites do not add up"
    changed = {**_contents(entry, _volume_ratio(description)), **_cell_columns(description.cell)}
    return {**entry, **changed, **_group_columns(), **_site_columns(moved)}, moved


def _is_compatible(group: SpaceGroup, cell: UnitCell) -> bool:
    metric = cell.metric_tensor
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    moved = np.einsum("nji,jk,nkl->nil", group.rotations, metric, group.rotations)
    return bool((np.abs(moved - metric) < 0.01 * scale).all())


def _move_sites(
    group: SpaceGroup, cell: UnitCell, description: P21cDescription, sites: list[dict[str, Any]]
) -> list[dict[str, Any]] | None:
    fract = np.array([[s["x"], s["y"], s["z"]] for s in sites], dtype=np.float64).reshape(-1, 3)
    before = site_symmetries(group, fract, cell.metric_tensor)
    split = split_sites(group, description.subgroup, before.fract, cell.metric_tensor)
    coordinates = description.change.coordinates(split.fract)
    target = SpaceGroup.from_number(_P21C)
    after = site_symmetries(target, coordinates, description.cell.metric_tensor)
    total = np.bincount(split.parent, weights=after.multiplicity, minlength=len(sites))
    if not np.array_equal(total, before.multiplicity * _volume_ratio(description)):
        return None
    wrapped = np.round(np.mod(np.mod(after.fract, 1.0), 1.0), 9)
    numbers: Counter[int] = Counter()
    rows = []
    for index, (parent, xyz) in enumerate(zip(split.parent.tolist(), wrapped.tolist(), strict=True)):
        numbers[parent] += 1
        label = sites[parent]["label"]
        rows.append(
            {
                **sites[parent],
                "site_index": index,
                "label": label if label is None or numbers[parent] == 1 else f"{label}_{numbers[parent]}",
                **dict(zip("xyz", xyz, strict=True)),
                "multiplicity": int(after.multiplicity[index]),
                "site_symmetry_order": int(after.order[index]),
                "declared_multiplicity": None,
                "wyckoff_letter": str(after.letter[index]),
                "is_special": bool(after.order[index] > 1),
            }
        )
    return rows


def _cell_columns(cell: UnitCell) -> dict[str, Any]:
    parameters = [round(value, 9) for value in cell.parameters]
    reduced = niggli_reduce(np.array([parameters])).cells[0].tolist()
    columns: dict[str, Any] = dict.fromkeys(("a_su_angstrom", "b_su_angstrom", "c_su_angstrom"))
    columns |= {f"{angle}_su_degree": None for angle in ("alpha", "beta", "gamma")}
    for prefix, values in (("", parameters), ("least_oblique_", parameters), ("niggli_", reduced)):
        columns |= {prefix + name: value for name, value in zip(CELL, values, strict=True)}
    return {**columns, "least_oblique_operator": "x,y,z"}


def _volume_ratio(description: P21cDescription) -> float:
    """Volume of the P2₁/c cell over that of the cell given: 1, or a unit fraction for a centred cell."""
    return float(1 / abs(description.change.determinant))


def _contents(entry: dict[str, Any], ratio: float) -> dict[str, Any]:
    """Contents of the cell; only a centred setting of no. 14 has another volume than its P2₁/c cell."""
    if ratio == 1.0:
        return {}
    columns: dict[str, Any] = {}
    for name in ("volume_angstrom3", "volume_declared_angstrom3", *_PER_CELL):
        columns[name] = None if entry[name] is None else entry[name] * ratio
    for name in ("formula_sites", "formula_cell"):
        counts = parse_formula(entry[name])
        columns[name] = None if counts is None else hill_formula({e: n * ratio for e, n in counts})
    return columns


def _group_columns() -> dict[str, Any]:
    group = SpaceGroup.from_number(_P21C)
    return {
        "sg_number": group.number,
        "sg_hm": group.hm,
        "sg_hall": group.hall,
        "operators": ";".join(group.operators),
        "n_operators": group.order,
        "crystal_system": group.crystal_system,
        "laue_class": group.laue_class,
        "centrosymmetric": group.centrosymmetric,
    }


def _site_columns(sites: list[dict[str, Any]]) -> dict[str, Any]:
    """Numbers of sites; the special positions of P2₁/c are points, one for each of the letters a to d."""
    heavy = [s for s in sites if s["element"] != "H"]
    letters = sorted({s["wyckoff_letter"] for s in heavy if s["is_special"]})
    return {
        "n_sites": len(sites),
        "n_sites_non_h": len(heavy),
        "n_special_positions": len(letters),
        "special_letters": " ".join(letters),
        "n_special_points": len(letters),
    }
