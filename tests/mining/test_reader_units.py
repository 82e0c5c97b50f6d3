"""Units behind numbers and in tags, ranges, limits: converted where known, null where they are not."""

from __future__ import annotations

import duckdb
import pytest
from reader_cif import atoms, cell, entry, notes, read, rejection, sites, structure

from xtalpriors.mining.reading.units import number_and_unit
from xtalpriors.mining.reading.unusual_numbers import has_remark
from xtalpriors.mining.subsets.filters import FILTERS

ATOM = atoms("C1 C .1 .2 .3")


def of(*lines: str) -> dict[str, object]:
    return entry(structure(*lines, ATOM))


@pytest.mark.parametrize(
    ("text", "kilopascal"),
    [
        ("'2.5 GPa'", 2.5e6),
        ("'300 MPa'", 3e5),
        ("12(1)kbar", 1.2e6),
        ("'1.013 bar'", 101.3),
        ("'1 atm'", 101.325),
        ("1Mbar", 1e8),
        ("'950 mbar'", 95.0),
        ("101.3", 101.3),
        ("'2.5 or so'", None),
        ("'1-2 GPa'", None),
        ("'> 2 GPa'", None),
    ],
)
def test_a_pressure_in_any_unit_is_in_kilopascal(text: str, kilopascal: float | None) -> None:
    found = of(f"_diffrn_ambient_pressure {text}")
    stated = found["pressure_kilopascal"]
    assert stated == (None if kilopascal is None else pytest.approx(kilopascal))
    if kilopascal is None:
        assert "pressure-unclear" in notes(found)


@pytest.mark.parametrize(
    ("line", "ambient"),
    [
        ("", True),
        ("_diffrn_ambient_pressure 101.3", True),
        ("_diffrn_ambient_pressure ambient", True),
        ("_diffrn_ambient_pressure_lt 150", True),
        ("_diffrn_ambient_pressure_gt 5.0E6", False),
        ("_diffrn_ambient_pressure_gt '5 GPa'", False),
        ("_diffrn_ambient_pressure_lt 1e6", False),
        ("_diffrn_ambient_pressure_gPa 2.5", False),
        ("_diffrn_ambient_pressure '2-3 GPa'", False),
        ("_cell_measurement_pressure high", False),
    ],
)
def test_what_is_not_known_of_the_pressure_is_not_ambient_where_something_is_said(
    line: str, ambient: bool
) -> None:
    (found,) = read(structure(line, ATOM))[0]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE entry (pressure_kilopascal DOUBLE, notes VARCHAR)")
        connection.execute("INSERT INTO entry VALUES (?, ?)", [found["pressure_kilopascal"], found["notes"]])
        kept = connection.execute(f"SELECT {FILTERS['ambient_pressure'].sql} FROM entry").fetchone()
    assert kept == (ambient,)


@pytest.mark.parametrize(
    ("text", "angstrom"),
    [
        ("'0.071073 nm'", 0.71073),
        ("'71.073 pm'", 0.71073),
        ("0.71073A", 0.71073),
        (r"'1.54184(2) \%A'", 1.54184),
        ("'0.40-3.5'", None),
        ("'0.48 ... 7.0'", None),
        ("'1.0 to 3.8'", None),
        ("'1.54056/1.54439'", None),
        ("'0.7107 and other'", None),
    ],
)
def test_a_wavelength_in_another_unit_is_in_angstrom_and_a_range_is_none(
    text: str, angstrom: float | None
) -> None:
    found = of(
        f"_diffrn_radiation_wavelength {text}", "_diffrn_reflns_theta_max 30", "_reflns_d_resolution_high 0.5"
    )
    assert found["wavelength_angstrom"] == (None if angstrom is None else pytest.approx(angstrom))
    # λ / (2 sin 30°) = λ; without a wavelength the resolution as stated
    assert found["d_min_angstrom"] == pytest.approx(0.5 if angstrom is None else angstrom)


