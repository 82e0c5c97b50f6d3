from __future__ import annotations

import pytest

from xtalpriors.crystal.chemistry.species import species, species_from_label, species_from_type_symbol


@pytest.mark.parametrize(
    ("symbol", "element", "charge"),
    [
        ("Fe3+", "Fe", 3),
        ("O2-", "O", -2),
        ("O-2", "O", -2),
        ("Nb+5", "Nb", 5),
        ("O-", "O", -1),
        ("C0", "C", 0),
        ("Cval", "C", None),
        ("Siv", "Si", None),
        ("CL", "Cl", None),
        ("o", "O", None),
        ("FE1", "Fe", None),
        ("CO", "Co", None),
        (" K+1 ", "K", 1),
        ("'Ca2+'", "Ca", 2),
        ("Siva", "Si", None),
        ("O2-.", "O", None),
        ("FeIII", "Fe", None),
        ("C_R", "C", None),
        ("OW", "O", None),
        ("Iron", None, None),
        ("Carbon", None, None),
    ],
)
def test_type_symbols(symbol: str, element: str | None, charge: int | None) -> None:
    found = species_from_type_symbol(symbol)
    assert (found.element, found.charge) == (element, charge)


@pytest.mark.parametrize(
    ("symbol", "isotope"), [("D", "D"), ("2H", "D"), ("T", "T"), ("H", None), ("D1+", "D")]
)
def test_isotopes(symbol: str, isotope: str | None) -> None:
    found = species_from_type_symbol(symbol)
    assert (found.element, found.isotope) == ("H", isotope)


@pytest.mark.parametrize(
    ("label", "element"),
    # spellings that occur in the COD and in the AMCSD
    [
        ("C(12)", "C"),
        ("MgM1", "Mg"),
        ("FeT2", "Fe"),
        ("Oab", "O"),
        ("OII", "O"),
        ("O(3)", "O"),
        ("CL1", "Cl"),
        ("Tioct", "Ti"),
        ("AlT*", "Al"),
        ("NaX", "Na"),
        ("SiVI", "Si"),
        ("Cu(1)", "Cu"),
        ("KK1", "K"),
        ("FeMe1", "Fe"),
        ("H-OH", "H"),
        ("N-NH4", "N"),
        ("Os1", "Os"),
        ("SI1", "Si"),
        ("CA1", "Ca"),
        ("CO1", "Co"),
        ("CU(1)", "Cu"),
        ("HO1", "H"),
        ("HG2A", "H"),
        ("NH1", "N"),
        ("CN1", "C"),
        ("BH1", "B"),
        ("NO2", "N"),
        ("OG", "O"),
        ("VT", "V"),
        ("W1", "W"),
        ("B1", "B"),
        ("HOh1", "H"),
        ("H2O", "H"),
        ("1C", "C"),
    ],
)
def test_labels(label: str, element: str) -> None:
    assert species_from_label(label).element == element


@pytest.mark.parametrize(
    "label", ["Wat", "Wat1", "Watd", "Wat-Int", "Wat*", "OW", "OW1", "Ow", "O(W)", "O1W", "HOH"]
)
def test_water_is_oxygen_with_two_hydrogens(label: str) -> None:
    found = species_from_label(label)
    assert (found.element, found.kind, found.implied_hydrogens) == ("O", "water", 2)


@pytest.mark.parametrize("label", ["O-H", "O-H1", "O-h2", "OH", "OH3", "O-HII", "Oh1", "O(H)", "O-hyd"])
def test_hydroxyl_is_oxygen_with_one_hydrogen(label: str) -> None:
    found = species_from_label(label)
    assert (found.element, found.kind, found.implied_hydrogens) == ("O", "hydroxyl", 1)


def test_groups() -> None:
    ammonium = species_from_label("NH4")
    assert (ammonium.element, ammonium.kind, ammonium.implied_hydrogens) == ("N", "group", 4)


