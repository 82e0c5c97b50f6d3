"""Angles that a group fixes, against the crystal systems, and the angle that a volume gives, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from crystals import random_cell

from xtalpriors.crystal.cells.angles_by_symmetry import angle_from_volume, angles_by_symmetry
from xtalpriors.crystal.cells.lengths_by_symmetry import lengths_by_symmetry
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

NONE = np.full(3, np.nan)


@pytest.mark.parametrize(
    ("hm", "open_angles"),
    [
        ("P -1", (True, True, True)),
        ("P 1 21/c 1", (False, True, False)),
        ("C 1 2/c 1", (False, True, False)),
        ("P 1 1 21/a", (False, False, True)),
        ("P 21 1 1", (True, False, False)),
        ("P n m a", (False, False, False)),
        ("I 41/a m d", (False, False, False)),
        ("P 63/m", (False, False, False)),
        ("R -3 c:H", (False, False, False)),
        ("R -3 c:R", (True, True, True)),  # each, but all the same
        ("F m -3 m", (False, False, False)),
    ],
)
def test_a_group_fixes_the_angles_of_its_system(hm: str, open_angles: tuple[bool, ...]) -> None:
    group = SpaceGroup.from_hm(hm)
    cell = np.array(random_cell(group, np.random.default_rng(5)))
    found = angles_by_symmetry(group.rotations.astype(float), cell[:3], NONE)
    assert found is not None
    assert tuple(np.isnan(found)) == open_angles
    fixed = ~np.isnan(found)
    np.testing.assert_allclose(found[fixed], cell[3:][fixed], atol=1e-6)


def test_one_rhombohedral_angle_gives_the_others() -> None:
    group = SpaceGroup.from_hm("R -3:R")
    found = angles_by_symmetry(
        group.rotations.astype(float), np.full(3, 6.1), np.array([np.nan, 57.2, np.nan])
    )
    np.testing.assert_allclose(found, 57.2)


@pytest.mark.parametrize(
    ("hm", "lengths", "angles"),
    [
        ("P 63/m", (5.0, 6.0, 7.0), NONE),  # a and b differ
        ("P n m a", (5.0, 6.0, 7.0), np.array([np.nan, 95.0, np.nan])),
        ("P 63/m", (5.0, 5.0, 7.0), np.array([90.0, np.nan, 90.0])),
    ],
)
def test_a_cell_that_contradicts_the_group_has_no_angles_by_it(
    hm: str, lengths: tuple[float, ...], angles: np.ndarray
) -> None:
    assert (
        angles_by_symmetry(SpaceGroup.from_hm(hm).rotations.astype(float), np.array(lengths), angles) is None
    )


@pytest.mark.parametrize(
    ("angles", "sine", "degree"),
    [
        ((90, np.nan, 90), math.sin(math.radians(102.5)), 102.5),
        ((np.nan, 90, 90), math.sin(math.radians(91.0)), 91.0),
        ((90, 90, np.nan), 1.0, 90.0),
        ((90, np.nan, 90), 1.001, 90.0),  # rounded
        ((90, np.nan, 90), 1.01, None),
        ((90, np.nan, 90), 0.3, None),  # 162.5°: the volume is that of something else
        ((90, np.nan, 90), math.nan, None),
        ((90, np.nan, 91), 0.97, None),  # an acute and an obtuse one
        ((90, np.nan, np.nan), 0.97, None),
    ],
)
def test_the_volume_gives_one_angle_beside_two_right_ones(
    angles: tuple[float, ...], sine: float, degree: float | None
) -> None:
    found = angle_from_volume(np.array([5.0, 6.0, 7.0]), np.array(angles, dtype=float), 210.0 * sine)
    assert found == (None if degree is None else pytest.approx(degree, abs=1e-3))


def test_an_axis_has_the_length_of_the_one_that_a_rotation_takes_it_to() -> None:
    cubic = SpaceGroup.from_hm("P a -3").rotations.astype(np.float64)
    assert lengths_by_symmetry(cubic, np.array([np.nan, np.nan, 5.6])).tolist() == [5.6, 5.6, 5.6]
    # a twofold axis along a that takes b to a - b, as in a primitive cell of a C lattice: b is not a
    oblique = np.array([[[1.0, 1.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]])
    found = lengths_by_symmetry(oblique, np.array([5.0, np.nan, 7.0]))
    assert found[[0, 2]].tolist() == [5.0, 7.0]
    assert np.isnan(found[1])
