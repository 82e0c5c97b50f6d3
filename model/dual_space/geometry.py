"""The grid of a space group on which no point is special, and its asymmetric unit as a box.

Points lie at x = (i + ½)/n. On them an operator with a signed permutation as its rotation maps points to
points, and up to orthorhombic groups it fixes none, so that the asymmetric unit has 1/order of them. In most
groups that can be a box. (Where it cannot, the smallest box that holds an asymmetric unit is taken; nothing
but time depends on that.) The neighbours of its surface are images of points inside (`padded`), which makes a
convolution in the box the same as one of the symmetric density in the whole cell.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from xtalpriors.arrays import I64
from xtalpriors.crystal.scattering.reciprocal import systematic_absences, unique_reflections
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.charge_flipping.grids import ReflectionGrid, grid_shape

__all__ = ["LARGEST_AXIS", "DualGrid", "dual_grid", "grid_of"]

LARGEST_AXIS = 48
"""Most grid points along an axis."""
_RHOMBOHEDRAL = (146, 148, 155, 160, 161, 166, 167)
"""Groups on hexagonal axes that can be given on rhombohedral ones, which their operators only exchange."""


@dataclass(frozen=True, eq=False)
class DualGrid:
    """Grid, asymmetric unit and reflections of a space group; make it with `dual_grid`.

    Attributes
    ----------
    group
        Space group whose rotations are signed permutations of the axes (all but hexagonal settings).
    shape
        Even numbers of points along a, b, c, which the operators map to each other.
    """

    group: SpaceGroup
    shape: tuple[int, int, int]

    @cached_property
    def reflections(self) -> ReflectionGrid:
        """All unique reflections that the grid can hold, in every crystal on it the same list."""
        top = [n // 2 - 1 for n in self.shape]
        h, k, l = np.meshgrid(*(np.arange(-t, t + 1) for t in top), indexing="ij")
        hkl = np.stack([h.ravel(), k.ravel(), l.ravel()], axis=1).astype(np.int64)
        hkl = hkl[unique_reflections(self.group, hkl)]
        return ReflectionGrid(self.group, hkl[~systematic_absences(self.group, hkl)], self.shape)

    @cached_property
    def images(self) -> I64:
        """Flat point that each operator takes each point of the cell to, (order, points)."""
        n = np.array(self.shape)
        points = (np.stack(np.meshgrid(*map(np.arange, n), indexing="ij"), axis=-1).reshape(-1, 3) + 0.5) / n
        found = []
        for rotation, shift in zip(self.group.rotations, self.group.translations, strict=True):
            moved = (points @ rotation.T + shift) * n - 0.5
            whole = np.rint(moved)
            if not np.allclose(moved, whole, atol=1e-6):
                other = " or rhombohedral axes" if self.group.number in _RHOMBOHEDRAL else ""
                raise UsageError(
                    f"{self.group.hm or self.group.number} has operators that mix axes (hexagonal axes, say) "
                    f"or do not fit a grid of {self.shape}: the dual-space network knows no such grid. Use "
                    f"charge flipping alone{other}."
                )
            found.append(np.ravel_multi_index(tuple((whole.astype(np.int64) % n).T), self.shape))
        return np.stack(found)

    @cached_property
    def box(self) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """First point and lengths of the smallest box that has an image of every point of the cell."""
        for start, lengths in _boxes(self.shape, self.group.order):
            covered = np.zeros(self.images.shape[1], dtype=bool)
            covered[self.images[:, self._points(start, lengths)]] = True
            if covered.all():
                return start, lengths
        raise AssertionError("the whole cell is the last box")

    def _points(self, start: tuple[int, int, int], lengths: tuple[int, int, int]) -> I64:
        axes = [(s + np.arange(m)) % n for s, m, n in zip(start, lengths, self.shape, strict=True)]
        found: I64 = np.ravel_multi_index(np.meshgrid(*axes, indexing="ij"), self.shape).ravel()
        return found

    @cached_property
    def inside(self) -> I64:
        """Flat points of the cell that the box has, in the order of the box, (P,)."""
        return self._points(*self.box)

    @cached_property
    def from_box(self) -> I64:
        """For every point of the cell the point of the box that it is an image of, (points,)."""
        orbit = self.images.min(axis=0)
        # of the points of a box that are images of each other the first stands for all
        standing = np.empty(self.images.shape[1], dtype=np.int64)
        standing[orbit[self.inside][::-1]] = np.arange(len(self.inside))[::-1]
        result: I64 = standing[orbit]
        return result

    @cached_property
    def padded(self) -> I64:
        """The box with a margin of one point on all sides: for each the point of the box, flat."""
        start, lengths = self.box
        wider = (start[0] - 1, start[1] - 1, start[2] - 1), (lengths[0] + 2, lengths[1] + 2, lengths[2] + 2)
        return self.from_box[self._points(*wider)]

    @cached_property
    def harker(self) -> I64:
        """Flat points of the unshifted grid at x − Sx, for x in the box and every operator that is no pure
        translation, (operators, P): there a Patterson map tells whether an atom may be at x."""
        n = np.array(self.shape)
        points = np.stack(np.unravel_index(self.inside, self.shape), axis=1)
        x = (points + 0.5) / n
        found = []
        for rotation, shift in zip(self.group.rotations, self.group.translations, strict=True):
            if np.array_equal(rotation, np.eye(3)):
                continue
            vector = np.rint((x - x @ rotation.T - shift) * n).astype(np.int64) % n
            found.append(np.ravel_multi_index(tuple(vector.T), self.shape))
        return np.array(found, dtype=np.int64).reshape(len(found), len(points))

    @cached_property
    def kernel_images(self) -> I64:
        """Places of a 3 × 3 × 3 kernel under each rotation of the group, (rotations, 27)."""
        offsets = np.array(list(itertools.product((-1, 0, 1), repeat=3)))
        rotations = np.unique(self.group.rotations.reshape(-1, 9), axis=0).reshape(-1, 3, 3)
        moved = np.einsum("rij,kj->rki", rotations, offsets) + 1
        result: I64 = (moved[..., 0] * 3 + moved[..., 1]) * 3 + moved[..., 2]
        return result


def _boxes(
    shape: tuple[int, int, int], order: int
) -> list[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """Boxes of 1/order of the points or more, the smallest first, of these those nearest to a cube."""
    found = []
    for parts in itertools.product((1, 2, 3, 4, 6, 8), repeat=3):
        if parts[0] * parts[1] * parts[2] > order or any(n % p for n, p in zip(shape, parts, strict=True)):
            continue
        a, b, c = (n // p for n, p in zip(shape, parts, strict=True))
        starts = [sorted({0, m // 2}) if p > 1 else [0] for m, p in zip((a, b, c), parts, strict=True)]
        found += [((x, y, z), (a, b, c)) for x, y, z in itertools.product(*starts)]
    return sorted(found, key=lambda f: (math.prod(f[1]), max(f[1]) - min(f[1]), f))


@lru_cache(maxsize=4096)
def dual_grid(group: SpaceGroup, largest: tuple[int, int, int]) -> DualGrid:
    """The smallest grid for indices up to ±`largest`.

    Raises
    ------
    UsageError
        An axis needs more than `LARGEST_AXIS` points.
    """
    return grid_of(group, grid_shape(group, largest, limit=LARGEST_AXIS))


@lru_cache(maxsize=4096)
def grid_of(group: SpaceGroup, shape: tuple[int, int, int]) -> DualGrid:
    """The grid of a shape; one object in a process, so that its tables are made once."""
    return DualGrid(group, shape)
