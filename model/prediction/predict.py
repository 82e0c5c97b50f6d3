"""Phases for one crystal: every reflection of the list, from the run that a figure of merit picks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from xtalpriors.arrays import F64, Bool
from xtalpriors.counted import counted
from xtalpriors.errors import UsageError
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.inputs import needs_cell
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.score import map_correlation
from xtalpriors.model.prediction.prediction_input import PredictionInput
from xtalpriors.model.scoring.density import spread
from xtalpriors.model.scoring.diffraction import network_input
from xtalpriors.model.scoring.figure_of_merit import FigureOfMerit
from xtalpriors.model.scoring.runs import Protocol, phase_runs, reflections_of

__all__ = ["Prediction", "predict", "symmetric"]


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Phases of every reflection of the list.

    Attributes
    ----------
    input
        What was phased.
    reflections
        The network's group and list.
    positive
        The phase is 0, not π, (N,). Equivalents agree; absences mean nothing.
    probability
        The network's own probability of each, (N,).
    start, cycles
        Of the run that was chosen.
    merit
        Figures of merit of that run.
    r
        Map correlation with the true phases, where they are known, over the unique reflections whose
        amplitude was given: only they make the map.
    r_multiplicity
        The same, weighted by multiplicity.
    r_extended
        Over the whole unique list, with the known structure's own |F|: the phases of reflections without an
        amplitude count too.
    """

    input: PredictionInput
    reflections: Reflections
    positive: Bool
    probability: F64
    start: str
    cycles: int
    merit: dict[FigureOfMerit, float]
    r: float | None
    r_multiplicity: float | None
    r_extended: float | None

    @property
    def n_given(self) -> int:
        """Unique reflections whose amplitude the network was given."""
        return int((self.input.data.measured & self.reflections.unique).sum())

    @property
    def n_phased(self) -> int:
        """Unique reflections that have a phase: all of the list but its systematic absences."""
        return int(self.reflections.counted.sum())

    def __str__(self) -> str:
        """What was phased, how, and what to know about it, as lines."""
        given, listed = self.n_given, self.n_phased
        merits = ", ".join(f"{name} {value:.3f}" for name, value in self.merit.items())
        lines = [
            f"{self.input.name}: {counted(given, 'unique amplitude')} phased ({self.input.source})",
            f"  with a phase too: {counted(listed - given, 'reflection')} of the network's list without an "
            "amplitude",
            f"  run: start {self.start}, {counted(self.cycles, 'cycle')}; {merits}",
            *(f"  {note}" for note in self.input.notes),
        ]
        if self.input.change != "x,y,z":
            lines.append(
                f"  setting: {self.reflections.group.hm}, coordinates changed by {self.input.change}"
            )
        if self.r is not None:
            lines.append(
                f"  r with the known structure, of the {counted(given, 'amplitude')}: {self.r:.4f}, "
                f"by multiplicity {self.r_multiplicity:.4f}"
            )
        if self.r_extended is not None and listed > given:
            lines.append(f"  r of all {listed:,} phases, with the structure's own |F|: {self.r_extended:.4f}")
        return "\n".join(lines)


def predict(
    model: PhAI,
    card: ModelCard,
    given: PredictionInput,
    protocol: Protocol | None = None,
    *,
    device: torch.device | str = "cpu",
) -> Prediction:
    """Phase one crystal: all runs of the protocol, and the one that its figure of merit chooses.

    Parameters
    ----------
    model, card
        Of `weights.load_model`.
    given
        Of `prediction_input`, for the same network.
    protocol
        Starts, cycles and figure of merit; its d_min and completeness are those of evaluations and play no
        part here.
    device
        Where the network runs.

    Raises
    ------
    UsageError
        The network is of another size than its card says, or needs a cell that is not known.
    """
    protocol = protocol or Protocol()
    reflections = reflections_of(card)
    amplitudes = torch.from_numpy(given.data.amplitudes)[None]
    if given.cell is None and needs_cell(card.scaling):
        raise UsageError(
            f"{given.source}: this network takes normalised |E|, for which the cell is needed. Give the cell."
        )
    cells = None if given.cell is None else np.array([given.cell.parameters])
    inputs = network_input(
        reflections, amplitudes, scaling=card.scaling, cells=cells, robust=protocol.robust_scale
    )
    # a key of its own for each file would let its name, or the setting, decide on the random starts
    runs = phase_runs(model, reflections, inputs, amplitudes, protocol, ("",), device=device)
    number = int(runs.choose(protocol.merit)[0])
    positive, probability = symmetric(
        reflections, runs.positive[0, number].numpy(), runs.probability[0, number].double().numpy()
    )
    start, cycles = protocol.run(number)
    return Prediction(
        given,
        reflections,
        positive,
        probability,
        start,
        cycles,
        {name: float(values[0, number]) for name, values in runs.merit.items()},
        *_scores(given, reflections, positive),
    )


def symmetric(reflections: Reflections, positive: Bool, probability: F64) -> tuple[Bool, F64]:
    """Phases (N,) in which the copies of the list (−h k 0 of P2₁/c) have those of their originals.

    The network gives both; a score counts the original alone, and one crystal can have only one of the two.
    """
    every = spread(reflections)
    at = {tuple(h): i for i, h in enumerate(every.hkl.tolist())}
    positive, probability = positive.copy(), probability.copy()
    for copy in np.flatnonzero(~reflections.unique & ~reflections.absent):
        i = at[tuple(reflections.hkl[copy].tolist())]
        positive[copy] = positive[every.source[i]] == (every.sign[i] > 0)
        probability[copy] = probability[every.source[i]]
    return positive, probability


def _scores(
    given: PredictionInput, reflections: Reflections, positive: Bool
) -> tuple[float | None, float | None, float | None]:
    """r of what was given, plain and by multiplicity, and r of the whole list; None without true phases."""
    if given.true_positive is None or given.true_magnitudes is None:
        return None, None, None
    counts = reflections.counted.astype(np.float64)
    measured = given.data.amplitudes
    scores = [
        map_correlation(
            torch.from_numpy(positive)[None],
            torch.from_numpy(given.true_positive)[None],
            torch.from_numpy(amplitudes)[None],
            torch.from_numpy(reflections.origin_signs),
            torch.from_numpy(weight),
        )
        for amplitudes, weight in (
            (measured, counts),
            (measured, counts * reflections.multiplicity),
            (given.true_magnitudes, counts),
        )
    ]
    return float(scores[0]), float(scores[1]), float(scores[2])
