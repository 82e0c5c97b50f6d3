"""Which element an ambiguous label is: the atom counts decide where the formula allows two."""

from __future__ import annotations

import pytest
from reader_cif import P21C, cell, entry, notes, sites, structure


def listed(*labels: str, occupancy: str = "") -> str:
    """Sites on general positions, without type symbols."""
    names = ["label", "fract_x", "fract_y", "fract_z", *occupancy.split()]
    rows = (f"{label} .{11 + i:02d} .{21 + 2 * i:02d} .{31 + i:02d}" for i, label in enumerate(labels))
    return "loop_\n" + "".join(f"_atom_site_{n}\n" for n in names) + "\n".join(rows) + "\n"


def found(formula: str | None, *labels: str, z: float | None = 4) -> dict[str, object]:
    items = [cell(9, 10, 11), f"_chemical_formula_sum '{formula}'" if formula else ""]
    items.append(f"_cell_formula_units_Z {z}" if z else "")
    return entry(structure(*items, listed(*labels), symmetry=P21C))


@pytest.mark.parametrize(
    ("formula", "labels", "contents"),
    [
        # two letters fit
        ("C2 Cl Cu", ("CU1", "CL1", "C1", "C2"), "C8 Cl4 Cu4"),
        ("C4 Co O", ("CO(1)", "C1", "C2", "C3", "C4", "O1"), "C16 Co4 O4"),
        ("C Br Cs", ("CS1", "BR1", "C1"), "C4 Br4 Cs4"),
        # one letter fits: carbonyl groups beside the metal, places A and L
        ("C4 Co O", ("Co1", "CO1", "CO2", "CO3", "CO4", "O1"), "C16 Co4 O4"),
        ("C3 Ca O", ("Ca", "CA1", "CA2", "CA3", "O1"), "C12 Ca4 O4"),
        ("C2 Cl Cu", ("Cu1", "Cl1", "CU1", "CL1"), "C8 Cl4 Cu4"),
        # the first of a name is the metal, the others are its ligands
        ("C3 Co O", ("CO", "CO1", "CO2", "CO3", "O1"), "C12 Co4 O4"),
        # hydrogens named after their place, and mercury
        ("C2 H2 Hg", ("HG1", "C1", "C2", "H1", "H2"), "C8 H8 Hg4"),
        ("C2 H3 Hg", ("Hg", "HG1", "HG2", "HG3", "C1", "C2"), "C8 H12 Hg4"),
        # one element of the two is in the formula
        ("C2 N2", ("CN1", "CN2", "NB1", "NB2"), "C8 N8"),
    ],
)
def test_atom_counts_decide(formula: str, labels: tuple[str, ...], contents: str) -> None:
    for z in (4, None):
        read = found(formula, *labels, z=z)
        assert read["formula_sites"] == contents
        assert read["composition_agreement"] == "agree"


def test_that_the_formula_decided_is_noted_and_two_letters_are_not() -> None:
    assert "label-by-composition" in notes(found("C4 Co O", "Co1", "CO1", "CO2", "CO3", "CO4", "O1"))
    assert "label-by-composition" not in notes(found("C4 Co O", "CO1", "C1", "C2", "C3", "C4", "O1"))


def test_where_no_reading_fits_two_letters_are_an_element() -> None:
    assert found("C9 Cl9 N9", "CL1", "C1", "N1")["formula_sites"] == "C4 Cl4 N4"


def test_solvent_without_sites_does_not_hide_the_better_reading() -> None:
    read = found(
        "C9 Co O", "Co1", "CO1", "CO2", "CO3", "CO4", "CO5", "CO6", "O1"
    )  # three carbons are missing
    assert read["formula_sites"] == "C24 Co4 O4"


@pytest.mark.parametrize(
    ("labels", "contents"),
    [
        (("CU1", "CL1", "N1"), "Cl4 Cu4 N4"),
        (("CA", "CB", "N1", "C1"), "C12 N4"),
        (("CA1", "O1", "C1"), "C4 Ca4 O4"),
        (("HO1", "O1", "HG2"), "H8 O4"),
        (("CN1", "BH1", "O1"), "C4 B4 O4"),
        (("H1O", "H2O", "O1"), "H8 O4"),
        (("H2O", "NA1"), "H8 Na4 O4"),
        (("OH2", "NA1"), "H8 Na4 O4"),
        (("OH1", "OH2", "NA1"), "H8 Na4 O8"),
    ],
)
def test_without_a_formula(labels: tuple[str, ...], contents: str) -> None:
    assert found(None, *labels)["formula_sites"] == contents


@pytest.mark.parametrize(
    ("row", "atoms_per_cell"),
    [
        ("X .3 .2 .1 1 .03", 2.0),
        ("X1 .3 .2 .1 0.5 .03", 1.5),
        ("X .3 .2 .1 1 .", 1.0),
        ("X .3 .2 .1 . ?", 1.0),
    ],
)
def test_an_x_with_a_displacement_is_an_atom(row: str, atoms_per_cell: float) -> None:
    head = "loop_\n" + "".join(
        f"_atom_site_{n}\n" for n in ("label", "fract_x", "fract_y", "fract_z", "occupancy", "U_iso_or_equiv")
    )
    read = entry(structure(head + f"Ba1 0 0 0 1 .02\n{row}\n"))
    assert read["n_atoms_non_h_cell"] == atoms_per_cell
    assert ("unknown-element" in notes(read)) == (atoms_per_cell > 1)


