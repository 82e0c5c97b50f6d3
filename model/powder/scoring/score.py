"""Scores of a density map against the true one: SSIM and PSNR over orientations, as Guo et al. 2024.

A powder pattern does not tell in which of its 24 orientations a cube was meant, so the best of them counts.
The published evaluation turns the array about the middle of its grid, which maps x to 0.98 − x on 50 points
and not to −x: a right map in another orientation is one voxel off and cannot score 1. Here voxel i goes to
−i mod n by default; `periodic_rotations` false is the published way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import permutations, product
from typing import Final, NamedTuple, TypeVar

import numpy as np
from pydantic import Field
from scipy.ndimage import uniform_filter

from xtalpriors.arrays import F32, F64
from xtalpriors.frozen_model import Frozen

__all__ = [
    "Score",
    "ScoreOptions",
    "TrueMap",
    "best_of",
    "best_orientation",
    "best_score",
    "orientations",
    "psnr",
    "ssim",
]

FloatMap = TypeVar("FloatMap", F32, F64)

_WINDOW = 7
_INSIDE = (slice(_WINDOW // 2, -(_WINDOW // 2)),) * 3
"""Windows that lie in the map."""
_K1, _K2 = 0.01, 0.03
_PUBLISHED_POINTS, _EMPTY_PLANE = 50, 29
"""int(29 / 50 × 50) is 28 in floating point: the published evaluation never fills this plane of 50."""


def _orientations() -> Iterator[tuple[tuple[int, ...], tuple[int, ...], bool]]:
    """Order of the axes, their signs, and whether it is a rotation; the first leaves a map as it is."""
    for axes, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        yield axes, signs, bool(np.linalg.det(np.diag(signs)[list(axes)]) > 0.0)


_ORIENTATIONS: Final = tuple(_orientations())


class ScoreOptions(Frozen):
    """How maps are compared; the defaults have none of the published evaluation's faults."""

    periodic_rotations: bool = Field(
        default=True, description="Turn about the origin of the cell; false: about the middle of the grid"
    )
    inversion: bool = Field(
        default=False,
        description="The 24 inverted orientations too, which a pattern cannot tell either",
    )
    empty_plane: bool = Field(
        default=False, description="Plane 29 of each axis is zero in both maps of 50³, as published"
    )


class Score(NamedTuple):
    """Best SSIM and best PSNR (dB) over orientations and tries, each of its own as published."""

    ssim: float
    psnr: float


def orientations(density: FloatMap, *, periodic: bool = True, inversion: bool = False) -> Iterator[FloatMap]:
    """The map in its 24 proper orientations (48 with the inverted ones), the given one first.

    Parameters
    ----------
    density
        (n, n, n), voxel i at i / n.
    periodic
        A reversed axis maps i to −i mod n, about the origin; else to n − 1 − i, as `numpy.rot90` does.
    inversion
        Improper orientations too.
    """
    for axes, signs, proper in _ORIENTATIONS:
        if not (proper or inversion):
            continue
        turned = density.transpose(axes)
        for axis, sign in enumerate(signs):
            if sign < 0:
                turned = np.flip(turned, axis)
                if periodic:
                    turned = np.roll(turned, 1, axis)
        yield turned


def ssim(truth: F32 | F64, predicted: F32 | F64) -> float:
    """Structural similarity (Wang et al. 2004) of two maps: uniform window of 7³, sample covariance.

    As `skimage.metrics.structural_similarity` with the range of the truth as `data_range`: its mean over the
    windows that lie in the map. NaN for a truth without contrast.
    """
    return TrueMap(truth).ssim(*_windows(predicted))


def psnr(truth: F32 | F64, predicted: F32 | F64) -> float:
    """Peak signal-to-noise ratio 10 log₁₀(range² / MSE) in dB, range of the truth; infinite if equal."""
    return TrueMap(truth).psnr(np.asarray(predicted, dtype=np.float64))


