"""Contradictory statements of symmetry: formula × Z, the density and the cell decide, the list first."""

from __future__ import annotations

import gemmi
import pytest

from tests.reader_cif import atoms, cell, entry, notes, rejection, structure
from xtalpriors.mining.cif import extract

# axes that have the symmetry of the groups below, and no more than that of their system
CELLS = {
    "triclinic": (7.1, 8.2, 9.3, 81.0, 95.0, 102.0),
    "monoclinic": (6.1, 5.2, 8.3, 90.0, 101.0, 90.0),
    "orthorhombic": (7.1, 8.2, 8.3, 90.0, 90.0, 90.0),
    "tetragonal": (9.1, 9.1, 12.3, 90.0, 90.0, 90.0),
    "trigonal": (10.1, 10.1, 13.3, 90.0, 90.0, 120.0),
    "hexagonal": (10.1, 10.1, 9.3, 90.0, 90.0, 120.0),
    "cubic": (11.1, 11.1, 11.1, 90.0, 90.0, 90.0),
}
ATOMS = ("C1 C 0.113 0.237 0.341", "N1 N 0.413 0.058 0.167", "O1 O 0.279 0.122 0.094")
MASS = 12.011 + 14.007 + 15.999


def setting_of(symbol: str) -> gemmi.SpaceGroup:
    found = gemmi.find_spacegroup_by_name(symbol)
    assert found is not None
    return found


def listed(symbol: str) -> list[str]:
    """All operators of a setting, by gemmi."""
    return [op.triplet() for op in setting_of(symbol).operations()]


def cell_of(symbol: str) -> tuple[float, ...]:
    return CELLS[setting_of(symbol).crystal_system_str()]


def block(
    operators: list[str],
    said: str,
    of: str,
    *,
    formula: bool = True,
    z: int | None = None,
    density: float | None = None,
    axes: tuple[float, ...] | None = None,
    rows: tuple[str, ...] = ATOMS,
) -> str:
    """Three atoms in general positions of the group `of`, beside operators and symbols of another."""
    symmetry = said + "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{op}'\n" for op in operators)
    contents = "_chemical_formula_sum 'C N O'\n" if formula else ""
    contents += f"_cell_formula_units_Z {z}\n" if z else ""
    contents += f"_exptl_crystal_density_diffrn {density:.3f}\n" if density else ""
    return structure(
        cell(*(axes or cell_of(of))), contents, atoms(*rows), symmetry=symmetry if operators else said
    )


def density_of(of: str) -> float:
    """g/cm³ of three atoms in general positions of a group."""
    volume = gemmi.UnitCell(*cell_of(of)).volume
    return len(listed(of)) * MASS / volume / 0.602214


def hm(symbol: str) -> str:
    return f"_symmetry_space_group_name_H-M '{symbol}'\n"


def assert_group(found: dict[str, object], of: str) -> None:
    assert set(str(found["operators"]).split(";")) == set(listed(of))


@pytest.mark.parametrize(
    "of", ["P 1 21/n 1", "P b c a", "I 41/a:2", "R -3:H", "P 63/m", "F d -3:2", "C 1 2/c 1"]
)
def test_the_identity_alone_beside_a_full_symbol(of: str) -> None:
    order = len(listed(of))
    for stated in ({"z": order}, {"density": density_of(of)}, {"z": order, "density": density_of(of)}):
        found = entry(block(["x,y,z"], hm(of), of, **stated))  # type: ignore[arg-type]
        assert_group(found, of)
        assert "operators-incomplete" in notes(found)
        assert f"decided-by-{'formula' if 'z' in stated else 'density'}" in notes(found)
        assert (found["sg_agreement"], found["composition_agreement"]) == ("agree", "agree")


@pytest.mark.parametrize("of", ["P 1 21/n 1", "P b c a", "R -3:H"])
def test_without_a_formula_the_mass_of_the_sites_is_weighed(of: str) -> None:
    found = entry(block(["x,y,z"], hm(of), of, formula=False, density=density_of(of)))
    assert_group(found, of)
    assert "decided-by-density" in notes(found)


def test_without_z_and_density_the_volume_of_an_atom_tells() -> None:
    """Two atoms in 179 Å³ are none of the rock-salt structure's."""
    axes = (5.64, 5.64, 5.64, 90.0, 90.0, 90.0)
    rows = ("Na1 Na 0 0 0", "Cl1 Cl 0.5 0.5 0.5")
    found = entry(block(["x,y,z"], hm("F m -3 m"), "F m -3 m", formula=False, axes=axes, rows=rows))
    assert (found["sg_number"], found["formula_sites"]) == (225, "Cl4 Na4")
    assert "decided-by-volume" in notes(found)


