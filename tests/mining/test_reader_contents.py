"""Composition, hydrogen and the experiment, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from reader_cif import atoms, cell, entry, notes, structure

P1BAR = "_symmetry_space_group_name_H-M 'P -1'\n"


def contents(formula: str, z: object, *rows: str, columns: str = "") -> dict[str, Any]:
    """An entry in P -1 (general multiplicity 2)."""
    return entry(
        structure(
            atoms(*rows, columns=columns),
            f"_chemical_formula_sum {formula!r}\n_cell_formula_units_Z {z}",
            symmetry=P1BAR,
        )
    )


C1, C2, H1, O1 = "C1 C .1 .1 .1", "C2 C .2 .1 .1", "H1 H .1 .1 .2", "O1 O .3 .1 .1"


def test_sites_and_formula_agree() -> None:
    found = contents("C2 H O", 2, C1, C2, H1, O1)
    assert found["composition_agreement"] == "agree"
    assert (found["formula_sites"], found["formula_cell"]) == ("C4 H2 O2", "C4 H2 O2")
    assert (found["n_atoms_non_h_cell"], found["n_atoms_h_cell"]) == (6.0, 2.0)
    assert found["hydrogen_origin"] == "sites"
    assert found["h_fraction"] == pytest.approx(2 / 8)
    assert (found["n_sites"], found["n_sites_non_h"]) == (4, 3)


def test_hydrogen_missing_from_the_sites_comes_from_the_formula() -> None:
    found = contents("C2 H6 O", 2, C1, C2, O1)
    assert (found["composition_agreement"], found["hydrogen_origin"]) == ("hydrogen", "formula")
    assert (found["formula_sites"], found["formula_cell"]) == ("C4 O2", "C4 H12 O2")
    assert found["h_fraction"] == pytest.approx(12 / 18)
    assert found["n_atoms_non_h_cell"] == 6.0


@pytest.mark.parametrize(("z", "agreement"), [(1, "hydrogen"), (4, "multiple")])
def test_hydrogen_from_the_formula_alone_does_not_hide_another_z(z: int, agreement: str) -> None:
    """α-Glycine has Z = 4: the identity alone makes a quarter of it."""
    rows = ("C1 C .075 .125 .066", "C2 C .065 .145 .787", "N1 N .301 .090 .741", "O1 O .305 .094 .236")
    stated = f"_cell_formula_units_Z {z}\n_chemical_formula_sum 'C2 H5 N O2'\n"
    stated += f"_exptl_crystal_density_diffrn {0.402 * z:.3f}\n"
    text = structure(
        cell(5.1054, 11.9688, 5.4645, 90, 111.697, 90), stated, atoms(*rows, "O2 O .851 .142 .107")
    )
    found = entry(text)
    assert (found["composition_agreement"], found["hydrogen_origin"]) == (agreement, "formula")
    marks = {"symmetry-contradicted", "volume-implausible"}
    assert (marks <= notes(found, volume=True)) == (z == 4)


def test_attached_hydrogens_are_counted() -> None:
    rows = (C1 + " 3", C2 + " 2", O1 + " 1")
    found = contents("C2 H6 O", 2, *rows, columns="attached_hydrogens")
    assert (found["composition_agreement"], found["hydrogen_origin"]) == ("agree", "attached")
    assert found["n_atoms_h_cell"] == 12.0
    # attached hydrogens that have sites as well are not counted twice
    found = contents("C2 H O", 2, C1 + " 1", C2 + " 0", O1 + " 0", H1 + " 0", columns="attached_hydrogens")
    assert (found["composition_agreement"], found["hydrogen_origin"], found["n_atoms_h_cell"]) == (
        "agree",
        "sites",
        2.0,
    )


def test_attached_hydrogens_beside_a_formula_without_any() -> None:
    text = structure(
        cell(3.87, 3.87, 3.87), "_chemical_formula_sum 'Cl N'", atoms("N1 NH4 0 0 0", "Cl1 Cl .5 .5 .5")
    )
    found = entry(text)
    assert (found["composition_agreement"], found["hydrogen_origin"]) == ("hydrogen", "attached")
    assert (found["formula_cell"], found["n_atoms_h_cell"]) == ("Cl H4 N", 4)


def test_water_and_hydroxyl_labels_carry_hydrogen() -> None:
    text = structure(atoms("Wat . .1 .1 .1", "O-H . .3 .1 .1", "Mg1 Mg .5 .2 .2"), symmetry=P1BAR)
    found = entry(text)
    assert found["formula_sites"] == "H6 Mg2 O4"
    assert found["hydrogen_origin"] == "attached"


def test_no_hydrogen_anywhere_and_unknown_hydrogen() -> None:
    assert contents("C2 O", 2, C1, C2, O1)["hydrogen_origin"] == "none"
    assert contents("C2 O", 2, C1, C2, O1)["h_fraction"] == 0.0
    unknown = entry(structure(atoms(C1, O1), symmetry=P1BAR))
    assert (unknown["composition_agreement"], unknown["hydrogen_origin"]) == ("no-formula", None)
    assert unknown["h_fraction"] is None


@pytest.mark.parametrize("z", [1, 4, 8])
def test_another_z_is_said(z: int) -> None:
    found = contents("C2 H O", z, C1, C2, H1, O1)
    assert (found["composition_agreement"], found["formula_units"], found["z_declared"]) == (
        "multiple",
        2.0,
        z,
    )


def test_without_a_declared_z_the_units_come_from_the_sites() -> None:
    found = contents("C2 H O", "?", C1, C2, H1, O1)
    assert (found["composition_agreement"], found["formula_units"], found["z_declared"]) == (
        "agree",
        2.0,
        None,
    )


def test_a_formula_that_does_not_explain_the_sites_is_not_believed() -> None:
    found = contents("C2 H O S", 2, C1, C2, H1, O1)
    assert found["composition_agreement"] == "disagree"
    assert found["formula_cell"] == "C4 H2 O2"
    assert found["elements"] == "C H O S"  # either may have left one out


def test_partial_occupancies_and_deuterium() -> None:
    found = contents(
        "C H0.5 O0.5", 2, C1 + " 1", "D1 D .1 .1 .2 0.5", "O1 O .3 .1 .1 0.5", columns="occupancy"
    )
    assert (found["composition_agreement"], found["formula_cell"]) == ("agree", "C2 H O")


@pytest.mark.parametrize(("occupancy", "agreement"), [(0.55, "agree"), (0.6, "disagree")])
def test_rounding_of_occupancies_adds_up_over_the_formula_units(occupancy: float, agreement: str) -> None:
    """4 × C2 Fe0.5 is Fe2: 3 % of 2 and 4 × 0.06 atoms are allowed, 0.30; two sites give 2.2 or 2.4."""
    carbons = [f"C{i} C .{i} .1 .1 1" for i in range(1, 5)]
    irons = [f"Fe{i} Fe .{i} .5 .3 {occupancy}" for i in range(1, 3)]
    found = contents("C2 Fe0.5", 4, *carbons, *irons, columns="occupancy")
    assert found["composition_agreement"] == agreement


def test_an_unknown_occupancy_counts_as_a_full_site() -> None:
    rows = (C1 + " ?", C2 + " 1", O1 + " 0.5")
    assert contents("C2 O", 2, *rows, columns="occupancy")["formula_sites"] == "C4 O"


@pytest.mark.parametrize(
    ("formula", "kind", "s_block", "d_block"),
    [
        ("C2 H6 O", "organic", False, False),
        ("C2 H6 Fe O", "metal-organic", False, True),
        ("C2 H5 Na O", "metal-organic", True, False),
        ("Na Cl", "inorganic", True, False),
        ("Fe O", "inorganic", False, True),
        ("C O2", "inorganic", False, False),
        ("Ga As", "inorganic", False, False),
    ],
)
def test_classes_and_blocks(formula: str, kind: str, s_block: bool, d_block: bool) -> None:
    found = entry(structure(f"_chemical_formula_sum {formula!r}\n_cell_formula_units_Z 1"))
    assert (found["class"], found["has_s_block"], found["has_d_block"]) == (kind, s_block, d_block)


@pytest.mark.parametrize(
    ("items", "column", "value", "note"),
    [
        ("_diffrn_ambient_temperature 293(2)", "temperature_kelvin", 293.0, None),
        ("_diffrn_ambient_temperature '100 K'", "temperature_kelvin", 100.0, "temperature-with-unit"),
        ("_diffrn_ambient_temperature '20 C'", "temperature_kelvin", 293.15, "temperature-from-celsius"),
        (
            "_diffrn_ambient_temperature '-100 \u00b0C'",
            "temperature_kelvin",
            173.15,
            "temperature-from-celsius",
        ),
        ("_diffrn_ambient_temperature -100", "temperature_kelvin", None, "temperature-impossible"),
        ("_diffrn_ambient_temperature ambient", "temperature_kelvin", None, None),
        ("_diffrn_ambient_temperature ?", "temperature_kelvin", None, None),
        ("_cell_measurement_temperature 150", "temperature_kelvin", 150.0, None),
        (
            "_diffrn_ambient_temperature ?\n_cell_measurement_temperature 150",
            "temperature_kelvin",
            150.0,
            None,
        ),
        ("_diffrn_ambient_temperature 100(2)_K", "temperature_kelvin", 100.0, "temperature-with-unit"),
        ("_diffrn_ambient_temperature '153 (2)'", "temperature_kelvin", 153.0, "unusual-number"),
        ("_diffrn_ambient_temperature 293.0(1.5)", "temperature_kelvin", 293.0, None),
        ("_diffrn_ambient_temperature -150(2)\\%C", "temperature_kelvin", 123.15, "temperature-from-celsius"),
        ("_diffrn_ambient_temperature '25 deg. C'", "temperature_kelvin", 298.15, "temperature-from-celsius"),
        ("_diffrn_ambient_temperature '123deg.'", "temperature_kelvin", None, "temperature-unclear"),
        ("_diffrn_ambient_temperature 35+273,15", "temperature_kelvin", None, "temperature-unclear"),
        ("_diffrn_ambient_temperature 295-300", "temperature_kelvin", None, "temperature-unclear"),
        ("_diffrn_ambient_temperature '-300 C'", "temperature_kelvin", None, "temperature-impossible"),
        (
            "_diffrn_ambient_temperature -173.0(0.2)\n_cell_measurement_temperature -173(2)C",
            "temperature_kelvin",
            100.15,
            "temperature-from-celsius",
        ),
        (
            "_diffrn_ambient_temperature 100deg\n_cell_measurement_temperature ambient",
            "temperature_kelvin",
            None,
            "temperature-unclear",
        ),
        (
            "_diffrn_ambient_temperature ambient\n_cell_measurement_temperature 150",
            "temperature_kelvin",
            150.0,
            None,
        ),
        ("_diffrn_ambient_pressure 101.325", "pressure_kilopascal", 101.325, None),
        ("_diffrn_radiation_wavelength 0.71073", "wavelength_angstrom", 0.71073, None),
        ("_diffrn_radiation_wavelength.wavelength 1.54184", "wavelength_angstrom", 1.54184, None),
        ("loop_\n_diffrn_radiation_wavelength\n1.5405\n1.5443", "wavelength_angstrom", 1.5405, None),
        ("_diffrn_radiation_type MoK\\a", "radiation", "x-ray", None),
        ("_diffrn_radiation_type 'Cu K\\a~1~'", "radiation", "x-ray", None),
        ("_diffrn_radiation_probe neutron", "radiation", "neutron", None),
        ("_diffrn_source 'nuclear reactor'", "radiation", "neutron", None),
        ("_diffrn_radiation_wavelength 0.0251", "radiation", "electron", None),
        ("_diffrn_reflns_theta_max 26.4", "theta_max_degree", 26.4, None),
        ("_diffrn_measured_fraction_theta_max 0.985", "completeness", 0.985, None),
        ("_diffrn_measured_fraction_theta_max 98.5", "completeness", 0.985, "completeness-in-percent"),
        ("_diffrn_measured_fraction_theta_max 1.000", "completeness", 1.0, None),
        ("_refine_ls_R_factor_gt 0.0345", "r1", 0.0345, None),
        ("_refine_ls_R_factor_obs 3.45", "r1", 0.0345, "r1-in-percent"),
        ("_refine_ls_R_factor_all 0.05", "r1", 0.05, "r1-of-all-reflections"),
        ("_refine_ls_wR_factor_ref 0.0912", "wr2", 0.0912, None),
        ("_refine_ls_number_reflns 2345", "n_reflections", 2345, None),
    ],
)
def test_the_experiment(items: str, column: str, value: object, note: str | None) -> None:
    found = entry(structure(atoms(C1), items))
    assert found[column] == (pytest.approx(value) if isinstance(value, float) else value)
    assert notes(found) == ({note} if note else set())


def test_nothing_is_assumed_of_an_experiment_that_is_not_described() -> None:
    found = entry(structure(atoms(C1)))
    names = (
        "temperature_kelvin",
        "pressure_kilopascal",
        "radiation",
        "method",
        "wavelength_angstrom",
        "d_min_angstrom",
        "theta_max_degree",
        "completeness",
        "r1",
        "wr2",
        "n_reflections",
    )
    assert {name: found[name] for name in names} == dict.fromkeys(names)


def test_resolution_from_theta_by_bragg() -> None:
    # Mo Ka to 30 degrees: sin = 1/2, so d = lambda.
    items = "_diffrn_radiation_wavelength 0.71073\n_diffrn_reflns_theta_max 30.0"
    assert entry(structure(atoms(C1), items))["d_min_angstrom"] == pytest.approx(0.71073)
    assert entry(structure(atoms(C1), "_refine.ls_d_res_high 1.8"))["d_min_angstrom"] == 1.8


def test_volume_per_atom_uses_partial_occupancies() -> None:
    found = entry(
        structure(cell(10, 10, 10), atoms("C1 C .1 .1 .1 0.5", "C2 C .2 .2 .2 1", columns="occupancy"))
    )
    assert found["volume_per_non_h_atom_angstrom3"] == pytest.approx(1000 / 1.5)


def test_atoms_may_lack_the_rounding_of_one_formula_unit_where_the_cell_holds_half_of_one() -> None:
    """0.45 O where half of `C10 O` has 0.5: within 3 % and 0.06 atoms, which is the least that is allowed."""
    rows = [f"C{i} C .{i} .{i}1 .{i}3 1" for i in range(1, 6)]
    found = entry(
        structure(atoms(*rows, "O1 O .7 .75 .8 .45", columns="occupancy"), "_chemical_formula_sum 'C10 O'")
    )
    assert found["composition_agreement"] == "agree"
    assert found["formula_units"] == pytest.approx(0.5, abs=0.001)
    assert found["formula_cell"].startswith("C4.99")  # k × formula, k by least squares over C and O


def test_nearly_one_formula_unit_is_one() -> None:
    found = entry(structure(atoms("C1 C .1 .2 .3 .951", columns="occupancy"), "_chemical_formula_sum 'C'"))
    assert (found["formula_units"], found["formula_cell"]) == (1, "C")
