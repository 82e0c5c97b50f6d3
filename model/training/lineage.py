"""From corpus to weights: what a model card says about where a network comes from."""

from __future__ import annotations

import torch

from xtalpriors import __version__
from xtalpriors.model.network.card import Lineage
from xtalpriors.model.training.config import TrainConfig
from xtalpriors.priors.bundle import PriorBundle
from xtalpriors.provenance import code_commit

__all__ = ["lineage_of"]


def lineage_of(config: TrainConfig, bundle: PriorBundle) -> Lineage:
    """Lineage of what this configuration trains on this bundle with the code that runs."""
    commit, changed = code_commit()
    return Lineage(
        bundle=bundle.name,
        priors_digest=bundle.priors_digest,
        created_from=bundle.created_from.model_dump(mode="json", exclude={"waterfall"}),
        generator=config.data.generator.model_dump(mode="json"),
        generator_digest=config.data.generator.digest,
        training_digest=config.digest,
        code_version=__version__,
        code_commit=commit,
        code_changed=changed,
        torch_version=torch.__version__,
    )
