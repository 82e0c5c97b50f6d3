"""Numbers in other spellings: read where they mean one thing, null with a note where they may be another."""

from __future__ import annotations

import contextlib
import math
import re
import unicodedata
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reader_cif import atoms, cell, entry, notes, read, rejection, sites, structure

from xtalpriors.mining.reading.unusual_numbers import has_remark, unusual_number

ATOM = atoms("C1 C .1 .2 .3")
P21C_NAME = {"symmetry": "_symmetry_space_group_name_H-M 'P 1 21/c 1'\n"}


def read_both_ways(text: str) -> list[dict[str, object]]:
    """What a file gives in UTF-8, and in Latin-1 where it has such letters."""
    found = [entry(text)]
    with contextlib.suppress(UnicodeEncodeError):
        found.append(entry(text.encode("latin-1")))
    return found


@pytest.mark.parametrize(
    ("beta", "degree", "su"),
    [
        ("102.5°", 102.5, None),
        ("102.5(1)°", 102.5, 0.1),
        ("102.5º", 102.5, None),
        ("102.5Â°", 102.5, None),
        ("102.5\u200b", 102.5, None),
        ("102°30'", 102.5, None),
        ("102° 30'", 102.5, None),
        ("102°30′", 102.5, None),
        ("'102° 30\\''", 102.5, None),
        ('"102° 30\'"', 102.5, None),
        ("102° 30' 36\"", 102.51, None),
        ("102°30.6'", 102.51, None),
        ("102.5±0.1", 102.5, 0.1),
        ("102.5 ± 0.1", 102.5, 0.1),
        ("'102.5 ± 0.1°'", 102.5, 0.1),
        ("102.5+/-0.1", 102.5, 0.1),
        ("1.025×10²", 102.5, None),
        ("1.025D+02", 102.5, None),
        ("'102.5 (1)'", 102.5, 0.1),
        ("(102.5)", 102.5, None),
        ("102.5^o^", 102.5, None),
        ("102.5&#176;", 102.5, None),
        ("'102.5 (at 120 K)'", 102.5, None),
        ("'102.5° (fixed by symmetry)'", 102.5, None),
    ],
)
def test_an_angle_in_other_spellings(beta: str, degree: float, su: float | None) -> None:
    """The value stays although a byte is no ASCII: without it the cell would have a right angle."""
    text = structure(cell(5, 6, 7, 90, beta.replace("\\'", "'"), 90), ATOM, **P21C_NAME)
    for found in read_both_ways(text):
        assert found["beta_degree"] == pytest.approx(degree, rel=1e-12)
        assert found["beta_su_degree"] == (None if su is None else pytest.approx(su))
        assert not notes(found) & {"line-dropped", "angle-by-default"}


