"""Cell, symmetry, positions, displacements and contents, by hand and from published structures."""

from __future__ import annotations

import math

import pytest
from reader_cif import P21C, atoms, cell, entry, notes, rejection, sites, structure

ATOM = atoms("C1 C 0.1 0.2 0.3")
P1BAR = "_symmetry_space_group_name_H-M 'P -1'\n"


def test_cell_with_uncertainties_and_volume() -> None:
    found = entry(
        structure(cell("5.0000(2)", "6.000(3)", "7.00(4)", 90, "104.5(10)", 90), ATOM, "_cell_volume 203.3")
    )
    assert found["a_su_angstrom"] == pytest.approx(0.0002)
    assert found["c_su_angstrom"] == pytest.approx(0.04)
    assert found["beta_su_degree"] == pytest.approx(1.0)
    assert found["alpha_su_degree"] is None
    assert found["volume_angstrom3"] == pytest.approx(210 * math.sin(math.radians(104.5)), rel=1e-12)
    assert found["volume_declared_angstrom3"] == 203.3
    assert "volume-mismatch" not in notes(found)
    assert "volume-mismatch" in notes(entry(structure(cell(5, 6, 7), ATOM, "_cell_volume 230")))


def test_a_missing_angle_is_90_as_the_dictionary_says_but_an_unknown_one_is_not() -> None:
    found = entry("data_x\n_cell_length_a 5\n_cell_length_b 6\n_cell_length_c 7\n" + P1BAR + ATOM)
    assert (found["alpha_degree"], found["gamma_degree"]) == (90.0, 90.0)
    assert "angle-by-default" in notes(found)
    bad = rejection(structure(cell(beta="?"), ATOM))
    assert (bad["stage"], bad["code"], bad["detail"]) == ("cell", "cell-unknown", "_cell_angle_beta is '?'")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"a": "?"}, "cell-unknown"),
        ({"a": "nan"}, "cell-not-a-number"),
        ({"a": "0"}, "cell-impossible"),
        ({"b": "-5"}, "cell-impossible"),
        ({"gamma": "180"}, "cell-impossible"),
        ({"alpha": "20", "beta": "30", "gamma": "100"}, "cell-impossible"),
        ({"a": 1, "b": 1, "c": 1}, "cell-placeholder"),
    ],
)
def test_cells_that_are_none_are_rejected_with_the_reason(parameters: dict[str, object], code: str) -> None:
    found = rejection(structure(cell(**parameters), ATOM))
    assert (found["stage"], found["code"], found["block"]) == ("cell", code, "x")


@pytest.mark.parametrize(("factor", "note"), [(0.1, "cell-from-nanometre"), (100, "cell-from-picometre")])
def test_lengths_in_other_units_are_converted_and_noted(factor: float, note: str) -> None:
    lengths = [f"{x * factor:.5f}({1})" for x in (5.64, 6.1, 7.2)]
    found = entry(structure(cell(*lengths), ATOM))
    assert note in notes(found)
    assert found["a_angstrom"] == pytest.approx(5.64)
    assert found["c_angstrom"] == pytest.approx(7.2)
    assert found["a_su_angstrom"] == pytest.approx(1e-5 / factor)
    # without atoms nothing makes it certain
    assert entry(structure(cell(*lengths)))["a_angstrom"] == pytest.approx(5.64 * factor)


def test_a_cell_of_many_sites_is_in_nanometre_where_they_would_have_no_room() -> None:
    """40 sites in 9.6 Å³; in nanometre each has 240 Å³."""
    rows = [f"C{i} C {i / 50:.2f} {i * 7 % 50 / 50:.2f} 0.5" for i in range(40)]
    found = entry(structure(cell("2.0", "2.4", "2.0"), atoms(*rows)))
    assert (found["b_angstrom"], "cell-from-nanometre" in notes(found)) == (24.0, True)
    assert entry(structure(cell("2.0", "2.4", "2.0"), atoms(*rows[:9])))["b_angstrom"] == 2.4


