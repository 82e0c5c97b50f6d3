"""Phase recycling: the network's phases are fed back to it, as in Larsen, Rekis & Madsen (2024)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from xtalpriors.errors import UsageError
from xtalpriors.model.network.phai import phases_of
from xtalpriors.model.network.reflections import Reflections

__all__ = ["cycle_logits", "initial_phases", "phase", "recycled_logits"]

Network = Callable[[Tensor, Tensor], Tensor]
"""Amplitudes and phases in degrees (B, H, K, L) to logits (B, 2, N)."""


def initial_phases(
    reflections: Reflections, count: int, *, random: bool, generator: torch.Generator | None = None
) -> Tensor:
    """Phases to begin with, in degrees (count, H, K, L): all 0, or 0 and −180 by coin flip.

    Symmetry copies in the box (−h k 0 of P2₁/c) get the phase of their original.
    """
    if not random:
        return torch.zeros((count, *reflections.box.shape))
    orbits = torch.from_numpy(reflections.orbit)
    coins = torch.randint(0, 2, (count, int(orbits.max()) + 1), generator=generator)
    return reflections.scatter(coins[:, orbits] * -180.0)


def recycled_logits(
    network: Network,
    reflections: Reflections,
    amplitudes: Tensor,
    phases_degree: Tensor,
    cycles: int,
    *,
    without_gradient: Network | None = None,
) -> Tensor:
    """Logits (B, 2, N) after `cycles` cycles; only the last one keeps what a gradient needs.

    Parameters
    ----------
    without_gradient
        The same network for all but the last cycle: the bare module of one wrapped for many processes.
    """
    if cycles < 1:
        raise UsageError(f"phase recycling needs at least 1 cycle; got {cycles}.")
    inner = without_gradient or network
    with torch.no_grad():
        for _ in range(cycles - 1):
            logits = inner(amplitudes, phases_degree)
            phases_degree = reflections.scatter(phases_of(logits.float()))
    return network(amplitudes, phases_degree)


def cycle_logits(
    network: Network, reflections: Reflections, amplitudes: Tensor, initial: Tensor, cycles: int
) -> Iterator[Tensor]:
    """Logits (B, 2, N), float32, of each of `cycles` cycles in turn, without gradient.

    Every cycle sees the phases (`phai.phases_of`) of the logits before, the first one `initial` (B, H, K, L).
    """
    if cycles < 1:
        raise UsageError(f"phase recycling needs at least 1 cycle; got {cycles}.")
    phases_degree = initial
    for _ in range(cycles):
        with torch.no_grad():
            logits = network(amplitudes, phases_degree).float()
        yield logits
        phases_degree = reflections.scatter(phases_of(logits))


def phase(
    network: Network, reflections: Reflections, amplitudes: Tensor, *, cycles: int, initial: Tensor
) -> Tensor:
    """Phase structures.

    Parameters
    ----------
    network
        The network, in evaluation mode, on the device of the tensors.
    reflections
        Its reflections.
    amplitudes
        Its input (B, H, K, L), scaled as `InputScaling` of the model card does.
    cycles
        How often the network is asked; each time it sees the phases of the time before.
    initial
        Phases in degrees to begin with (B, H, K, L), as `initial_phases`.

    Returns
    -------
    Tensor
        (B, N) bool: the phase is 0 and not π.
    """
    *_, last = cycle_logits(network, reflections, amplitudes, initial, cycles)
    return phases_of(last) == 0
