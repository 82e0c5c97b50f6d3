"""Structures without any hydrogen: whether they have none, or it was left out, by their charges and bonds."""

from __future__ import annotations

import math

import pytest

from tests.reader_cif import atoms, cell, entry, structure

CUBE = {n: f"_symmetry_space_group_name_H-M '{n}'\n" for n in ("P m -3 m", "F m -3 m", "P -4 3 m", "P 1")}


def origin(
    formula: str, rows: list[str], *, axes: tuple[float, ...] = (20, 20, 20), symmetry: str = "P 1"
) -> str | None:
    """What is said of hydrogen in a structure with these rows: element and coordinates."""
    named = [f"{row.split()[0]}{i} {row}" for i, row in enumerate(rows)]
    said = f"_chemical_formula_sum '{formula}'\n"
    found = entry(structure(cell(*axes), said, atoms(*named), symmetry=CUBE[symmetry]))
    assert found["composition_agreement"] in ("agree", "multiple")
    assert (found["n_atoms_h_cell"] is None) == (found["hydrogen_origin"] is None)
    return found["hydrogen_origin"]  # type: ignore[no-any-return]


def around(
    x: float, y: float, z: float, d: float, element: str = "O", n: int = 4, box: float = 20.0
) -> list[str]:
    """`n` atoms at d Å from an atom: along the diagonals of a cube for 4, in a plane for 3, along x else."""
    directions = {
        4: [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)],
        3: [(1, 0, 0), (-0.5, 0.75**0.5, 0), (-0.5, -(0.75**0.5), 0)],
        2: [(1, 0, 0), (-0.3, 0.95, 0)],
        1: [(1, 0, 0)],
    }[n]
    scale = d / sum(c * c for c in directions[0]) ** 0.5 / box
    return [
        f"{element} {x + a * scale:.5f} {y + b * scale:.5f} {z + c * scale:.5f}" for a, b, c in directions
    ]


SULFATE = ["S .2 .2 .2", *around(0.2, 0.2, 0.2, 1.48)]
PERCHLORATE = ["Cl .2 .2 .2", *around(0.2, 0.2, 0.2, 1.44)]
NITRATE = ["N .7 .7 .7", *around(0.7, 0.7, 0.7, 1.25, n=3)]


def test_ammonium_halides() -> None:
    """Sal ammoniac (Pm-3m, a = 3.87 Å) and ammonium iodide (Fm-3m, 7.26 Å)."""
    assert origin("Cl N", ["N 0 0 0", "Cl .5 .5 .5"], axes=(3.87,) * 3, symmetry="P m -3 m") is None
    assert origin("I N", ["N 0 0 0", "I .5 .5 .5"], axes=(7.26,) * 3, symmetry="F m -3 m") is None


@pytest.mark.parametrize(
    ("formula", "rows"),
    [
        ("N2 O4 S", ["N .5 .5 .5", "N .8 .5 .5", *SULFATE]),  # mascagnite
        ("Cl N O4", ["N .5 .5 .5", *PERCHLORATE]),
        ("N2 O3", ["N .2 .2 .2", *NITRATE]),  # ammonium nitrate
        ("K N O4 S", ["N .5 .5 .5", "K .8 .5 .5", *SULFATE]),
        (
            "Al N O8 Si3",
            ["N .1 .1 .1", "Al .5 .5 .5", "Si .3 .3 .5", "Si .5 .3 .3", "Si .8 .8 .8"]
            + [f"O .{i}5 .9 .05" for i in range(1, 9)],
        ),  # buddingtonite
        ("Cl2 N2 Pt", ["Pt .5 .5 .5", *around(0.5, 0.5, 0.5, 2.05, "N", 2), "Cl .6 .6 .6", "Cl .4 .4 .4"]),
        ("Ag Cl N2", ["Ag .5 .5 .5", *around(0.5, 0.5, 0.5, 2.12, "N", 2), "Cl .2 .2 .2"]),
        (
            "Cl2 N2",
            ["N .5 .5 .5", *around(0.5, 0.5, 0.5, 1.42, "N", 1), "Cl .7 .5 .5", "Cl .3 .5 .5"],
        ),  # hydrazinium
        (
            "K N O3 S",
            [
                "K .2 .5 .5",
                "S .5 .5 .5",
                *around(0.5, 0.5, 0.5, 1.44)[:3],
                *around(0.5, 0.5, 0.5, 1.66, "N")[3:],
            ],
        ),
        (
            "C2 N2 O4",
            [
                "N .1 .1 .1",
                "N .1 .1 .5",
                "C .5 .5 .5",
                "C .577 .5 .5",
                *around(0.5, 0.5, 0.5, 1.25, n=3)[1:],
                *("O .607 .552 .5", "O .607 .448 .5"),
            ],
        ),
    ],
)
def test_nitrogen_that_needs_hydrogen(formula: str, rows: list[str]) -> None:
    """Ammonium, ammines, hydrazinium, a sulfamate, an oxalate of ammonium."""
    assert origin(formula, rows) is None