def test_small_and_large_cells_in_angstrom_are_left_alone() -> None:
    assert (
        entry(structure(cell(2.2866, 2.2866, 3.5833, 90, 90, 120), ATOM))["a_angstrom"] == 2.2866
    )  # beryllium
    assert entry(structure(cell(150, 150, 150), *[ATOM]))["a_angstrom"] == 150


def test_dotted_tags_of_ddlm_mean_the_same() -> None:
    text = structure(
        P21C,
        ATOM,
        "_chemical_formula_sum 'C4'\n_cell_formula_units_Z 1\n_diffrn_ambient_temperature 120",
        symmetry="",
    )
    dotted = text
    for tag, name in {
        "_cell_length_": "_cell.length_",
        "_cell_angle_": "_cell.angle_",
        "_atom_site_": "_atom_site.",
        "_symmetry_equiv_pos_as_xyz": "_space_group_symop.operation_xyz",
        "_diffrn_ambient_": "_diffrn.ambient_",
        "_chemical_formula_": "_chemical_formula.",
        "_cell_formula_": "_cell.formula_",
    }.items():
        dotted = dotted.replace(tag, name)
    assert dotted.count(".") > text.count(".") + 10
    plain, other = entry(text), entry(dotted)
    assert {k for k in plain if plain[k] != other[k]} == {"content_hash"}


def test_symmetry_is_the_operators_first_and_says_when_symbols_disagree() -> None:
    found = entry(structure(P21C, ATOM, symmetry="_symmetry_space_group_name_H-M 'P -1'\n"))
    assert (found["sg_number"], found["sg_source"], found["sg_agreement"]) == (14, "operators", "disagree")
    assert found["operators"] == "x,y,z;-x,-y,-z;-x,y+1/2,-z+1/2;x,-y+1/2,z+1/2"
    assert (found["n_operators"], found["laue_class"], found["centrosymmetric"]) == (4, "2/m", True)
    spelt = entry(structure(ATOM, symmetry="_symmetry_space_group_name_H-M 'P 2_1/c'\n"))
    assert (spelt["sg_number"], spelt["sg_source"], spelt["sg_hm"]) == (14, "hm", "P 1 21/c 1")
    assert spelt["sg_declared_hm"] == "P 2_1/c"


def test_no_symmetry_is_a_rejection_and_never_p1() -> None:
    found = rejection(structure(ATOM, symmetry="_symmetry_space_group_name_H-M '?'\n"))
    assert (found["stage"], found["code"]) == ("symmetry", "no-symmetry")
    found = rejection(structure(ATOM, symmetry="_symmetry_space_group_name_H-M 'X 4 b m'\n"))
    assert "X 4 b m" in found["detail"]


def test_rhombohedral_axes_are_told_by_the_cell() -> None:
    r3bar = "_symmetry_space_group_name_H-M 'R -3'\n"
    assert entry(structure(cell(5, 5, 14, 90, 90, 120), ATOM, symmetry=r3bar))["n_operators"] == 18
    assert entry(structure(cell(6, 6, 6, 55, 55, 55), ATOM, symmetry=r3bar))["n_operators"] == 6


def test_a_cell_that_contradicts_its_group_is_noted() -> None:
    assert "cell-contradicts-group" in notes(entry(structure(cell(alpha=95), P21C, ATOM, symmetry="")))
    assert "cell-contradicts-group" not in notes(entry(structure(cell(beta=95), P21C, ATOM, symmetry="")))
    # the twofold axis turns b·c = bc cos α around: it changes by 0.7 % and by 1.4 % of bc, and 1 % is allowed
    for alpha, noted in ((90.2, False), (90.4, True)):
        found = entry(structure(cell(alpha=alpha), P21C, ATOM, symmetry=""))
        assert ("cell-contradicts-group" in notes(found)) is noted


