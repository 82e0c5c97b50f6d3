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
    corpus
        Name of the subset's corpus; null for generated structures.
    solved, median
        Fraction with r ≥ 0.8 and median r, in the order of the seeds.
    """

    tested_on: str
    score: str
    corpus: str | None
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


TRAININGS: Final[Mapping[str, Preset]] = {
    "smoke": Preset(
        priors_digest="188920af838e3a8a88bd527dea32e4db",
        generator_digest="8299f09640e7d6524bd272c542afdf34",
        structures=51_200,
        parameters=396_438,
        trained=(  # seeds 1, 2 and 3
            Trained("generated", "chosen", None, 2048, (0.4707, 0.4443, 0.4604), (0.7851, 0.7565, 0.7749)),
            Trained("p21c-10", "best", "amcsd", 141, (0.3972, 0.383, 0.3475), (0.6651, 0.6581, 0.6855)),
            Trained("p21c-10", "chosen", "amcsd", 141, (0.3972, 0.383, 0.3475), (0.6635, 0.6517, 0.6855)),
            Trained("p21c-20", "best", "amcsd", 126, (0.2143, 0.1825, 0.2222), (0.5601, 0.551, 0.51)),
            Trained("p21c-20", "chosen", "amcsd", 126, (0.2143, 0.1825, 0.2143), (0.5549, 0.5291, 0.5009)),
            Trained(
                "p21c-supergroups", "best", "amcsd", 476, (0.2836, 0.3067, 0.3172), (0.6028, 0.6338, 0.6416)
            ),
            Trained(
                "p21c-supergroups", "chosen", "amcsd", 476, (0.2773, 0.3046, 0.313), (0.5972, 0.619, 0.6282)
            ),
        ),
    ),
}
"""By name of the preset."""


def trainings_of(network: Mapping[str, Any]) -> Preset | None:
    """The trainings of the preset that a network is of; None where none are known, or of other options."""
    preset = TRAININGS.get(str(network.get("name")))
    if preset is None:
        return None
    fields = ("priors_digest", "generator_digest", "structures", "parameters")
    return preset if all(network.get(field) == getattr(preset, field) for field in fields) else None


def spread(network: Mapping[str, Any], corpus: str | None, subset: str, score: str) -> Trained | None:
    """Scores of all trainings on a subset of a corpus; None where they were not measured there."""
    preset = trainings_of(network)
    for one in () if preset is None else preset.trained:
        if (one.tested_on, one.score, one.corpus) == (subset, score, corpus):
            return one
    return None
