"""Lengths of a cell that its space group makes equal to others."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64

__all__ = ["lengths_by_symmetry"]


def lengths_by_symmetry(rotations: F64, lengths: F64) -> F64:
    """Lengths (3,) with those filled in whose axis a rotation takes to one of known length; else NaN.

    Parameters
    ----------
    rotations
        (n, 3, 3) rotation parts of the group; column i is the image of axis i.
    lengths
        (3,) in any unit, NaN where unknown.
    """
    filled = lengths.copy()
    for _ in range(2):  # c to b, and b to a
        for rotation in rotations:
            for i in np.flatnonzero(np.isnan(filled)):
                image = np.flatnonzero(rotation[:, i])
                if image.size == 1:
                    filled[i] = filled[image[0]]
    return filled