def test_superspace_operators_give_the_average_structure() -> None:
    loop = (
        "loop_\n_space_group_symop_ssg_operation_algebraic\nx1,x2,x3,x4\n-x1,-x2,-x3,-x4\n"
        "'-x1,x2+1/2,-x3,x4+1/2'\n'x1,-x2+1/2,x3,-x4'\n"
    )
    found = entry(structure(ATOM, loop, symmetry=""))
    assert found["is_superspace"]
    assert (found["sg_number"], found["n_operators"]) == (11, 4)


def test_the_oblique_cell_of_the_design_notes() -> None:
    # P 21/n with a = 9, b = 7.2, c = 6.5, beta = 105: its reference setting has c = 12.39 and beta = 149.6.
    p21n = "_symmetry_space_group_name_H-M 'P 1 21/n 1'\n"
    found = entry(structure(cell(9, 7.2, 6.5, 90, 105, 90), ATOM, symmetry=p21n))
    assert found["beta_degree"] == 105
    assert 90 <= found["least_oblique_beta_degree"] < 125
    product = 1.0
    for name in "abc":
        product *= found[f"least_oblique_{name}_angstrom"]
    volume = product * math.sin(math.radians(found["least_oblique_beta_degree"]))
    assert volume == pytest.approx(found["volume_angstrom3"], rel=1e-9)
    assert found["least_oblique_operator"] != "x,y,z"
    assert entry(structure(ATOM))["least_oblique_operator"] is None


def test_niggli_cell_of_a_centred_lattice_is_primitive() -> None:
    # NaCl: the primitive cell of F m -3 m with a = 5.64 has edges a/sqrt(2) and angles of 60 degrees.
    found = entry(
        structure(cell(5.64, 5.64, 5.64), ATOM, symmetry="_symmetry_space_group_name_H-M 'F m -3 m'\n")
    )
    assert found["niggli_a_angstrom"] == pytest.approx(5.64 / math.sqrt(2), rel=1e-9)
    assert found["niggli_gamma_degree"] == pytest.approx(60.0, abs=1e-6)


def test_multiplicities_of_rock_salt_are_recomputed() -> None:
    # a declared 192 (the multiplicity of nothing) and the site symmetry order in place of the multiplicity
    text = structure(
        cell(5.64, 5.64, 5.64),
        atoms("Na1 Na 0 0 0 48", "Cl1 Cl 0.5 0.5 0.5 4", columns="symmetry_multiplicity"),
        "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 4",
        symmetry="_symmetry_space_group_name_H-M 'F m -3 m'\n",
    )
    found, atoms_found = entry(text), sites(text)
    assert [s["declared_multiplicity"] for s in atoms_found] == [48, 4]
    assert [s["multiplicity"] for s in atoms_found] == [4, 4]
    assert [s["site_symmetry_order"] for s in atoms_found] == [48, 48]
    assert [s["wyckoff_letter"] for s in atoms_found] == ["a", "b"]
    assert (found["formula_sites"], found["composition_agreement"]) == ("Cl4 Na4", "agree")
    assert (found["n_special_positions"], found["special_letters"], found["n_special_points"]) == (
        2,
        "a b",
        2,
    )
    assert found["volume_per_non_h_atom_angstrom3"] == pytest.approx(5.64**3 / 8)


def test_elements_come_from_types_then_labels_with_the_formula_to_decide() -> None:
    text = structure(
        atoms("CA1 . 0.1 0.1 0.1", "D1 D 0.2 0.2 0.2", "Fe1 Fe3+ 0.3 0.3 0.3", "Q1 ? 0.4 0.4 0.4"),
        "_chemical_formula_sum 'C H Fe'",
    )
    found = sites(text)
    assert [s["element"] for s in found] == ["C", "H", "Fe", None]
    assert [s["isotope"] for s in found] == [None, "D", None, None]
    assert found[2]["type_symbol"] == "Fe3+"
    assert sites(structure(atoms("CA1 . 0 0 0"), "_chemical_formula_sum 'Ca O'"))[0]["element"] == "Ca"


