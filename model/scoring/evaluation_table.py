"""The file that an evaluation writes: its columns, a row for each structure, and reading it again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining.database.schema import Column, arrow_schema
from xtalpriors.model.network.curve import TrainingCurve
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.diffraction import Diffraction, calculate
from xtalpriors.model.scoring.runs import Protocol
from xtalpriors.model.scoring.structures import ExperimentalStructures
from xtalpriors.outputs import FileKind, is_not
from xtalpriors.write_tables import parquet_with, write_parquet

__all__ = [
    "COLUMNS",
    "EVALUATION",
    "Evaluation",
    "diffraction_of",
    "make_evaluation",
    "maps_path",
    "read_evaluation",
    "summary_path",
    "write_evaluation",
]

METADATA_KEY: Final = b"xtalpriors-evaluation"
EVALUATION: Final = FileKind("a table of scores", parquet_with(METADATA_KEY))
FORMAT_VERSION: Final = 1

_STR, _F64, _I64, _BYTES = pa.string(), pa.float64(), pa.int64(), pa.binary()


def _of_run(prefix: str, which: str) -> tuple[Column, ...]:
    """Columns of one of the runs."""
    return (
        Column(f"{prefix}_r", _F64, f"r over the unique list, {which}; null where nothing was measured"),
        Column(f"{prefix}_r_multiplicity", _F64, "The same, weighted by multiplicity: map correlation"),
        Column(f"{prefix}_r_extended", _F64, "The same over the whole list, with the true |F| beyond d_min"),
        Column(f"{prefix}_start", _STR, "`zero` or `random-1` …"),
        Column(f"{prefix}_cycles", _I64, "Number of cycles"),
        Column(f"{prefix}_positive", _BYTES, "Predicted phases: a bit per reflection of the list, 1 for 0"),
    )


COLUMNS: Final[tuple[Column, ...]] = (
    Column("entry_id", _STR, "Key of the structure in its database", False),
    Column("corpus", _STR, "Corpus of its subset", False),
    Column("compound_class", _STR, "`organic`, `s-block`, `d-block` or `other`", False),
    Column("n_special", _I64, "Distinct special positions occupied by non-hydrogen atoms", False),
    Column("volume_angstrom3", _F64, "Volume of the cell it was phased in", False),
    Column("d_min_angstrom", _F64, "Resolution limit", False),
    Column("n_measured", _I64, "Unique reflections given to the network", False),
    Column("u_origin", _STR, "`given`, `part` or `assumed`: U_iso of its atoms", False),
    Column("n_u_assumed", _I64, "Atoms with an assumed U_iso", False),
    *_of_run("best", "of the run nearest to the truth"),
    *_of_run("chosen", "of the run that the figure of merit chose"),
    Column("chosen_positivity", _F64, "`positivity` of the chosen run"),
    Column("chosen_expected_r", _F64, "`expected_r` of the chosen run"),
    Column("chosen_agreement", _F64, "`agreement` of the chosen run"),
    Column("chosen_skewness", _F64, "`skewness` of the chosen run"),
    Column("r_by_positivity", _F64, "r of the run with the largest `positivity`"),
    Column("r_by_expected_r", _F64, "r of the run with the largest `expected_r`"),
    Column("r_by_agreement", _F64, "r of the run with the largest `agreement`"),
    Column("r_by_skewness", _F64, "r of the run with the largest `skewness`"),
    Column("r_zero", _F64, "r of phases all zero"),
    Column("r_random", _F64, "r of one set of random phases"),
    Column("r_random_best", _F64, "r of the best of five sets of random phases"),
    Column(
        "r_charge_flipping",
        _F64,
        "r of the trial of charge flipping that agrees best with its eliminated density",
    ),
    Column("r_charge_flipping_best", _F64, "r of the best trial of charge flipping; null without trials"),
    Column("r_by_run", pa.list_(pa.float32()), "r of every run: cycles of the first start, of the second, …"),
)
"""Columns of an evaluation, in their order."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one network on one set of structures.

    Attributes
    ----------
    rows
        Columns `COLUMNS`.
    metadata
        `protocol`, `space_group`, `max_index`, `refused` (list of {entry_id, reason}), `network` (what the
        caller said of it), `training` (the course of its training).
    """

    rows: pa.Table
    metadata: dict[str, Any]

    @property
    def protocol(self) -> Protocol:
        """How it was made."""
        return Protocol.model_validate(self.metadata["protocol"])

    @property
    def training(self) -> TrainingCurve:
        """The course of the network's training."""
        kept = self.metadata.get("training", {"missing": "the evaluation does not have it"})
        return TrainingCurve.model_validate(kept)


def maps_path(evaluation: Path) -> Path:
    """File of the density projections beside an evaluation: `x.parquet` has `x.maps.parquet`."""
    return evaluation.with_name(evaluation.name.removesuffix(".parquet") + ".maps.parquet")


def summary_path(evaluation: Path) -> Path:
    """File of the summary beside an evaluation: `x.parquet` has `x.json`."""
    return evaluation.with_name(evaluation.name.removesuffix(".parquet") + ".json")


def diffraction_of(
    structures: ExperimentalStructures, reflections: Reflections, protocol: Protocol
) -> Diffraction:
    """What a network is given of structures under a protocol, and their true phases."""
    return calculate(
        reflections,
        structures.crystals,
        d_min_angstrom=protocol.d_min_angstrom,
        completeness=protocol.completeness,
        keys=structures.entry_id,
        seed=protocol.seed,
    )


def make_evaluation(
    rows: Sequence[dict[str, Any]],
    refused: Sequence[tuple[str, str]],
    reflections: Reflections,
    protocol: Protocol,
    network: dict[str, Any],
) -> Evaluation:
    """Rows and what they mean, as one value."""
    metadata = {
        "format_version": FORMAT_VERSION,
        "protocol": protocol.model_dump(mode="json", exclude={"batch"}),
        "space_group": reflections.group.hm,
        "operators": list(reflections.group.operators),
        "max_index": reflections.max_index,
        "refused": [{"entry_id": name, "reason": reason} for name, reason in refused],
        "network": network,
    }
    return Evaluation(pa.Table.from_pylist(list(rows), schema=arrow_schema(COLUMNS)), metadata)


def write_evaluation(evaluation: Evaluation, path: Path) -> None:
    """Write as Parquet; the file appears whole or not at all.

    Raises
    ------
    XtalpriorsError
        It cannot be written.
    """
    text = json.dumps(evaluation.metadata, sort_keys=True, ensure_ascii=False)
    write_parquet(
        evaluation.rows, arrow_schema(COLUMNS), Path(path), {METADATA_KEY: text.encode()}, EVALUATION
    )


def read_evaluation(path: Path) -> Evaluation:
    """Read what `write_evaluation` wrote.

    Raises
    ------
    XtalpriorsError
        The file is missing, or no evaluation of this version.
    """
    try:
        table = pq.read_table(path)
        metadata = json.loads((table.schema.metadata or {})[METADATA_KEY])
    except FileNotFoundError as error:
        raise XtalpriorsError(
            f"There is no evaluation {path}. Write it with `xtalpriors evaluate`."
        ) from error
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise XtalpriorsError(is_not(path, "a table of scores", "evaluate")) from error
    if metadata["format_version"] != FORMAT_VERSION:
        raise XtalpriorsError(
            f"{path} is an evaluation of format {metadata['format_version']}; this xtalpriors reads format "
            f"{FORMAT_VERSION}. Write it again with `xtalpriors evaluate`."
        )
    return Evaluation(table.replace_schema_metadata(None), metadata)
