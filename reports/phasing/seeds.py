"""How much scores vary between trainings that differ in their seeds alone.

An interval of a score that comes from one training says how well a sample of structures determines it. It
does not hold that another training of the same preset gives another network. `TRAININGS` is the output of
`benchmarks/training_seeds.py`, which trains a preset several times and scores each network on the same
structures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import stdev
from typing import Any, Final

from scipy.special import chdtri

__all__ = ["TRAININGS", "Preset", "Trained", "spread", "trainings_of"]


@dataclass(frozen=True, slots=True)
class Trained:
    """One score of every training on one set of `n` structures.

    Attributes
    ----------
    tested_on
        Name of the subset, or `generated`: the validation set of the training.
    score
        `best` or `chosen`, as in `model.scoring.summary.SCORES`.
    database
        Digest of the subset's database; null for generated structures.
    solved, median
        Fraction with r ≥ 0.8 and median r, in the order of the seeds.
    """

    tested_on: str
    score: str
    database: str | None
    n: int
    solved: tuple[float, ...]
    median: tuple[float, ...]

    @property
    def solved_deviation(self) -> float:
        """Standard deviation of the fraction solved between the trainings."""
        return stdev(self.solved)

    @property
    def median_deviation(self) -> float:
        """Standard deviation of the median r between the trainings."""
        return stdev(self.median)

    @property
    def deviation_factors(self) -> tuple[float, float]:
        """By which factors a standard deviation of so few trainings may err: the ends of its 95 % interval.

        Of three trainings 0.52 and 6.3 (chi-squared with two degrees of freedom).
        """
        freedom = len(self.solved) - 1
        upper, lower = (float(chdtri(freedom, p)) for p in (0.025, 0.975))
        return (freedom / upper) ** 0.5, (freedom / lower) ** 0.5


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset that was trained several times: what all its networks follow from, and their scores."""

    priors_digest: str
    generator_digest: str
    structures: int
    parameters: int
    trained: tuple[Trained, ...]


TRAININGS: Final[Mapping[str, Preset]] = {}
"""By name of the preset."""


def trainings_of(network: Mapping[str, Any]) -> Preset | None:
    """The trainings of the preset that a network is of; None where none are known, or of other options."""
    preset = TRAININGS.get(str(network.get("name")))
    if preset is None:
        return None
    fields = ("priors_digest", "generator_digest", "structures", "parameters")
    return preset if all(network.get(field) == getattr(preset, field) for field in fields) else None


def spread(network: Mapping[str, Any], subset: str, score: str) -> Trained | None:
    """Scores of the other trainings on the structures that the network was tested on; None if not known."""
    preset = trainings_of(network)
    databases = network.get("databases") or []
    for one in () if preset is None else preset.trained:
        if (one.tested_on, one.score) == (subset, score) and [one.database] == list(databases):
            return one
    return None
