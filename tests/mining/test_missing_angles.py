"""Cell angles that a file does not state, or states so that nobody can read them."""

from __future__ import annotations

import math

import duckdb
import pytest
from reader_cif import P21C, atoms, entry, notes, read, rejection, structure

from xtalpriors.mining.subsets.definition import DEFAULT_SUBSETS
from xtalpriors.mining.subsets.filters import FILTERS

ATOM = atoms("C1 C .1 .2 .3")
IDENTITY = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"


def cell(a: float, b: float, c: float, **angles: object) -> str:
    lengths = zip("abc", (a, b, c), strict=True)
    lines = [f"_cell_length_{n} {v}" for n, v in lengths] + [
        f"_cell_angle_{n} {v}" for n, v in angles.items()
    ]
    return "\n".join(lines) + "\n"


def named(hm: str) -> str:
    return f"_symmetry_space_group_name_H-M '{hm}'\n"


def volume(lengths: tuple[float, float, float], degree: float) -> str:
    return f"_cell_volume {math.prod(lengths) * math.sin(math.radians(degree)):.3f}\n"


def in_shipped_subsets(found: dict[str, object]) -> bool:
    assert all("angles_known" in subset.filters for subset in DEFAULT_SUBSETS.values())
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE entry (notes VARCHAR)")
        connection.execute("INSERT INTO entry VALUES (?)", [found["notes"]])
        kept = connection.execute(f"SELECT {FILTERS['angles_known'].sql} FROM entry").fetchone()
    assert kept is not None
    return bool(kept[0])


@pytest.mark.parametrize(
    ("text", "symmetry", "angles"),
    [
        (cell(5, 6, 7), named("P n m a"), (90, 90, 90)),
        (cell(5, 6, 7, beta="?"), named("P n m a"), (90, 90, 90)),
        (cell(5, 6, 7, alpha=90, beta="??", gamma="."), named("P 21 21 21"), (90, 90, 90)),
        (cell(5, 5, 7), named("P 63/m"), (90, 90, 120)),
        (cell(5, 5, 7, alpha=90, beta=90, gamma="?"), named("P 3 2 1"), (90, 90, 120)),
        (cell(5, 5, 17), named("R -3 c"), (90, 90, 120)),
        (cell(5, 5, 5, alpha=56), named("R -3 c"), (56, 56, 56)),
        (cell(5, 6, 7, beta=101.3), named("P 21/c"), (90, 101.3, 90)),
        (cell(5, 6, 7, beta=101.3, alpha="?"), P21C, (90, 101.3, 90)),
        (cell(5, 6, 7, gamma=101.3), named("P 1 1 21/b"), (90, 90, 101.3)),
        (cell(5, 5, 5), named("F m -3 m"), (90, 90, 90)),
    ],
)
def test_angles_that_the_group_fixes(text: str, symmetry: str, angles: tuple[float, ...]) -> None:
    found = entry(structure(text, ATOM, symmetry=symmetry))
    assert [found[f"{n}_degree"] for n in ("alpha", "beta", "gamma")] == pytest.approx(angles)
    assert "cell-contradicts-group" not in notes(found)
    assert notes(found) & {"angle-by-default", "angle-from-group"}
    assert in_shipped_subsets(found)


@pytest.mark.parametrize(
    ("text", "symmetry"),
    [
        (cell(5, 6, 7), named("P 21/c")),
        (cell(5, 6, 7, alpha=90, gamma=90), named("P 1 21/n 1")),
        (cell(5, 6, 7, alpha=90, beta="?", gamma=90), P21C),
        (cell(5, 6, 7, alpha=90, beta="1O2.5", gamma=90), P21C),
        (cell(5, 6, 7, alpha=90, beta=".", gamma=90), named("I 2/a")),
    ],
)
def test_a_monoclinic_angle_from_the_volume(text: str, symmetry: str) -> None:
    """β of 102.5° is obtuse, as is the convention, and the volume three decimals."""
    found = entry(structure(text, ATOM, volume((5, 6, 7), 102.5), symmetry=symmetry))
    assert found["beta_degree"] == pytest.approx(102.5, abs=2e-3)
    assert found["beta_su_degree"] is None
    assert "angle-from-volume" in notes(found)
    assert "volume-mismatch" not in notes(found)
    assert in_shipped_subsets(found)


