"""A training run of a second, for tests."""

from __future__ import annotations

from typing import Any

from xtalpriors.model.training.config import TrainConfig, make_config

TINY = """
extends: smoke
network: {filters: 4, residual_blocks: 1, token_width: 16, channel_hidden: 16, token_hidden: 8}
structures: 64
optimiser: {batch_size: 16}
loss_weight_structures: 64
validation: {count: 32, every_structures: 32}
threads: 1
data_threads: 1
log_every_structures: 16
checkpoint_every_structures: 32
"""
"""A preset as a user writes it: 64 structures in 4 steps."""


def tiny(**overrides: Any) -> TrainConfig:
    """48 structures in 6 steps of 8, indices to 3; nested options by dotted name with `__` for the dot."""
    content: dict[str, Any] = {
        "name": "tiny",
        "network": {
            "filters": 4,
            "residual_blocks": 1,
            "token_width": 16,
            "channel_hidden": 16,
            "token_hidden": 8,
            "mixer_blocks": 1,
        },
        "data": {"max_index": 3, "generator": {"volume_min_angstrom3": 120, "volume_max_angstrom3": 260}},
        "structures": 48,
        "scaling": "normalised-E",
        "recycling": {"cycles": [1, 2, 3], "initial": "random"},
        "optimiser": {"batch_size": 8, "learning_rate": 1e-3},
        "schedule": {"kind": "plateau", "window_structures": 16, "patience": 1, "threshold": 0.5},
        "averaging": {"decay": 0.9},
        "loss_weight_structures": 64,
        "validation": {"count": 32, "every_structures": 24},
        "threads": 1,
        "data_threads": 1,
        "log_every_structures": 16,
        "checkpoint_every_structures": 1_000_000,
    }
    content["data"]["generator"]["cell"] = "volume-uniform"
    for name, value in overrides.items():
        *parents, last = name.split("__")
        inner = content
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = value
    return make_config(content)
