"""Sites on one position: counted once where they are one atom, left alone where they are several."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from corpus import corpus_dir
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from reader_cif import P21C, atoms, cell, entry, notes, sites, structure

from xtalpriors.mining.cif import extract
from xtalpriors.mining.sources.amcsd import AmcsdSource

FULL = ("C1 C .1 .2 .3", "O1 O .3 .1 .15")
IMAGES = ("C1B C -.1 -.2 -.3", "C1C C -.1 .7 .2", "C1D C .1 .3 .8", "O1B O -.3 -.1 .85", "O1C O .7 .6 .35")
SUMMARY = (
    "formula_sites",
    "n_sites",
    "n_atoms_non_h_cell",
    "volume_per_non_h_atom_angstrom3",
    "composition_agreement",
    "has_disorder",
    "has_mixed_sites",
)


def test_a_cell_listed_beside_its_operators_is_counted_once() -> None:
    formula = "_chemical_formula_sum 'C O'\n_cell_formula_units_Z 4"
    alone = entry(structure(atoms(*FULL), formula, symmetry=P21C))
    listed = entry(structure(atoms(*FULL, *IMAGES), formula, symmetry=P21C))
    assert alone["n_atoms_non_h_cell"] == 8
    assert {k: listed[k] for k in SUMMARY} == {k: alone[k] for k in SUMMARY}
    assert notes(listed) == {"repeated-sites"}
    assert not notes(alone)


@pytest.mark.parametrize("symbol", ["P 31", "P 41", "P 21 21 21", "R -3 c:H", "I a -3 d"])
def test_all_images_of_an_atom_are_one_position(symbol: str) -> None:
    group = gemmi.SpaceGroup(symbol)
    operations = list(group.operations())
    listed = "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"{op.triplet()}\n" for op in operations)
    images = (op.apply_to_xyz([0.113, 0.237, 0.341]) for op in operations)
    rows = (f"C{i} C {x:.5f} {y:.5f} {z:.5f}" for i, (x, y, z) in enumerate(images))
    gamma = 120 if group.crystal_system_str() == "trigonal" else 90
    found = entry(structure(cell(15, 15, 15, gamma=gamma), atoms(*rows), symmetry=listed))
    assert found["n_sites"] == 1
    assert found["n_atoms_non_h_cell"] == len(operations)


def test_the_rows_of_repeated_sites_stay_and_count_nowhere() -> None:
    rows = sites(
        structure(atoms(*(f"{r} 0.02" for r in (*FULL, *IMAGES)), columns="U_iso_or_equiv"), symmetry=P21C)
    )
    assert [r["multiplicity"] for r in rows] == [4, 4, None, None, None, None, None]
    assert [r["u_is_evidence"] for r in rows] == [True, True, False, False, False, False, False]
    assert rows[2]["x"] == pytest.approx(-0.1)
    assert rows[2]["element"] == "C"


@pytest.mark.parametrize(
    ("rows", "formula", "expected"),
    [
        # a mixed site, also with the second species given by an image
        (("A Fe .1 .2 .3 .6", "B Mg .1 .2 .3 .4"), "Fe2.4 Mg1.6", set()),
        (("A Fe .1 .2 .3 .6", "B Mg -.1 -.2 -.3 .4"), "Fe2.4 Mg1.6", set()),
        # two halves of one atom
        (("A C .1 .2 .3 .5", "B C -.1 -.2 -.3 .5"), "C4", set()),
        # hydrogen and deuterium, whole or in shares
        (("A H .1 .2 .3 1", "B D .1 .2 .3 1", "C C .3 .3 .3 1"), "C4 H8", set()),
        (("A H .1 .2 .3 .5", "B D .1 .2 .3 .5", "C C .3 .3 .3 1"), "C4 H4", set()),
        # an ammonium ion whose hydrogens stand on its nitrogen
        (tuple(f"{e} {e[0]} .1 .2 .3 1" for e in ("N1", "H1", "H2", "H3", "H4")), "H16 N4", set()),
        (tuple(f"{e} {e[0]} .1 .2 .3 1" for e in ("H1", "H2", "H3", "H4", "N1")), "H16 N4", set()),
        # 0.06 Å apart are two places
        (("A C .1 .2 .3 1", "B C .1 .206 .3 1"), "C8", set()),
        # an occupancy that nobody knows
        (("A C .1 .2 .3 ?", "B C .1 .2 .3 ?"), "C8", {"unknown-occupancy"}),
        # two elements, or more of one, than there is room for: nobody knows which is right
        (("A Na .1 .2 .3 1", "B Ca -.1 -.2 -.3 1"), "Ca4 Na4", {"overfull-position"}),
        (("A O .1 .2 .3 .76", "B O .1 .2 .3 .94"), "O6.8", {"overfull-position"}),
        (("A V .1 .2 .3 .68", "B As .1 .2 .3 .36"), "As1.44 V2.72", set()),
        # three times one atom, twice another
        (
            ("A C .1 .2 .3 1", "B C .1 .2 .3 1", "C C .9 .8 .7 1", "D O 0 0 0 1", "E O 0 0 1 1"),
            "C4 O2",
            {"repeated-sites"},
        ),
    ],
)
def test_what_is_counted(rows: tuple[str, ...], formula: str, expected: set[str]) -> None:
    found = entry(structure(atoms(*rows, columns="occupancy"), symmetry=P21C))
    assert found["formula_sites"] == formula
    assert notes(found) == expected


def test_marks_of_disorder_look_at_images_too() -> None:
    def marks(*rows: str) -> tuple[bool, bool, bool]:
        found = entry(structure(atoms(*rows, columns="occupancy"), symmetry=P21C))
        return found["has_disorder"], found["has_mixed_sites"], found["has_partial_occupancy"]

    assert marks("A C .1 .2 .3 .5", "B C -.1 -.2 -.3 .5") == (False, False, True)
    assert marks("A Fe .1 .2 .3 .6", "B Mg -.1 -.2 -.3 .4") == (False, True, True)
    assert marks("A Fe .1 .2 .3 .6", "B Mg .1 .2 .4 .4") == (True, False, True)
    assert marks("A Na .1 .2 .3 1", "B Ca .1 .7 .2 1") == (False, False, False)
    assert marks("A Na .1 .2 .3 1", "B Ca .1 .3 .8 1") == (False, True, False)


def test_a_special_position_is_counted_once_whatever_its_image() -> None:
    found = entry(
        structure(
            atoms("A Fe 0 0 0 .5", "B Mg 0 .5 .5 .5", "C O .5 0 0 1", columns="occupancy"), symmetry=P21C
        )
    )
    assert (found["n_special_positions"], found["n_special_points"], found["has_mixed_sites"]) == (2, 2, True)


GROUPS = (
    "P 1",
    "P -1",
    "P 1 21/n 1",
    "C 1 2/c 1",
    "P n m a",
    "I 41/a m d:2",
    "R -3 c:H",
    "R -3 m:R",
    "F d -3 m:1",
    "P 63/m m c",
)
coordinate = st.integers(0, 23).map(lambda n: n / 24) | st.floats(0, 1, exclude_max=True).map(
    lambda x: round(x, 4)
)


def _atoms_per_cell(group: gemmi.SpaceGroup, matrix: np.ndarray, places: list[tuple[float, ...]]) -> int:
    """Distinct atoms by brute force: all images of all sites, merged where they meet (and do not nearly)."""
    images = np.array([op.apply_to_xyz(list(p)) for p in places for op in group.operations()])
    n = 0
    while len(images):
        apart = images - images[0]
        apart = np.linalg.norm((apart - np.rint(apart)) @ matrix.T, axis=1)
        assume(not ((apart > 0.005) & (apart < 0.2)).any())
        images = images[apart > 0.05]
        n += 1
    return n


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_atoms_per_cell_are_those_of_brute_force(data: st.DataObject) -> None:
    """Sites drawn at random, some repeated by an operator and a lattice translation."""
    group = gemmi.SpaceGroup(data.draw(st.sampled_from(GROUPS)))
    system = group.crystal_system_str()
    angles = {"monoclinic": (90, 105, 90), "triclinic": (80, 95, 100)}.get(system, (90, 90, 90))
    if system in ("trigonal", "hexagonal"):
        angles = (75, 75, 75) if group.ext == "R" else (90, 90, 120)
    lengths = {
        "cubic": (9, 9, 9),
        "tetragonal": (8, 8, 11),
        "trigonal": (9, 9, 13),
        "hexagonal": (9, 9, 13),
    }.get(system, (7, 9, 12))
    if group.ext == "R":
        lengths = (9, 9, 9)
    places = [tuple(data.draw(st.tuples(coordinate, coordinate, coordinate)))]
    operators = list(group.operations())
    for _ in range(data.draw(st.integers(1, 5))):
        if data.draw(st.booleans()):
            image = data.draw(st.sampled_from(operators)).apply_to_xyz(
                list(data.draw(st.sampled_from(places)))
            )
            shift = data.draw(st.tuples(*[st.integers(-2, 2)] * 3))
            places.append(tuple(x + s for x, s in zip(image, shift, strict=True)))
        else:
            places.append(data.draw(st.tuples(coordinate, coordinate, coordinate)))
    matrix = np.array(gemmi.UnitCell(*lengths, *angles).orth.mat.tolist())
    expected = _atoms_per_cell(group, matrix, places)
    text = structure(
        cell(*lengths, *angles),
        atoms(*(f"C{i} C {x:.9f} {y:.9f} {z:.9f}" for i, (x, y, z) in enumerate(places))),
        symmetry=f"_symmetry_space_group_name_H-M '{group.xhm()}'\n",
    )
    assert entry(text)["n_atoms_non_h_cell"] == expected


def test_minerals_listed_with_an_image_get_the_formula_of_the_mineral() -> None:
    """Pyrobelonite is PbMn(VO4)(OH), SnTaO3 has three labels for its oxygen: AMCSD sums 7 and 9 O."""
    source = AmcsdSource()
    names = ("0000071.cif", "0012245.cif")
    found = extract("amcsd", "AMCSD", "rebuilt", [(n, source.read(n)) for n in names]).entries.to_pylist()
    assert [f["formula_sites"] for f in found] == ["H4 Mn4 O20 Pb4 V4", "O3 Sn Ta"]
    assert all("repeated-sites" in notes(f) for f in found)


def test_entries_of_the_cod_agree_with_their_formula_once_repeats_are_told() -> None:
    """Five lists with images, full cells or starred atoms; the formula is the authors'."""
    cif = corpus_dir("cod") / "cif"
    names = ("2/00/00/2000056", "4/50/48/4504824", "4/50/54/4505410", "5/91/00/5910041", "5/91/01/5910168")
    items = [(n, (cif / f"{n}.cif").read_bytes()) for n in names]
    for found in extract("cod", "COD", "original", items).entries.to_pylist():
        assert found["composition_agreement"] == "agree", found["entry_id"]
        assert "repeated-sites" in notes(found)