@pytest.mark.parametrize(
    ("text", "symmetry", "said"),
    [
        (cell(5, 6, 7), named("P 21/c"), ""),
        (cell(5, 6, 7), P21C, ""),
        (cell(5, 6, 7, alpha=90, gamma=90), named("C 2/c"), ""),
        (cell(5, 6, 7), named("P 21/c"), "_cell_volume 300\n"),  # more than a·b·c
        (cell(5, 6, 7), named("P -1"), volume((5, 6, 7), 105)),
        (cell(5, 6, 7, alpha=90, gamma=90), named("P -1"), volume((5, 6, 7), 105)),  # 75° or 105°
        (cell(5, 6, 7), named("P 1"), ""),
        (cell(5, 6, 7), named("P -1"), "_cell_volume 210.0\n"),  # 89.5° would have it as well
        (cell(5, 5, 5), named("R -3 c"), ""),
        (cell(5, 6, 7), named("P n m a"), volume((5, 6, 7), 110)),  # the volume contradicts the group
        (cell(5, 6, 7), named("P 63/m"), ""),  # the lengths do
        (cell(5, 6, 7), IDENTITY + named("P n m a"), ""),  # the operators do
    ],
)
def test_a_right_angle_that_is_a_guess_is_in_no_shipped_subset(text: str, symmetry: str, said: str) -> None:
    found = entry(structure(text, ATOM, *([said] if said else []), symmetry=symmetry))
    assert found["beta_degree"] == 90.0
    assert {"angle-by-default", "angle-unclear"} <= notes(found)
    assert not in_shipped_subsets(found)


@pytest.mark.parametrize(
    "text",
    [
        cell(5, 6, 7) + "_cell_volume 0\n",
        cell(5, 6, 7) + "_cell_volume -3\n",
        cell(5, 6, 7) + "_cell_volume 1e400\n",
        cell(5, 6, 7, alpha="1e400"),
        cell(5, 6, 7, alpha=0, gamma="-90"),
        cell(5, 6, 7, alpha=180),
        cell(5, 6, 1e-300),
        cell(0, 0, 0),
        cell(5, 6, math.inf) + "_cell_length_a 1e400\n",
        cell(1e300, 1e300, 1e300),
        cell(1, 1, 1),
        cell(5, 6, 7, alpha=20, gamma=100),
    ],
)
@pytest.mark.parametrize("hm", ["P 21/c", "P -1", "R -3 m", "P 63/m"])
def test_impossible_cells_without_angles_end_as_an_entry_or_a_rejection(text: str, hm: str) -> None:
    entries, _, rejections = read(structure(text, ATOM, symmetry=named(hm)))
    assert len(entries) + len(rejections) == 1


@pytest.mark.parametrize(
    ("angle", "code"),
    [("?", "cell-unknown"), ("'about 100'", "cell-not-a-number"), ("100-104", "cell-not-a-number")],
)
def test_an_angle_that_neither_group_nor_volume_tell_is_a_rejection_with_its_word(
    angle: str, code: str
) -> None:
    found = rejection(structure(cell(5, 6, 7, beta=angle), ATOM, symmetry=named("P 21/c")))
    assert (found["code"], found["detail"]) == (code, f"_cell_angle_beta is {angle.strip(chr(39))!r}")


@pytest.mark.parametrize(
    ("lines", "symmetry", "lengths"),
    [
        ("_cell_length_a 5.64", "F m -3 m", (5.64, 5.64, 5.64)),
        ("_cell_length_c 5.64\n_cell_length_a ?", "P a -3", (5.64, 5.64, 5.64)),
        ("_cell_length_a 4.59\n_cell_length_c 2.96", "P 42/m n m", (4.59, 4.59, 2.96)),
        ("_cell_length_a 4.99\n_cell_length_c 17.06", "R -3 c", (4.99, 4.99, 17.06)),
    ],
)
def test_a_missing_length_is_that_of_an_equivalent_axis(
    lines: str, symmetry: str, lengths: tuple[float, float, float]
) -> None:
    found = entry(structure(lines, ATOM, symmetry=named(symmetry)))
    assert tuple(found[f"{n}_angstrom"] for n in "abc") == lengths
    assert "length-from-group" in notes(found)


@pytest.mark.parametrize(
    ("lines", "symmetry"),
    [
        ("_cell_length_a 5.64", "P 42/m n m"),
        ("_cell_length_a 5\n_cell_length_b 6", "P n m a"),
        ("_cell_length_a 5.64\n_cell_length_b 5.l4\n_cell_length_c 5.64", "F m -3 m"),
    ],
)
def test_a_length_that_no_symmetry_tells_is_a_rejection(lines: str, symmetry: str) -> None:
    code = rejection(structure(lines, ATOM, symmetry=named(symmetry)))["code"]
    assert code == ("cell-not-a-number" if "l4" in lines else "cell-incomplete")


def test_an_angle_that_cannot_be_read_is_said_where_the_volume_gives_it() -> None:
    text = cell(5, 6, 7, beta="1o1.3") + volume((5, 6, 7), 101.3)
    assert {"angle-from-volume", "angle-not-a-number"} <= notes(
        entry(structure(text, ATOM, symmetry=named("P 21/c")))
    )