@pytest.mark.parametrize(
    ("formula", "rows"),
    [
        ("N Na O3", ["Na .2 .2 .2", *NITRATE]),
        ("N Na O2", ["Na .2 .2 .2", "N .5 .5 .5", *around(0.5, 0.5, 0.5, 1.24, n=2)]),
        ("N3 Na", ["Na .2 .2 .2", "N .5 .5 .5", "N .558 .5 .5", "N .442 .5 .5"]),
        ("N2", ["N .5 .5 .5", *around(0.5, 0.5, 0.5, 1.10, "N", 1)]),
        ("C N Na", ["Na .2 .2 .2", "C .5 .5 .5", *around(0.5, 0.5, 0.5, 1.16, "N", 1)]),
        ("N2 O", ["N .5 .5 .5", *around(0.5, 0.5, 0.5, 1.13, "N", 1), "O .4405 .5 .5"]),
        (
            "Cl3 N Re",
            [
                "Re .5 .5 .5",
                *around(0.5, 0.5, 0.5, 1.65, "N", 1),
                "Cl .4 .6 .5",
                "Cl .4 .4 .5",
                "Cl .5 .5 .6",
            ],
        ),
        ("F3 N", ["N .5 .5 .5", *around(0.5, 0.5, 0.5, 1.37, "F", 3)]),
    ],
)
def test_nitrogen_without_hydrogen(formula: str, rows: list[str]) -> None:
    """Nitrate, nitrite, azide, the element, cyanide, laughing gas, a nitrido complex, NF₃."""
    assert origin(formula, rows) == "none"


@pytest.mark.parametrize(
    ("formula", "a", "symmetry", "rows"),
    [
        ("N Ti", 4.24, "F m -3 m", ["Ti 0 0 0", "N .5 .5 .5"]),
        ("La N", 5.30, "F m -3 m", ["La 0 0 0", "N .5 .5 .5"]),
        ("B N", 3.615, "F m -3 m", ["B 0 0 0", "N .5 .5 .5"]),
        ("Fe4 N", 3.795, "P m -3 m", ["Fe 0 0 0", "Fe .5 .5 0", "N .5 .5 .5"]),
        ("Ca3 Cl N", 5.0, "P m -3 m", ["N 0 0 0", "Ca .5 0 0", "Cl .5 .5 .5"]),
        ("N S", 20, "P 1", ["N .5 .5 .5", "S .58 .5 .5", "N .58 .58 .5", "S .5 .58 .5"]),
    ],
)
def test_nitrides_have_no_hydrogen(formula: str, a: float, symmetry: str, rows: list[str]) -> None:
    assert origin(formula, rows, axes=(a,) * 3, symmetry=symmetry) == "none"


@pytest.mark.parametrize(
    ("formula", "rows", "expected"),
    [
        (
            "Cl2 Mg O6",
            ["Mg .5 .5 .5", "Cl .1 .1 .1", "Cl .9 .9 .9", *(f"O .{i} .5 .2" for i in range(2, 8))],
            None,
        ),
        (
            "Cl Cu2 O3",
            ["Cu .5 .5 .5", "Cu .3 .5 .5", "Cl .1 .1 .1", "O .4 .4 .5", "O .4 .6 .5", "O .5 .5 .4"],
            None,
        ),
        ("Cl O Pb", ["Pb .5 .5 .5", "Cl .3 .5 .5", "O .5 .6 .5"], "none"),  # Pb 4+ would balance: not known
        ("Cl K O4", ["K .7 .7 .7", *PERCHLORATE], "none"),
        ("Cl2 Mg O8", ["Mg .9 .9 .9", *PERCHLORATE, "Cl .6 .6 .6", *around(0.6, 0.6, 0.6, 1.44)], "none"),
        ("I K O3", ["K .1 .1 .1", "I .5 .5 .5", *around(0.5, 0.5, 0.5, 1.81, n=3)], "none"),
        (
            "Al3 Cl Na4 O12 Si3",
            [
                "Cl .05 .05 .05",
                *(f"Al .{i} .5 .5" for i in (2, 5, 8)),
                *(f"Si .{i} .7 .5" for i in (2, 5, 8)),
                *(f"Na .{i} .9 .5" for i in (2, 4, 6, 8)),
                *(f"O .{i}5 .3 .5" for i in range(1, 7)),
                *(f"O .{i}5 .6 .2" for i in range(1, 7)),
            ],
            "none",
        ),
        ("Bi Cl O", ["Bi .5 .5 .5", "Cl .3 .5 .5", "O .5 .6 .5"], "none"),
    ],
)
def test_halides_do_not_balance_oxygen(formula: str, rows: list[str], expected: str | None) -> None:
    """Bischofite and atacamite lack hydrogen; perchlorates, iodates, sodalite and bismoclite have none."""
    assert origin(formula, rows) == expected


