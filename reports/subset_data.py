"""The entries of a subset in the columns of the figures, from its Parquet file or from the database."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.mining.subsets.files import read_metadata
from xtalpriors.mining.subsets.waterfall import Step
from xtalpriors.mining.subsets.write import IN_P21C, write_subset
from xtalpriors.reports.meta import Sample
from xtalpriors.reports.statistics import votes

__all__ = ["COLUMNS", "SubsetData", "described", "load_subset", "make_subset", "with_value"]

COLUMNS: Final = (
    "entry_id",
    *[f"{n}_angstrom" for n in "abc"],
    *[f"{n}_degree" for n in ("alpha", "beta", "gamma")],
    "volume_angstrom3",
    *[f"least_oblique_{n}_angstrom" for n in "abc"],
    "least_oblique_beta_degree",
    "sg_number",
    "sg_hm",
    "crystal_system",
    "class",
    "h_fraction",
    "volume_per_non_h_atom_angstrom3",
    "n_special_positions",
    "u_iso_mean_angstrom2",
    "u_iso_sd_angstrom2",
    "u_iso_n",
    "d_min_angstrom",
    "completeness",
    "cluster_id",
    "cluster_size",
    "weight",
    "is_best",
)
"""Columns read from the subset's Parquet file; all of them are in `mining.schema`."""


@dataclass(frozen=True, slots=True)
class SubsetData:
    """A subset: its definition, its entries as a frame sorted by `entry_id`, its counts in the database."""

    name: str
    definition: dict[str, Any]
    corpus: str | None
    waterfall: tuple[tuple[str, int], ...]
    n_by_convention: dict[str, int]
    frame: pd.DataFrame

    @property
    def n_clusters(self) -> int:
        """Clusters of redeterminations among the entries."""
        return int(self.frame["cluster_id"].nunique())

    def best(self) -> SubsetData:
        """The best entry of each cluster alone, all of one weight: what a bundle weighted so describes."""
        kept = self.frame[self.frame["is_best"]].reset_index(drop=True)
        return replace(self, frame=kept.assign(weight=1.0))

    def sample(self, values: pd.Series[Any] | None = None) -> Sample:
        """Name and counts for a figure; with `values`, of the entries where they are not null."""
        rows = self.frame if values is None else self.frame[values.notna()]
        return Sample(self.name, len(rows), int(rows["cluster_id"].nunique()))


def with_value(entries: pd.DataFrame, column: str) -> pd.DataFrame:
    """Entries whose value in a column is known, each with its part of its cluster's vote as `weight`."""
    known = entries[entries[column].notna()]
    return known.assign(weight=votes(known["cluster_id"]))


def described(subset: SubsetData) -> str:
    """What a subset is, in a line: its description, or its name where it has none."""
    return str(subset.definition.get("description") or f"The subset {subset.name} of this corpus.")


def load_subset(path: Path, database: Path) -> SubsetData | None:
    """Read the file that `xtalpriors subset` wrote; None if the database has other structures there now.

    Raises
    ------
    XtalpriorsError
        The file is missing, cut short, or not a subset of this version.
    """
    metadata = read_metadata(path)
    counts = count_subset(database, SubsetDefinition.model_validate(metadata["definition"]))
    if metadata.get("subset_digest") != counts.digest:
        return None
    waterfall = list(counts.waterfall)
    if metadata["definition"].get("bring_to_p21c"):  # only the file tells how many were brought
        waterfall.append(Step(IN_P21C, pq.read_metadata(path).num_rows))
    return _subset_data(path, metadata, waterfall, counts.n_by_convention)


def _subset_data(
    path: Path, metadata: dict[str, Any], waterfall: Sequence[Step], n_by_convention: dict[str, int]
) -> SubsetData:
    try:
        frame: pd.DataFrame = pq.read_table(path, columns=list(COLUMNS)).to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise XtalpriorsError(
            f"{path} cannot be read as a subset ({error}). "
            f"Make it again with `xtalpriors subset --output {path}`."
        ) from error
    if missing := sorted(set(COLUMNS) - set(frame.columns)):
        raise XtalpriorsError(
            f"{path} is a subset of another version of xtalpriors (it has no column {', '.join(missing)}). "
            f"Make it again with `xtalpriors subset --output {path}`."
        )
    definition = metadata["definition"]
    return SubsetData(
        name=str(definition["name"]),
        definition=definition,
        corpus=metadata.get("corpus"),
        waterfall=tuple((step.step, step.n) for step in waterfall),
        n_by_convention=n_by_convention,
        frame=frame.sort_values("entry_id", ignore_index=True),
    )


def make_subset(database: Path, definition: SubsetDefinition) -> SubsetData:
    """The same from the database, through a temporary file.

    Raises
    ------
    XtalpriorsError
        As `write_subset`.
    """
    with tempfile.TemporaryDirectory(prefix="xtalpriors-report-") as folder:
        path = Path(folder) / f"{definition.name}.parquet"
        report = write_subset(database, definition, path)
        return _subset_data(path, read_metadata(path), report.waterfall, report.n_by_convention)
