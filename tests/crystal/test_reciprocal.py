"""Miller indices, d-spacings, absences and equivalent reflections against gemmi and the published tables."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from xtalpriors.crystal.scattering.reciprocal import (
    IndexBox,
    asymmetric_box,
    check_d_min,
    orbit_numbers,
    reflection_multiplicities,
    s_squared,
    systematic_absences,
    unique_reflections,
)
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError


def published_list() -> np.ndarray:
    """The reflections of PhAI by their definition (Larsen et al. 2024, doi 10.1126/science.adn2777)."""
    return np.array(
        [
            (h, k, l)
            for h in range(-10, 11)
            for k in range(11)
            for l in range(11)
            if 0 < h * h + k * k + l * l <= 100
        ]
    )


def test_counts_of_the_published_reflections_of_p21c() -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")
    hkl = published_list()
    absent = systematic_absences(group, hkl)
    unique = unique_reflections(group, hkl)
    assert (len(hkl), absent.sum(), (~unique).sum(), (unique & ~absent).sum()) == (1205, 84, 79, 1042)
    h, k, l = hkl.T
    assert np.array_equal(absent, ((k == 0) & (l % 2 == 1)) | ((h == 0) & (l == 0) & (k % 2 == 1)))
    assert np.array_equal(~unique, (l == 0) & (h < 0))
    orbits = orbit_numbers(group, hkl)
    mates = {tuple(x): o for x, o in zip(hkl.tolist(), orbits, strict=True)}
    assert mates[-3, 2, 0] == mates[3, 2, 0] and mates[-3, 2, 1] != mates[3, 2, 1]
    assert asymmetric_box(group, 10) == IndexBox(-10, 10, 0, 10, 0, 10)


def test_the_box_lists_h_then_k_then_l_ascending() -> None:
    box = IndexBox(-1, 0, 0, 1, 2, 3)
    assert box.shape == (2, 2, 2)
    assert box.miller_indices.tolist() == [
        [-1, 0, 2], [-1, 0, 3], [-1, 1, 2], [-1, 1, 3], [0, 0, 2], [0, 0, 3], [0, 1, 2], [0, 1, 3],
    ]  # fmt: skip


SETTINGS = [sg for sg in gemmi.spacegroup_table() if sg.is_reference_setting() or sg.ext in "12HR"]


def test_absences_and_multiplicities_agree_with_gemmi_in_every_group() -> None:
    hkl = IndexBox(-4, 4, -4, 4, -4, 6).miller_indices
    hkl = hkl[np.any(hkl != 0, axis=1)]
    every = IndexBox(-4, 4, -4, 4, -4, 4).miller_indices
    inner = np.abs(every).max(axis=1) <= 2
    numbers, absent_somewhere = set(), 0
    for setting in SETTINGS[::2]:
        group = SpaceGroup.from_operators(op.triplet() for op in setting.operations())
        operations = setting.operations()
        absent = systematic_absences(group, hkl)
        some = hkl[:: len(hkl) // 120]
        expected = [operations.is_systematically_absent(h) for h in some.tolist()]
        assert absent[:: len(hkl) // 120].tolist() == expected, setting.xhm()
        absent_somewhere += absent.any()
        # the equivalents of indices up to 2 stay below 5, so that their orbits are complete in the box
        orbits = orbit_numbers(group, every)
        counts = np.bincount(orbits)[orbits[inner]]
        assert np.array_equal(counts, reflection_multiplicities(group, every[inner])), setting.xhm()
        numbers.add(setting.number)
    assert len(numbers) > 115 and absent_somewhere > 80


@pytest.mark.parametrize(
    ("symbol", "hkl", "multiplicity"),
    [
        ("P 1", (1, 2, 3), 2), ("P 1 21/c 1", (1, 2, 3), 4), ("P 1 21/c 1", (1, 0, 3), 2),
        ("P 1 21/c 1", (0, 2, 0), 2), ("P n m a", (1, 2, 3), 8), ("P n m a", (0, 2, 3), 4),
        ("P 4/m", (1, 2, 3), 8), ("P 4/m m m", (1, 2, 3), 16), ("P 6/m m m", (1, 2, 3), 24),
        ("P 6/m m m", (1, 0, 0), 6), ("R -3 m:H", (1, 2, 3), 12), ("F m -3 m", (1, 2, 3), 48),
        ("F m -3 m", (1, 1, 1), 8), ("F m -3 m", (2, 0, 0), 6), ("P a -3", (1, 2, 3), 24),
        ("F d -3 m:2", (2, 2, 0), 12),
    ],
)  # fmt: skip
def test_multiplicities_of_the_powder_tables(
    symbol: str, hkl: tuple[int, int, int], multiplicity: int
) -> None:
    # ITA vol. A, table 10.1.2.2: face forms of the Laue classes
    assert reflection_multiplicities(SpaceGroup.from_hm(symbol), np.array([hkl])).tolist() == [multiplicity]


@pytest.mark.parametrize(
    ("symbol", "signs"),
    [
        ("P -1", (True, True, False)), ("P 1 2/m 1", (True, False, False)),
        ("P 1 1 2/m", (True, False, False)), ("P n m a", (False, False, False)),
        ("F m -3 m", (False, False, False)), ("P 4/m", (False, False, False)),
    ],
)  # fmt: skip
def test_the_box_holds_an_equivalent_of_every_reflection(symbol: str, signs: tuple[bool, ...]) -> None:
    group = SpaceGroup.from_hm(symbol)
    box = asymmetric_box(group, 4)
    assert (box.h_min < 0, box.k_min < 0, box.l_min < 0) == signs
    every = IndexBox(-4, 4, -4, 4, -4, 4).miller_indices
    inside = np.all((every >= [box.h_min, box.k_min, box.l_min]), axis=1)
    orbits = orbit_numbers(group, every)
    assert set(orbits[inside]) == set(orbits)


def test_squared_lengths_agree_with_gemmi() -> None:
    rng = np.random.default_rng(1)
    cells = np.column_stack([rng.uniform(4, 20, (20, 3)), rng.uniform(70, 115, (20, 3))])
    hkl = rng.integers(-9, 10, (50, 3))
    expected = [[gemmi.UnitCell(*cell).calculate_1_d2(h) for h in hkl.tolist()] for cell in cells]
    np.testing.assert_allclose(s_squared(hkl, cells), expected, rtol=1e-10, atol=1e-15)


def test_a_resolution_or_an_index_that_cannot_be() -> None:
    with pytest.raises(XtalpriorsError, match=r"d_min is -1\.0 Å"):
        check_d_min(-1.0)
    with pytest.raises(XtalpriorsError, match="largest index is 0"):
        asymmetric_box(SpaceGroup.from_hm("P 1"), 0)


def test_0_0_0_is_never_a_unique_reflection() -> None:
    assert unique_reflections(SpaceGroup.from_number(2), [[0, 0, 0], [1, 0, 0]]).tolist() == [False, True]