@pytest.mark.parametrize("contents", ["", "_chemical_formula_sum 'Ti O2'\n"])
def test_the_volumes_of_the_elements_tell_the_origin(contents: str) -> None:
    """Anatase about −4m2 (ITA origin 1); about −1 it would be 24 atoms in 136 Å³, more than oxides hold."""
    rows = atoms("Ti1 Ti 0 0 0", "O1 O 0 0 0.2081")
    found = entry(structure(cell(3.785, 3.785, 9.514, 90, 90, 90), contents, rows, symmetry=hm("I 41/a m d")))
    assert (found["sg_hm"], found["formula_sites"]) == ("I 41/a m d:1", "O8 Ti4")
    assert "decided-by-volume" in notes(found)


def test_without_z_and_density_the_formula_alone_tells() -> None:
    text = block(
        ["x,y,z"], hm("P m 3 m"), "P m -3 m", formula=False, rows=("La1 La 0 0 0", "B1 B 0.5 0.5 0.2")
    )
    text = text.replace("loop_", "_chemical_formula_sum 'La B6'\nloop_", 1).replace("11.1", "4.157")
    found = entry(text)
    assert (found["sg_number"], found["formula_sites"]) == (221, "B6 La")
    assert "decided-by-composition" in notes(found)


@pytest.mark.parametrize(
    "of", ["C 1 2/c 1", "C m c m", "I -4 2 d", "F d d 2", "R -3 c:H", "I a -3", "A 1 1 2/a"]
)
def test_a_lost_centring_is_given_back(of: str) -> None:
    """Only the operators of the primitive half are listed, each of them twice."""
    ops = setting_of(of).operations()
    half = [op.triplet() for op in ops.sym_ops for _ in range(2)]
    found = entry(
        block(half, hm(of), of, z=len(listed(of)), axes=None if of[0] != "A" else (9, 8, 7, 90, 90, 99))
    )
    assert_group(found, of)
    assert {"operators-incomplete", "operators-repeated"} <= notes(found)
    assert found["composition_agreement"] == "agree"


def test_a_lattice_letter_alone_gives_the_centring_back() -> None:
    """The symbol is not in any table; its letter is all that is used of it."""
    ops = setting_of("C 1 2/c 1").operations()
    half = [op.triplet() for op in ops.sym_ops]
    found = entry(block(half, hm("C 1 2/q 1") + "_symmetry_Int_Tables_number 15\n", "C 1 2/c 1", z=8))
    assert_group(found, "C 1 2/c 1")
    assert found["sg_agreement"] == "unread"


@pytest.mark.parametrize(
    ("of", "right", "wrong"),
    [
        ("P 1 21/c 1", "-x,-y,-z", "x,-y,-z"),
        ("P 1 21/c 1", "x,y,z", "x,y,x"),
        ("P 1 21/n 1", "-x+1/2,y+1/2,-z+1/2", "-x+1/2,y,-z+1/2"),
        ("P n m a", "x+1/2,y,-z+1/2", "x+1/2,y,-z"),
        ("P 21 21 21", "-x+1/2,-y,z+1/2", "-x+1/2,-y,z"),
        ("R 3:H", "-y,x-y,z", "y,x-y,z"),
        ("P b c a", "x,-y+1/2,z+1/2", "x,y+1/2,z+1/2"),
        ("P 1 21/c 1", "x,-y+1/2,z+1/2", "x,-y+1/2,z+1/3"),
    ],
)
def test_a_misprinted_operator_is_mended(of: str, right: str, wrong: str) -> None:
    operators = listed(of)
    assert right in operators
    spoilt = [wrong if op == right else op for op in operators]
    found = entry(block(spoilt, hm(of), of, z=len(operators)))
    assert_group(found, of)
    assert "operators-misprinted" in notes(found)
    assert found["composition_agreement"] == "agree"
    # the symbol is enough where nothing is known of the contents, unless another misprint hides it
    assert_group(entry(block(spoilt, hm(of), of, formula=False)), of)


@pytest.mark.parametrize(
    ("of", "right", "wrong"),
    [
        ("P 1 21/c 1", "-x,-y,-z", "x,-y,-z"),
        ("P n m a", "x+1/2,y,-z+1/2", "x+1/2,y,-z"),
        ("P b c a", "x,-y+1/2,z+1/2", "x,y+1/2,z+1/2"),
        ("P 4/m", "y,-x,z", "y,x,z+1/2"),
        ("P 63/m", "-x,-y,z+1/2", "-x,-y,z+1/4"),
    ],
)
def test_a_list_without_a_symbol_is_mended_by_its_other_operators(of: str, right: str, wrong: str) -> None:
    operators = listed(of)
    assert right in operators
    found = entry(block([wrong if op == right else op for op in operators], "", of, z=len(operators)))
    assert_group(found, of)
    assert found["sg_source"] == "operators"
    assert "operators-misprinted" in notes(found)


