"""Real crystals of one space group, of a folder of CIFs or a subset, with their structure factors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from xtalpriors.crystal import SpaceGroup, cell_volumes
from xtalpriors.errors import XtalpriorsError
from xtalpriors.mining import extract, parse_source
from xtalpriors.model.charge_flipping.known_crystals import KnownCrystal, known_crystal, one_of
from xtalpriors.model.scoring.read_structures import read_structures, structures_of_rows
from xtalpriors.model.scoring.structures import ExperimentalStructures

__all__ = ["real_crystals"]


def real_crystals(source: Path, symbol: str, d_min: float, most: int) -> Iterator[KnownCrystal]:
    """Crystals of 100–1,200 Å³ that can be described in a setting, `most` at most, in a random order."""
    group, read = SpaceGroup.from_hm(symbol), _structures(source, symbol)
    volumes = cell_volumes(read.crystals.cells)
    rows = np.random.default_rng(0).permutation(np.flatnonzero((volumes > 100) & (volumes < 1200)))
    for i in rows[:most]:
        try:
            made = known_crystal(group, one_of(read.crystals, int(i)), d_min)
        except XtalpriorsError:
            continue  # no reflection within d_min
        if len(made.f) >= 20 and max(made.grid.shape) <= 48:
            yield made


@cache
def _structures(source: Path, symbol: str) -> ExperimentalStructures:
    """Structures of a folder of CIFs, or of a subset, that can be described in this setting."""
    group = SpaceGroup.from_hm(symbol)
    if source.is_file():
        return read_structures([source], group, one_per_cluster=True)
    return structures_of_rows([(*_tables(source), "corpus")], group)


@cache
def _tables(corpus: Path) -> tuple[pa.Table, pa.Table]:
    """Entries and sites of a folder of CIFs."""
    source = parse_source(f"cod:{corpus}")
    items = [(f.file_id, source.read(f.file_id)) for f in source.files()]
    found = extract("corpus", None, "original", items)
    return found.entries, found.sites
