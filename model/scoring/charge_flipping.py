"""Charge flipping, a classical method to compare with: Oszlányi & Sütő 2004 (doi 10.1107/S0108767303027569).

In P1 on a grid: negative and small density changes its sign, its Fourier phases get the measured amplitudes,
and so on. The result has its origin anywhere; the inversion centre is found in it without knowing the truth,
as the point x for which Σ |F|² cos(2φ(h) + 4π h·x) is largest, and equivalent reflections are averaged there.
For P2₁/c every inversion centre is a permissible origin, so nothing is left to fit.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import I64
from xtalpriors.errors import UsageError
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.scoring.density import good_size, spread
from xtalpriors.model.scoring.diffraction import keyed_rng

__all__ = ["charge_flipping"]

THRESHOLD: Final = 1.1
"""Density below this many standard deviations is flipped."""


def charge_flipping(
    reflections: Reflections,
    amplitudes: Tensor,
    keys: tuple[str, ...],
    *,
    iterations: int = 100,
    trial: int = 0,
    seed: int = 0,
) -> Tensor:
    """Phases of one trial, bool (B, N): the phase is 0.

    Parameters
    ----------
    reflections
        A list of P2₁/c in its standard setting.
    amplitudes
        |F| (B, N), any scale, 0 where nothing was measured.
    keys, trial, seed
        What fixes the random phases of each structure.
    iterations
        Cycles of flipping.

    Raises
    ------
    UsageError
        Another group: where not every inversion centre is an origin, more would be needed to place it.
    """
    if reflections.group.number != 14:
        raise UsageError(f"Charge flipping is here for P2₁/c only, not for {reflections.group.hm}.")
    every = spread(reflections)
    half = every.hkl[:, 2] >= 0  # the others are their Friedel mates
    hkl, source, sign = every.hkl[half], torch.from_numpy(every.source[half]), every.sign[half]
    n = good_size(2 * reflections.max_index + 2)
    h, k, l = (hkl % n).T
    flat = torch.from_numpy((h * n + k) * (n // 2 + 1) + l)
    target = torch.zeros(len(amplitudes), n * n * (n // 2 + 1))
    target[:, flat] = amplitudes.float()[:, source]
    target = target.reshape(-1, n, n, n // 2 + 1)
    noise = np.array([keyed_rng(key, seed, f"flip {trial}").standard_normal((n, n, n)) for key in keys])
    f = _with_amplitudes(torch.fft.rfftn(torch.from_numpy(noise).float(), dim=(1, 2, 3)), target)
    for _ in range(iterations):
        density = torch.fft.irfftn(f, s=(n, n, n), dim=(1, 2, 3))
        limit = THRESHOLD * density.flatten(1).std(dim=1).reshape(-1, 1, 1, 1)
        spectrum = torch.fft.rfftn(torch.where(density < limit, -density, density), dim=(1, 2, 3))
        f = _with_amplitudes(spectrum, target)
        f[:, 0, 0, 0] = spectrum[:, 0, 0, 0]  # F(000) is free
    turned = _at_inversion_centre(f, n, hkl, flat)
    total = torch.zeros(len(f), len(reflections.hkl))
    total.index_add_(1, source, turned * torch.from_numpy(sign).float())
    return total >= 0


def _with_amplitudes(spectrum: Tensor, target: Tensor) -> Tensor:
    """The phases of a spectrum with the measured amplitudes; 0 where nothing was measured."""
    size = spectrum.abs()
    return spectrum / size.where(size > 0, 1.0) * target


def _at_inversion_centre(f: Tensor, n: int, hkl: I64, flat: Tensor) -> Tensor:
    """Real parts of F (B, m) of the reflections (m, 3), from the best inversion centre as origin."""
    squared = f * f
    squared[:, 0, 0, 0] = 0.0
    # F(h) = |F| exp(−2πi h·x) of a centre at x: Σ F² exp(2πi h·u) is largest at u = 2x
    best = torch.fft.irfftn(squared, s=(n, n, n), dim=(1, 2, 3)).flatten(1).argmax(dim=1)
    u = torch.stack([best // (n * n), best // n % n, best % n], dim=1).double() / n
    turn = torch.exp(1j * np.pi * (u @ torch.from_numpy(hkl.T).double()))
    return (f.flatten(1)[:, flat] * turn).real.float()
