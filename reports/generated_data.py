"""Generated sets: read, and measured by the same statistics as the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from xtalpriors.arrays import F64
from xtalpriors.crystal.cells.distances import DistanceHistograms, StructureArrays, distance_histograms
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.output.parquet import read_batches, read_metadata
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.reports.measures import batch_statistics

__all__ = [
    "MOST_STRUCTURES",
    "GeneratedSet",
    "arrays_of_batch",
    "read_generated",
]


MOST_STRUCTURES: Final = 20_000
"""Structures of a file that the report measures, the first ones."""


@dataclass(frozen=True, slots=True)
class GeneratedSet:
    """One strategy's structures.

    Attributes
    ----------
    name
        Stem of the file: the strategy's name.
    batch
        The structures.
    run
        What the file says of its run: configuration, seed, digests.
    statistics
        Values by the keys of `SCALARS`, one a structure, nan where it has none.
    distances
        Histograms of interatomic distances.
    """

    name: str
    batch: StructureBatch
    run: dict[str, Any]
    statistics: dict[str, F64]
    distances: DistanceHistograms

    @property
    def filling(self) -> str | None:
        """How the cells were filled; None where the file does not say."""
        filling = self.run.get("config", {}).get("filling")
        return filling if isinstance(filling, str) else None


def measure(name: str, batch: StructureBatch, run: dict[str, Any]) -> GeneratedSet:
    """Measure a batch of a run."""
    return GeneratedSet(
        name, batch, run, batch_statistics(batch), distance_histograms(arrays_of_batch(batch))
    )


def read_generated(path: Path) -> GeneratedSet:
    """Read and measure a Parquet file that `xtalpriors generate` wrote.

    Raises
    ------
    XtalpriorsError
        The file is missing or holds no generated structures.
    """
    metadata = read_metadata(path)
    parts: list[StructureBatch] = []
    for part in read_batches(path):
        parts.append(part)
        if sum(map(len, parts)) >= MOST_STRUCTURES:
            break
    if not parts or not sum(map(len, parts)):
        raise XtalpriorsError(f"{path} holds no structure. Generate it again, with a `--count` above 0.")
    return measure(path.stem, StructureBatch.concatenate(parts), metadata["run"])


def arrays_of_batch(batch: StructureBatch) -> StructureArrays:
    """Structures of one group as what distances are counted in."""
    radii = np.array([np.nan if r is None else r for r in COVALENT_RADIUS_ANGSTROM])
    order = batch.group.order
    return StructureArrays(
        cells=batch.cell,
        offsets=batch.offsets,
        fract=batch.fract,
        atomic_number=batch.element,
        occupancy=np.ones(len(batch.element)),
        multiplicity=batch.multiplicity,
        radius_angstrom=radii[batch.element],
        group_of=np.zeros(len(batch), dtype=np.int64),
        group_offsets=np.array([0, order]),
        rotations=batch.group.rotations,
        translations=batch.group.translations,
    )
