"""Made-up inputs of reports: two generated structures, and the scores of a network."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.generator.counters import COUNTERS, GENERAL
from xtalpriors.generator.structures import StructureBatch
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.evaluation_table import COLUMNS, Evaluation, make_evaluation
from xtalpriors.model.scoring.runs import Protocol

STRUCTURES = 60
"""Structures of the evaluation; 45 are solved, one has no score."""


def made_batch(group: SpaceGroup) -> StructureBatch:
    """Two cells of P2₁/c: an iron on a centre with a C–H beside it; two carbons."""
    half = group.order // 2
    return StructureBatch(
        group=group,
        index=np.array([0, 1]),
        offsets=np.array([0, 3, 5]),
        cell=np.array([[5.0, 8, 6, 90, 100, 90], [6.0, 6, 6, 90, 90, 90]]),
        counters=np.zeros((2, len(COUNTERS)), np.int32),
        element=np.array([26, 6, 1, 6, 6], np.uint8),
        fract=np.array([[0, 0, 0], [0.3, 0.1, 0.2], [0.45, 0.15, 0.2], [0.1, 0.1, 0.1], [0.35, 0.1, 0.1]]),
        u_iso=np.array([0.01, 0.03, 0.5, 0.02, 0.04], np.float32),
        multiplicity=np.array([half, 4, 4, 4, 4], np.int16),
        site=np.array([0, GENERAL, GENERAL, GENERAL, GENERAL], np.uint8),
    )


def made_evaluation() -> Evaluation:
    """Scores drawn at random."""
    rng = np.random.default_rng(2)
    rows = []
    for i in range(STRUCTURES):
        row: dict[str, object] = {}
        for column in COLUMNS:
            if pa.types.is_floating(column.type):
                row[column.name] = float(rng.uniform(0.2, 1.0))
            elif pa.types.is_integer(column.type):
                row[column.name] = int(rng.integers(0, 3))
            elif pa.types.is_string(column.type):
                row[column.name] = "made"
        kind = ("organic", "s-block", "d-block", "other")[i % 4]
        volume = float(rng.uniform(300, 3000))
        row |= {"entry_id": f"made:{i}#x{i}", "compound_class": kind, "volume_angstrom3": volume}
        row["best_r"] = 0.9 if i < 45 else None if i == 59 else 0.5
        rows.append(row)
    network = {"cell": "volume-lognormal", "filling": "molecules", "subsets": ["cod-p21c-20"]}
    return make_evaluation(rows, [], Reflections(SpaceGroup.from_number(14), 5), Protocol(), network)
