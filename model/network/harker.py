"""Harker maps as numbers of reflections, for a network that knows reflections alone.

If an atom lies at x, its image lies at Sx, and the Patterson map has a peak at x − Sx. The map of these
values over x, the least or the mean of all operators S, says where atoms may be (Buerger's implication maps).
Here it goes back to the reflections as its Fourier coefficients. A move to another permissible origin leaves
x − Sx as it is, so only reflections whose phases no such move changes have coefficients: those of the mean
map are the Σ₁ formula of Hauptman & Karle (1953), the sign of E(2h) from |E(h)|² − 1.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xtalpriors.arrays import I64
from xtalpriors.crystal.scattering.reciprocal import equivalent_reflections, largest_indices
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.model.network.reflections import Reflections

__all__ = ["HARKER_MAPS", "HarkerMaps"]

HARKER_MAPS = 2
"""The least and the mean value of the Patterson map over the operators."""


class HarkerMaps:
    """Tables for the Harker maps of one list of reflections.

    Parameters
    ----------
    reflections
        The network's reflections; their group has an inversion centre at the origin, so that every
        coefficient is a real number.
    """

    def __init__(self, reflections: Reflections) -> None:
        group, hkl = reflections.group, reflections.hkl
        n = self._n = _points(group, int(largest_indices(group, hkl).max()))
        # along an axis or in a plane a coefficient sums about so many reflections
        self._scale = 1.0 / reflections.max_index
        unique = np.flatnonzero(reflections.unique)
        equivalents = equivalent_reflections(group, hkl[unique])
        self._source = torch.from_numpy(np.repeat(unique, equivalents.shape[1]))
        self._place = torch.from_numpy(_flat(equivalents.reshape(-1, 3), n))
        self._listed = torch.from_numpy(_flat(hkl, n))
        points = np.stack(np.unravel_index(np.arange(n**3), (n, n, n)), axis=1)
        vectors = []
        for rotation, shift in zip(group.rotations, group.translations, strict=True):
            if not np.array_equal(rotation, np.eye(3)):
                vectors.append(_flat(points - points @ rotation.T - np.rint(shift * n).astype(np.int64), n))
        self._vectors = torch.from_numpy(np.stack(vectors))

    def __call__(self, e: Tensor) -> Tensor:
        """Fourier coefficients of the least and of the mean Harker map of |E|² − 1.

        Parameters
        ----------
        e
            |E| (B, N), 0 where nothing was measured.

        Returns
        -------
        Tensor
            (B, `HARKER_MAPS`, N) float32, divided by the largest index, which makes them as large as |E|.
        """
        device, shape = e.device, (self._n,) * 3
        intensities = (e.square() - 1.0) * (e > 0)
        spread = e.new_zeros(len(e), self._n**3)
        spread[:, self._place.to(device)] = intensities[:, self._source.to(device)]
        patterson = torch.fft.fftn(spread.unflatten(1, shape), dim=(1, 2, 3)).real.flatten(1)
        values = patterson[:, self._vectors.to(device)]  # (B, operators, points)
        maps = torch.stack([values.amin(dim=1), values.mean(dim=1)], dim=1)
        coefficients = torch.fft.fftn(maps.unflatten(2, shape), dim=(2, 3, 4), norm="forward").real
        return self._scale * coefficients.flatten(2)[:, :, self._listed.to(device)]


def _points(group: SpaceGroup, largest: int) -> int:
    """Points along each axis of the grid for indices up to ±`largest`.

    The mean map has coefficients up to twice the largest index. With more than three times as many points
    these do not fall on reflections of the list. Every translation, and half an axis, which takes one origin
    to another, is a whole number of steps.
    """
    n = 3 * largest + 1
    while n % 2 or not np.allclose(n * group.translations, np.rint(n * group.translations), atol=1e-6):
        n += 1
    return n


def _flat(points: I64, n: int) -> I64:
    """Places of points (m, 3) of the grid in its flat array, (m,)."""
    result: I64 = np.ravel_multi_index(tuple((points % n).T), (n, n, n))
    return result
