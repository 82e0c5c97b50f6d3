"""Distance tests in fixed point against float64 brute force over many cells, the smallest included."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.generator.kernels.cell import cell_volume
from xtalpriors.generator.kernels.contact import clash, too_close
from xtalpriors.generator.kernels.fill import frame_of, shells_of

CELLS = [
    UnitCell(4.0, 4.0, 4.0),
    UnitCell(4.0, 7.0, 10.0, 90, 125, 90),
    UnitCell(4.1, 4.3, 9.0, 70, 110, 125),
    UnitCell(10.0, 9.0, 8.0, 90, 90, 120),
    UnitCell(5.0, 5.0, 5.0, 55, 55, 55),
    UnitCell(30.0, 40.0, 50.0, 95, 100, 105),
]
RULE = (0.9, 1.1, 1.4)


def _all_distances(cell: UnitCell, point: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(images, atoms): distances over 7 × 7 × 7 cells."""
    shifts = np.array(list(itertools.product(range(-3, 4), repeat=3)))
    difference = (others - point) % 1.0
    return np.linalg.norm((difference[None] + shifts[:, None]) @ cell.orthogonalization.T, axis=2)


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: "-".join(f"{x:g}" for x in c.parameters))
def test_contacts_equal_brute_force(cell: UnitCell) -> None:
    rng = np.random.default_rng(7)
    cosines = [float(np.cos(np.radians(x))) for x in cell.parameters[3:]]
    parts = (cell.a, cell.b, cell.c, *cosines)
    assert cell_volume(parts) == pytest.approx(cell.volume, rel=1e-12)
    metric, reciprocal, _ = frame_of(parts, cell.volume)
    metric = tuple(np.float32(x) for x in metric)
    images = rng.integers(-(2**31), 2**31, (3, 6), dtype=np.int32)
    radii = rng.choice([0.31, 0.76, 1.4, 2.2], 6).astype(np.float32)
    fract = images.T / 2.0**32
    near = broken = 0
    for _ in range(300):
        point = rng.integers(0, 2**32, 3)
        radius = rng.choice([0.31, 0.76, 2.2])
        d = _all_distances(cell, point / 2.0**32, fract)
        limit = rng.uniform(0.5, 4.0)
        found = too_close(
            *point,
            images,
            np.int64(0),
            np.int64(6),
            metric,
            np.float32(limit**2),
            shells_of(limit, reciprocal),
        )
        if abs(d - limit).min() > 1e-4:
            assert found == bool((d < limit).any())
            near += found
        ratio = d / (radii + radius)[None]
        expected = bool(((ratio <= RULE[0]) | ((ratio >= RULE[1]) & (ratio <= RULE[2]))).any())
        far = shells_of(RULE[2] * (radius + float(radii.max())), reciprocal)
        squares = tuple(np.float32(x * x) for x in RULE)
        found = clash(
            *point, np.float32(radius), images, radii, np.int64(0), np.int64(6), metric, squares, far
        )
        if min(abs(ratio - x).min() for x in RULE) > 1e-4:
            assert found == expected
            broken += found
    assert near > 0
    assert broken > 0


def test_one_image_is_enough_below_half_and_more_are_taken_above() -> None:
    assert shells_of(1.2, (0.25, 0.25, 0.25)) == (1, 1, 1)
    assert shells_of(2.5, (0.25, 0.1, 0.41)) == (2, 1, 3)
