"""Groups on the axes that the cell has: rhombohedral and hexagonal, and whole cells beside a full symbol."""

from __future__ import annotations

import gemmi
import pytest

from tests.reader_cif import atoms, cell, entry, notes, structure
from xtalpriors.crystal.symmetry.space_group import SpaceGroup

# symbol, formula, Z and lengths on hexagonal axes, rhombohedral cell, sites on the one and on the other axes
CRYSTALS = {
    "arsenic": (
        "R -3 m",
        "As",
        6,
        (3.760, 10.548),
        (4.132, 54.12),
        ["As 0 0 0.2271"],
        ["As 0.2271 0.2271 0.2271"],
    ),
    "calcite": (
        *("R -3 c", "Ca C O3", 6, (4.990, 17.061), (6.375, 46.08)),
        ["Ca 0 0 0", "C 0 0 0.25", "O 0.257 0 0.25"],
        ["Ca 0 0 0", "C 0.25 0.25 0.25", "O 0.507 0.993 0.25"],
    ),
    "bismuth telluride": (
        *("R -3 m", "Bi2 Te3", 3, (4.383, 30.487), (10.473, 24.16)),
        ["Bi 0 0 0.4", "Te 0 0 0", "Te 0 0 0.2121"],
        ["Bi 0.4 0.4 0.4", "Te 0 0 0", "Te 0.2121 0.2121 0.2121"],
    ),
    "lithium niobate": (
        *("R 3 c", "Li Nb O3", 6, (5.148, 13.863), (5.494, 55.87)),
        ["Li 0 0 0.2829", "Nb 0 0 0", "O 0.0492 0.3446 0.0647"],
        ["Li 0.2829 0.2829 0.2829", "Nb 0 0 0", "O 0.1139 0.3601 0.7199"],
    ),
    "dolomite": (
        *("R -3", "Ca Mg C2 O6", 3, (4.808, 16.002), (6.014, 47.12)),
        ["Ca 0 0 0", "Mg 0 0 0.5", "C 0 0 0.2429", "O 0.2477 -0.0354 0.2440"],
        ["Ca 0 0 0", "Mg 0.5 0.5 0.5", "C 0.2429 0.2429 0.2429", "O 0.4917 0.9609 0.2794"],
    ),
}


def hm(symbol: str) -> str:
    return f"_symmetry_space_group_name_H-M '{symbol}'\n"


def listed(symbol: str) -> list[str]:
    found = gemmi.find_spacegroup_by_name(symbol)
    assert found is not None
    return [op.triplet() for op in found.operations()]


