"""Which crystals a network for powder patterns is trained on, and their digest."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field

from xtalpriors.frozen_model import Frozen
from xtalpriors.model.powder.dataset import PowderCrystals, Split, powder_crystals, split

__all__ = ["DataConfig", "crystals_digest"]


class DataConfig(Frozen):
    """Crystals and their split."""

    system: Literal["cubic", "trigonal"] = "cubic"
    count: int = Field(default=2000, ge=10, description="Crystals made, of all three parts of the split")
    split: Literal["S", "P"] = Field(
        default="S", description="S: prototypes shared by the parts, as published; P: some held out"
    )
    seed: int = Field(default=0, ge=0, description="Of the crystals and of the split")

    def crystals(self) -> Split:
        """Training, validation and test crystals, made anew."""
        return split(powder_crystals(self.system, self.count, self.seed), self.split, self.seed)


def crystals_digest(crystals: PowderCrystals) -> str:
    """Digest of which crystals these are, by formula, space group and structure type, in their order."""
    digest = hashlib.blake2b(digest_size=16)
    for one in zip(crystals.formula, crystals.space_group, crystals.prototype, strict=True):
        digest.update(" ".join(map(str, one)).encode() + b"\n")
    return digest.hexdigest()
