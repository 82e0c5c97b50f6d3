"""Scores of methods on sets of crystals, all on the same ones, and sections through a few maps."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xtalpriors.arrays import F32
from xtalpriors.errors import XtalpriorsError
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.scoring.methods import Method, Try, coarser
from xtalpriors.model.powder.scoring.score import Score, ScoreOptions, TrueMap, best_of, best_orientation
from xtalpriors.progress import Progress, silent

__all__ = ["MOST_TRIES", "CrystalScore", "TestSet", "score_set", "sections_of"]

MOST_TRIES = 5
"""Tries of which the best counts, as published."""


@dataclass(frozen=True, slots=True)
class TestSet:
    """Crystals to be scored, and what answers in place of a method that cannot.

    Attributes
    ----------
    name
        `S`, `P` or `R`.
    crystals
        None of them was trained on.
    library
        Structure types of the training.
    mean_map
        (points, points, points), mean of the training maps: the answer that needs no pattern.
    """

    name: str
    crystals: PowderCrystals
    library: frozenset[str]
    mean_map: F32


@dataclass(frozen=True, slots=True)
class CrystalScore:
    """One method on one crystal.

    Attributes
    ----------
    first, best
        Score of the first try, and the best of five, which needs the truth.
    failure
        Why the method had no answer; the mean map is scored in its place.
    tries
        Number of tries.
    seconds
        Time of the answer.
    """

    index: int
    method: str
    first: Score
    best: Score
    failure: str | None
    tries: int
    seconds: float


def score_set(
    test: TestSet,
    methods: Sequence[Method],
    *,
    points: int = 50,
    options: ScoreOptions | None = None,
    progress: Progress = silent,
) -> list[CrystalScore]:
    """Score every method on every crystal of a set."""
    found = []
    with progress(f"score {test.name}", len(test.crystals) * len(methods), "answer") as advance:
        for i in range(len(test.crystals)):
            truth = TrueMap(coarser(test.crystals.density(i), points), options)
            for method in methods:
                began = time.perf_counter()
                tries, failure = answer(test, i, method, points)
                seconds = time.perf_counter() - began
                scores = [truth.score(one.density) for one in tries]
                found.append(
                    CrystalScore(i, method.name, scores[0], best_of(scores), failure, len(tries), seconds)
                )
                advance()
    return found


def answer(test: TestSet, i: int, method: Method, points: int) -> tuple[list[Try], str | None]:
    """Tries of a method for crystal i; where it has none, the mean map and the reason."""
    try:
        tries = method.tries(test.crystals.patterns[i], test.crystals.composition(i), points)
    except XtalpriorsError as error:
        return [Try(test.mean_map, "mean map")], str(error)
    return tries[:MOST_TRIES], None


def sections_of(
    test: TestSet, chosen: Sequence[int], methods: Sequence[Method], *, points: int = 50
) -> Iterator[dict[str, Any]]:
    """Sections of true and predicted maps of a few crystals: one row for each map, with its score.

    The section lies perpendicular to c where the true density varies most; predicted maps are turned into the
    orientation that fits best.
    """
    for i in chosen:
        truth = coarser(test.crystals.density(i), points)
        height = int(truth.var(axis=(0, 1)).argmax())
        head = {"set": test.name, "index": i, "height": height, "points": points}
        yield head | {"what": "truth", "rank": 0, "ssim": 1.0, "source": "", "values": _flat(truth, height)}
        for method in methods:
            for rank, one in enumerate(answer(test, i, method, points)[0], 1):
                turned, score = best_orientation(truth, one.density)
                yield head | {
                    "what": method.name,
                    "rank": rank,
                    "ssim": score,
                    "source": one.source,
                    "values": _flat(turned, height),
                }


def _flat(density: F32, height: int) -> list[float]:
    """Section at a height (perpendicular to c), row by row, to three significant digits."""
    return [float(f"{value:.3g}") for value in np.asarray(density[:, :, height], dtype=np.float64).ravel()]
