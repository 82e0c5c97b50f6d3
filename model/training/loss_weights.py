"""Weight of each reflection in the loss: its mean amplitude over the generator's own stream."""

from __future__ import annotations

from itertools import islice

import torch
from torch import Tensor

from xtalpriors.generator.stream import StructureStream
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.priors.bundle import PriorBundle

__all__ = ["mean_amplitudes"]

BATCH = 512


def mean_amplitudes(config: TrainConfig, bundle: PriorBundle, reflections: Reflections) -> Tensor:
    """Mean of |F| / max |F| of each reflection over the first structures of the stream, Σ = 1, float32 (N,).

    Systematic absences have weight 0. The published weights were such means over the training set.
    """
    stream = StructureStream(
        bundle,
        config.data.generator,
        seed=config.data.seed,
        batch_size=BATCH,
        max_index=config.data.max_index,
        d_min_angstrom=config.data.d_min_angstrom,
        completeness=config.data.completeness,
    )
    total = torch.zeros(len(reflections.hkl), dtype=torch.float64)
    for batch in islice(stream, -(-config.loss_weight_structures // BATCH)):
        total += reflections.gather(batch.amplitudes).double().sum(dim=0)
    total[torch.from_numpy(reflections.absent)] = 0.0
    return (total / total.sum()).float()
