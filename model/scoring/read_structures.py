"""Reads experimental structures from subset files (`mining.subsets`) and brings them to the network's group.

For P2₁/c every structure is brought to the least-oblique cell of a P2₁/c subgroup of its group
(`crystal.subgroups`); for any other group, structures of that group are brought to its setting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from xtalpriors.arrays import CELL, F32, F64, U8
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import atomic_number
from xtalpriors.crystal.chemistry.form_factors import LAST_ELEMENT
from xtalpriors.crystal.scattering.arrays import CrystalArrays
from xtalpriors.crystal.symmetry.settings import change_setting
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import ENTRY, SCHEMA_VERSION, SITE, Column
from xtalpriors.mining.subsets.files import read_metadata, sites_path
from xtalpriors.mining.subsets.p21c import bring_to_p21c
from xtalpriors.model.scoring.structures import EmptyTestSet, ExperimentalStructures, compound_class

__all__ = ["ASSUMED_U_ISO_ANGSTROM2", "read_structures", "structures_of_rows"]

ASSUMED_U_ISO_ANGSTROM2 = 0.05
"""U_iso of an atom whose own is not given, or not positive."""

_P21C = 14


def read_structures(
    subsets: Sequence[Path], group: SpaceGroup | None = None, *, one_per_cluster: bool = False
) -> ExperimentalStructures:
    """Structures of subset files, those of several corpora one after another.

    An entry that two files share counts once. The same crystal in two databases counts twice; to have it
    once, mine both into one database, where it is one cluster.

    Parameters
    ----------
    subsets
        `NAME.parquet` of `mining.subsets.write_subset`, with `NAME.sites.parquet` beside it.
    group
        The network's group; null is P2₁/c.
    one_per_cluster
        Of redeterminations of one crystal only one: the best, or the first by `entry_id` where the best is
        not in the subset.

    Raises
    ------
    EmptyTestSet
        None of them has a structure that can be described in the group.
    XtalpriorsError
        A file is missing or no subset.
    """
    tables = []
    for path in map(Path, subsets):
        metadata = read_metadata(path)  # its errors say what is wrong with the file
        if (version := metadata.get("schema_version")) != SCHEMA_VERSION:
            raise XtalpriorsError(
                f"{path} is a subset of schema {version}; this xtalpriors reads {SCHEMA_VERSION}. Write it "
                "again with `xtalpriors subset`, or upgrade xtalpriors."
            )
        entries = _read(path, ENTRY)
        entries = _one_of_each(entries) if one_per_cluster else entries
        tables.append((entries, _read(sites_path(path), SITE), str(metadata["corpus"])))
    return structures_of_rows(tables, group, ", ".join(str(path) for path in subsets))


def structures_of_rows(
    tables: Sequence[tuple[pa.Table, pa.Table, str]], group: SpaceGroup | None = None, source: str = ""
) -> ExperimentalStructures:
    """As `read_structures`, of rows of `entry` and `site` and the name of their corpus."""
    target = SpaceGroup.from_number(_P21C) if group is None else group
    rows: list[_Structure] = []
    refused: list[tuple[str, str]] = []
    seen: set[str] = set()
    for entries, sites, corpus in tables:
        entries, sites, here = _described(entries, sites, target)
        refused += here
        for row in _structures(entries, sites, corpus, target):
            if isinstance(row, tuple):
                refused.append(row)
            elif row.entry["entry_id"] not in seen:
                seen.add(row.entry["entry_id"])
                rows.append(row)
    if not rows:
        why = Counter(reason for _, reason in refused)
        reasons = "; ".join(f"{n:,} refused: {reason}" for reason, n in sorted(why.items()))
        raise EmptyTestSet(
            f"There is no structure to test in {source or 'what was given'}"
            f"{f' ({reasons})' if reasons else ': no entries'}. Mine a larger corpus, or give another "
            "subset, for example p21c-20."
        )
    return _assemble(rows, target, tuple(refused))


@dataclass(frozen=True, slots=True)
class _Structure:
    entry: dict[str, Any]
    corpus: str
    numbers: U8
    fract: F64
    u_iso: F32
    weights: F64
    assumed: int


def _one_of_each(entries: pa.Table) -> pa.Table:
    """One row of each cluster, in their order."""
    columns = (entries[name].to_pylist() for name in ("is_best", "entry_id", "cluster_id"))
    ordered = sorted(zip(*columns, strict=True), key=lambda row: (not row[0], row[1]))
    kept = {cluster: name for _, name, cluster in reversed(ordered)}.values()
    return entries.filter(pa.compute.is_in(entries["entry_id"], pa.array(sorted(kept), pa.string())))


def _read(path: Path, columns: Sequence[Column]) -> pa.Table:
    """A table of a subset, which has all these columns."""
    try:
        table = pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise XtalpriorsError(
            f"{path} of the subset cannot be read ({type(error).__name__}). Write the subset again with "
            "`xtalpriors subset`."
        ) from error
    missing = [column.name for column in columns if column.name not in table.column_names]
    if missing:
        raise XtalpriorsError(
            f"{path} has no column `{missing[0]}`: it was changed. Write the subset again with `xtalpriors "
            "subset`."
        )
    return table


def _described(
    entries: pa.Table, sites: pa.Table, target: SpaceGroup
) -> tuple[pa.Table, pa.Table, list[tuple[str, str]]]:
    """The rows described in the target group where mining can do that: P2₁/c."""
    if target.operators != SpaceGroup.from_number(_P21C).operators:
        return entries, sites, []
    brought = bring_to_p21c(entries, sites)
    return brought.entries, brought.sites, list(brought.refused)


def _structures(
    entries: pa.Table, sites: pa.Table, corpus: str, target: SpaceGroup
) -> list[_Structure | tuple[str, str]]:
    by_entry: dict[str, list[dict[str, Any]]] = {}
    wanted = ["entry_id", "element", "x", "y", "z", "occupancy", "multiplicity", "u_iso_angstrom2"]
    for site in sites.select(wanted).to_pylist():
        by_entry.setdefault(site["entry_id"], []).append(site)
    return [_structure(e, by_entry.get(e["entry_id"], []), corpus, target) for e in entries.to_pylist()]


def _structure(
    entry: dict[str, Any], sites: list[dict[str, Any]], corpus: str, target: SpaceGroup
) -> _Structure | tuple[str, str]:
    """One structure, or its `entry_id` and the reason why it cannot be tested."""
    name = entry["entry_id"]
    sites = [s for s in sites if s["occupancy"] is None or s["occupancy"] > 0]
    if any(s["element"] is None for s in sites):
        return name, "an atom of an unknown element"
    numbers = [atomic_number(s["element"]) for s in sites]
    if not sites or any(None in (s["x"], s["y"], s["z"], s["multiplicity"]) for s in sites):
        return name, "no atoms, or an atom without a place"
    if not all(1 <= z <= LAST_ELEMENT for z in numbers):
        return name, "an element without a form factor"
    group = SpaceGroup.from_operators(entry["operators"].split(";"))
    cell = UnitCell(*(entry[c] for c in CELL))
    fract = np.array([[s["x"], s["y"], s["z"]] for s in sites], dtype=np.float64)
    weights = [(1.0 if s["occupancy"] is None else s["occupancy"]) * s["multiplicity"] for s in sites]
    if group.operators != target.operators:
        if group.number != target.number:
            return name, f"of another group than {target.hm or target.number}"
        moved = change_setting(group, cell, fract, target.to_reference.inverse().after(group.to_reference))
        if moved.group.operators != target.operators:
            return name, f"cannot be brought to the setting {target.hm or target.number}"
        entry = {**entry, **dict(zip(CELL, moved.cell.parameters, strict=True))}
        fract = np.asarray(moved.fract)
    u = np.array([s["u_iso_angstrom2"] or np.nan for s in sites], dtype=np.float64)
    lacking = ~(np.isfinite(u) & (u > 0))
    u[lacking] = ASSUMED_U_ISO_ANGSTROM2
    return _Structure(
        entry,
        corpus,
        np.array(numbers, dtype=np.uint8),
        fract,
        u.astype(np.float32),
        np.array(weights) / group.order,
        int(lacking.sum()),
    )


def _assemble(
    rows: list[_Structure], target: SpaceGroup, refused: tuple[tuple[str, str], ...]
) -> ExperimentalStructures:
    crystals = CrystalArrays(
        np.array([[r.entry[c] for c in CELL] for r in rows], dtype=np.float64),
        np.concatenate([[0], np.cumsum([len(r.numbers) for r in rows])]).astype(np.int64),
        np.concatenate([r.numbers for r in rows]),
        np.concatenate([r.fract for r in rows]),
        np.concatenate([r.u_iso for r in rows]),
        np.concatenate([r.weights for r in rows]),
    )
    origins = [
        "given" if r.assumed == 0 else "assumed" if r.assumed == len(r.numbers) else "part" for r in rows
    ]
    return ExperimentalStructures(
        target,
        crystals,
        tuple(r.entry["entry_id"] for r in rows),
        tuple(r.corpus for r in rows),
        tuple(compound_class(r.entry) for r in rows),
        np.array([r.entry["n_special_positions"] or 0 for r in rows], dtype=np.int64),
        tuple(origins),
        np.array([r.assumed for r in rows], dtype=np.int64),
        refused,
    )
