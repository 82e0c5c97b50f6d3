"""Exponential moving average of the weights."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["average_", "decay_at"]


def decay_at(decay: float, step: int) -> float:
    """Decay at a step counted from 0: short at the start, so that the first weights are soon forgotten."""
    return min(decay, (1.0 + step) / (10.0 + step))


def average_(average: nn.Module, model: nn.Module, decay: float) -> None:
    """average ← decay · average + (1 − decay) · model, in place."""
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1.0 - decay)