@pytest.mark.parametrize(
    ("low", "high", "d_min", "noted"),
    [
        ("0.3", "50", 0.3, True),
        ("3nm", "100", 30.0, True),
        ("50", "0.3", 0.3, False),
        ("0", "0.9", 0.9, False),
    ],
)
def test_limits_of_the_resolution_in_the_wrong_order(low: str, high: str, d_min: float, noted: bool) -> None:
    """Low is the larger d; some write the numbers by their size (COD 1101081: 0.3 and 50)."""
    found = of(f"_reflns_d_resolution_low {low}", f"_reflns_d_resolution_high {high}")
    assert found["d_min_angstrom"] == pytest.approx(d_min)
    assert ("resolution-limits-exchanged" in notes(found)) is noted


@pytest.mark.parametrize(
    ("length", "radiation", "angstrom", "note"),
    [
        ("71.073", "MoK", 0.71073, "wavelength-from-picometre"),
        ("154.18", "x-ray", 1.5418, "wavelength-from-picometre"),
        ("154.0562", None, 1.540562, "wavelength-from-picometre"),
        ("56.086", "x-ray", 0.56086, "wavelength-from-picometre"),
        ("68.8", "synchrotron", None, "wavelength-unclear"),
        ("12.0", "neutron", 12.0, None),
        ("2.291", "x-ray", 2.291, None),
        ("0.071073", "x-ray", 0.71073, "wavelength-from-nanometre"),
        ("0.071073", None, 0.71073, "wavelength-from-nanometre"),
        ("0.15418", "'Cu K\\a'", 1.5418, "wavelength-from-nanometre"),
        ("0.15418", "synchrotron", 0.15418, None),
        ("0.0251", "electron", 0.0251, None),
        ("1.5406,1.5444", "x-ray", None, "wavelength-unclear"),
        ("'Mo K\\a 0.71073'", "x-ray", None, "wavelength-unclear"),
    ],
)
def test_a_wavelength_without_a_unit_is_that_of_a_tube_where_nothing_else_is_so_long_or_short(
    length: str, radiation: str | None, angstrom: float | None, note: str | None
) -> None:
    said = [f"_diffrn_radiation_type {radiation}"] if radiation else []
    found = of(f"_diffrn_radiation_wavelength {length}", *said)
    assert found["wavelength_angstrom"] == (None if angstrom is None else pytest.approx(angstrom))
    assert {n for n in notes(found) if n.startswith("wavelength")} == ({note} if note else set())


@pytest.mark.parametrize(("theta", "d_min"), [("0.52", None), ("'0.52 rad'", 0.7152), ("29.8", 0.7151)])
def test_a_theta_of_reflections_beyond_the_cell_is_unclear(theta: str, d_min: float | None) -> None:
    # λ / (2 sin 0.52°) is 39 Å, and the longest edge of this cell 7 Å
    found = of(cell(5, 6, 7), "_diffrn_radiation_wavelength 0.71073", f"_diffrn_reflns_theta_max {theta}")
    assert found["d_min_angstrom"] == (None if d_min is None else pytest.approx(d_min, abs=1e-4))
    assert (found["theta_max_degree"] is None) == ("theta-max-unclear" in notes(found)) == (d_min is None)


@pytest.mark.parametrize(
    ("ambient", "cell_at", "kelvin"),
    [
        ("25", "298", 298.15),
        ("20", "293(2)", 293.15),
        ("25", "25", 25.0),
        ("25", "100", 25.0),
        ("100", "373", 100.0),
    ],
)
def test_celsius_and_kelvin_that_agree(ambient: str, cell_at: str, kelvin: float) -> None:
    found = of(f"_diffrn_ambient_temperature {ambient}", f"_cell_measurement_temperature {cell_at}")
    assert found["temperature_kelvin"] == pytest.approx(kelvin)
    assert ("temperature-from-celsius" in notes(found)) == (kelvin > 273)


def test_where_one_tag_gives_a_range_another_is_asked() -> None:
    found = of("_diffrn_radiation_wavelength '0.4-3.5'", "_cell_measurement_wavelength 1.0")
    assert found["wavelength_angstrom"] == 1.0
    assert "wavelength-unclear" in notes(found)