def test_several_misprints_are_mended_by_the_symbol_that_the_contents_confirm() -> None:
    """Every third operator of R3 has its sign on the wrong coordinate."""
    spoilt = ["x,y,z", "-y,x-y,z", "-x+y,-x,z"]
    for shift, moved in (("1/3", "2/3"), ("2/3", "1/3")):
        spoilt += [f"x+{moved},y+{shift},z+{shift}", f"-y+{moved},x-y+{shift},z+{shift}"]
        spoilt += [f"y+{moved},-x+{shift},z+{shift}"]
    found = entry(block(spoilt, hm("R 3"), "R 3:H", z=9))
    assert_group(found, "R 3:H")
    assert {"operators-misprinted", "decided-by-formula"} <= notes(found)


def test_a_misprint_that_makes_another_group_is_told_by_the_cell() -> None:
    """-x,-y,z beside x,y,z is P 1 1 2, and the cell is triclinic."""
    found = entry(block(["x,y,z", "-x,-y,z"], hm("P -1"), "P -1", z=2))
    assert_group(found, "P -1")
    assert {"operators-misprinted", "decided-by-cell"} <= notes(found)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("F d d 2", "F d d d"),
        ("P 1 21/c 1", "P 1 21 1"),
        ("P -1", "P 1"),
        ("C 1 2 1", "C 1 2/c 1"),
        ("P n a 21", "P n m a"),
        ("R 3:H", "R -3 m"),
    ],
)
def test_a_list_that_the_contents_confirm_stays_against_its_symbol(of: str, said: str) -> None:
    found = entry(block(listed(of), hm(said), of, z=len(listed(of))))
    assert_group(found, of)
    assert (found["sg_source"], found["sg_agreement"]) == ("operators", "disagree")
    assert {"symbol-contradicted", "decided-by-formula"} <= notes(found)


@pytest.mark.parametrize(
    ("of", "said"), [("P 1 21 1", "P 1 c 1"), ("P 1 21 1", "P -1"), ("P 2 2 2", "P 21 21 21")]
)
def test_the_list_stays_where_the_contents_do_not_tell(of: str, said: str) -> None:
    """Groups of one order make the same contents of atoms in general positions."""
    found = entry(block(listed(of), hm(said), of, z=len(listed(of))))
    assert_group(found, of)
    assert found["sg_agreement"] == "disagree"
    assert not notes(found) & {"symbol-contradicted", "symmetry-contradicted"}


@pytest.mark.parametrize(("of", "said"), [("P 1 21 1", "P 1 21/c 1"), ("P 2 2 2", "P 1"), ("R 3:H", "R -3")])
def test_where_nothing_agrees_the_entry_is_as_listed_and_marked(of: str, said: str) -> None:
    found = entry(block(listed(of), hm(said), of, z=7 * len(listed(of))))
    assert_group(found, of)
    assert "symmetry-contradicted" in notes(found)


def test_a_broken_list_that_nothing_mends_is_rejected() -> None:
    found = rejection(block(["x,y,z", "x,y,x", "x,-y,y"], hm("P 1 21/c 1"), "P 1 21/c 1", z=9))
    assert (found["stage"], found["code"]) == ("symmetry", "operators-not-a-group")