@pytest.mark.parametrize(
    ("tag", "formula", "expected"),
    [
        ("_chemical_formula_moiety", "'H S -, K +'", None),
        ("_chemical_formula_structural", "'K S H'", None),
        ("_amcsd_formula_title", "KSH", None),
        ("_amcsd_formula_title", "D0.41KS", None),
        ("_chemical_formula_moiety", "'K2 S'", "none"),
        ("_chemical_formula_moiety", "'Hg Hf He, Ho Hs Dy Db'", "none"),
        ("_chemical_formula_moiety", "?", "none"),
    ],
)
def test_another_formula_names_the_hydrogen(tag: str, formula: str, expected: str | None) -> None:
    text = structure(
        cell(), f"_chemical_formula_sum 'K S'\n{tag} {formula}", atoms("K1 K 0 0 0", "S1 S .5 .5 .5")
    )
    assert entry(text)["hydrogen_origin"] == expected


def test_hydrogen_that_is_there_is_counted() -> None:
    said = "_chemical_formula_sum 'Cl H4 N'\n"
    rows = ("N1 N 0 0 0", "Cl1 Cl .5 .5 .5", "H1 H .15 .15 .15")
    found = entry(structure(cell(3.87, 3.87, 3.87), said, atoms(*rows), symmetry=CUBE["P -4 3 m"]))
    assert (found["hydrogen_origin"], found["n_atoms_h_cell"]) == ("sites", 4)


def ring(n: int, d: float, *, substituted: bool = False) -> list[str]:
    """A regular ring of `n` carbons with bonds of d Å, each with a chlorine outside of it if substituted."""
    radius = d / (2 * math.sin(math.pi / n))
    rows = []
    for element, r in (("C", radius), ("Cl", radius + 1.72))[: 2 if substituted else 1]:
        for i in range(n):
            x, y = (0.5 + r * f(2 * math.pi * i / n) / 20 for f in (math.cos, math.sin))
            rows.append(f"{element} {x:.5f} {y:.5f} .5")
    return rows


OXALATE = ["C .2 .2 .2", "C .2785 .2 .2"]
OXALATE += [f"O {x} {y} .2" for x in (0.17, 0.3085) for y in (0.1459, 0.2541)]
METHYL = ["C .2 .2 .2", *around(0.2, 0.2, 0.2, 1.53, "C")]


@pytest.mark.parametrize(
    ("formula", "rows"),
    [
        ("C6", ring(6, 1.39)),  # benzene
        ("C5", ring(5, 1.41)),
        ("C5", METHYL),  # neopentane
        ("C Na O2", ["C .2 .2 .2", "O .2625 .2 .2", "O .169 .254 .2", "Na .7 .7 .7"]),  # a formate
        ("Br C4 N", ["N .2 .2 .2", *around(0.2, 0.2, 0.2, 1.49, "C"), "Br .7 .7 .7"]),  # tetramethylammonium
    ],
)
def test_carbon_with_too_few_bonds_carries_hydrogen(formula: str, rows: list[str]) -> None:
    assert origin(formula, rows) is None


@pytest.mark.parametrize(
    ("formula", "rows"),
    [
        ("C6 Cl6", ring(6, 1.39, substituted=True)),
        ("C O2", ["C .2 .2 .2", "O .258 .2 .2", "O .142 .2 .2"]),
        ("C Ca O3", ["C .2 .2 .2", *around(0.2, 0.2, 0.2, 1.28, n=3), "Ca .7 .7 .7"]),
        ("C2 Na2 O4", [*OXALATE, "Na .7 .7 .7", "Na .7 .3 .7"]),
        ("C K N", ["C .2 .2 .2", "N .2575 .2 .2", "K .7 .7 .7"]),
        ("C K N S", ["C .2 .2 .2", "N .2585 .2 .2", "S .118 .2 .2", "K .7 .7 .7"]),
        ("C3 O2", ["C .2 .2 .2", "C .264 .2 .2", "C .136 .2 .2", "O .322 .2 .2", "O .078 .2 .2"]),
    ],
)
def test_carbon_that_has_its_bonds_carries_none(formula: str, rows: list[str]) -> None:
    assert origin(formula, rows) == "none"


def test_carbon_as_an_element_has_none() -> None:
    """Diamond, and models of carbon with two bonds at an angle in a cell too small for hydrogen."""
    assert origin("C", ["C 0 0 0", "C .25 .25 .25"], axes=(3.567,) * 3, symmetry="F m -3 m") == "none"
    chain = ["C .1 .1 .1", "C .6 .35 .1"]  # a zigzag, 1.46 Å a bond, 1.9 Å from the next
    assert origin("C", chain, axes=(2.4, 3.2, 2.0)) == "none"
