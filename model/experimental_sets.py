"""Experimental structures as a set that a run is scored on while it trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.scoring.read_structures import read_structures
from xtalpriors.model.scoring.structures import ExperimentalStructures
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.model.training.validation import ValidationSet

__all__ = ["experimental_set", "measured_set"]


def experimental_set(
    name: str, subsets: Sequence[Path], config: TrainConfig, reflections: Reflections
) -> ValidationSet:
    """Experimental structures of subset files as a validation set.

    Parameters
    ----------
    name
        Of the set, in the log.
    subsets
        `NAME.parquet` of `xtalpriors subset`.

    Raises
    ------
    XtalpriorsError
        As `read_structures.read_structures`: a missing file, an empty subset.
    """
    return measured_set(name, read_structures(subsets, reflections.group), config, reflections)


def measured_set(
    name: str, structures: ExperimentalStructures, config: TrainConfig, reflections: Reflections
) -> ValidationSet:
    """Diffraction of structures to the configuration's d_min (1.0 Å where it draws one), all of it."""
    given = config.data.d_min_angstrom
    d_min = float(given) if isinstance(given, int | float) else 1.0
    data = calculate(reflections, structures.crystals, d_min_angstrom=d_min)
    seen = data.measured[:, reflections.counted].any(axis=1)
    return ValidationSet(
        name,
        torch.from_numpy(data.amplitudes[seen]).float(),
        torch.from_numpy(data.positive[seen]),
        torch.from_numpy(structures.crystals.cells[seen]),
    )