@pytest.mark.parametrize(
    ("symbol", "occupancy", "contents", "mixed"),
    [
        ("'0.8Nb + 0.2Zr'", "1", "Nb0.8 O Zr0.2", True),
        ("Nb0.8Zr0.2", "1", "Nb0.8 O Zr0.2", True),
        ("'Nb (80%), Zr (20%)'", "1", "Nb0.8 O Zr0.2", True),
        ("Nb80Zr20", "0.5", "Nb0.4 O Zr0.1", True),
        ("'0.4Nb+0.1Zr'", "0.5", "Nb0.4 O Zr0.1", True),
        ("'0.4Nb+0.1Zr'", "1", "Nb0.4 O Zr0.1", True),
        ("Nb", "0.8", "Nb0.8 O", False),
        ("Va", "0.2", "O", False),
    ],
)
def test_mixtures_in_the_type_symbol(symbol: str, occupancy: str, contents: str, mixed: bool) -> None:
    head = "loop_\n" + "".join(
        f"_atom_site_{n}\n" for n in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy")
    )
    read = entry(structure(head + f"M1 {symbol} 0 0 0 {occupancy}\nO1 O .5 .5 .5 1\n"))
    assert (read["formula_sites"], read["has_mixed_sites"]) == (contents, mixed)


@pytest.mark.parametrize("site", ["T1 Al/Si", "T1 AlSi", "T1 'Al or Si'", "Al/Si ?", "(Al,Si)1 ?"])
def test_a_mixture_of_unknown_shares_is_an_atom_of_unknown_element(site: str) -> None:
    text = structure(
        "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
        f"_atom_site_fract_z\n{site} 0 0 0\nO1 O .5 .5 .5\n"
    )
    assert entry(text)["n_atoms_non_h_cell"] == 2.0
    assert notes(entry(text)) == {"mixed-type-symbol", "unknown-element"}
    assert sites(text)[0]["element"] is None


def test_shares_in_a_label_count() -> None:
    text = structure(
        "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
        "Na0.5K0.5 0 0 0\nCl1 .5 .5 .5\n"
    )
    assert entry(text)["formula_sites"] == "Cl K0.5 Na0.5"


ROCK_SALT = "_symmetry_space_group_name_H-M 'F m -3 m'\n_space_group_IT_number 225\n"


def without_types(symmetry: str, a: float, *rows: str, said: str = "") -> dict[str, object]:
    """A cubic structure without type symbols and without a formula."""
    loop = "loop_\n" + "".join(f"_atom_site_{n}\n" for n in ("label", "fract_x", "fract_y", "fract_z"))
    return entry(structure(cell(a, a, a), said, loop + "\n".join(rows) + "\n", symmetry=symmetry))


@pytest.mark.parametrize(
    ("said", "a", "rows", "contents", "told"),
    [
        ("", 4.64, ("HF1 0 0 0", "C1 .5 .5 .5"), "C4 Hf4", True),  # Hf-C is 2.32 Å
        ("", 4.87, ("HO 0 0 0", "N .5 .5 .5"), "Ho4 N4", True),
        ("", 4.64, ("HF1 0 0 0", "C1 .22 0 0"), "C24 H4", False),  # 1.02 Å
        ("_chemical_formula_moiety 'Hg S'", 5.85, ("HG 0 0 0", "S .5 .5 .5"), "Hg4 S4", False),
        ("_chemical_formula_moiety 'H N'", 4.87, ("HO 0 0 0", "N .5 .5 .5"), "H4 N4", False),
        ("_chemical_formula_weight 232.66", 5.85, ("HG 0 0 0", "S .5 .5 .5"), "Hg4 S4", True),
    ],
)
def test_a_hydrogen_far_from_every_atom_is_none(
    said: str, a: float, rows: tuple[str, ...], contents: str, told: bool
) -> None:
    read = without_types(ROCK_SALT, a, *rows, said=said)
    assert read["formula_sites"] == contents
    assert ("label-by-distance" in notes(read)) is told


def test_the_atom_that_carries_a_hydrogen_may_be_an_image_of_a_skew_cell() -> None:
    """The difference rounded by axes, 0.45 -0.45, is 8 Å long; 0.45 0.55 is 1.30 Å."""
    loop = "loop_\n" + "".join(f"_atom_site_{n}\n" for n in ("label", "fract_x", "fract_y", "fract_z"))
    skew = cell(9, 9, 10, gamma=168)
    assert entry(structure(skew, loop + "O1 .1 .1 .5\nHG .55 .65 .5\n"))["formula_sites"] == "H O"
    assert entry(structure(skew, loop + "O1 .1 .1 .5\nHG .7 .5 .5\n"))["formula_sites"] == "Hg O"


def test_hydrogens_of_the_formula_fill_their_volume() -> None:
    """Cubic ice has 32 Å³ for each O."""
    ice = "_symmetry_space_group_name_H-M 'F d -3 m:2'\n"
    for formula, plausible in (("H2 O", True), ("O", False)):
        said = f"_chemical_formula_sum '{formula}'\n_cell_formula_units_Z 8"
        read = without_types(ice, 6.358, "O .125 .125 .125", said=said)
        assert read["formula_sites"] == "O8"
        assert ("volume-implausible" not in str(read["notes"])) is plausible
