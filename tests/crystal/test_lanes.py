"""The functions of sixteen lanes against numpy in float64."""

from __future__ import annotations

import numpy as np
from numba import njit

from xtalpriors.crystal.scattering import lane_functions
from xtalpriors.crystal.scattering.kernels_common import aligned_row
from xtalpriors.crystal.scattering.lanes import LANES, load, store

_exp, _cos, _sin = lane_functions.exp, lane_functions.cos_turns, lane_functions.sin_turns
_fill_phases = lane_functions.fill_phases


@njit
def three(x, exponentials, cosines, sines):  # type: ignore[no-untyped-def]
    for at in range(0, x.size, LANES):
        value = load(x, at)
        store(exponentials, at, _exp(value))
        store(cosines, at, _cos(value))
        store(sines, at, _sin(value))


@njit
def phases(fraction, first, cosines, sines):  # type: ignore[no-untyped-def]
    _fill_phases(fraction, first, cosines.size, cosines, 0, sines, 0)


def test_exp_cos_and_sin_are_exact_to_float32() -> None:
    rows = [aligned_row(4096) for _ in range(3)]
    x = np.linspace(-0.5, 0.5, 4096, dtype=np.float32)
    three(x, *rows)
    assert np.abs(rows[1] - np.cos(2 * np.pi * x.astype(float))).max() < 6e-7
    assert np.abs(rows[2] - np.sin(2 * np.pi * x.astype(float))).max() < 6e-7
    x = np.linspace(-87.0, 80.0, 4096, dtype=np.float32)
    three(x, *rows)
    # the rounding of x·log₂e to float32 grows with x
    assert np.abs(rows[0] / np.exp(x.astype(float)) - 1.0).max() < 1e-5
    near = np.abs(x) < 5
    assert np.abs(rows[0] / np.exp(x.astype(float)) - 1.0)[near].max() < 6e-7
    x = np.full(16, -1e6, dtype=np.float32)
    three(x, *rows)
    assert np.all(rows[0][:16] < 1e-37)


def test_phases_keep_their_precision_at_high_indices_and_far_coordinates() -> None:
    rng = np.random.default_rng(0)
    for fraction in [*rng.uniform(-3.0, 3.0, 20), 0.5, 1.0 / 3.0, 0.0]:
        cosines, sines = aligned_row(256), aligned_row(256)
        phases(fraction, -100, cosines, sines)
        angle = 2 * np.pi * fraction * (np.arange(256) - 100)
        assert np.abs(cosines - np.cos(angle)).max() < 6e-7
        assert np.abs(sines - np.sin(angle)).max() < 6e-7