STRUCTURES = {
    # each in both origins: symbol, cell, formula and Z, rows with the origin at choice 1, and at choice 2
    "diamond": ("F d -3 m", (3.567,) * 3, "C", 8, ["C1 C 0 0 0"], ["C1 C 0.125 0.125 0.125"]),
    "cuprite": (
        *("P n -3 m", (4.27,) * 3, "Cu2 O", 2),
        ["Cu1 Cu 0.25 0.25 0.25", "O1 O 0 0 0"],
        ["Cu1 Cu 0 0 0", "O1 O 0.25 0.25 0.25"],
    ),
    "anatase": (
        *("I 41/a m d", (3.785, 3.785, 9.514), "Ti O2", 4),
        ["Ti1 Ti 0 0 0", "O1 O 0 0 0.208"],
        ["Ti1 Ti 0 0.75 0.125", "O1 O 0 0.25 0.0831"],
    ),
    "litharge": (
        *("P 4/n m m", (3.975, 3.975, 5.023), "Pb O", 2),
        ["Pb1 Pb 0 0.5 0.2345", "O1 O 0 0 0"],
        ["Pb1 Pb 0.25 0.25 0.2345", "O1 O 0.75 0.25 0"],
    ),
    "spinel": (
        *("F d -3 m", (8.08,) * 3, "Mg Al2 O4", 8),
        ["Mg1 Mg 0 0 0", "Al1 Al 0.625 0.625 0.625", "O1 O 0.387 0.387 0.387"],
        ["Mg1 Mg 0.125 0.125 0.125", "Al1 Al 0.5 0.5 0.5", "O1 O 0.262 0.262 0.262"],
    ),
}


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("choice", [1, 2])
def test_the_composition_tells_the_origin_that_nothing_names(name: str, choice: int) -> None:
    symbol, lengths, formula, z, *rows = STRUCTURES[name]
    said = f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {z}\n"
    found = entry(structure(cell(*lengths), said, atoms(*rows[choice - 1]), symmetry=hm(symbol)))
    assert found["sg_hm"] == f"{symbol}:{choice}"
    assert (found["composition_agreement"], found["sg_agreement"]) == ("agree", "agree")


@pytest.mark.parametrize("name", STRUCTURES)
def test_operators_of_the_other_origin_give_way_to_the_symbol(name: str) -> None:
    symbol, lengths, formula, z, first, _ = STRUCTURES[name]
    said = f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z {z}\n"
    symmetry = hm(f"{symbol}:1") + "loop_\n_symmetry_equiv_pos_as_xyz\n"
    symmetry += "".join(f"'{op}'\n" for op in listed(f"{symbol}:2"))
    found = entry(structure(cell(*lengths), said, atoms(*first), symmetry=symmetry))
    assert found["sg_hm"] == f"{symbol}:1"
    assert {"operators-misprinted", "decided-by-formula"} <= notes(found)


@pytest.mark.parametrize(
    ("said", "lengths", "element", "z", "rows"),
    [
        ("I 4/m m m", (4.583, 4.583, 4.936), "In", 4, ["0 0 0", "0.5 0.5 0", "0.5 0 0.5", "0 0.5 0.5"]),
        ("I m -3 m", (3.615,) * 3, "Cu", 4, ["0 0 0", "0.5 0.5 0"]),
        ("F m -3 m", (3.165,) * 3, "W", 2, ["0 0 0", "0.5 0.5 0.5"]),
        ("F m m m", (3.6, 3.7, 3.8), "Cu", 2, ["0 0 0", "0.5 0.5 0.5"]),
        ("I 4/m m m", (3.25, 3.25, 4.95), "In", 1, ["0 0 0"]),
    ],
)
def test_another_lattice_letter_is_tried_where_the_symbol_alone_contradicts_the_contents(
    said: str, lengths: tuple[float, ...], element: str, z: int, rows: list[str]
) -> None:
    stated = f"_chemical_formula_sum {element}\n_cell_formula_units_Z {z}\n"
    density = z * gemmi.Element(element).weight / gemmi.UnitCell(*lengths, 90, 90, 90).volume / 0.602214
    sites = atoms(*(f"{element}{i} {element} {row}" for i, row in enumerate(rows)))
    alone = entry(structure(cell(*lengths), stated, sites, symmetry=hm(said)))
    assert (alone["sg_declared_hm"], alone["composition_agreement"]) == (alone["sg_hm"], "multiple")
    stated += f"_exptl_crystal_density_diffrn {density:.2f}\n"
    found = entry(structure(cell(*lengths), stated, sites, symmetry=hm(said)))
    assert found["formula_sites"] == element + (str(z) if z > 1 else "")
    assert {"symbol-contradicted", "decided-by-formula"} <= notes(found)


@pytest.mark.parametrize(
    ("said", "of"), [("P 1", "P -1"), ("P 1 21 1", "P 1 21/n 1"), ("P 1 n 1", "P 1 21/n 1")]
)
def test_a_lattice_is_not_made_up_where_several_would_make_the_contents(said: str, of: str) -> None:
    """Half of the operators are missing: A, B, C and I would each double them."""
    found = entry(block([], hm(said), of, z=len(listed(of)), density=density_of(of)))
    assert_group(found, said)
    assert (found["sg_agreement"], found["composition_agreement"]) == ("agree", "multiple")
    assert {"symmetry-contradicted", "volume-implausible"} <= notes(found, volume=True)


