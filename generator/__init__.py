"""Artificial crystal structures sampled from a prior bundle.

`Generator(bundle, configure(...), seed).batch(start, count)` is all that most need; `generate.generate` does
both in one call, `StructureStream` gives amplitudes and phases for training, `generate_to` writes files.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xtalpriors.generator.config import GeneratorConfig, configure
    from xtalpriors.generator.generate import Generator
    from xtalpriors.generator.shards import generate_to
    from xtalpriors.generator.stream import StructureStream
    from xtalpriors.generator.structures import Structure, StructureBatch

__all__ = [
    "Generator",
    "GeneratorConfig",
    "Structure",
    "StructureBatch",
    "StructureStream",
    "configure",
    "generate_to",
]

_HOME = {
    "Generator": "generate",
    "GeneratorConfig": "config",
    "Structure": "structures",
    "StructureBatch": "structures",
    "StructureStream": "stream",
    "configure": "config",
    "generate_to": "shards",
}


def __getattr__(name: str) -> Any:
    """Import on first use: reading a configuration should not load numba, pyarrow or torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