@pytest.mark.parametrize(("density", "contradicted"), [(2.489, True), (1.992, False), ("?", False)])
def test_a_cell_is_contradicted_where_the_density_confirms_the_volume(
    density: float | str, contradicted: bool
) -> None:
    # one atom of Mo, 95.95 Da, in 64 Å³ weighs 2.489 g/cm³, and in the 80 Å³ of this cell 1.992
    lines = f"_cell_volume 64\n_exptl_crystal_density_diffrn {density}\n_chemical_formula_sum Mo"
    found = notes(entry(structure(cell(4, 4, 5), lines, atoms("Mo1 Mo 0 0 0"))))
    assert ("cell-contradicted" in found) == contradicted


def test_occupancies_as_in_the_file() -> None:
    found = sites(structure(atoms("A1 C 0 0 0 0.5", "A2 C 0 0 .5 .", "A3 C 0 .5 0 ?", columns="occupancy")))
    assert [s["occupancy"] for s in found] == [0.5, 1.0, None]
    assert sites(structure(ATOM))[0]["occupancy"] == 1.0
    found = entry(structure(atoms("A1 C 0 0 0 ?", "A2 C 0 0 .5 1.05", columns="occupancy")))
    assert notes(found) == {"unknown-occupancy", "occupancy-out-of-range"}


@pytest.mark.parametrize("occupancy", ["3", "-0.5"])
def test_occupancies_that_no_refinement_gives_are_said(occupancy: str) -> None:
    found = entry(structure(atoms(f"A1 C 0 0 0 {occupancy}", "A2 C 0 0 .5 1", columns="occupancy")))
    assert {"occupancy-out-of-range", "occupancy-impossible"} <= notes(found)


@pytest.mark.parametrize(
    ("formula", "unclear"), [("'(Mg,Fe)2 Si O4'", True), ("'MG O'", False), ("?", False)]
)
def test_a_formula_that_cannot_be_read_is_said(formula: str, unclear: bool) -> None:
    found = entry(structure(atoms("Mg1 Mg 0 0 0", "O1 O .5 .5 .5"), f"_chemical_formula_sum {formula}"))
    assert ("formula-unclear" in notes(found)) == unclear
    assert found["composition_agreement"] == ("agree" if "MG" in formula else "no-formula")


def test_coordinates_that_lost_their_point_are_null_and_said() -> None:
    text = structure(atoms("C1 C 7542 .2 .3", "C2 C .4 -754.2 .6", "C3 C 60.1 .5 .5", "O1 O .4 .5 .6"))
    assert [s["x"] for s in sites(text)] == [None, None, 60.1, 0.4]
    assert {"coordinate-out-of-range", "atoms-without-coordinates"} <= notes(entry(text))
    assert "coordinates-far-off" not in notes(entry(text))
    hundredths = entry(structure(atoms("C1 C 7.5 20.1 .3", "C2 C 47.2 5.1 6.6", "O1 O .4 .5 .6")))
    assert "coordinates-far-off" in notes(hundredths)


def test_atoms_that_do_not_count_are_said_unless_they_are_hydrogens() -> None:
    assert "atoms-without-coordinates" in notes(entry(structure(atoms("N1 N ? ? ?", "C1 C 0 0 0"))))
    assert "atoms-without-coordinates" not in notes(entry(structure(atoms("H1 H ? ? ?", "C1 C 0 0 0"))))
    assert "dummy-labelled-as-atom" in notes(entry(structure(atoms("Mg1 Q .2 .3 .1", "O1 O 0 0 0"))))
    assert not notes(entry(structure(atoms("Q1 Q .2 .3 .1", "O1 O 0 0 0"))))