@pytest.mark.parametrize("beta", ["102°30", "102°61'", "10²", "102.5°±", "102.5°x", "½½", "102.5¹", "102,5°"])
def test_an_angle_that_may_be_another_is_a_rejection_with_its_word(beta: str) -> None:
    found = rejection(structure(cell(5, 6, 7, 90, beta, 90), ATOM, **P21C_NAME))
    assert (found["code"], found["detail"]) == ("cell-not-a-number", f"_cell_angle_beta is {beta!r}")


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("_diffrn_ambient_temperature 293±2", "temperature_kelvin", 293.0),
        ("_diffrn_ambient_temperature '293 ± 2 K'", "temperature_kelvin", 293.0),
        ("_diffrn_ambient_temperature 20°C", "temperature_kelvin", 293.15),
        ("_diffrn_ambient_temperature '20 ± 2 °C'", "temperature_kelvin", 293.15),
        ("_diffrn_ambient_pressure '2.5±0.1 GPa'", "pressure_kilopascal", 2.5e6),
        ("_diffrn_ambient_pressure 2.5×10⁶", "pressure_kilopascal", 2.5e6),
        ("_diffrn_ambient_pressure 2.5(1)·10^6", "pressure_kilopascal", 2.5e6),
        ("_cell_formula_units_Z 4²", "z_declared", None),
        ("_cell_formula_units_Z '4 ± 0'", "z_declared", 4.0),
        ("_cell_length_a 5.0A\u030a", "a_angstrom", 5.0),
        ("_cell_length_a '5.0 \u212b'", "a_angstrom", 5.0),
        ("_cell_volume 210±1", "volume_declared_angstrom3", 210.0),
        ("_cell_volume '210.0(3) Ang^3'", "volume_declared_angstrom3", 210.0),
        ("_cell_volume 210.0(3)A³", "volume_declared_angstrom3", 210.0),
        ("_cell_volume '2 10.0'", "volume_declared_angstrom3", None),
    ],
)
def test_other_items_with_letters_outside_ascii(line: str, column: str, value: float | None) -> None:
    for found in read_both_ways(structure(cell(5, 6, 7), line, ATOM)):
        assert found[column] == (None if value is None else pytest.approx(value))
        assert "line-dropped" not in notes(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.1d-1", 0.11),
        ("5.0D-1", 0.5),
        ("1/4", 0.25),
        ("-1/3", -1 / 3),
        ("½", 0.5),
        ("-¾", -0.75),
        ("⅓", 1 / 3),
        ("'1 / 3'", 1 / 3),
        ("'- .11'", -0.11),
        ("'— .11'", -0.11),
        ("—.11", -0.11),
        ("\u2012.11", -0.11),
        ("\u2015.11", -0.11),
        ("\u2010.11", -0.11),
        ("\u2011.11", -0.11),
        ("'0.1234 (5)'", 0.1234),
        ("0.1234±0.0005", 0.1234),
        ("0.1234(5)*", 0.1234),
        ("0.25?", 0.25),
        ("'0.25 (fixed)'", 0.25),
        ("0.25(?)", 0.25),
        ("0.25(3)a", 0.25),
        ("0.25(3)^a^", 0.25),
        ("0.25()", 0.25),
        ("0.25fixed", 0.25),
        ("'0.25,'", 0.25),
        ("1/4(fixed)", 0.25),
        ("'0.25 see text'", 0.25),
        ("0,25", 0.25),
        ("1,012(4)", 1.012),
        ("-,125", -0.125),
        ("0,125(3)", 0.125),
    ],
)
def test_a_coordinate_in_other_spellings(text: str, value: float) -> None:
    rows = atoms(f"C1 C {text} .2 .3", "O1 O .4 .5 .6")
    found = sites(structure(rows))
    assert [(s["x"], s["y"], s["z"]) for s in found] == [(pytest.approx(value), 0.2, 0.3), (0.4, 0.5, 0.6)]


@pytest.mark.parametrize(
    "text",
    [
        "1/4+0.01",
        "1/4-x",
        "1.54e",
        "1.54d",
        ".5.3",
        "0,25,1",
        "0.333..",
        "0.2O",
        "0.l25",
        "0.25(1,2)",
        "1½",
        "0.1x",
        "1/2/3",
        "1/4(+x)",
        "'0.25 half'",
        "'11.2 hundredths'",
        "'40.4 deg'",
        "'0.25(3) half'",
    ],
)
def test_a_coordinate_that_may_be_another_is_null_and_noted(text: str) -> None:
    structured = structure(atoms(f"C1 C {text} .2 .3", "O1 O .4 .5 .6"))
    assert [s["x"] for s in sites(structured)] == [None, 0.4]
    assert "coordinate-not-a-number" in notes(entry(structured))


@pytest.mark.parametrize(("z", "units"), [("4,0", 4), ("0,5", 0.5), ("1,234", None)])
def test_a_comma_may_part_thousands(z: str, units: float | None) -> None:
    assert entry(structure(ATOM, f"_cell_formula_units_Z {z}"))["z_declared"] == units