def crystal(name: str, axes: str, said: str, *, operators: str = "", z: bool = True) -> str:
    """A crystal on the axes named, beside a symbol and the operators of a setting."""
    _, formula, units, (a, c), (r, alpha), hexagonal, rhombohedral = CRYSTALS[name]
    parameters = cell(a, a, c, 90, 90, 120) if axes == "H" else cell(r, r, r, alpha, alpha, alpha)
    contents = f"_chemical_formula_sum '{formula}'\n"
    contents += f"_cell_formula_units_Z {units if axes == 'H' else units // 3}\n" if z else ""
    sites = atoms(
        *(f"{s.split()[0]}{i} {s}" for i, s in enumerate(hexagonal if axes == "H" else rhombohedral))
    )
    if operators:
        said += "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{op}'\n" for op in listed(operators))
    return structure(parameters, contents, sites, symmetry=said)


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("z", [True, False])
@pytest.mark.parametrize(("axes", "wrong"), [("H", "R"), ("R", "H")])
def test_operators_on_axes_that_the_cell_has_not(name: str, z: bool, axes: str, wrong: str) -> None:
    symbol, _, units = CRYSTALS[name][:3]
    for said in (hm(symbol), hm(f"{symbol}:{wrong}"), ""):
        found = entry(crystal(name, axes, said, operators=f"{symbol}:{wrong}", z=z))
        assert found["sg_hm"] == f"{symbol}:{axes}"
        assert found["formula_units"] == (units if axes == "H" else units // 3)
        assert found["composition_agreement"] == "agree"
        assert {"axes-from-cell", "decided-by-cell"} <= notes(found, volume=True)
        assert not notes(found, volume=True) & {
            *("cell-contradicts-group", "operators-misprinted", "operators-incomplete", "volume-implausible")
        }


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("axes", ["H", "R"])
def test_operators_on_the_axes_of_the_cell_stay(name: str, axes: str) -> None:
    symbol = CRYSTALS[name][0]
    for said in (hm(symbol), hm(f"{symbol}:{axes}"), ""):
        found = entry(crystal(name, axes, said, operators=f"{symbol}:{axes}"))
        assert (found["sg_hm"], found["notes"]) == (f"{symbol}:{axes}", None)


@pytest.mark.parametrize("axes", ["H", "R"])
def test_sites_that_go_with_the_operators_leave_the_cell_contradicted(axes: str) -> None:
    """The sites were written for the operators, so that the cell is what is wrong."""
    wrong = "R" if axes == "H" else "H"
    text = crystal("arsenic", axes, hm("R -3 m"), operators=f"R -3 m:{wrong}")
    hexagonal, rhombohedral = CRYSTALS["arsenic"][5:]
    mine, others = (hexagonal, rhombohedral) if axes == "H" else (rhombohedral, hexagonal)
    found = entry(text.replace(mine[0], others[0]))
    assert found["sg_hm"] == f"R -3 m:{wrong}"
    assert "cell-contradicts-group" in notes(found)


@pytest.mark.parametrize(
    ("said", "axes"),
    [("R -3 m:H", "R"), ("R -3 m H", "R"), ("R -3 m (hex axes)", "R"), ("R -3 m:R", "H"), ("R -3 m R", "H")],
)
def test_axes_of_a_symbol_that_the_cell_has_not_are_said(said: str, axes: str) -> None:
    found = entry(crystal("arsenic", axes, hm(said)))
    assert (found["sg_hm"], found["sg_agreement"]) == (f"R -3 m:{axes}", "setting")
    assert "axes-from-cell" in notes(found)
    assert found["composition_agreement"] == "agree"


@pytest.mark.parametrize(
    ("said", "axes"), [("R -3 m:H", "H"), ("R -3 m R", "R"), ("R -3 m", "R"), ("R -3 m", "H")]
)
def test_axes_of_a_symbol_that_the_cell_has_are_not(said: str, axes: str) -> None:
    found = entry(crystal("arsenic", axes, hm(said)))
    assert (found["sg_hm"], found["sg_agreement"], found["notes"]) == (f"R -3 m:{axes}", "agree", None)


# number, symbol, formula, sites on the axes of the primitive lattice, its cell, atoms in it
PRIMITIVE = {
    "rock salt": (
        225,
        "F m -3 m",
        "Cl Na",
        ["Na 0 0 0", "Cl .5 .5 .5"],
        (3.988, 3.988, 3.988, 60, 60, 60),
        2,
    ),
    "diamond": (227, "F d -3 m:1", "C", ["C 0 0 0"], (2.522, 2.522, 2.522, 60, 60, 60), 2),
    "tungsten": (229, "I m -3 m", "W", ["W 0 0 0"], (2.7409,) * 3 + (109.471,) * 3, 1),
    "indium": (139, "I 4/m m m", "In", ["In 0 0 0"], (3.376, 3.376, 3.376, 122.42, 122.42, 85.98), 1),
    "uranium": (63, "C m c m", "U", ["U -.1025 .1025 .25"], (3.263, 3.263, 4.955, 90, 90, 128.13), 2),
}


@pytest.mark.parametrize("name", PRIMITIVE)
@pytest.mark.parametrize("with_list", ["all", "identity", ""])
@pytest.mark.parametrize("z", [True, False])
def test_a_centred_group_beside_its_primitive_cell(name: str, with_list: str, z: bool) -> None:
    """As programs for electronic structures write it: the usual symbol, and the primitive cell."""
    number, symbol, formula, rows, parameters, atoms_in_cell = PRIMITIVE[name]
    if with_list == "identity" and name in ("diamond", "uranium"):  # all atoms of the cell
        rows = [*rows, "C .25 .25 .25" if name == "diamond" else "U .1025 -.1025 .75"]
    operators = {"all": listed(symbol), "identity": ["x,y,z"], "": []}[with_list]
    said = hm(symbol)
    if operators:
        said += "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{op}'\n" for op in operators)
    contents = f"_chemical_formula_sum '{formula}'\n"
    units = atoms_in_cell // len(formula.split())
    contents += f"_cell_formula_units_Z {units}\n" if z else ""
    sites = atoms(*(f"{row.split()[0]}{i} {row}" for i, row in enumerate(rows)))
    found = entry(structure(cell(*parameters), contents, sites, symmetry=said))
    assert (found["sg_number"], found["sg_agreement"]) == (number, "setting")
    assert (found["n_atoms_non_h_cell"], found["composition_agreement"]) == (atoms_in_cell, "agree")
    assert "axes-from-cell" in notes(found)
    assert "cell-contradicts-group" not in notes(found)


