"""Which setting is meant where a symbol or a number leaves it open, or names one that the cell has not."""

from __future__ import annotations

import pytest

from xtalpriors.crystal.symmetry.resolve import Resolution, SymmetryFailure, resolve_space_group
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.symbols import setting_of_hm

RIGHT, HEXAGONAL = (90.0, 90.0, 90.0), (90.0, 90.0, 120.0)
ALPHA, BETA, GAMMA = (98.3, 90.0, 90.0), (90.0, 98.3, 90.0), (90.0, 90.0, 98.3)


def resolved(
    hm: str | None = None,
    number: int | None = None,
    angles: tuple[float, float, float] = RIGHT,
    code: str | None = None,
    hall: str | None = None,
    operators: tuple[str, ...] = (),
) -> Resolution:
    answer = resolve_space_group(operators, hall, hm, number, angles, code)
    assert isinstance(answer, Resolution), answer
    return answer


@pytest.mark.parametrize(
    ("hm", "code", "meant"),
    [
        ("F d -3 m", "1", "F d -3 m:1"),
        ("F d -3 m", "2", "F d -3 m:2"),
        ("P n n n", "1", "P n n n:1"),
        ("P 4/n m m", "1", "P 4/n m m:1"),
        ("I 41/a m d", "2", "I 41/a m d:2"),
        ("P n -3", "1", "P n -3:1"),
        ("P n c b", "1cab", "P n c b:1"),
        ("F d -3 m:1", "2", "F d -3 m:1"),  # the symbol says it itself
        ("F d -3 m", "abc", "F d -3 m:2"),
        ("F d -3 m", "?", "F d -3 m:2"),
    ],
)
def test_the_origin_is_that_of_the_coordinate_system_code_else_the_centre(
    hm: str, code: str, meant: str
) -> None:
    assert resolved(hm, code=code).group.hm == meant


@pytest.mark.parametrize("hm", ["F d -3 m", "F d d d", "P 42/n m c", "I 41/a", "P n -3 n"])
def test_a_symbol_without_an_origin_means_the_centre_of_inversion(hm: str) -> None:
    """The operators hold -x,-y,-z itself, which those of origin choice 1 of these groups do not."""
    assert "-x,-y,-z" in resolved(hm).group.operators
    assert resolved(hm).group is SpaceGroup.from_hm(hm)


@pytest.mark.parametrize(
    ("number", "angles", "code", "meant"),
    [
        (227, RIGHT, "1", "F d -3 m:1"),
        (227, RIGHT, None, "F d -3 m:2"),
        (14, BETA, "b2", "P 1 21/n 1"),
        (14, BETA, "b3", "P 1 21/a 1"),
        (15, BETA, "-b1", "A 1 2/a 1"),
        (62, RIGHT, "cab", "P b n m"),
        (62, RIGHT, "abc", "P n m a"),
        (50, RIGHT, "2cab", "P n c b:2"),
        (148, HEXAGONAL, "h", "R -3:H"),
        (62, RIGHT, "b1", "P n m a"),  # a code that orthorhombic groups do not have
        # the cell says it where there is no code
        (14, GAMMA, None, "P 1 1 21/a"),
        (14, ALPHA, None, "P 21/b 1 1"),
        (15, GAMMA, None, "A 1 1 2/a"),
        (5, ALPHA, None, "B 2 1 1"),
        (3, GAMMA, None, "P 1 1 2"),
        (14, BETA, None, "P 1 21/c 1"),
        (14, RIGHT, None, "P 1 21/c 1"),
        (167, (55.3, 55.3, 55.3), None, "R -3 c:R"),
        (146, (109.5, 109.5, 109.5), None, "R 3:R"),
        (155, HEXAGONAL, None, "R 3 2:H"),
    ],
)
def test_a_number_takes_the_setting_of_its_code_or_of_the_cell(
    number: int, angles: tuple[float, float, float], code: str | None, meant: str
) -> None:
    assert resolved(None, number, angles, code).group.hm == meant


@pytest.mark.parametrize("angle", [90.0, 90.01, 89.985, 90.5, 60.0])
def test_three_equal_angles_are_never_those_of_hexagonal_axes(angle: float) -> None:
    """A perovskite such as BiFeO3 can have rhombohedral axes within a hundredth of a degree of 90°."""
    angles = (angle, angle, angle)
    for symbol in ("R -3 c", "R -3 c:H", "R -3 c H"):
        assert resolved(symbol, angles=angles).group.hm == "R -3 c:R"
    assert resolved(None, 167, angles).group.order == 12
    assert resolved(hall='-R 3 2"c', angles=angles).group.hm == "R -3 c:R"