@pytest.mark.parametrize(
    ("lines", "a", "su"),
    [
        (cell("564.0(2)", 564, 564).replace("_length_a", "_length_a_pm"), 5.64, 0.002),
        (cell("0.564(1)", 5.64, 5.64).replace("_length_a", "_length_a_nm"), 5.64, 0.01),
        (cell("'2.5 nm'", 25, 25), 25.0, None),
        (cell("'5.64(1) A'", 5.64, 5.64, "90.0deg"), 5.64, 0.01),
        (cell("'564 pm'", 5.64, 5.64), 5.64, None),
    ],
)
def test_lengths_of_the_cell_in_other_units(lines: str, a: float, su: float | None) -> None:
    found = entry(structure(lines, ATOM))
    assert found["a_angstrom"] == pytest.approx(a)
    assert found["a_su_angstrom"] == (None if su is None else pytest.approx(su))


def test_a_range_is_no_length_and_a_remark_behind_a_length_changes_nothing() -> None:
    assert rejection(structure(cell("5.6-5.7"), ATOM))["code"] == "cell-not-a-number"
    assert entry(structure(cell("'5.64 fixed'"), ATOM))["a_angstrom"] == 5.64


def test_the_declared_volume_and_displacements_by_tag_in_other_units() -> None:
    found = of("_cell_volume '0.990 nm^3'")  # 9 × 10 × 11 Å
    assert found["volume_declared_angstrom3"] == pytest.approx(990)
    assert "volume-mismatch" not in notes(found)
    assert of("_cell_volume_pm 990000000")["volume_declared_angstrom3"] == pytest.approx(990)
    (site,) = sites(structure(atoms("C1 C .1 .2 .3 250(10)", columns="U_iso_or_equiv_pm")))
    assert site["u_iso_angstrom2"] == pytest.approx(0.025)


@pytest.mark.parametrize(
    ("text", "noted"),
    [("~295", True), ("'ca. 295 K'", True), ("<100", True), ("'room temperature'", False), ("RT", False)],
)
def test_a_temperature_in_words_leaves_it_to_the_other_tag(text: str, noted: bool) -> None:
    alone, beside = (
        of(f"_diffrn_ambient_temperature {text}", *more)
        for more in ((), ("_cell_measurement_temperature 293(2)",))
    )
    assert (alone["temperature_kelvin"], beside["temperature_kelvin"]) == (None, 293.0)
    assert all(("temperature-unclear" in notes(found)) == noted for found in (alone, beside))


@pytest.mark.parametrize(
    ("tag", "kelvin"),
    [("_diffrn_ambient_temperature_C 20", 293.15), ("_cell_measurement_temperature_c -100(2)", 173.15)],
)
def test_temperatures_of_a_tag_in_celsius(tag: str, kelvin: float) -> None:
    assert of(tag)["temperature_kelvin"] == pytest.approx(kelvin)


def test_shares_in_per_cent_by_their_sign() -> None:
    found = of("_refine_ls_R_factor_gt 0.9%", "_diffrn_measured_fraction_theta_max '99.5 %'")
    assert found["r1"] == pytest.approx(0.009)
    assert found["completeness"] == pytest.approx(0.995)


@pytest.mark.parametrize(
    ("text", "quantity", "value"),
    [
        ("10 bohr", "length", 5.29177210903),  # CODATA 2018
        ("10 a.u.", "length", 5.29177210903),
        ("6 kX", "length", 6.01212),  # 1 kX = 1.00202 Å
        ("6kXU", "length", 6.01212),
        ("6.12 x 10-10 m", "length", 6.12),
        ("6.12e-8 cm", "length", 6.12),
        ("100gon", "angle", 90.0),
        ("1.5707963268 rad", "angle", 90.0),
        ("90 grad", "angle", None),  # gon, or degrees in German
        ("12 half", "length", None),
    ],
)
def test_rarer_units(text: str, quantity: str, value: float | None) -> None:
    assert number_and_unit(text, quantity) == (value if value is None else pytest.approx(value, rel=1e-9))


def test_rarer_units_of_a_cell_are_noted_and_words_that_may_be_one_refuse_it() -> None:
    found = entry(structure(cell("'10 bohr'", 6, 7, gamma="100gon"), ATOM))
    assert found["a_angstrom"] == pytest.approx(5.29177210903)
    assert found["gamma_degree"] == 90.0
    assert "cell-with-unit" in notes(found)
    assert rejection(structure(cell("'12 half'", 6, 7), ATOM))["code"] == "cell-not-a-number"


def test_a_long_remark_costs_nothing() -> None:
    assert number_and_unit("1" + " " * 100_000 + "x", "length") is None
    assert not has_remark("1" + " -" * 100_000)
