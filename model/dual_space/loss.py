"""Likelihood of the true phases, weighted by |F|."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["negative_log_likelihood", "weighted_loss"]


def negative_log_likelihood(logits: Tensor, true: Tensor, centric: Tensor) -> Tensor:
    """−log of the probability of the true phases, (B, U), above that of knowing nothing taken as log 2 or 0.

    A phase has the density exp(Re L*·t) of its phasor t: two values where it is centric, so that the
    probability is σ(2 Re L*·t); else the von Mises distribution exp(Re L*·t) / I₀(|L|), over that of equal
    phases.

    Parameters
    ----------
    logits
        L (B, U), complex.
    true
        Phasors of the true phases (B, U).
    centric
        Bool (U,).
    """
    along = logits.real * true.real + logits.imag * true.imag
    size = torch.sqrt(logits.real.square() + logits.imag.square() + 1e-12)
    two_valued = torch.nn.functional.softplus(-2.0 * along)
    von_mises = torch.log(torch.special.i0e(size)) + size - along
    return torch.where(centric, two_valued, von_mises)


def weighted_loss(steps: list[Tensor], true: Tensor, centric: Tensor, f: Tensor) -> Tensor:
    """Mean over crystals of the |F|-weighted loss, the steps weighted by (t/T)².

    Parameters
    ----------
    steps
        Logits after each step (B, U).
    true, centric
        As above.
    f
        |F| (B, U), 0 where nothing was measured.
    """
    weight = f / f.sum(dim=1, keepdim=True).clamp(min=1e-30)
    total = torch.zeros((), device=f.device)
    norm = 0.0
    for t, logits in enumerate(steps, start=1):
        share = (t / len(steps)) ** 2
        each = (weight * negative_log_likelihood(logits, true, centric)).sum(dim=1)
        total, norm = total + share * each.mean(), norm + share
    return total / norm