def best_score(
    truth: F32 | F64, predicted: Sequence[F32 | F64], options: ScoreOptions | None = None
) -> Score:
    """Best SSIM and best PSNR of several tries, each in its best orientation.

    Taking the best try needs the truth: `predicted` of one map is what a user gets.
    """
    reference = TrueMap(truth, options)
    return best_of([reference.score(one) for one in predicted])


def best_of(scores: Sequence[Score]) -> Score:
    """Best SSIM and best PSNR of several tries, each of its own."""
    return Score(max(s.ssim for s in scores), max(s.psnr for s in scores))


def best_orientation(truth: F32 | F64, predicted: FloatMap) -> tuple[FloatMap, float]:
    """The orientation of a map that fits best, and its SSIM."""
    reference = TrueMap(truth)
    scored = ((reference.ssim(*_windows(turned)), turned) for turned in orientations(predicted))
    similarity, turned = max(scored, key=lambda one: one[0])
    return np.ascontiguousarray(turned), similarity


class TrueMap:
    """A true map to which others are compared, with the means over its windows.

    Parameters
    ----------
    density
        (n, n, n).
    options
        How maps are compared.
    """

    def __init__(self, density: F32 | F64, options: ScoreOptions | None = None) -> None:
        self.options = options or ScoreOptions()
        self.values, self.mean, self.square = _windows(self._as_compared(density))
        self.range = float(self.values.max() - self.values.min())

    def score(self, predicted: F32 | F64) -> Score:
        """Best SSIM and best PSNR of a map over its orientations."""
        # means over windows turn with the map; only the products with the truth are summed anew
        turned = (
            orientations(part, periodic=self.options.periodic_rotations, inversion=self.options.inversion)
            for part in _windows(self._as_compared(predicted))
        )
        return best_of(
            [
                Score(self.ssim(values, mean, square), self.psnr(values))
                for values, mean, square in zip(*turned, strict=True)
            ]
        )

    def _as_compared(self, density: F32 | F64) -> F32 | F64:
        return _emptied(density) if self.options.empty_plane else density

    def ssim(self, values: F64, mean: F64, square: F64) -> float:
        """Of a map with its means over windows."""
        if self.range == 0.0:
            return float("nan")
        sample = _WINDOW**3 / (_WINDOW**3 - 1.0)
        own, other = self.mean[_INSIDE], mean[_INSIDE]
        product_of_means = own * other
        covariance = sample * (_smoothed(self.values * values)[_INSIDE] - product_of_means)
        squares_of_means = own**2 + other**2
        variances = sample * (self.square[_INSIDE] + square[_INSIDE] - squares_of_means)
        c1, c2 = (_K1 * self.range) ** 2, (_K2 * self.range) ** 2
        similarity = (2.0 * product_of_means + c1) * (2.0 * covariance + c2)
        similarity /= (squares_of_means + c1) * (variances + c2)
        return float(similarity.mean())

    def psnr(self, values: F64) -> float:
        """Of a map."""
        error = float(np.square(self.values - values).mean())
        if error == 0.0:
            return math.inf
        return 10.0 * math.log10(self.range**2 / error) if self.range else -math.inf


def _smoothed(values: F64) -> F64:
    """Means over windows; those that leave the map go on at its other side, and are not counted."""
    smoothed: F64 = uniform_filter(values, _WINDOW, mode="wrap")
    return smoothed


def _windows(density: F32 | F64) -> tuple[F64, F64, F64]:
    """A map, its means over windows and those of its square."""
    values = np.asarray(density, dtype=np.float64)
    return values, _smoothed(values), _smoothed(values**2)


def _emptied(density: F32 | F64) -> F32 | F64:
    """A map as the published evaluation reads it onto a grid of 50 points."""
    emptied = density.copy()
    if len(emptied) == _PUBLISHED_POINTS:
        emptied[_EMPTY_PLANE] = emptied[:, _EMPTY_PLANE] = emptied[:, :, _EMPTY_PLANE] = 0.0
    return emptied
