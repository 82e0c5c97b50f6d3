"""crystalnet-fourier and the candidates that it chooses from, as methods that are scored and used."""

from __future__ import annotations

from xtalpriors.arrays import F32
from xtalpriors.model.powder.composition import Composition
from xtalpriors.model.powder.fourier.network import FourierNet
from xtalpriors.model.powder.fourier.predict import predict_densities
from xtalpriors.model.powder.scoring.methods import Try, coarser
from xtalpriors.model.powder.structures.candidates import Library
from xtalpriors.model.powder.structures.solve import candidate_structures

__all__ = ["FourierMethod"]


class FourierMethod:
    """Tries of crystalnet-fourier: its own density, then its candidates by their weights.

    Parameters
    ----------
    network
        In evaluation mode.
    library
        Templates of its training crystals.
    tries
        At most so many.
    """

    name = "crystalnet-fourier"

    def __init__(self, network: FourierNet, library: Library, tries: int) -> None:
        self.network, self.library, self.number = network, library, tries

    def tries(self, pattern: F32, composition: Composition, points: int) -> list[Try]:
        """Densities with the cell of the candidate that has the largest part in each."""
        found = candidate_structures(pattern, composition, self.library)
        answers = predict_densities(self.network, found, pattern, composition, self.number)
        return [
            Try(
                coarser(one.density, points),
                f"{'mixture led by ' if k == 0 else ''}{one.candidate.template.label}",
                one.candidate.cell,
            )
            for k, one in enumerate(answers)
        ]
