"""Distance tests of one candidate against the atoms placed so far, all symmetry images included.

Fractional coordinates are fixed-point numbers: int32 in units of 2^-32 of an axis. The difference of two of
them wraps around by itself, so that it *is* the difference to the nearest image along each axis, in
[−½, ½): no rounding, no loop over neighbouring cells, and a resolution of 2^-32 in every cell. The squared
distance is then evaluated in float32 with the metric tensor (scaled by 2^-64).

That one image is the only one that can lie within r_c when r_c·|a*_i| ≤ ½ for each axis i, because a point
with |Δx_i| > ½ is at least |Δx_i|/|a*_i| away. Otherwise axis i needs the further images with
|Δx_i − k| ≤ r_c·|a*_i|: `shells` counts them, in the order of their distance (0, 1, −1, 2, … on Δx_i's side).

The loops run in vector registers: blocks of a fixed length without remainder (lanes beyond the last image do
not count), unsigned indices (no wrap-around test), no branch inside, one look at the result per block.
"""

# numba infers the types of these functions from their arguments
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import math

import numpy as np

from xtalpriors.generator.kernels.compilation import kernel

__all__ = ["BLOCK", "clash", "shells", "shift", "too_close"]

BLOCK = np.uint64(16)
"""Images per block. Arrays of images must be readable this far behind the last one."""

_TURN = 2.0**32
_ONE = np.float32(1.0)


@kernel(forceinline=True)
def shells(cutoff, reciprocal_length):
    """How many images along an axis can lie within the cutoff: those with |Δx − k| ≤ cutoff·|a*|."""
    return int(2.0 * cutoff * reciprocal_length) + 1


@kernel(forceinline=True)
def shift(k):
    """Shift to the k-th nearest image, fixed-point units towards the candidate's side: 0, 1, −1, 2, −2, …"""
    steps = (k + 1) // 2
    return np.float32(steps * _TURN if k % 2 == 1 else -steps * _TURN)


@kernel(forceinline=True)
def _near(d2, limit):
    return np.int32(d2 < limit)


@kernel(forceinline=True)
def _square(dx, dy, dz, metric):
    g00, g11, g22, g12, g02, g01 = metric
    return dx * (g00 * dx + g01 * dy + g02 * dz) + dy * (g11 * dy + g12 * dz) + g22 * dz * dz


@kernel()
def _too_close_further(x, y, z, images, first, last, metric, limit, n_shells):
    """The images beyond the nearest along each axis."""
    end = np.uint64(last)
    nx, ny, nz = n_shells
    for k in range(1, nx * ny * nz):
        sx, sy, sz = shift(k % nx), shift(k // nx % ny), shift(k // (nx * ny))
        low = np.uint64(first)
        while low < end:
            hits = np.int32(0)
            for lane in range(BLOCK):
                j = low + lane
                dx = np.float32(np.int32(x - images[0, j]))
                dy = np.float32(np.int32(y - images[1, j]))
                dz = np.float32(np.int32(z - images[2, j]))
                dx -= sx * math.copysign(_ONE, dx)
                dy -= sy * math.copysign(_ONE, dy)
                dz -= sz * math.copysign(_ONE, dz)
                hits |= _near(_square(dx, dy, dz, metric), limit) & np.int32(j < end)
            if hits != 0:
                return True
            low += BLOCK
    return False


@kernel(forceinline=True)
def too_close(x, y, z, images, first, last, metric, limit, n_shells):
    """Is any of images[:, first:last] nearer than √limit to the candidate (x, y, z)?

    Parameters
    ----------
    x, y, z
        int64 fixed-point coordinates (only their low 32 bits count).
    images
        int32 (3, m) fixed-point coordinates, m ≥ last + `BLOCK`.
    metric
        float32 g00, g11, g22, 2·g12, 2·g02, 2·g01 in Å²·2^-64.
    limit
        float32, square of the distance in Å².
    n_shells
        Images along each axis (`shells`).
    """
    end = np.uint64(last)
    low = np.uint64(first)
    while low < end:
        hits = np.int32(0)
        for lane in range(BLOCK):
            j = low + lane
            dx = np.float32(np.int32(x - images[0, j]))
            dy = np.float32(np.int32(y - images[1, j]))
            dz = np.float32(np.int32(z - images[2, j]))
            hits |= _near(_square(dx, dy, dz, metric), limit) & np.int32(j < end)
        if hits != 0:
            return True
        low += BLOCK
    if n_shells[0] * n_shells[1] * n_shells[2] > 1:
        return _too_close_further(x, y, z, images, first, last, metric, limit, n_shells)
    return False


@kernel(forceinline=True)
def _broken(d2, s, rule):
    contact, gap_low, gap_high = rule
    s2 = s * s
    return np.int32(d2 < contact * s2) | (np.int32(d2 > gap_low * s2) & np.int32(d2 < gap_high * s2))


@kernel()
def _clash_further(x, y, z, radius, images, radii, first, last, metric, rule, n_shells):
    """The images beyond the nearest along each axis."""
    end = np.uint64(last)
    nx, ny, nz = n_shells
    for k in range(1, nx * ny * nz):
        sx, sy, sz = shift(k % nx), shift(k // nx % ny), shift(k // (nx * ny))
        low = np.uint64(first)
        while low < end:
            hits = np.int32(0)
            for lane in range(BLOCK):
                j = low + lane
                dx = np.float32(np.int32(x - images[0, j]))
                dy = np.float32(np.int32(y - images[1, j]))
                dz = np.float32(np.int32(z - images[2, j]))
                dx -= sx * math.copysign(_ONE, dx)
                dy -= sy * math.copysign(_ONE, dy)
                dz -= sz * math.copysign(_ONE, dz)
                hits |= _broken(_square(dx, dy, dz, metric), radius + radii[j], rule) & np.int32(j < end)
            if hits != 0:
                return True
            low += BLOCK
    return False


@kernel(forceinline=True)
def clash(x, y, z, radius, images, radii, first, last, metric, rule, n_shells):
    """Does any image break the molecule rule (step 6): d ≤ 0.9·R_Σ, or 1.1·R_Σ ≤ d ≤ 1.4·R_Σ?

    As `too_close`, with the covalent radii (float32, Å) of the images and of the candidate, and `rule` =
    float32 squares of the three factors (nearest contact, lower and upper end of the gap).
    """
    end = np.uint64(last)
    low = np.uint64(first)
    while low < end:
        hits = np.int32(0)
        for lane in range(BLOCK):
            j = low + lane
            dx = np.float32(np.int32(x - images[0, j]))
            dy = np.float32(np.int32(y - images[1, j]))
            dz = np.float32(np.int32(z - images[2, j]))
            hits |= _broken(_square(dx, dy, dz, metric), radius + radii[j], rule) & np.int32(j < end)
        if hits != 0:
            return True
        low += BLOCK
    if n_shells[0] * n_shells[1] * n_shells[2] > 1:
        return _clash_further(x, y, z, radius, images, radii, first, last, metric, rule, n_shells)
    return False