@pytest.mark.parametrize(
    ("rows", "disorder", "partial", "mixed"),
    [
        (["A C 0 0 0 1 ."], False, False, False),
        (["A C 0 0 0 0.5 ."], True, True, False),
        (["A Fe 0 0 0 0.4 .", "B Mg 0 0 0 0.6 ."], False, True, True),
        (["A Fe 0 0 0 0.4 .", "B Mg 1 0 0 0.6 ."], False, True, True),
        (["A Fe 0 0 0 0.4 .", "B Fe 0 0 0 0.6 ."], False, True, False),
        (["A C 0 0 0 1 -1"], True, False, False),
        (["A C 0 0 0 1 1"], True, False, False),
        (["A C 0 0 0 1 0"], False, False, False),
    ],
)
def test_disorder_and_mixed_positions(rows: list[str], disorder: bool, partial: bool, mixed: bool) -> None:
    found = entry(structure(atoms(*rows, columns="occupancy disorder_group")))
    assert (found["has_disorder"], found["has_partial_occupancy"], found["has_mixed_sites"]) == (
        disorder,
        partial,
        mixed,
    )


def test_special_positions_count_once_for_mixed_sites_and_never_for_hydrogen() -> None:
    text = structure(
        P21C,
        atoms(
            "A Fe 0 0 0 0.5",
            "B Mg 0 0 0 0.5",
            "C1 C 0.5 0.5 0.5 1",
            "H1 H 0.5 0 0 1",
            "O1 O .1 .2 .3 1",
            columns="occupancy",
        ),
        symmetry="",
    )
    found = entry(text)
    assert found["n_special_positions"] == 2
    assert found["n_special_points"] == 2
    assert len(found["special_letters"].split()) == 2


def test_u_from_each_form_by_hand() -> None:
    eight_pi2 = 8 * math.pi**2
    text = structure(
        cell(10, 10, 10),
        atoms(
            "A C 0 0 0 0.05 .",
            f"B C .1 0 0 . {0.04 * eight_pi2}",
            "D C .2 0 0 . .",
            "E C .3 0 0 -0.01 .",
            "F C .4 0 0 . .",
            columns="U_iso_or_equiv B_iso_or_equiv",
        ),
        "loop_\n_atom_site_aniso_label\n"
        + "".join(f"_atom_site_aniso_U_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23"))
        + "A 0.09 0.09 0.09 0 0 0\nD 0.01 0.02 0.06 0 0 0\n",
    )
    found = sites(text)
    assert [s["u_iso_origin"] for s in found] == ["U", "B", "tensor", "U", None]
    assert [s["u_iso_angstrom2"] for s in found] == [
        0.05,
        pytest.approx(0.04),
        pytest.approx(0.03),
        -0.01,
        None,
    ]
    assert [s["u_is_evidence"] for s in found] == [True, True, True, False, False]
    summary = entry(text)
    assert summary["u_iso_n"] == 3
    assert summary["u_iso_mean_angstrom2"] == pytest.approx(0.04)
    assert summary["u_iso_sd_angstrom2"] == pytest.approx(0.01)


def test_b_under_the_tag_of_u_is_no_evidence_even_where_it_is_small() -> None:
    """B ≈ 79 U: where most values of an entry are large, the few that are not are B as well."""
    rows = (
        "A Pb 0 0 0 0.53",
        "B Ti .5 .5 .5 0.24",
        "C O .5 .5 .1 1.44",
        "D H .5 .1 .1 0.3",
        "E O .1 .1 .1 ?",
    )
    found = sites(structure(atoms(*rows, columns="U_iso_or_equiv")))
    assert not any(s["u_is_evidence"] for s in found)
    assert found[1]["u_iso_angstrom2"] == 0.24  # as found
    few = (rows[0], *("F C .3 .3 .3 0.05", "G C .6 .3 .3 0.07"), *rows[3:])
    found = sites(structure(atoms(*few, columns="U_iso_or_equiv")))
    assert [s["u_is_evidence"] for s in found] == [False, True, True, True, False]


