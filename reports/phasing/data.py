"""Evaluations as the phasing page reads them, and the frame behind its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.subsets.counts import count_subset
from xtalpriors.mining.subsets.definition import SubsetDefinition
from xtalpriors.model.scoring.evaluation_table import Evaluation, maps_path, read_evaluation
from xtalpriors.model.scoring.paper_tables import PAPER_TABLES
from xtalpriors.model.scoring.projection import PROJECTIONS
from xtalpriors.model.scoring.summary import Summary, summarise, training_volumes

__all__ = ["PhasingSet", "check_database", "labelled", "read_phasing", "scores_frame"]


@dataclass(frozen=True, slots=True)
class PhasingSet:
    """One evaluation.

    Attributes
    ----------
    name
        Stem of its file.
    evaluation, summary
        Scores of every structure, and in sum.
    maps
        Rows of `model.projection.PROJECTIONS`; null where there is no file of them.
    """

    name: str
    evaluation: Evaluation
    summary: Summary
    maps: pd.DataFrame | None

    @property
    def described(self) -> dict[str, Any]:
        """What the evaluation says of its network and its structures."""
        network: dict[str, Any] = self.evaluation.metadata["network"]
        return network

    @property
    def network(self) -> str:
        """Name of the network; that of the file where it has none."""
        return str(self.described.get("name") or self.name)

    @property
    def subset(self) -> str:
        """Name of the subset that all its structures are of; the names joined where there are several."""
        names = self.described.get("subsets") or []
        known = sorted({next((k for k in PAPER_TABLES if n.endswith(k)), n) for n in names})
        return ", ".join(known) or "test structures"

    @property
    def corpus(self) -> str | None:
        """Name of the corpus that all its structures are of; None where there are several."""
        names = self.evaluation.rows["corpus"].unique().to_pylist()
        return str(names[0]) if len(names) == 1 else None

    @property
    def trained_volumes(self) -> tuple[float, float] | None:
        """Volumes in Å³ that its network was trained on; None without limits."""
        return training_volumes(self.described)


def read_phasing(path: Path) -> PhasingSet:
    """Read what `evaluate_subsets` wrote.

    Raises
    ------
    XtalpriorsError
        The file is missing or no evaluation, or its maps cannot be read.
    """
    path = Path(path)
    evaluation = read_evaluation(path)
    beside = maps_path(path)
    maps = None
    if beside.is_file():
        try:
            maps = pq.read_table(beside, schema=PROJECTIONS).to_pandas()
        except (OSError, pa.ArrowException) as error:
            raise XtalpriorsError(
                f"{beside} holds no density projections ({type(error).__name__}). Evaluate again."
            ) from error
    return PhasingSet(path.stem, evaluation, summarise(evaluation), maps)


def check_database(path: Path, one: PhasingSet, database: Path) -> None:
    """Raise XtalpriorsError if none of the evaluation's subsets is now one of the database."""
    definitions: dict[str, Any] = one.described.get("definitions") or {}
    now = [
        count_subset(database, SubsetDefinition.model_validate(definition)).digest
        for definition in definitions.values()
    ]
    if definitions and not definitions.keys() & set(now):
        raise XtalpriorsError(
            f"{path} is an evaluation on structures of another database: its subset has the digest "
            f"{', '.join(definitions)}, and that of {database} {', '.join(now)}. Evaluate again on subsets "
            "of this one, or move the file elsewhere."
        )


def labelled(sets: Sequence[PhasingSet]) -> dict[str, PhasingSet]:
    """The sets by a label: the subset alone if the network is the same, the file's name if need be."""
    one = len({s.network for s in sets}) == 1
    labels = [s.subset if one else f"{s.network} on {s.subset}" for s in sets]
    if len(set(labels)) < len(labels):
        labels = [s.name for s in sets]
    if len(set(labels)) < len(labels):
        raise XtalpriorsError(
            f"Two of the evaluations have the same name: {', '.join(sorted(labels))}. Leave one out, or name "
            "their files differently."
        )
    return dict(zip(labels, sets, strict=True))


def scores_frame(sets: dict[str, PhasingSet]) -> pd.DataFrame:
    """A row per evaluation, part of its structures and score, for the CSV."""
    rows = []
    for label, one in sets.items():
        parts = {"all": one.summary.scores}
        parts |= {f"class {k}": v for k, v in one.summary.by_class.items()}
        parts |= {f"special positions {k}": v for k, v in one.summary.by_special.items()}
        parts |= {f"volumes {k}": v for k, v in one.summary.by_volume.items()}
        for part, scores in parts.items():
            for name, score in scores.items():
                where = {"network": one.network, "tested_on": label, "structures": part}
                rows.append({**where, "score": name, **score.model_dump()})
    return pd.DataFrame(rows)