@pytest.mark.parametrize("symbol", ["OH2", "H2O", "D2O", "Wat"])
def test_water_as_a_type_symbol(symbol: str) -> None:
    found = species_from_type_symbol(symbol)
    assert (found.element, found.kind, found.implied_hydrogens) == ("O", "water", 2)


@pytest.mark.parametrize(
    ("symbol", "element"), [("NH", "N"), ("CN", "C"), ("BH", "B"), ("NO", "N"), ("CM", "Cm")]
)
def test_two_capitals_are_no_element_beyond_californium(symbol: str, element: str) -> None:
    assert species_from_type_symbol(symbol).element == element


@pytest.mark.parametrize("label", ["Q1", "Q12", "Cg1", "Du1", "LP1"])
def test_dummies(label: str) -> None:
    assert species_from_label(label)[:1] == (None,)
    assert species_from_label(label).kind == "dummy"


@pytest.mark.parametrize("label", ["X", "X1", "XX", "Cent1", "Centroid", "CNT1"])
def test_an_x_may_be_a_dummy_or_a_site_of_unknown_element(label: str) -> None:
    assert (species_from_label(label).element, species_from_label(label).kind) == (None, "x")


def test_vacancies_are_no_vanadium() -> None:
    for label in ("Vac", "Vac1", "VAC2", "vacancy", "Va1", "□1"):
        assert species_from_label(label).kind == "vacancy", label
    for symbol in ("Va", "VAC", "Vac"):
        assert species_from_type_symbol(symbol).kind == "vacancy", symbol
    assert species_from_label("Va1", frozenset({"V", "O"})).element == "V"
    assert species_from_label("VA1").element == "V"
    assert species_from_label("Vacuum1").element == "V"


@pytest.mark.parametrize("text", ["T2", "M1", "A", "R3", "1", "*", "", "?", "L12"])
def test_site_names_are_no_elements(text: str) -> None:
    assert species(None, text).element is None


@pytest.mark.parametrize(
    ("label", "formula", "element"),
    [
        ("CA1", {"Ca", "O"}, "Ca"),
        ("CA1", {"C", "H"}, "C"),
        ("CO1", {"Co", "N"}, "Co"),
        ("CO1", {"C", "Co"}, "Co"),
        ("CL1", {"C", "Cl", "H"}, "Cl"),
        ("HG1", {"C", "H"}, "H"),
        ("HG1", {"Hg", "H"}, "Hg"),
        ("Nh1", {"N", "H"}, "N"),
        ("Co1", {"C", "Co"}, "Co"),
        ("HO1", {"Ho"}, "Ho"),
        ("NB1", {"N", "C"}, "N"),
        ("Sc1", {"S", "O"}, "S"),
        ("OS1", {"O", "S"}, "O"),
        ("D1", {"H", "O"}, "H"),
        ("W1", {"Mn", "O", "S"}, "O"),
        ("W", {"Ca", "O", "W"}, "W"),
        ("W1", {"C", "Co"}, "W"),
        ("VA2", {"O", "V"}, "V"),
    ],
)
def test_the_formula_decides_between_readings(label: str, formula: set[str], element: str) -> None:
    assert species_from_label(label, frozenset(formula)).element == element


@pytest.mark.parametrize("label", ["VA", "VA2", "VC1", "Vc", "Va"])
def test_vacancies_are_no_vanadium_where_the_formula_has_none(label: str) -> None:
    assert species_from_label(label, frozenset({"Fe", "O"})).kind == "vacancy"
    assert species_from_label(label, frozenset({"O", "V"})).element == "V"


def test_type_symbol_before_label_and_label_where_there_is_none() -> None:
    assert species("O", "Wat1").source == "type"
    assert species("?", "Fe1").element == "Fe"
    assert species(".", "Fe1").source == "label"
    assert species(None, None).kind == "unknown"
    assert species("ZZ", "Fe1").element == "Fe"  # a type symbol that is no element
    assert species("Dy", "D1").element == "Dy"
