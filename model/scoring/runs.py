"""Phasing runs: from several starts, recycled several times; each cycle is a candidate with its merits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.frozen_model import Frozen
from xtalpriors.model.network.card import ModelCard
from xtalpriors.model.network.phai import PhAI, phases_of
from xtalpriors.model.network.recycling import cycle_logits
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.density import DensityMaps
from xtalpriors.model.scoring.diffraction import keyed_rng
from xtalpriors.model.scoring.figure_of_merit import (
    FIGURES,
    FigureOfMerit,
    agreement,
    expected_r,
    positivity,
    skewness,
)

__all__ = ["Protocol", "Runs", "check_size", "first_largest", "phase_runs", "reflections_of"]


class Protocol(Frozen):
    """How structures are phased and scored; the defaults are those of Melgalvis & Reķis (2026), section 2."""

    cycles: int = Field(default=10, ge=1)
    """Every number of cycles up to this is a candidate."""
    random_starts: int = Field(default=4, ge=0)
    """Starts from random phases, beside the one from phases all zero."""
    d_min_angstrom: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    completeness: float = Field(default=1.0, gt=0, le=1)
    robust_scale: bool = False
    """Where the strongest reflection may be missing; see `diffraction.network_input`."""
    charge_flipping_trials: int = Field(default=0, ge=0)
    """Trials of charge flipping as a baseline; they take longer than a small network."""
    merit: FigureOfMerit = "positivity"
    """The figure of merit that chooses the run without knowing the truth."""
    seed: int = Field(default=0, ge=0)
    batch: int = Field(default=32, ge=1)
    """Structures at once; the outcome does not depend on it but for rounding."""

    @property
    def n_runs(self) -> int:
        """Candidates of a structure."""
        return self.cycles * (1 + self.random_starts)

    def run(self, number: int) -> tuple[str, int]:
        """Start and number of cycles of a candidate: `zero` or `random-1` …, from 1."""
        start, cycle = divmod(number, self.cycles)
        return ("zero" if start == 0 else f"random-{start}"), cycle + 1


class Runs(NamedTuple):
    """Candidates of B structures, R each: all cycles of the first start, then of the second, …

    Attributes
    ----------
    positive
        The phase is 0, bool (B, R, N).
    probability
        The network's probability of the chosen phase, ½ to 1, float32 (B, R, N).
    merit
        Figures of merit by name, each (B, R).
    """

    positive: Tensor
    probability: Tensor
    merit: dict[FigureOfMerit, Tensor]

    def choose(self, figure: FigureOfMerit) -> Tensor:
        """The run with the largest figure of merit, (B,); the earliest of equals."""
        return first_largest(self.merit[figure])


def first_largest(values: Tensor) -> Tensor:
    """Place of the largest value of each row, NaN below all, the first of equals."""
    clean = torch.nan_to_num(values, nan=-torch.inf)
    return (clean == clean.amax(dim=1, keepdim=True)).int().argmax(dim=1)


def phase_runs(
    model: PhAI,
    reflections: Reflections,
    inputs: Tensor,
    amplitudes: Tensor,
    protocol: Protocol,
    keys: tuple[str, ...],
    *,
    device: torch.device | str = "cpu",
) -> Runs:
    """All candidates of B structures.

    Parameters
    ----------
    model
        A trained network.
    reflections
        The group and list it was trained for.
    inputs
        The network's input (B, H, K, L), of `diffraction.network_input`.
    amplitudes
        (B, N), on any scale, 0 where nothing was measured: what the figures of merit weigh by.
    protocol
        Cycles and starts.
    keys
        Names of the structures: with the protocol's seed they fix the random starts.
    device
        Where the network runs.

    Raises
    ------
    UsageError
        The network is of another size than the list.
    """
    check_size(model, reflections)
    model = model.to(device).eval()
    amplitudes = amplitudes.to(device)
    counted = torch.from_numpy(reflections.counted).to(device)
    maps = DensityMaps(reflections)
    boxed = inputs.to(device)
    candidates: list[Tensor] = []
    probabilities: list[Tensor] = []
    merit: dict[FigureOfMerit, list[Tensor]] = {name: [] for name in FIGURES}
    for start in _starts(protocol, keys, reflections):
        before = start.to(device)
        phases_degree = reflections.scatter(torch.where(before, 0.0, -180.0))
        for logits in cycle_logits(model, reflections, boxed, phases_degree, protocol.cycles):
            after = phases_of(logits) == 0
            candidates.append(after.cpu())
            probabilities.append(logits.softmax(dim=1).amax(dim=1).cpu())
            merit["expected_r"].append(expected_r(logits, amplitudes, counted).cpu())
            merit["agreement"].append(agreement(before, after, amplitudes, counted).cpu())
            density = maps(torch.where(after, amplitudes, -amplitudes))
            merit["skewness"].append(skewness(density).cpu())
            merit["positivity"].append(positivity(density).cpu())
            before = after
    stacked = {name: torch.stack(values, dim=1) for name, values in merit.items()}
    return Runs(torch.stack(candidates, dim=1), torch.stack(probabilities, dim=1), stacked)


def reflections_of(card: ModelCard) -> Reflections:
    """The group and list that a network was trained for.

    Raises
    ------
    XtalpriorsError
        The card names a group that does not exist.
    """
    found = resolve_space_group(hm=card.space_group)
    if not isinstance(found, Resolution):
        raise XtalpriorsError(
            f"The model card of '{card.name}' names the space group '{card.space_group}': {found.detail}."
        )
    return Reflections(found.group, card.max_index)


def check_size(model: PhAI, reflections: Reflections) -> None:
    """Raise UsageError unless the network's box and number of reflections are those of the list."""
    given = (tuple(model.size.box), model.size.n_reflections)
    wanted = (reflections.box.shape, len(reflections.hkl))
    if given != wanted:
        name = reflections.group.hm or f"no. {reflections.group.number}"
        raise UsageError(
            f"The network takes a box of {given[0]} and gives {given[1]:,} phases; {name} to index "
            f"{reflections.max_index} has a box of {wanted[0]} and {wanted[1]:,} reflections. Use the group "
            "and max_index that the network was trained with (they are in its model card)."
        )


def _starts(protocol: Protocol, keys: tuple[str, ...], reflections: Reflections) -> Iterator[Tensor]:
    """Initial phases as bool (B, N): all 0, then coin flips, one for each set of equivalents."""
    orbit = reflections.orbit
    yield torch.ones(len(keys), len(orbit), dtype=torch.bool)
    for start in range(1, protocol.random_starts + 1):
        flips = [keyed_rng(k, protocol.seed, f"start {start}").random(orbit.max() + 1) < 0.5 for k in keys]
        yield torch.from_numpy(np.array(flips)[:, orbit])
