"""The amplitudes as the network sees them: divided by their maximum, or normalised to |E|.

Dividing by the maximum is what the published networks were trained with. It fails when the strongest
reflection was not measured (Larsen et al. 2024, doi 10.1126/science.adn2777, their two unsolved data sets);
|E| does not depend on any single reflection, and has no fall-off with the angle for the network to learn.
Harker maps may stand beside it (`harker`).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from xtalpriors.crystal.cells.cell import reciprocal_metric_tensors
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.network.harker import HARKER_MAPS, HarkerMaps
from xtalpriors.model.network.normalisation import normalised_amplitudes
from xtalpriors.model.network.reflections import Reflections

__all__ = ["SCALINGS", "InputScaling", "Scaling", "maps_of", "needs_cell"]

Scaling = Literal["maximum", "rms", "normalised-E", "normalised-E-harker"]
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)


def maps_of(kind: Scaling) -> int:
    """How many numbers the input has of each reflection."""
    return 1 + HARKER_MAPS if kind == "normalised-E-harker" else 1


def needs_cell(kind: Scaling) -> bool:
    """Whether the input is |E|, for which the cell must be known."""
    return kind in ("normalised-E", "normalised-E-harker")


class InputScaling:
    """Turns |F| on any scale into the network's input.

    Parameters
    ----------
    reflections
        The network's reflections.
    kind
        `maximum`: |F| / max |F|; `rms`: |F| over the root mean square of what was measured;
        `normalised-E`: |E| = |F| / √(ε ⟨|F|²/ε⟩ₛ), the mean taken at the same |s|² (needs the cell);
        `normalised-E-harker`: |E|, and the coefficients of `harker.HarkerMaps` beside it.
    """

    def __init__(self, reflections: Reflections, kind: Scaling) -> None:
        if kind not in SCALINGS:
            raise UsageError(f"There is no input scaling '{kind}'; there are: {', '.join(SCALINGS)}.")
        self.reflections, self.kind = reflections, kind
        hkl, rotations = reflections.hkl, reflections.group.rotations
        images = np.einsum("mi,nij->nmj", hkl, rotations)
        self._epsilon = torch.from_numpy((images == hkl).all(axis=2).sum(axis=0).astype(np.float32))
        # |s|² = Σ G*ᵢⱼ hᵢ hⱼ as a product of the metric with these (9, N)
        squares = (hkl[:, :, None] * hkl[:, None, :]).reshape(-1, 9).T
        self._squares = torch.from_numpy(np.ascontiguousarray(squares, dtype=np.float32))
        self._present = torch.from_numpy(~reflections.absent)
        self._harker = HarkerMaps(reflections) if maps_of(kind) > 1 else None

    def __call__(self, amplitudes: Tensor, cells: Tensor | None = None) -> Tensor:
        """Input of the network.

        Parameters
        ----------
        amplitudes
            |F| (B, H, K, L) on any scale, 0 where nothing was measured.
        cells
            a, b, c in Å and α, β, γ in degrees (B, 6); only |E| needs them.

        Returns
        -------
        Tensor
            (B, H, K, L) float32, on the device of `amplitudes`, 0 where nothing was measured; with Harker
            maps (B, `maps_of`, H, K, L), of which the first is that.

        Raises
        ------
        XtalpriorsError
            An amplitude is negative, infinite or not a number; or the cells are needed and not given.
        """
        listed = self.reflections.gather(amplitudes.float())
        if not bool(torch.isfinite(listed).all()) or bool((listed < 0).any()):
            raise XtalpriorsError(
                "an amplitude is negative, infinite or not a number: leave reflections without an amplitude "
                "out (they count as not measured)."
            )
        return self.reflections.scatter(self.scaled(listed, cells))

    def scaled(self, listed: Tensor, cells: Tensor | None = None) -> Tensor:
        """As a call, of the list (…, N) instead of the box, and without looking for bad values."""
        if self.kind == "maximum":
            largest = listed.amax(dim=-1, keepdim=True)
            return listed / largest.where(largest > 0, 1.0)
        if self.kind == "rms":
            measured = (listed > 0).sum(dim=-1, keepdim=True).clamp(min=1)
            mean = listed.square().sum(dim=-1, keepdim=True) / measured
            return listed / mean.where(mean > 0, 1.0).sqrt()
        if cells is None:
            raise XtalpriorsError(
                "this network takes normalised |E| as input and needs the unit cell for it."
            )
        e = self._normalised(listed, cells)
        return e if self._harker is None else torch.cat([e.unsqueeze(1), self._harker(e)], dim=1)

    def _normalised(self, listed: Tensor, cells: Tensor) -> Tensor:
        """|E| (B, N)."""
        metric = torch.from_numpy(reciprocal_metric_tensors(cells.cpu().numpy()))
        s2 = metric.flatten(1).float().to(listed.device) @ self._squares.to(listed.device)
        measured = (listed > 0) & self._present.to(listed.device)
        return normalised_amplitudes(listed, s2, self._epsilon.to(listed.device), measured)
