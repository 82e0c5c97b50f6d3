"""Fixed sets of structures that a run is scored on while it trains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from xtalpriors.errors import XtalpriorsError
from xtalpriors.generator.stream import StreamBatch, StructureStream
from xtalpriors.model.network.card import SOLVED, SetScore
from xtalpriors.model.network.inputs import InputScaling
from xtalpriors.model.network.phai import PhAI
from xtalpriors.model.network.recycling import initial_phases, phase
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.score import map_correlation
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.priors.distributions.estimate import wilson_interval

__all__ = [
    "ValidationSet",
    "generated_set",
    "is_positive",
    "score_set",
]


@dataclass(frozen=True, eq=False)
class ValidationSet:
    """Structures with their phases, in the order of the list of reflections.

    Attributes
    ----------
    name
        Of the set, in logs and model cards.
    amplitudes
        |F| on any scale (n, N), 0 where nothing was measured.
    positive
        The true phase is 0, bool (n, N).
    cells
        a, b, c in Å and α, β, γ in degrees, float64 (n, 6).
    """

    name: str
    amplitudes: Tensor
    positive: Tensor
    cells: Tensor

    def __post_init__(self) -> None:
        if len(self.amplitudes) == 0:
            raise XtalpriorsError(f"the validation set '{self.name}' is empty: there is nothing to score on.")
        if not bool(torch.isfinite(self.amplitudes).all()):
            raise XtalpriorsError(
                f"the validation set '{self.name}' has amplitudes that are not finite numbers."
            )

    def __len__(self) -> int:
        return len(self.amplitudes)


def is_positive(batch: StreamBatch, reflections: Reflections) -> Tensor:
    """Whether each true phase is 0 and not π, bool (B, N)."""
    return reflections.gather(batch.phases) < 0.5 * math.pi


def generated_set(config: TrainConfig, bundle: PriorBundle, reflections: Reflections) -> ValidationSet:
    """The fixed generated set of a configuration: a function of the bundle's priors, strategy and seed."""
    stream = StructureStream(
        bundle,
        config.validation.generator or config.data.generator,
        seed=config.validation.seed,
        count=config.validation.count,
        batch_size=min(512, config.validation.count),
        max_index=config.data.max_index,
        d_min_angstrom=config.data.d_min_angstrom,
        completeness=config.data.completeness,
    )
    parts = [
        (reflections.gather(batch.amplitudes), is_positive(batch, reflections), batch.cell.clone())
        for batch in stream
    ]
    amplitudes, positive, cells = (torch.cat(part) for part in zip(*parts, strict=True))
    return ValidationSet("generated", amplitudes, positive, cells)


def correlations(
    model: PhAI,
    reflections: Reflections,
    scaling: InputScaling,
    data: ValidationSet,
    *,
    cycles: int,
    batch_size: int = 256,
    autocast: torch.dtype | None = None,
) -> Tensor:
    """r of every structure (n,), float64, from all-zero phases after `cycles` cycles."""
    device = next(model.parameters()).device
    signs = torch.from_numpy(reflections.origin_signs).to(device)
    counted = torch.from_numpy(reflections.counted).to(device)
    parts = []
    for first in range(0, len(data), batch_size):
        rows = slice(first, first + batch_size)
        amplitudes = data.amplitudes[rows].float().to(device)
        inputs = reflections.scatter(scaling.scaled(amplitudes, data.cells[rows]))
        initial = initial_phases(reflections, len(amplitudes), random=False).to(device)
        with torch.autocast(device.type, autocast or torch.bfloat16, enabled=autocast is not None):
            positive = phase(model, reflections, inputs, cycles=cycles, initial=initial)
        r = map_correlation(positive, data.positive[rows].to(device), amplitudes, signs, counted.double())
        parts.append(r.cpu())
    return torch.cat(parts)


def score_set(
    model: PhAI,
    reflections: Reflections,
    scaling: InputScaling,
    data: ValidationSet,
    *,
    cycles: int,
    autocast: torch.dtype | None = None,
) -> SetScore:
    """Score of a network on a set, beside all-zero and random phases.

    Parameters
    ----------
    cycles
        Phase recycling cycles from all-zero phases: one run a structure, no choice among several.
    autocast
        Type of the products; null: float32.
    """
    was_training = model.training
    model.eval()
    r = correlations(model, reflections, scaling, data, cycles=cycles, autocast=autocast)
    model.train(was_training)
    signs = torch.from_numpy(reflections.origin_signs)
    counted = torch.from_numpy(reflections.counted).double()
    coins = torch.randint(0, 2, data.positive.shape, generator=torch.Generator().manual_seed(1)) == 0
    random = map_correlation(coins, data.positive, data.amplitudes, signs, counted)
    zero = map_correlation(torch.ones_like(data.positive), data.positive, data.amplitudes, signs, counted)
    low, high = wilson_interval(int((r >= SOLVED).sum()), len(r))
    return SetScore(
        n=len(r),
        median_r=float(r.quantile(0.5)),
        mean_r=float(r.mean()),
        solved=float((r >= SOLVED).double().mean()),
        solved_low=low,
        solved_high=high,
        cycles=cycles,
        zero_phases_solved=float((zero >= SOLVED).double().mean()),
        random_phases_median_r=float(random.quantile(0.5)),
    )
