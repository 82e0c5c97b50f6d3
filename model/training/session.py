"""Settings of torch that hold while a training run lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xtalpriors.model.training.config import TrainConfig

__all__ = ["settings"]


@contextmanager
def settings(config: TrainConfig) -> Iterator[None]:
    """Torch's threads and choice of convolutions as configured, and as they were afterwards."""
    cudnn = torch.backends.cudnn
    before = torch.get_num_threads(), cudnn.deterministic, cudnn.benchmark
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    cudnn.deterministic, cudnn.benchmark = config.deterministic, not config.deterministic
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cudnn.deterministic, cudnn.benchmark = before[1:]