@pytest.mark.parametrize(
    ("row", "occupancy", "u", "noted"),
    [
        ("0.5±0.1 .05±.01", 0.5, 0.05, "unusual-number"),
        ("½ 5d-2", 0.5, 0.05, "unusual-number"),
        ("50% '0.05 Å²'", 0.5, 0.05, None),
        ("0.5(1)* .05(1)*", 0.5, 0.05, "number-with-remark"),
        ("'1 minus x' .05", None, 0.05, "occupancy-not-a-number"),
        ("0.5e .05", None, 0.05, "occupancy-not-a-number"),
        ("0.5 0.l05", 0.5, None, "displacement-not-a-number"),
        ("0,5 .05²", 0.5, None, "displacement-not-a-number"),
    ],
)
def test_occupancies_and_displacements(
    row: str, occupancy: float | None, u: float | None, noted: str | None
) -> None:
    text = structure(atoms(f"C1 C .1 .2 .3 {row}", "O1 O .4 .5 .6 1 .03", columns="occupancy U_iso_or_equiv"))
    first, second = sites(text)
    assert (first["occupancy"], first["u_iso_angstrom2"]) == (
        occupancy if occupancy is None else pytest.approx(occupancy),
        u if u is None else pytest.approx(u),
    )
    assert (second["occupancy"], second["u_iso_angstrom2"]) == (1.0, 0.03)
    assert noted is None or noted in notes(entry(text))


@pytest.mark.parametrize(
    "row",
    ["Cα C ¼ ½ ¾", "C1′ C ¼ ½ ¾", "C1 C° .25 .5 .75", "C1 C 0.25 ± 0.01 .5 .75", "C1 C .25±.01 .5‡ .75"],
)
def test_a_row_with_letters_outside_ascii_keeps_its_site_and_its_columns(row: str) -> None:
    found = sites(structure(atoms(row, "O1 O .4 .5 .6")))
    assert [s["label"] for s in found] == [row.split()[0], "O1"]
    assert (found[0]["x"], found[0]["z"]) == (0.25, 0.75)
    assert (found[1]["x"], found[1]["y"], found[1]["z"]) == (0.4, 0.5, 0.6)


def test_tags_with_letters_outside_ascii_keep_their_column() -> None:
    rows = atoms("C1 C .1 .2 .3 7 .05", columns="größe U_iso_or_equiv")
    assert [s["u_iso_angstrom2"] for s in sites(structure(rows))] == [0.05]
    greek = structure(cell(5, 6, 7, 90, 102.5, 90).replace("beta", "β"), ATOM, **P21C_NAME)
    assert entry(greek)["beta_degree"] == 102.5


@pytest.mark.parametrize("symbol", ["$P2_1/c$", "$P2_{1}/c$", r"$P\,2_1/c$", "P2₁/c", "P 2₁/c"])
def test_a_symbol_that_may_not_stand_without_quotes_is_quoted(symbol: str) -> None:
    found = entry(structure(cell(5, 6, 7), ATOM, symmetry=f"_symmetry_space_group_name_H-M {symbol}\n"))
    assert (found["sg_hm"], found["sg_declared_hm"]) == ("P 1 21/c 1", symbol)
    assert "line-dropped" not in notes(found)


@pytest.mark.parametrize("word", ["$102.5", "_102.5", "data_102", "global_", "loop_"])
def test_an_angle_that_may_not_stand_without_quotes_is_not_lost(word: str) -> None:
    found = rejection(structure(cell(5, 6, 7, 90, word, 90), ATOM, **P21C_NAME))
    assert (found["code"], found["detail"]) == ("cell-not-a-number", f"_cell_angle_beta is {word!r}")


def test_names_of_blocks_lose_their_accents_alone() -> None:
    two = [structure(cell(5, 6, 7, 90, "102.5°", 90), ATOM, name=name) for name in ("Müller", "Kröger-2")]
    entries, _, rejections = read("".join(two))
    assert not rejections
    assert [(e["block"], e["beta_degree"]) for e in entries] == [("Muller", 102.5), ("Kroger-2", 102.5)]


@pytest.mark.parametrize(
    "density",
    [
        "1.5",
        "1,500",
        "'1.5 g/cm3'",
        "'1.5(1) Mg m^-3^'",
        "'1.5 g cm⁻³'",
        "'1500 kg/m3'",
        "1.5g/cc",
        "1.5±0.1",
    ],
)
def test_densities_with_a_unit(density: str) -> None:
    """One atom of carbon in 13.3 Å³ weighs 1.5 g/cm³, which the file then does not contradict."""
    said = f"_exptl_crystal_density_diffrn {density}"
    found = entry(structure(cell(2.0, 2.0, 3.324), said, atoms("C1 C 0 0 0")))
    assert not notes(found, volume=True) & {"density-mismatch", "density-not-a-number"}
    assert "density-mismatch" in notes(entry(structure(cell(2.0, 2.0, 5.5), said, atoms("C1 C 0 0 0"))))


