"""Real crystals of a study, from a mined database, a subset of one, or CIFs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from xtalpriors.errors import UsageError
from xtalpriors.generator.config import space_group_of
from xtalpriors.mining.run import mine
from xtalpriors.mining.sources.parse import parse_source
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.write import write_subset
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, known_crystal, one_of
from xtalpriors.model.scoring.read_structures import read_structures
from xtalpriors.model.scoring.structures import EmptyTestSet, ExperimentalStructures
from xtalpriors.progress import Progress, silent

__all__ = ["RealCrystals", "read_real_crystals"]

FACTOR: Final = math.sqrt(2.0)
"""A crystal counts for the volume of the study that it is within this factor of."""


@dataclass(frozen=True, slots=True, eq=False)
class RealCrystals:
    """Structures by space group.

    Attributes
    ----------
    name
        As the study calls them.
    structures
        By the symbol of the group.
    """

    name: str
    structures: dict[str, ExperimentalStructures]

    def of_case(
        self, space_group: str, volume_angstrom3: float, d_min_angstrom: float, count: int
    ) -> Iterator[tuple[str, KnownCrystal]]:
        """At most `count` crystals of a group within √2 of a volume, the same ones each time."""
        known = self.structures.get(space_group)
        if known is None:
            return
        ratio = known.volume_angstrom3 / volume_angstrom3
        near = [i for i, x in enumerate(ratio.tolist()) if 1.0 / FACTOR <= x < FACTOR]
        near.sort(key=lambda i: blake2b(known.entry_id[i].encode(), digest_size=8).digest())
        for i in near[:count]:
            yield known.entry_id[i], known_crystal(known.group, one_of(known.crystals, i), d_min_angstrom)


def read_real_crystals(
    path: Path,
    space_groups: Sequence[str],
    volumes_angstrom3: Sequence[float],
    *,
    progress: Progress = silent,
) -> RealCrystals:
    """Structures of the groups, one of each cluster of redeterminations.

    Parameters
    ----------
    path
        Database (`.duckdb`) of `xtalpriors mine`, subset (`.parquet`) of `xtalpriors subset`, or a folder or
        archive of CIFs, which is read first.
    space_groups, volumes_angstrom3
        Of the study.
    progress
        Opens a progress bar for reading CIFs.

    Raises
    ------
    UsageError
        No structure there has one of the groups and volumes.
    XtalpriorsError
        It cannot be read.
    """
    groups = {group.hm or symbol: group for symbol in space_groups for group in [space_group_of(symbol)]}
    with tempfile.TemporaryDirectory(prefix="xtalpriors-seeding-") as folder:
        subset = path
        if path.suffix != ".parquet":
            database = path
            if path.suffix != ".duckdb":
                database = Path(folder) / "crystals.duckdb"
                mine([parse_source(str(path))], None, database, progress=progress)
            subset = Path(folder) / "seeding.parquet"
            numbers = tuple(group.number for group in groups.values())
            write_subset(database, SubsetDefinition(name="seeding", space_group_numbers=numbers), subset)
        found: dict[str, ExperimentalStructures] = {}
        for symbol, group in groups.items():
            try:
                found[symbol] = read_structures([subset], group, one_per_cluster=True)
            except EmptyTestSet:  # of this group; another may have some
                continue
    wanted = [
        volume
        for known in found.values()
        for volume in known.volume_angstrom3.tolist()
        if any(1.0 / FACTOR <= volume / v < FACTOR for v in volumes_angstrom3)
    ]
    if not wanted:
        near = ", ".join(f"{v:g}" for v in volumes_angstrom3)
        raise UsageError(
            f"{path} has no structure in {', '.join(groups)} whose cell has a volume near {near} Å³ (within "
            "a factor of √2). Give other groups or volumes, or another --real."
        )
    return RealCrystals(path.stem or path.name, found)
