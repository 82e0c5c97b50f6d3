"""R of calculated lines against observed ones, on the scale that fits them best."""

from __future__ import annotations

import numpy as np

from xtalpriors.arrays import F64

__all__ = ["r_factor"]


def r_factor(observed: F64, calculated: F64) -> tuple[F64, F64]:
    """R = Σ |√I_o − k √I_c| / Σ √I_o of one pattern and of one or more calculated ones, and k.

    Parameters
    ----------
    observed
        √I_o (b,).
    calculated
        √I_c (…, b). k (…) is the scale of least squares, 0 where all lines of a pattern are absent.
    """
    scale = (calculated * observed).sum(-1) / np.maximum((calculated**2).sum(-1), 1e-30)
    difference = np.abs(observed - scale[..., None] * calculated).sum(-1)
    r: F64 = difference / max(float(observed.sum()), 1e-30)
    return r, scale