@pytest.mark.parametrize(
    ("hm", "angles", "meant"),
    [
        ("P 1 21/c 1", GAMMA, "P 1 1 21/a"),
        ("P 1 21/n 1", GAMMA, "P 1 1 21/n"),
        ("P 1 21/n 1", ALPHA, "P 21/n 1 1"),
        ("P 1 1 2", BETA, "P 1 2 1"),
        ("C 1 2 1", GAMMA, "A 1 1 2"),
        ("I 1 2/a 1", ALPHA, "I 2/c 1 1"),
        ("P 1 1 21/b", BETA, "P 1 21/a 1"),
    ],
)
def test_the_cell_decides_against_the_unique_axis_of_a_full_symbol(
    hm: str, angles: tuple[float, float, float], meant: str
) -> None:
    """The cell choice stays the same (ITA vol. A, table 2.2.16.1: 1, 2, 3 of unique axis b and c)."""
    found = resolved(hm, angles=angles)
    assert found.group.hm == meant
    assert "axes-from-cell" in found.notes
    assert resolved(hm, angles=RIGHT).group.hm == hm


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("P 1 21/n 1 (No. 14)", "P 1 21/n 1"),
        ("P21/n, non-standard", "P 1 21/n 1"),
        ("P 21/a #14", "P 1 21/a 1"),
        ("P -1 (2)", "P -1"),
        ("P 1 21 1 (4)", "P 1 21 1"),
        ("Pbnm (nr 62)", "P b n m"),
        ("Space group: I -4 2 d", "I -4 2 d"),
        ("P 63/m (176)", "P 63/m"),
        ("I a -3 d no. 230", "I a -3 d"),
        ("P 1 21/n 1 - nonstandard setting", "P 1 21/n 1"),
        ("P n -3 n [origin 2]", "P n -3 n:2"),
    ],
)
def test_words_behind_a_symbol_do_not_hide_it(text: str, meant: str) -> None:
    found = resolved(text)
    assert found.group.hm == meant
    assert found.agreement == "agree"


def test_a_digit_in_brackets_is_not_taken_for_the_number_of_another_group() -> None:
    """It may be a screw axis."""
    assert setting_of_hm("P 2 (1)", "") is None


@pytest.mark.parametrize("symbol", ["P 21/q", "Q 2 2", "P 1 21/c 2 1", "monoclinic", "P 99"])
def test_a_symbol_that_cannot_be_read_never_agrees(symbol: str) -> None:
    p21c = ("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2")
    for operators in ((), p21c):
        found = resolved(symbol, 14, BETA, operators=operators)
        assert found.agreement == "unread"
        assert "symbol-unknown" in found.notes
    assert resolved("P 21/c", 14, BETA, hall="-Q 2y").agreement == "unread"


@pytest.mark.parametrize(
    ("symbol", "number"),
    [("F 1 2/d 1", 15), ("C 1 21/d 1", 14), ("F 1 21 n 1", 9), ("I 2 2 21", 17), ("P 4 3 1 2", 98)],
)
def test_a_lattice_letter_that_contradicts_the_number_is_a_rejection(symbol: str, number: int) -> None:
    """The number's own setting has fewer or more lattice points in the cell: no count would be right."""
    answer = resolve_space_group((), None, symbol, number)
    assert isinstance(answer, SymmetryFailure)
    assert answer.code == "lattice-contradicted"
    assert symbol in answer.detail


def test_a_lattice_letter_that_the_operators_lack_is_a_disagreement() -> None:
    half = ("x,y,z", "-x,y,-z+1/2", "-x,-y,-z", "x,-y,z+1/2")
    assert resolved("F 1 2/d 1", 13, BETA, operators=half).agreement == "disagree"
    assert resolved("P 1 2/q 1", 13, BETA, operators=half).agreement == "unread"


@pytest.mark.parametrize(
    ("hm", "angles", "meant", "said"),
    [
        ("P 21/c", GAMMA, "P 1 1 21/a", True),
        ("P 21/c", ALPHA, "P 21/c 1 1", True),
        ("P 21/n", GAMMA, "P 1 1 21/n", True),
        ("C 2/c", GAMMA, "A 1 1 2/a", True),
        ("P 21", ALPHA, "P 21 1 1", True),
        ("P 21/c", BETA, "P 1 21/c 1", False),
        ("P 21/c", RIGHT, "P 1 21/c 1", False),
        ("P 21/b", GAMMA, "P 1 1 21/b", False),  # short for c
    ],
)
def test_a_short_symbol_that_is_read_on_another_axis_than_b_says_so(
    hm: str, angles: tuple[float, float, float], meant: str, said: bool
) -> None:
    found = resolved(hm, angles=angles)
    assert ("axes-from-cell" in found.notes) == said
    assert found.agreement == "agree"
    assert found.group.hm == meant