def test_u_eq_of_an_oblique_cell_uses_the_metric() -> None:
    # Isotropic U in a monoclinic cell: U11 = U33 = U, U13 = U cos(beta*), so U_eq must come back as U.
    cos_beta_star = -math.cos(math.radians(120))
    tensor = "".join(f"_atom_site_aniso_U_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23"))
    text = structure(
        cell(10, 8, 12, 90, 120, 90),
        atoms("A C 0 0 0"),
        "loop_\n_atom_site_aniso_label\n" + tensor + f"A 0.04 0.04 0.04 0 {0.04 * cos_beta_star} 0\n",
    )
    assert sites(text)[0]["u_iso_angstrom2"] == pytest.approx(0.04, rel=1e-12)


def test_beta_and_b_tensors_in_a_cubic_cell() -> None:
    # beta_ij = 2 pi^2 U_ij a*_i a*_j, with a* = 1/10
    beta = 2 * math.pi**2 * 0.03 / 100
    b = 8 * math.pi**2 * 0.03
    for name, value, origin in (("beta", beta, "beta-tensor"), ("B", b, "B-tensor")):
        loop = "".join(f"_atom_site_aniso_{name}_{ij}\n" for ij in ("11", "22", "33", "12", "13", "23"))
        text = structure(
            cell(10, 10, 10),
            atoms("A C 0 0 0", "B C 0.5 0 0"),
            "loop_\n_atom_site_aniso_label\n" + loop + f"B {value} {value} {value} 0 0 0\n",
        )
        found = sites(text)
        assert found[0]["u_iso_angstrom2"] is None
        assert found[1]["u_iso_angstrom2"] == pytest.approx(0.03)
        assert found[1]["u_iso_origin"] == origin


@pytest.mark.parametrize(
    ("hydrogen", "evidence"),
    [
        ("H1 H 0.1 0.1 0.19 0.060 calc", False),  # riding, by its flag
        ("H1 H 0.1 0.1 0.19 0.060 .", False),  # 1.2 x 0.050 of the carbon 0.9 A away
        ("H1 H 0.1 0.1 0.19 0.075 .", False),  # 1.5 x
        ("H1 H 0.1 0.1 0.19 0.060(5) d", True),  # refined
        ("H1 H 0.1 0.1 0.19 0.068 .", True),  # no multiple
        ("H1 H 0.1 0.1 0.49 0.060 .", True),  # nothing near
    ],
)
def test_riding_hydrogens_are_no_evidence(hydrogen: str, evidence: bool) -> None:
    text = structure(
        cell(10, 10, 10), atoms("C1 C 0.1 0.1 0.1 0.050(1) d", hydrogen, columns="U_iso_or_equiv calc_flag")
    )
    assert [s["u_is_evidence"] for s in sites(text)] == [True, evidence]


def test_cartesian_coordinates_become_fractional() -> None:
    text = structure(
        cell(10, 20, 30),
        "loop_\n_atom_site.group_PDB\n_atom_site.label_atom_id\n_atom_site.type_symbol\n_atom_site.Cartn_x\n_atom_site.Cartn_y\n"
        "_atom_site.Cartn_z\n_atom_site.B_iso_or_equiv\nATOM CA C 1.0 5.0 27.0 20.0\n",
    )
    found = sites(text)[0]
    assert (found["x"], found["y"], found["z"]) == pytest.approx((0.1, 0.25, 0.9))
    assert found["element"] == "C"
    summary = entry(text)
    assert summary["is_macromolecule"]
    assert "cartesian-coordinates" in notes(summary)


def test_an_entry_without_atoms_is_kept() -> None:
    found = entry(structure("_chemical_formula_sum 'C2 H6 O'\n_cell_formula_units_Z 4"))
    assert (found["n_sites"], found["composition_agreement"], found["formula_cell"]) == (
        0,
        "no-sites",
        "C8 H24 O4",
    )
    assert found["h_fraction"] == pytest.approx(24 / 36)
    assert "no-sites" in notes(found)
    assert found["formula_sites"] is None
