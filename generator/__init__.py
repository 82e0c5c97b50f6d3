"""Artificial crystal structures sampled from a prior bundle.

- `Generator(bundle, configure(cell=…, filling=…), seed).batch(start, count)`: a `StructureBatch`.
- `StructureStream`: amplitudes and phases of such structures in batches, for training.
- `generate_to`: Parquet or CIF files; `read_parquet` and `read_batches` read Parquet back.
- `to_gemmi`, `to_pymatgen`, `to_ase`, `padded`: structures for other libraries, or for a network.
- `Reference` and `check_rules`: the same algorithm in plain NumPy, and a brute-force check of the distances.

Folders: `specification` (from a bundle and a configuration to the numbers that the kernels read), `kernels`
(compiled code that draws structures), `reference`, `output`. Files: `generate` calls the kernels,
`measurement` draws what a diffraction experiment misses, `stream` joins both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xtalpriors.lazy import offer

if TYPE_CHECKING:
    from xtalpriors.generator.config import CELL_STRATEGIES as CELL_STRATEGIES
    from xtalpriors.generator.config import FILLINGS as FILLINGS
    from xtalpriors.generator.config import GeneratorConfig as GeneratorConfig
    from xtalpriors.generator.config import configure as configure
    from xtalpriors.generator.config import space_group_of as space_group_of
    from xtalpriors.generator.counters import COUNTERS as COUNTERS
    from xtalpriors.generator.generate import Generator as Generator
    from xtalpriors.generator.output.cif import to_cif as to_cif
    from xtalpriors.generator.output.convert import padded as padded
    from xtalpriors.generator.output.convert import to_ase as to_ase
    from xtalpriors.generator.output.convert import to_gemmi as to_gemmi
    from xtalpriors.generator.output.convert import to_pymatgen as to_pymatgen
    from xtalpriors.generator.output.parquet import read_batches as read_batches
    from xtalpriors.generator.output.parquet import read_metadata as read_metadata
    from xtalpriors.generator.output.parquet import read_parquet as read_parquet
    from xtalpriors.generator.output.parquet import write_parquet as write_parquet
    from xtalpriors.generator.output.shards import generate_to as generate_to
    from xtalpriors.generator.reference.check import check_rules as check_rules
    from xtalpriors.generator.reference.reference import Reference as Reference
    from xtalpriors.generator.stream import StructureStream as StructureStream
    from xtalpriors.generator.stream import crystal_arrays as crystal_arrays
    from xtalpriors.generator.structures import Structure as Structure
    from xtalpriors.generator.structures import StructureBatch as StructureBatch

__getattr__, __all__ = offer(
    __name__,
    {
        "config": ["CELL_STRATEGIES", "FILLINGS", "GeneratorConfig", "configure", "space_group_of"],
        "counters": ["COUNTERS"],
        "generate": ["Generator"],
        "output.cif": ["to_cif"],
        "output.convert": ["padded", "to_ase", "to_gemmi", "to_pymatgen"],
        "output.parquet": ["read_batches", "read_metadata", "read_parquet", "write_parquet"],
        "output.shards": ["generate_to"],
        "reference.check": ["check_rules"],
        "reference.reference": ["Reference"],
        "stream": ["StructureStream", "crystal_arrays"],
        "structures": ["Structure", "StructureBatch"],
    },
)
