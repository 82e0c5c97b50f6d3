"""The data of the networks: crystals as arrays, artificial crystals, and their division.

Measured crystals come from `real_crystals`, which reads a database and is imported where that is wanted.
"""

from xtalpriors.model.powder.artificial_crystals import powder_crystals
from xtalpriors.model.powder.crystals import PowderCrystal, PowderCrystals
from xtalpriors.model.powder.splits import Split, SplitKind, split

__all__ = ["PowderCrystal", "PowderCrystals", "Split", "SplitKind", "powder_crystals", "split"]
