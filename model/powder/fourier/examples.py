"""Inputs and targets of `network`, from patterns and their candidates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from xtalpriors.arrays import F32
from xtalpriors.model.powder.composition import Composition, composition_vector
from xtalpriors.model.powder.crystals import PowderCrystals
from xtalpriors.model.powder.density_maps import fourier_coefficients
from xtalpriors.model.powder.fourier.network import CANDIDATES, FEATURES, GRID, FourierBatch
from xtalpriors.model.powder.structures.candidates import Candidate, Library
from xtalpriors.model.powder.structures.shells import observed_shells, shells_of
from xtalpriors.model.powder.structures.solve import candidate_structures

__all__ = ["Example", "example_of", "features", "stacked", "training_examples"]


class Example(NamedTuple):
    """One pattern: its candidates, and what the network reads."""

    candidates: tuple[Candidate, ...]
    shells: F32
    composition: F32
    features: F32
    coefficients: npt.NDArray[np.complex64]


def features(candidate: Candidate) -> list[float]:
    """Cost, R, free parameters, orbits, log of the order of the group, known or searched for, log V."""
    template = candidate.template
    return [
        candidate.cost,
        candidate.residual,
        template.free / 4.0,
        len(template.orbits) / 4.0,
        np.log(template.group.order / 48.0),
        float(candidate.known > 0),
        np.log(candidate.cell.volume / 216.0) / 3.0,
    ]


def example_of(pattern: F32, composition: Composition, found: Sequence[Candidate]) -> Example:
    """What the network reads of a pattern (1024,) and its best candidates, of which there is at least one."""
    kept = tuple(found[:CANDIDATES])
    described = np.zeros((CANDIDATES, FEATURES), dtype=np.float32)
    coefficients = np.zeros((CANDIDATES, GRID, GRID, GRID // 2 + 1), dtype=np.complex64)
    for k, candidate in enumerate(kept):
        described[k] = features(candidate)
        own = fourier_coefficients(candidate.cell, *candidate.atoms(), GRID)
        coefficients[k] = own / own[0, 0, 0].real
    return Example(
        kept,
        observed_shells(pattern, shells_of(kept[0].cell)).spectrum(),
        composition_vector(composition),
        described,
        coefficients,
    )


def stacked(examples: Sequence[Example]) -> FourierBatch:
    """Examples as one batch."""
    present = np.array([[k < len(e.candidates) for k in range(CANDIDATES)] for e in examples])
    return FourierBatch(
        torch.from_numpy(np.stack([e.shells for e in examples])),
        torch.from_numpy(np.stack([e.composition for e in examples])),
        torch.from_numpy(np.stack([e.features for e in examples])),
        torch.from_numpy(present),
        torch.from_numpy(np.stack([e.coefficients for e in examples])),
    )


def training_examples(
    crystals: PowderCrystals, library: Library, held_out_share: float, rng: np.random.Generator
) -> tuple[list[Example], npt.NDArray[np.complex64]]:
    """Examples of training crystals, and their true coefficients (n, 25, 25, 13) over the mean.

    For a share of the crystals the library does not offer their structure type: from these the network learns
    about structures that no library has.
    """
    examples, truths = [], []
    for i in range(len(crystals)):
        without = str(crystals.prototype[i]) if rng.random() < held_out_share else None
        composition = crystals.composition(i)
        found = candidate_structures(crystals.patterns[i], composition, library, without)
        if found:
            examples.append(example_of(crystals.patterns[i], composition, found))
            truth = fourier_coefficients(crystals.cell(i), *crystals.atoms(i), GRID)
            truths.append(truth / truth[0, 0, 0].real)
    return examples, np.array(truths, dtype=np.complex64)
