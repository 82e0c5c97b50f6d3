"""Artificial crystal structures sampled from a prior bundle.

`Generator(bundle, configure(...), seed).batch(start, count)` is all that most need. `StructureStream` gives
amplitudes and phases for training, `generate_to` writes files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.generator.config import GeneratorConfig as GeneratorConfig
    from xtalpriors.generator.config import configure as configure
    from xtalpriors.generator.generate import Generator as Generator
    from xtalpriors.generator.output.shards import generate_to as generate_to
    from xtalpriors.generator.stream import StructureStream as StructureStream
    from xtalpriors.generator.structures import Structure as Structure
    from xtalpriors.generator.structures import StructureBatch as StructureBatch

__getattr__, __all__ = offer(
    __name__,
    {
        "config": ["GeneratorConfig", "configure"],
        "generate": ["Generator"],
        "output.shards": ["generate_to"],
        "stream": ["StructureStream"],
        "structures": ["Structure", "StructureBatch"],
    },
)