WHOLE = {
    # symbol, lengths, formula, Z, all atoms of the cell
    "rock salt": (
        "F m -3 m",
        (5.64,) * 3,
        "Cl Na",
        4,
        [f"Na {x} {y} {z}" for x, y, z in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))]
        + [f"Cl {x} {y} {z}" for x, y, z in ((0.5, 0, 0), (0, 0.5, 0), (0, 0, 0.5), (0.5, 0.5, 0.5))],
    ),
    "rutile": (
        "P 42/m n m",
        (4.594, 4.594, 2.959),
        "O2 Ti",
        2,
        ["Ti 0 0 0", "Ti .5 .5 .5", "O .305 .305 0", "O .695 .695 0", "O .195 .805 .5", "O .805 .195 .5"],
    ),
    "caesium chloride": ("P m -3 m", (4.12,) * 3, "Cl Cs", 1, ["Cs 0 0 0", "Cl .5 .5 .5"]),
    "wurtzite": (
        "P 63 m c",
        (3.25, 3.25, 5.207),
        "O Zn",
        2,
        ["Zn .33333 .66667 0", "Zn .66667 .33333 .5", "O .33333 .66667 .382", "O .66667 .33333 .882"],
    ),
    "fluorite": (
        "F m -3 m",
        (5.463,) * 3,
        "Ca F2",
        4,
        [f"Ca {x} {y} {z}" for x, y, z in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))]
        + [f"F {x} {y} {z}" for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)],
    ),
}


def whole(name: str, operators: list[str], *, z: bool = True, formula: bool = True) -> str:
    symbol, lengths, sum_formula, units, rows = WHOLE[name]
    angles = (90, 90, 120) if symbol.startswith("P 63") else (90, 90, 90)
    said = f"_chemical_formula_sum '{sum_formula}'\n" if formula else ""
    said += f"_cell_formula_units_Z {units}\n" if z else ""
    symmetry = hm(symbol) + "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{op}'\n" for op in operators)
    sites = atoms(*(f"{row.split()[0]}{i} {row}" for i, row in enumerate(rows)))
    return structure(cell(*lengths, *angles), said, sites, symmetry=symmetry)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("said", [{}, {"z": False}, {"z": False, "formula": False}])
@pytest.mark.parametrize("operators", [["x,y,z"], ["x,y,z", "-y,-x,z"]])
def test_a_whole_cell_beside_a_full_symbol_has_its_group(
    name: str, said: dict[str, bool], operators: list[str]
) -> None:
    """The atoms have the symmetry that the symbol says: the list is that of a whole cell in a subgroup."""
    symbol, _, _, _, rows = WHOLE[name]
    found = entry(whole(name, operators, **said))
    assert (found["sg_hm"], found["sg_agreement"]) == (symbol, "agree")
    assert found["n_atoms_non_h_cell"] == len(rows)
    assert found["composition_agreement"] in ("agree", "no-formula")
    assert {"operators-incomplete", "decided-by-sites"} <= notes(found)


def test_without_a_list_the_other_origin_is_no_whole_cell() -> None:
    """Both origins of P 4/n m m make as many atoms of a general position, and nothing says which is right."""
    rows = atoms("Pb1 Pb 0.25 0.25 0.2345", "O1 O 0.75 0.25 0")
    found = entry(structure(cell(3.975, 3.975, 5.023), rows, symmetry=hm("P 4/n m m")))
    assert (found["sg_hm"], found["formula_sites"]) == ("P 4/n m m:2", "O2 Pb2")
    general = atoms("Pb1 Pb 0.1 0.3 0.2345", "O1 O 0.7 0.2 0.4")
    found = entry(structure(cell(9.1, 9.1, 9.2), general, symmetry=hm("P 4/n m m")))
    assert (found["sg_hm"], found["n_atoms_non_h_cell"]) == ("P 4/n m m:2", 32)


@pytest.mark.parametrize(
    "number", ["_symmetry_space_group_name_H-M 'F d -3 m'", "_space_group_IT_number 227"]
)
@pytest.mark.parametrize(("at", "origin"), [(0.0, "1"), (-0.125, "2")])
def test_a_whole_cell_from_either_origin_has_its_group(number: str, at: float, origin: str) -> None:
    """Diamond, whose eight atoms are on 8a of both: not the lattice of F alone, which holds them as well."""
    faces = ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))
    shifts = [tuple(x + at + d for x in face) for face in faces for d in (0, 0.25)]
    sites = atoms(*(f"C{i} C {x} {y} {z}" for i, (x, y, z) in enumerate(shifts)))
    symmetry = number + "\nloop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"
    found = entry(structure(cell(3.567, 3.567, 3.567), "_chemical_formula_sum C\n", sites, symmetry=symmetry))
    assert (found["sg_hm"], found["formula_sites"]) == (f"F d -3 m:{origin}", "C8")
    assert {"decided-by-sites", "operators-incomplete"} <= notes(found)


