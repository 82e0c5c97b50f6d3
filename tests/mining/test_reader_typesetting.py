"""What word processors and old computers leave in a CIF: minus signs, blanks, line ends; null coordinates."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_cif import P21C, atoms, cell, entry, notes, read, sites, structure

from xtalpriors.mining.reading.encoding import Unreadable, to_utf8

ANISO = "loop_\n_atom_site_aniso_label\n" + "".join(
    f"_atom_site_aniso_U_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23")
)
TWO = structure(cell(5.1, 6.2, 7.3), atoms("C1 C .1 -.125 .21", "O1 O -.4 .5 -.6"), symmetry=P21C)


def xyz(text: str | bytes) -> list[tuple[float, float, float]]:
    return [(s["x"], s["y"], s["z"]) for s in sites(text)]


@given(
    st.lists(
        st.sampled_from([b"text", "é".encode(), "漢".encode(), b"\xe9", b"\xc3", b"\xf0\x9f", b"\x80", b" "])
    )
)
def test_what_does_not_decode_as_utf8_is_latin1(pieces: list[bytes]) -> None:
    data = b"#" + b"".join(pieces)
    found = to_utf8(data)
    assert not isinstance(found, Unreadable)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        assert found == (data.decode("latin-1").encode("utf-8"), ("latin-1",))
    else:
        assert found == (data, ())


@pytest.mark.parametrize("minus", ["\u2212", "\u2013", "\u2010", "\u2011", "\ufe63", "\uff0d"])
def test_a_typeset_minus_sign_is_a_minus_sign(minus: str) -> None:
    assert xyz(TWO.replace(" -.", f" {minus}.")) == [(0.1, -0.125, 0.21), (-0.4, 0.5, -0.6)]
    found = entry(TWO.replace("-x", f"{minus}x").replace("-y", f"{minus}y"))
    assert found["sg_number"] == 14
    assert "unicode-minus" in notes(found)


def test_a_dash_of_windows_is_a_minus_sign_too() -> None:
    assert xyz(TWO.encode().replace(b" -.", b" \x96.")) == [(0.1, -0.125, 0.21), (-0.4, 0.5, -0.6)]


def test_a_dash_between_two_numbers_stays_a_range() -> None:
    found = entry(structure("_diffrn_radiation_wavelength 0.4\u20133.5", atoms("C1 C .1 .2 .3")))
    assert found["wavelength_angstrom"] is None


@pytest.mark.parametrize("blank", ["\u00a0", "\u2009", "\u202f", "\u3000", "\ufeff", "\u2007", "\u2005"])
def test_blanks_of_any_width_are_blanks(blank: str) -> None:
    found = entry(TWO.replace("_cell_length_a ", f"_cell_length_a{blank}").replace("C1 C ", f"C1{blank}C "))
    assert (found["a_angstrom"], found["formula_sites"]) == (5.1, "C4 O4")
    assert "no-break-spaces" in notes(found)


def test_no_break_spaces_in_latin_1_are_blanks() -> None:
    assert entry(TWO.encode().replace(b"_cell_length_a ", b"_cell_length_a\xa0"))["a_angstrom"] == 5.1


def test_such_characters_in_prose_alone_are_not_noted() -> None:
    prose = "_publ_section_title\n;\nat \u2212100 K\u00a0and below\n;\n"
    assert notes(entry(TWO + prose)) == set()


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n", "\n\r"])
def test_line_ends_of_other_computers(end: str) -> None:
    text = TWO.replace("data_x\n", "# made long ago\ndata_x\n_publ_section_title\n;\n a title\n;\n")
    assert xyz(text.replace("\n", end)) == xyz(TWO)


@pytest.mark.parametrize("control", ["\x0c", "\x1a", "\x0b", "\x1a\x1a\n"])
def test_form_feeds_and_ends_of_file_of_dos_are_blanks(control: str) -> None:
    assert xyz(TWO + control) == xyz(TWO)


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        (("data_Zr mono", "data_Zr tetra"), ["Zr_mono", "Zr_tetra"]),
        (("data_phase 1 of 2", "data_phase 2 of 2"), ["phase_1_of_2", "phase_2_of_2"]),
        (("data_'Zr mono'", "data_'Zr tetra'"), ["Zr_mono", "Zr_tetra"]),
        (("data_ a", "data_ b # the second"), ["a", "b"]),
        (("DATA_Zr mono", "data_b"), ["Zr_mono", "b"]),
    ],
)
def test_block_names_with_blanks(headings: tuple[str, str], names: list[str]) -> None:
    entries, _, rejections = read("".join(TWO.replace("data_x", heading) for heading in headings))
    assert not rejections
    assert [e["block"] for e in entries] == names
    assert all("blank-in-block-name" in notes(e) for e in entries)


def test_a_heading_inside_a_text_field_is_text() -> None:
    text = TWO.replace("data_x", "data_x y") + "_publ_section_title\n;\ndata_a b\n;\n"
    assert [e["block"] for e in read(text)[0]] == ["x_y"]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        ("C1 C . .2 .3 .", (0.0, 0.2, 0.3)),
        ("C1 C .1 . . .", (0.1, 0.0, 0.0)),
        ("C1 C . . . a", (0.0, 0.0, 0.0)),
        ("C1 C . . . .", (None, None, None)),
        ("C1 C ? .2 .3 a", (None, None, None)),
        ("C1 C . ? .3 .", (None, None, None)),
    ],
)
def test_a_point_is_the_coordinate_0_where_the_site_has_a_place(
    row: str, place: tuple[float | None, ...]
) -> None:
    text = structure(atoms(row, "O1 O .5 .6 .7 .", columns="Wyckoff_symbol"))
    found = entry(text)
    assert xyz(text)[0] == place
    assert ("coordinate-by-default" in notes(found)) == (None not in place)
    assert found["n_sites"] == (1 if None in place else 2)


@pytest.mark.parametrize(
    ("formula", "rows", "placed"),
    [
        ("Cs Cl", ("Cs1 Cs . . .", "Cl1 Cl .5 .5 .5"), 2),
        ("Cl", ("Cs1 Cs . . .", "Cl1 Cl .5 .5 .5"), 1),
        ("Cs2 Cl", ("Cs1 Cs . . .", "Cs2 Cs . . .", "Cl1 Cl .5 .5 .5"), 1),
        ("Cs2 Cl", ("Cs1 Cs . . .", "Cs2 Cs .1 .2 .3", "Cl1 Cl .5 .5 .5"), 2),
        ("H Cl", ("H1 H . . .", "Cl1 Cl .5 .5 .5"), 1),
    ],
)
def test_of_a_site_of_points_alone_the_formula_says_whether_it_has_a_place(
    formula: str, rows: tuple[str, ...], placed: int
) -> None:
    """A hydrogen need not have been located, and two atoms of one element are not both at the origin."""
    found = entry(structure(f"_chemical_formula_sum '{formula}'", atoms(*rows)))
    assert found["n_sites"] == placed
    assert ("coordinate-by-default" in notes(found)) == (rows[0].startswith("Cs") and placed == len(rows))


@pytest.mark.parametrize("zero", ["0", "0.0", "0.0000", "0.000(0)", "-0.0"])
def test_a_zero_beside_a_tensor_is_a_place_holder(zero: str) -> None:
    rows = atoms(f"C1 C .1 .2 .3 {zero}", "C2 C .4 .5 .6 0.05", columns="U_iso_or_equiv")
    found = sites(structure(rows, ANISO, "C1 .01 .02 .03 0 0 0\nC2 .07 .07 .07 0 0 0\n"))
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx([0.02, 0.05])  # a third of the trace
    assert [s["u_iso_origin"] for s in found] == ["tensor", "U"]
    assert all(s["u_is_evidence"] for s in found)


def test_a_zero_beside_a_b_is_a_place_holder() -> None:
    rows = atoms("Cl1 Cl .1 .2 .3 0.0 0.79", "Na1 Na .4 .5 .6 0.0 .", columns="U_iso_or_equiv B_iso_or_equiv")
    found = sites(structure(rows))
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx([0.79 / (8 * math.pi**2), 0.0])
    assert [(s["u_iso_origin"], s["u_is_evidence"]) for s in found] == [("B", True), ("U", False)]


@pytest.mark.parametrize("tensor", ["0 0 0 0 0 0", "? ? ? ? ? ?", "-.01 -.01 -.01 0 0 0"])
def test_a_zero_stays_where_the_tensor_says_no_more(tensor: str) -> None:
    rows = atoms("C1 C .1 .2 .3 0.0", columns="U_iso_or_equiv")
    (found,) = sites(structure(rows, ANISO, f"C1 {tensor}\n"))
    assert (found["u_iso_angstrom2"], found["u_is_evidence"]) == (0.0, False)


@pytest.mark.parametrize(
    ("rows", "occupancies"),
    [
        (("Fe1 Fe 0 0 0 50", "Ni1 Ni 0 0 0 50", "O1 O .5 .5 .5 100"), [0.5, 0.5, 1.0]),
        (("Fe1 Fe 0 0 0 100", "O1 O .5 .5 .5 100"), [1.0, 1.0]),
        (("Fe1 Fe 0 0 0 99.5(3)", "Ni1 Ni 0 0 0 0.5(3)", "O1 O .5 .5 .5 ."), [0.995, 0.005, 1.0]),
        (("Fe1 Fe 0 0 0 50%", "Ni1 Ni 0 0 0 50%", "O1 O .5 .5 .5 100%"), [0.5, 0.5, 1.0]),
        (("Fe1 Fe 0 0 0 8", "Ni1 Ni .5 0 0 32", "O1 O .5 .5 .5 96"), [8.0, 32.0, 96.0]),
        (("Fe1 Fe 0 0 0 1.02", "O1 O .5 .5 .5 2"), [1.02, 2.0]),
    ],
)
def test_occupancies_in_per_cent(rows: tuple[str, ...], occupancies: list[float]) -> None:
    found = sites(structure(atoms(*rows, columns="occupancy")))
    assert [s["occupancy"] for s in found] == pytest.approx(occupancies)


ROCK_SALT = {"symmetry": "_symmetry_space_group_name_H-M 'F m -3 m'\n"}
DENSITY = 4 * 0.5 * 58.44 / 179.406 / 0.602214  # half of the atoms of NaCl in 5.64³ Å³


@pytest.mark.parametrize(
    ("said", "rows", "occupancies"),
    [
        # each position is half empty: formula × Z, the density, the formula alone
        ("_chemical_formula_sum 'Cl0.5 Na0.5'\n_cell_formula_units_Z 4", ("50", "50"), [0.5, 0.5]),
        (
            f"_chemical_formula_sum 'Cl Na'\n_exptl_crystal_density_diffrn {DENSITY:.3f}",
            ("50", "50"),
            [0.5, 0.5],
        ),
        ("_chemical_formula_sum 'Cl0.5 Na0.25'", ("25", "50"), [0.25, 0.5]),
        (f"_exptl_crystal_density_diffrn {DENSITY:.3f}", ("50(2)", "50.0"), [0.5, 0.5]),
        ("_chemical_formula_sum 'Cl0.9 Na0.05'\n_cell_formula_units_Z 4", ("5", "90"), [0.05, 0.9]),
        # nothing confirms it
        ("_chemical_formula_sum 'Cl50 Na50'\n_cell_formula_units_Z 4", ("50", "50"), [50.0, 50.0]),
        ("_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 4", ("48", "24"), [48.0, 24.0]),
        ("_chemical_formula_sum 'Cl0.5 Na0.5'\n_cell_formula_units_Z 4", ("50", "9"), [50.0, 9.0]),
        ("", ("50", "50"), [50.0, 50.0]),
        ("_chemical_formula_sum 'Cl0.5 Na0.5'\n_cell_formula_units_Z 4", ("-50", "50"), [-50.0, 50.0]),
    ],
)
def test_occupancies_in_per_cent_beside_vacancies(
    said: str, rows: tuple[str, str], occupancies: list[float]
) -> None:
    """No position is full, so that only the contents tell them from multiplicities."""
    listed = atoms(f"Na1 Na 0 0 0 {rows[0]}", f"Cl1 Cl .5 .5 .5 {rows[1]}", columns="occupancy")
    text = structure(cell(5.64, 5.64, 5.64), *([said] if said else []), listed, **ROCK_SALT)
    assert [s["occupancy"] for s in sites(text)] == pytest.approx(occupancies)
    found = entry(text)
    in_percent = abs(occupancies[0]) < 1
    assert ("occupancy-in-percent" in notes(found)) == in_percent
    assert ("occupancy-out-of-range" in notes(found)) != in_percent
    if "Z 4" in said and in_percent:
        assert found["composition_agreement"] == "agree"


@pytest.mark.parametrize(
    ("said", "rows", "occupancies"),
    [
        ("", ("1", "100"), [1.0, 1.0]),
        ("_chemical_formula_sum 'Cl Na0.5'\n_cell_formula_units_Z 4", ("50", "1.0"), [0.5, 1.0]),
        ("", ("100", "3"), [1.0, 0.03]),  # a trace
        ("", ("100", "0"), [1.0, 0.0]),
    ],
)
def test_full_positions_beside_occupancies_in_per_cent(
    said: str, rows: tuple[str, str], occupancies: list[float]
) -> None:
    listed = atoms(f"Na1 Na 0 0 0 {rows[0]}", f"Cl1 Cl .5 .5 .5 {rows[1]}", columns="occupancy")
    text = structure(cell(5.64, 5.64, 5.64), *([said] if said else []), listed, **ROCK_SALT)
    assert [s["occupancy"] for s in sites(text)] == pytest.approx(occupancies)
    assert "occupancy-in-percent" in notes(entry(text))


def test_occupancies_in_per_cent_beside_a_list_that_lost_its_operators() -> None:
    """Both are mended: the group by what the hundredths make of it."""
    said = "_chemical_formula_sum 'Cl0.5 Na0.5'\n_cell_formula_units_Z 4"
    listed = atoms("Na1 Na 0 0 0 50", "Cl1 Cl .5 .5 .5 50", columns="occupancy")
    identity = ROCK_SALT["symmetry"] + "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n"
    found = entry(structure(cell(5.64, 5.64, 5.64), said, listed, symmetry=identity))
    assert (found["sg_number"], found["formula_sites"]) == (225, "Cl2 Na2")
    assert {"occupancy-in-percent", "operators-incomplete", "decided-by-formula"} <= notes(found)


@pytest.mark.parametrize(
    ("line", "radiation"),
    [
        ("_diffrn_source 'free electron laser'", "x-ray"),
        ("_diffrn_source 'X-ray Free-Electron Laser (SACLA)'", "x-ray"),
        ("_diffrn_source XFEL", "x-ray"),
        ("_diffrn_source 'LCLS, CXI'", "x-ray"),
        ("_diffrn_radiation_type 'free-electron laser'", "x-ray"),
        ("_diffrn_source 'field emission electron gun'", "electron"),
        ("_diffrn_radiation_probe electron", "electron"),
    ],
)
def test_a_free_electron_laser_gives_x_rays(line: str, radiation: str) -> None:
    found = entry(structure(line, atoms("C1 C .1 .2 .3")))
    assert (found["radiation"], found["is_electron"]) == (radiation, radiation == "electron")
