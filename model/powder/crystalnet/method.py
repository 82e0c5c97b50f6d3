"""CrystalNet as a method that is scored and used: draws of its latents as tries."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F32
from xtalpriors.model.powder.composition import Composition, composition_vector
from xtalpriors.model.powder.crystalnet.draws import predicted_maps
from xtalpriors.model.powder.crystalnet.network import CrystalNet
from xtalpriors.model.powder.crystalnet.sampling import FormulaInput, formula_inputs
from xtalpriors.model.powder.scoring.methods import Try

__all__ = ["CrystalNetMethod"]


class CrystalNetMethod:
    """CrystalNet: draws of its latents, which no order ranks.

    Parameters
    ----------
    network
        In evaluation mode.
    told
        What the network was trained to be told of the composition.
    draws
        Number of tries.
    """

    name = "crystalnet-2024"

    def __init__(self, network: CrystalNet, told: FormulaInput, draws: int) -> None:
        self.network, self.told, self.draws = network, told, draws
        if told != "ratios":
            self.name = f"{type(self).name}, {_TOLD[told]}"

    def tries(self, pattern: F32, composition: Composition, points: int) -> list[Try]:
        """One map for each draw; the draws follow from the pattern."""
        seed = tuple(np.flatnonzero(pattern)[:16].tolist())
        vector = formula_inputs(composition_vector(composition)[None], self.told)[0]
        maps = predicted_maps(self.network, pattern, vector, draws=self.draws, points=points, seed=seed)
        return [Try(density, f"draw {k}") for k, density in enumerate(maps, 1)]


_TOLD = {"elements": "no ratios", "one-dropped": "one element dropped", "none": "no formula"}
