"""Reads a source of CIFs and sums it up by group; nothing stays on the disk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import gemmi
import numpy as np
import pandas as pd

from xtalpriors.arrays import ANGLES, F64, LENGTHS
from xtalpriors.counted import counted
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.digest import get_digest
from xtalpriors.mining.database.store import fetch_table, reading
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.progress import Progress, silent
from xtalpriors.reports.figures.space_groups import short_symbol

__all__ = ["GROUPINGS", "Group", "Grouping", "Spread", "Summary", "summarise"]

Grouping = Literal["space-group", "crystal-system", "class"]
GROUPINGS: Final[tuple[Grouping, ...]] = ("space-group", "crystal-system", "class")

_ENTRIES = f"""
SELECT entry_id, file_id, block, formula_declared, sg_number, crystal_system, "class", volume_angstrom3,
    {", ".join(LENGTHS)}, {", ".join(ANGLES)}, volume_per_non_h_atom_angstrom3, h_fraction,
    u_iso_mean_angstrom2, n_sites, n_special_positions, composition_agreement, cluster_id, weight
FROM entry JOIN cluster USING (entry_id) ORDER BY entry_id
"""
_REJECTIONS = "SELECT file_id, block, code, detail FROM rejection ORDER BY file_id, block, code"


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of a quantity, and how many structures have it; null where none has.

    Quartiles are null below four values.
    """

    n: int
    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """Structures that have a space group, a crystal system or a class in common.

    Attributes
    ----------
    label
        What they have in common, as it is printed.
    n, n_different
        Structures, and how many are left when redeterminations of one crystal count once.
    volume_angstrom3, volume_per_atom_angstrom3
        Of the cell, and of the cell over its non-hydrogen atoms.
    shortest_angstrom, middle_angstrom, longest_angstrom
        Lengths of the declared cells, sorted in each.
    u_iso_angstrom2
        Mean U_iso of a structure's non-hydrogen atoms.
    hydrogen
        Share of hydrogen among all atoms, 0…1.
    special
        Share of the structures with a non-hydrogen atom on a special position, 0…1; null where no structure
        has atoms.
    """

    label: str
    n: int
    n_different: int
    volume_angstrom3: Spread
    volume_per_atom_angstrom3: Spread
    shortest_angstrom: Spread
    middle_angstrom: Spread
    longest_angstrom: Spread
    u_iso_angstrom2: Spread
    hydrogen: Spread
    special: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What a source holds.

    Attributes
    ----------
    source
        As it was named.
    by
        What the groups have in common; null: all structures are one group.
    groups
        The largest first, without `all`.
    all
        All structures together.
    entries
        A row for each structure.
    rejections
        A row (`file_id`, `block`, `code`, `detail`) for each block or file that holds no structure.
    n_files
        Files read.
    digest
        Of what was read.
    """

    source: str
    by: Grouping | None
    groups: tuple[Group, ...]
    all: Group
    entries: pd.DataFrame
    rejections: pd.DataFrame
    n_files: int
    digest: str


def summarise(
    source: str, by: Grouping | None = None, *, workers: int | None = None, progress: Progress = silent
) -> Summary:
    """Read a source and sum it up.

    Parameters
    ----------
    source
        A folder of CIFs, an archive or a CIF; see `parse_source`.
    by
        How to group the structures.
    workers
        Worker processes that read; null is at most one for each core.
    progress
        Opens a progress bar.

    Raises
    ------
    XtalpriorsError, UsageError
        There is no such source, or no file of it holds a structure: the message says why of the first ones.
    """
    with tempfile.TemporaryDirectory(prefix="xtalpriors-") as folder:
        database = Path(folder) / "summary.duckdb"
        mine([parse_source(source)], None, database, workers=workers, progress=progress)
        with reading(database) as connection:
            entries = fetch_table(connection, _ENTRIES).to_pandas()
            rejections = fetch_table(connection, _REJECTIONS).to_pandas()
            n_files = connection.execute("SELECT count(*) FROM file").fetchall()[0][0]
            digest = get_digest(connection)
    if entries.empty:
        raise XtalpriorsError(
            f"{source}: no structure in the {counted(n_files, 'file')} there. {_first_reasons(rejections)}"
        )
    groups: list[Group] = []
    if by is not None:
        labels = _labels(entries, by)
        parts = [part for _, part in entries.groupby(labels.to_numpy())]
        parts.sort(key=lambda part: (-len(part), int(part["sg_number"].min())))
        groups = [_group(str(labels[part.index[0]]), part) for part in parts]
    together = _group("all", entries)
    return Summary(
        source,
        by,
        tuple(groups),
        together,
        entries,
        rejections,
        int(n_files),
        digest["digest"] if digest else "",
    )


def _first_reasons(rejections: pd.DataFrame) -> str:
    lines = [f"{row.file_id}: {row.code} ({row.detail})" for row in rejections.head(3).itertuples()]
    return "; ".join(lines) + ("; …" if len(rejections) > 3 else "") + "."


def _labels(entries: pd.DataFrame, by: Grouping) -> pd.Series[str]:
    """What each structure is grouped by, as it is printed."""
    if by == "space-group":
        names: Callable[[int], str] = _space_group
        return entries["sg_number"].map({n: names(int(n)) for n in set(entries["sg_number"])})
    column = "crystal_system" if by == "crystal-system" else "class"
    return entries[column].where(entries[column].notna(), "unknown")


def _space_group(number: int) -> str:
    """Symbol of the reference setting, and the number: `P2₁/c (14)`."""
    return f"{short_symbol(str(gemmi.find_spacegroup_by_number(number).hm))} ({number})"


def _group(label: str, entries: pd.DataFrame) -> Group:
    lengths = np.sort(entries[list(LENGTHS)].to_numpy(dtype=np.float64), axis=1)
    with_sites = entries[entries["n_sites"].fillna(0) > 0]
    return Group(
        label,
        len(entries),
        entries["cluster_id"].nunique(),
        _spread(entries["volume_angstrom3"].to_numpy(dtype=np.float64)),
        _spread(entries["volume_per_non_h_atom_angstrom3"].to_numpy(dtype=np.float64)),
        _spread(lengths[:, 0]),
        _spread(lengths[:, 1]),
        _spread(lengths[:, 2]),
        _spread(entries["u_iso_mean_angstrom2"].to_numpy(dtype=np.float64)),
        _spread(entries["h_fraction"].to_numpy(dtype=np.float64)),
        float((with_sites["n_special_positions"].fillna(0) > 0).mean()) if len(with_sites) else None,
    )


def _spread(values: F64) -> Spread:
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return Spread(0, None, None, None)
    low, median, high = (float(x) for x in np.quantile(known, [0.25, 0.5, 0.75]))
    return Spread(len(known), median, *((low, high) if len(known) >= 4 else (None, None)))
