"""Generated sets: read, and measured by the same statistics as the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xtalpriors.arrays import F64, LENGTHS
from xtalpriors.crystal.cells.distances import DistanceHistograms, StructureArrays, distance_histograms
from xtalpriors.crystal.chemistry.elements import COVALENT_RADIUS_ANGSTROM, SYMBOLS
from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.output.parquet import read_batches, read_metadata
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.reports.figures.angle import folded_angle
from xtalpriors.reports.figures.lengths import length_statistics

__all__ = [
    "MOST_STRUCTURES",
    "SCALARS",
    "GeneratedSet",
    "batch_statistics",
    "element_shares",
    "experimental_statistics",
]


MOST_STRUCTURES: Final = 20_000
"""Structures of a file that the report measures, the first ones."""

SCALARS = {
    "volume": ("Cell volume V", "Å³"),
    "longest": ("Longest length a₃", "Å"),
    "upper": ("a₃/a₂", ""),
    "lower": ("a₂/a₁", ""),
    "angle": ("Monoclinic angle β (declared)", "°"),
    "packing": ("Volume per non-H atom", "Å³"),
    "hydrogen": ("Mole fraction of H", ""),
    "displacement": ("Mean Uᵢₛₒ", "Å²"),
}
"""Statistics of one real number a structure: label and unit."""


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
    return GeneratedSet(name, batch, run, batch_statistics(batch), distance_histograms(_arrays(batch)))


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


def batch_statistics(batch: StructureBatch) -> dict[str, F64]:
    """The scalar statistics of generated structures, by the keys of `SCALARS`."""
    owner, n = batch.structure_of_atom, len(batch)
    heavy = batch.element > 1
    non_h = np.bincount(owner[heavy], batch.multiplicity[heavy], n)
    every = np.bincount(owner, batch.multiplicity, n)
    u_sum = np.bincount(owner[heavy], batch.u_iso[heavy], n)
    u_count = np.bincount(owner[heavy], minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "volume": batch.volume,
            "packing": np.where(non_h > 0, batch.volume / non_h, np.nan),
            "hydrogen": np.where(every > 0, 1 - non_h / every, np.nan),
            "displacement": np.where(u_count > 0, u_sum / u_count, np.nan),
            "angle": 90 + np.abs(batch.cell[:, 3:] - 90).max(axis=1),
        }
    return values | length_statistics(batch.cell[:, :3])


def experimental_statistics(entries: pd.DataFrame) -> dict[str, F64]:
    """The same of a subset's entries, nan where unknown."""
    columns = {
        "volume": "volume_angstrom3",
        "packing": "volume_per_non_h_atom_angstrom3",
        "hydrogen": "h_fraction",
        "displacement": "u_iso_mean_angstrom2",
    }
    values = {key: entries[column].to_numpy(dtype=np.float64) for key, column in columns.items()}
    lengths = entries[list(LENGTHS)].to_numpy(dtype=np.float64)
    return values | {"angle": folded_angle(entries)} | length_statistics(lengths)


def element_shares(batch: StructureBatch, *, special: bool) -> dict[str, float]:
    """Share of each element among the non-hydrogen sites on general, or on special positions."""
    chosen = (batch.element > 1) & ((batch.multiplicity < batch.group.order) == special)
    counts = np.bincount(batch.element[chosen], minlength=1)
    total = int(counts.sum())
    return {SYMBOLS[z]: float(counts[z]) / total for z in np.flatnonzero(counts)} if total else {}


def _arrays(batch: StructureBatch) -> StructureArrays:
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
