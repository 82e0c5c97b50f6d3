"""Numbers of groups in settings that no table lists, against moyopy."""

from __future__ import annotations

from fractions import Fraction

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ask

from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.closure import NotAGroupError
from xtalpriors.crystal.symmetry.identify import search_by_class
from xtalpriors.crystal.symmetry.primitive import primitive_basis
from xtalpriors.crystal.symmetry.settings import group_in_setting
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.triplets import parse_triplet
from xtalpriors.crystal.wyckoff import site_symmetries

MOYO = """
import moyopy
answer = [moyopy.SpaceGroup(rotations, translations).number for rotations, translations in question]
"""


def _primitive_operators(group: SpaceGroup) -> tuple[list[list[list[int]]], list[list[float]]]:
    """Rotations and translations on a primitive basis, as moyopy wants them."""
    basis = primitive_basis(group)
    inverse = np.linalg.inv(basis)
    rotations = np.rint(inverse @ group.rotations @ basis).astype(int)
    _, first = np.unique(rotations.reshape(-1, 9), axis=0, return_index=True)
    translations = group.translations @ inverse.T % 1
    return rotations[first].tolist(), translations[first].tolist()


def _odd_settings() -> list[tuple[int, SpaceGroup]]:
    """Every number in three settings that are odd: another origin, sheared axes, and a doubled cell."""
    rng = np.random.default_rng(20261120)
    found = []
    for number in range(1, 231):
        group = SpaceGroup.from_number(number)
        shift = (
            Fraction(int(rng.integers(1, 16)), 16),
            Fraction(1, 10),
            Fraction(int(rng.integers(1, 24)), 24),
        )
        axes = (
            [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[1, 1, 0], [0, 1, 0], [0, 0, 1]],
            [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
        )
        for rows in axes:
            change = ChangeOfBasis.from_matrix(rows, [float(x) for x in shift])
            found.append((number, group_in_setting(group, change)))
    for number in (1, 2, 5, 14, 15, 19, 43, 62):
        doubled = ChangeOfBasis.from_matrix([[0.5, 0, 0], [0, 1, 0], [0, 0, 0.5]])
        found.append((number, group_in_setting(SpaceGroup.from_number(number), doubled)))
    return found


@pytest.mark.slow
def test_odd_settings_of_all_groups() -> None:
    odd = _odd_settings()
    assert sum(group.hm is None for _, group in odd) > 600
    for number, group in odd:
        assert group.number == number
        assert group_in_setting(group, group.to_reference) is SpaceGroup.from_number(number)
    numbers = ask("moyopy", MOYO, [_primitive_operators(group) for _, group in odd])
    assert numbers == [number for number, _ in odd]


@pytest.mark.slow
def test_the_search_alone_finds_every_listed_setting() -> None:
    # gemmi's table is not asked here: operators in, number out
    for sg in gemmi.spacegroup_table():
        operators = frozenset(parse_triplet(op.triplet()) for op in sg.operations())
        found = search_by_class(operators)
        assert found is not None
        assert found[0] == sg.number


def test_reverse_rhombohedral_axes() -> None:
    # the setting that exchanges 2/3,1/3,1/3 for 1/3,2/3,1/3 has no name
    triplets = [
        ",".join(f"{a}+{b}" for a, b in zip(operator.split(","), shift, strict=True))
        for operator in ("x,y,z", "-y,x-y,z", "-x+y,-x,z")
        for shift in (("0", "0", "0"), ("1/3", "2/3", "1/3"), ("2/3", "1/3", "2/3"))
    ]
    group = SpaceGroup.from_operators(triplets)
    assert (group.number, group.hm, group.centring, group.order) == (146, None, "X", 9)


def test_rotations_of_no_crystal_class() -> None:
    # shears form no finite group
    with pytest.raises(NotAGroupError):
        SpaceGroup.from_operators(["x,y,z", "x+y,y,z", "x+2*y,y,z"])


@given(
    number=st.integers(1, 230),
    shear=st.lists(st.sampled_from([(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]), max_size=2),
    shift=st.tuples(*[st.integers(0, 23)] * 3),
)
@settings(max_examples=60, deadline=None)
def test_any_axes_and_origin(number: int, shear: list[tuple[int, int]], shift: tuple[int, int, int]) -> None:
    matrix = np.eye(3)
    for i, j in shear:
        step = np.eye(3)
        step[i, j] = 1
        matrix = step @ matrix
    change = ChangeOfBasis.from_matrix(matrix, np.array(shift) / 24)
    group = group_in_setting(SpaceGroup.from_number(number), change)
    assert group.number == number
    assert group_in_setting(group, group.to_reference) is SpaceGroup.from_number(number)


PNMA = """
import moyopy
found = moyopy.SpaceGroup(*question)
answer = found.number, found.linear, found.origin_shift
"""


def test_moyopy_takes_another_origin_of_pnma() -> None:
    """Why the identification is not moyopy's: both origins are right, and exchange the letters a and b."""
    # Pnma with its axes turned around and another origin, as one mineral of the AMCSD is described
    change = ChangeOfBasis.from_triplet("y-1/4,z,x-1/4")
    group = group_in_setting(SpaceGroup.from_number(62), change)
    assert (group.number, group.hm) == (62, None)
    number, linear, shift = ask("moyopy", PNMA, _primitive_operators(group))
    assert number == 62
    by_moyopy = ChangeOfBasis.from_matrix(linear, shift).inverse()
    assert group_in_setting(group, by_moyopy) is SpaceGroup.from_number(62)
    origin = by_moyopy.after(group.to_reference.inverse()).coordinates([0, 0, 0])
    metric = np.diag([100.0, 100.0, 100.0])
    assert site_symmetries(SpaceGroup.from_number(62), [[0, 0, 0]], metric).letter.tolist() == ["a"]
    assert site_symmetries(SpaceGroup.from_number(62), [origin], metric).letter.tolist() == ["b"]
