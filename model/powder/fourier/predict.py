"""Densities of a pattern and a composition by a trained `network`: ranked tries, without the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch

from xtalpriors.arrays import F32
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.density_maps import iam_density
from xtalpriors.model.powder.fourier.examples import example_of, stacked
from xtalpriors.model.powder.fourier.network import FourierNet
from xtalpriors.model.powder.structures.candidates import Candidate

__all__ = ["FourierTry", "predict_densities"]

_SAME_SHARE: Final = 0.02
"""Share of the electrons; two maps that differ by less are one try."""


@dataclass(frozen=True, slots=True, eq=False)
class FourierTry:
    """One density.

    Attributes
    ----------
    density
        (50, 50, 50) in e/Å³.
    candidate
        The structure with the largest weight in it: its cell, its atoms and its R.
    """

    density: F32
    candidate: Candidate


def predict_densities(
    network: FourierNet, found: Sequence[Candidate], pattern: F32, composition: Composition, tries: int = 1
) -> list[FourierTry]:
    """The network's density and, as further tries, those of its candidates that differ, by their weights.

    Parameters
    ----------
    network
        Trained network.
    found
        Candidates of the pattern, the best first (`candidate_structures`).
    pattern, composition
        Pattern (1024,) and composition.
    tries
        Number of densities wanted; there may be fewer.

    Raises
    ------
    XtalpriorsError
        There is no candidate.
    """
    if not found:
        raise XtalpriorsError(
            "No structure has the numbers of atoms of this composition in a cell that the pattern allows. "
            "Check the composition and the wavelength."
        )
    example = example_of(pattern, composition, found)
    with torch.no_grad():
        weights = network.weights(stacked([example]))[0].numpy()
    order = np.argsort(-weights, kind="stable")[: len(example.candidates)].tolist()
    maps = {k: iam_density(c.cell, *c.atoms()) for k, c in enumerate(example.candidates)}
    first = example.candidates[order[0]]
    mixed = sum(weights[k] * density / density.mean() for k, density in maps.items()) * maps[order[0]].mean()
    result = [FourierTry(np.asarray(mixed, dtype=np.float32), first)]
    for k in order:
        if len(result) < tries and all(_differ(maps[k], one.density) for one in result):
            result.append(FourierTry(maps[k], example.candidates[k]))
    return result


def _differ(density: F32, other: F32) -> bool:
    """More than a small share of the electrons lie elsewhere: two templates may be one structure."""
    return bool(np.abs(density - other).sum() > _SAME_SHARE * density.sum())