def test_fractions_in_operators() -> None:
    operators = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,½+y,½-z\n'−x, −y, −z'\nx,1⁄2-y,½+z\n"
    found = entry(structure(cell(5, 6, 7, 90, 102.5, 90), ATOM, symmetry=operators))
    assert (found["sg_hm"], found["n_sites"]) == ("P 1 21/c 1", 1)


def test_text_fields_and_quotes_are_left_as_they_are() -> None:
    said = "_chemical_name_common 'naïve ± name'\n_publ_section_title\n;\n it's 5° \"warm\n;\n"
    found = entry(structure(cell(5, 6, 7, 90, "102.5°", 90), said, ATOM, **P21C_NAME))
    assert found["beta_degree"] == 102.5
    assert notes(found) == {"non-ascii-words"}


@pytest.mark.parametrize("quotes", ["‘’", "’’", "“”", "””"])
def test_quotes_of_word_processors_are_quotes(quotes: str) -> None:
    symmetry = "_symmetry_space_group_name_H-M 'P 1 21/n 1'\nloop_\n_symmetry_equiv_pos_as_xyz\n"
    symmetry += "'x, y, z'\n'-x, -y, -z'\n'-x+1/2, y+1/2, -z+1/2'\n'x+1/2, -y+1/2, z+1/2'\n"
    contents = "_chemical_formula_sum 'C H4'\n_chemical_name_common 'the “fire” damp'\n"
    text = structure(cell(5, 6, 7, 90, 102.5, 90), contents, ATOM, symmetry=symmetry)
    curly = re.sub(r"(?m)'([^'“]*)'$", rf"{quotes[0]}\1{quotes[1]}", text)
    assert curly.count(quotes[1]) >= 6
    found, plain = entry(curly), entry(text)
    for column in ("sg_hm", "sg_source", "sg_agreement", "formula_declared", "composition_agreement"):
        assert found[column] == plain[column]
    assert found["sg_hm"] == "P 1 21/n 1"


@given(st.integers(0, 999), st.integers(0, 12), st.sampled_from(["×10{}", " x 10^{}", "·10**{}"]))
def test_powers_of_ten_are_those_of_python(digits: int, power: int, form: str) -> None:
    raised = str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")) if form[0] == "×" else power
    assert unusual_number(f"{digits}{form.format(raised)}") == (
        float(digits * 10**power),
        pytest.approx(math.nan, nan_ok=True),
    )


@given(st.sampled_from("¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"))
def test_vulgar_fractions_are_those_of_their_decomposition(character: str) -> None:
    above, below = unicodedata.normalize("NFKC", character).split("\u2044")
    found = unusual_number(f"-{character}")
    assert found is not None
    assert found[0] == pytest.approx(-float(Fraction(int(above), int(below))))


@given(st.text(max_size=90))
def test_no_text_makes_it_fail(text: str) -> None:
    found = unusual_number(text, "angle")
    assert found is None or not math.isnan(found[0])
    assert has_remark(text) in (True, False)


def test_a_line_of_open_quotes_is_read_in_time() -> None:
    text = structure(cell(5, 6, 7, 90, "102.5°", 90), ATOM) + "_x °" + " 'a" * 3_000 + "\n" + "° '" * 200_000
    entries, _, rejections = read(text)
    assert entries or rejections


def test_the_tensor_stands_in_for_a_displacement_that_is_no_number() -> None:
    """As in COD 4300081, whose 0.109 is printed `0.l09`."""
    rows = atoms("C1 C .1 .2 .3 0.l09(5)", "O1 O .4 .5 .6 .03", columns="U_iso_or_equiv")
    tensor = "loop_\n_atom_site_aniso_label\n" + "".join(
        f"_atom_site_aniso_U_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23")
    )
    found = sites(structure(rows, tensor + "C1 0.097 0.071 0.13 0 0 0\nO1 .03 .03 .03 0 0 0\n"))
    assert [s["u_iso_angstrom2"] for s in found] == pytest.approx([(0.097 + 0.071 + 0.13) / 3, 0.03])
    assert [s["u_iso_origin"] for s in found] == ["tensor", "U"]