def test_a_whole_cell_has_its_group_whatever_its_z_is() -> None:
    found = entry(whole("rock salt", ["x,y,z"]).replace("units_Z 4", "units_Z 1"))
    assert (found["sg_number"], found["formula_sites"]) == (225, "Cl4 Na4")
    assert found["composition_agreement"] == "multiple"
    assert "decided-by-sites" in notes(found)


def test_a_whole_cell_without_the_symmetry_of_its_symbol_is_as_listed() -> None:
    """A chlorine of rock salt is off its place: F m -3 m would make more atoms of it."""
    text = whole("rock salt", ["x,y,z"]).replace("Cl 0.5 0 0", "Cl 0.53 0.02 0")
    found = entry(text)
    assert (found["sg_number"], found["formula_sites"], found["sg_agreement"]) == (1, "Cl4 Na4", "disagree")
    assert {"symbol-contradicted", "decided-by-formula"} <= notes(found)


ANATASE = ("I 41/a m d", (3.785, 3.785, 9.514), "O2 Ti", 4, {"1": ("Ti 0 0 0", "O 0 0 .2081")})
DIAMOND = ("F d -3 m", (3.567,) * 3, "C", 8, {"1": ("C 0 0 0",), "2": ("C .125 .125 .125",)})


@pytest.mark.parametrize("crystal", [ANATASE, DIAMOND])
@pytest.mark.parametrize("listed", ["1", "2"])
@pytest.mark.parametrize("by_symbol", [False, True])
def test_a_list_from_the_other_origin_than_the_atoms(
    crystal: tuple[str, tuple[float, ...], str, int, dict[str, tuple[str, ...]]], listed: str, by_symbol: bool
) -> None:
    """Formula × Z fits one of the origins: as many atoms again stand on the places of the other."""
    symbol, lengths, formula, z, rows_by_origin = crystal
    for origin, rows in rows_by_origin.items():
        said = f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {z}\n"
        sites = atoms(*(f"{row.split()[0]}1 {row}" for row in rows))
        text = structure(cell(*lengths), said, sites, symmetry=full(symbol, listed, by_symbol=by_symbol))
        found = entry(text)
        assert (found["sg_hm"], found["composition_agreement"]) == (f"{symbol}:{origin}", "agree")
        told = {"origin-from-contents", "decided-by-formula"}
        assert notes(found) & told == (told if origin != listed else set())
        if origin == listed:  # a wrong Z moves no origin: 16 carbons have no place here
            assert entry(text.replace(f"_Z {z}", f"_Z {2 * z}"))["sg_hm"] == f"{symbol}:{origin}"


def full(symbol: str, origin: str, *, by_symbol: bool) -> str:
    """Symmetry by a symbol that names its origin, or by all operators under one that does not."""
    if by_symbol:
        return hm(f"{symbol}:{origin}")
    operators = SpaceGroup.from_hm(f"{symbol}:{origin}").operators
    return hm(symbol) + "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{op}'\n" for op in operators)


@pytest.mark.parametrize(
    ("listed", "axes", "z", "rows", "contents"),
    [
        ("R", (4.7589, 4.7589, 12.991, 90, 90, 120), 2, ("Al 0 0 .3522", "O .3063 0 .25"), "Al12 O18"),
        (
            "H",
            (5.128, 5.128, 5.128, 55.28, 55.28, 55.28),
            6,
            ("Al .3522 .3522 .3522", "O .5563 -.0563 .25"),
            "Al4 O6",
        ),
    ],
)
def test_a_list_and_its_z_on_axes_that_the_cell_has_not(
    listed: str, axes: tuple[float, ...], z: int, rows: tuple[str, str], contents: str
) -> None:
    """Corundum: Z is 2 on rhombohedral axes and 6 on hexagonal ones."""
    operators = SpaceGroup.from_hm(f"R -3 c:{listed}").operators
    symmetry = hm("R -3 c") + "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{o}'\n" for o in operators)
    said = f"_chemical_formula_sum 'Al2 O3'\n_cell_formula_units_Z {z}\n"
    sites = atoms(f"Al1 {rows[0]}", f"O1 {rows[1]}")
    found = entry(structure(cell(*axes), said, sites, symmetry=symmetry))
    assert (found["formula_sites"], found["composition_agreement"]) == (contents, "multiple")
    assert {"axes-from-cell", "decided-by-cell"} <= notes(found)
