"""The statistics that figures and tables compare: one value a structure, and how far histograms are apart.

Experimental entries and generated structures are measured by the same functions, so that a difference between
them is one of the structures.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from xtalpriors.arrays import ANGLES, F64, LENGTHS
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.priors.distributions.tabulated import Histogram
from xtalpriors.reports.statistics import votes

__all__ = [
    "SCALARS",
    "Weighted",
    "batch_statistics",
    "element_shares",
    "entry_samples",
    "entry_statistics",
    "folded_angle",
    "histogram_distance",
    "length_statistics",
]

SCALARS: Final = {
    "volume": ("Cell volume V", "Å³"),
    "longest": ("Longest length a₃", "Å"),
    "upper": ("a₃/a₂", ""),
    "lower": ("a₂/a₁", ""),
    "angle": ("Monoclinic angle β (declared)", "°"),
    "packing": ("Volume per non-H atom", "Å³"),
    "hydrogen": ("Mole fraction of H", ""),
    "displacement": ("Mean Uᵢₛₒ", "Å²"),
}
"""Label and unit of each statistic that is one real number a structure."""


class Weighted(NamedTuple):
    """Known values of a statistic, and the weight of each: its part of its cluster's vote."""

    values: F64
    weights: F64


def folded_angle(angles_degree: F64) -> F64:
    """The monoclinic angle folded to ≥ 90°, whichever axis is unique: the cell angle furthest from 90°.

    `angles_degree` are α, β and γ, shape (n, 3). A cell with β = 76° gives 104°.
    """
    return np.asarray(90 + np.abs(angles_degree - 90).max(axis=1))


def length_statistics(lengths_angstrom: F64) -> dict[str, F64]:
    """Longest length and the two ratios of neighbouring sorted lengths, by the keys of `SCALARS`.

    `lengths_angstrom` has shape (n, 3); its columns may be in any order.
    """
    first, middle, last = np.sort(np.asarray(lengths_angstrom, dtype=np.float64), axis=1).T
    return {"longest": last, "upper": last / middle, "lower": middle / first}


def entry_statistics(entries: pd.DataFrame) -> dict[str, F64]:
    """Values of a subset's entries by the keys of `SCALARS`, of the declared cells; nan where unknown."""
    columns = {
        "volume": "volume_angstrom3",
        "packing": "volume_per_non_h_atom_angstrom3",
        "hydrogen": "h_fraction",
        "displacement": "u_iso_mean_angstrom2",
    }
    values = {key: entries[column].to_numpy(dtype=np.float64) for key, column in columns.items()}
    values["angle"] = folded_angle(entries[list(ANGLES)].to_numpy(dtype=np.float64))
    return values | length_statistics(entries[list(LENGTHS)].to_numpy(dtype=np.float64))


def entry_samples(entries: pd.DataFrame) -> dict[str, Weighted]:
    """The known values of `entry_statistics`; where one is unknown, the rest of its cluster has its vote."""
    samples = {}
    for key, values in entry_statistics(entries).items():
        known = np.isfinite(values)
        samples[key] = Weighted(values[known], votes(entries["cluster_id"][known]))
    return samples


def batch_statistics(batch: StructureBatch) -> dict[str, F64]:
    """Values of generated structures by the keys of `SCALARS`; nan where a structure has none."""
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
            "angle": folded_angle(batch.cell[:, 3:]),
        }
    return values | length_statistics(batch.cell[:, :3])


def element_shares(batch: StructureBatch, *, special: bool) -> dict[str, float]:
    """Share of each element among the non-hydrogen sites on general, or on special positions."""
    chosen = (batch.element > 1) & ((batch.multiplicity < batch.group.order) == special)
    counts = np.bincount(batch.element[chosen], minlength=1)
    total = int(counts.sum())
    return {SYMBOLS[z]: float(counts[z]) / total for z in np.flatnonzero(counts)} if total else {}


def histogram_distance(database: Histogram | None, edges: F64, density: F64) -> float:
    """Total variation of two histograms: the share that would have to move for them to agree, 0…1.

    `density` (n,) lies between `edges` (n + 1,); nan without a database or with a density that is not known.
    """
    if database is None or not np.isfinite(density).all():
        return float("nan")
    own = np.diff(database.cdf(edges))
    return float(np.abs(own - density * np.diff(edges)).sum() / 2)