def test_a_lattice_that_no_setting_has_is_not_taken() -> None:
    """Gypsum in C 2/c under the symbol A 2/a: B, with b unique, would make its atoms but for hydrogen."""
    said = "_chemical_formula_sum 'Ca H4 O6 S'\n_cell_formula_units_Z 4\n_exptl_crystal_density_diffrn 2.31\n"
    rows = ("Ca Ca 0.5 0.0797 0.25", "S S 0 0.0772 0.75", "O1 O 0.9632 0.1319 0.5505")
    rows += ("O2 O 0.7582 0.0222 0.6671", "OW O 0.3796 0.1821 0.4588", "H1 H 0.2511 0.1616 0.5037")
    axes = cell(6.284, 15.2, 6.523, 90, 127.41, 90)
    found = entry(structure(axes, said, atoms(*rows, "H2 H 0.4046 0.2427 0.4904"), symmetry=hm("A 2/a")))
    assert (found["sg_hm"], found["composition_agreement"]) == ("A 1 2/a 1", "disagree")


@pytest.mark.parametrize(("apart", "taken"), [(0.15, "F 2 2 2"), (0.03, "P 2 2 2")])
def test_a_lattice_that_puts_atoms_on_each_other_is_not_taken(apart: float, taken: str) -> None:
    """Only F makes four times the atoms; its image of C1 is 1.2 or 0.2 Å from N1."""
    rows = ("C1 C 0.113 0.237 0.341", f"N1 N 0.613 0.737 {0.341 + apart}", "O1 O 0.279 0.022 0.094")
    found = entry(block([], hm("P 2 2 2"), "F 2 2 2", z=16, density=density_of("F 2 2 2"), rows=rows))
    assert_group(found, taken)
    assert ("symmetry-contradicted" in notes(found)) == (taken == "P 2 2 2")


@pytest.mark.parametrize(
    ("operators", "newer", "older", "agreement"),
    [
        ([], "P 1 21/n 1", "P 1 21/c 1", "disagree"),
        ([], "P 1 21/n 1", "P 21/n", "agree"),
        ([], "F d -3 m:2", "F d -3 m", "agree"),
        (listed("P 1 21/n 1"), "P 1 21/n 1", "P 1 21/c 1", "agree"),
        (listed("P 1 21/n 1"), "P 1 21/n 1", "P 1 21 1", "disagree"),
    ],
)
def test_the_older_of_two_symbols_counts_too(
    operators: list[str], newer: str, older: str, agreement: str
) -> None:
    """Without operators another setting is a contradiction; with them it is another name of the group."""
    both = f"_space_group_name_H-M_alt '{newer}'\n" + hm(older)
    of = setting_of(newer).xhm()
    found = entry(block(operators, both, of, z=len(listed(of))))
    assert_group(found, of)
    assert found["sg_agreement"] == agreement
    assert "symbol-contradicted" not in notes(found)


def test_a_solvent_that_was_not_modelled_does_not_hide_a_lost_centring() -> None:
    """One atom in thirteen of the formula has no site, so that no count is exact."""
    rows = tuple(f"C{i} C {0.05 + 0.07 * i:.3f} {0.11 * i % 1:.3f} 0.3" for i in range(1, 13))
    text = block(
        [op.triplet() for op in setting_of("C 1 c 1").operations().sym_ops], hm("C c"), "C 1 c 1", rows=rows
    )
    found = entry(text.replace("'C N O'", "'C12 O'\n_cell_formula_units_Z 4"))
    assert_group(found, "C 1 c 1")
    assert found["composition_agreement"] == "disagree"
    assert {"operators-incomplete", "decided-by-formula"} <= notes(found)


def test_a_file_that_agrees_with_itself_is_not_weighed() -> None:
    """Whatever its Z and density are: they have errors of their own."""
    found = entry(block(listed("P 1 21/c 1"), hm("P 21/c"), "P 1 21/c 1", z=8, density=7.0))
    assert_group(found, "P 1 21/c 1")
    assert found["notes"] is None or "decided" not in found["notes"]


def test_a_decision_does_not_depend_on_the_other_files_of_a_batch() -> None:
    shared = ("M1 C0.5N0.5 0.113 0.237 0.341", "M2 C0.5N0.5 0.413 0.058 0.167", ATOMS[2])
    doubtful = block(["x,y,z"], hm("P 1 21/n 1"), "P 1 21/n 1", z=4, rows=shared)
    alone = entry(doubtful)
    assert "decided-by-formula" in notes(alone) and alone["formula_sites"] == "C4 N4 O4"
    plain = block(["x,y,z"], hm("P 1"), "P 1", z=1)
    items = [("a.cif", plain.encode()), ("file.cif", doubtful.encode()), ("z.cif", plain.encode())]
    together = extract("test", None, "original", items).entries.to_pylist()
    assert [found for found in together if found["file_id"] == "file.cif"] == [alone]
