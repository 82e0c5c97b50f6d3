"""Settings of torch that hold while a training run lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xtalpriors.model.network.device import torch_threads
from xtalpriors.model.training.config import TrainConfig

__all__ = ["settings"]


@contextmanager
def settings(config: TrainConfig) -> Iterator[None]:
    """Torch's threads and choice of convolutions as configured, and as they were afterwards."""
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = config.deterministic, not config.deterministic
    try:
        with torch_threads(config.threads):
            yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before
