"""Cells that cannot hold what their sites make: by the volumes of atoms, and by the declared density."""

from __future__ import annotations

import numpy as np
import pytest
from corpus import corpus_dir
from hypothesis import given
from hypothesis import strategies as st
from reader_cif import atoms, cell, entry, notes, structure

from xtalpriors.crystal.chemistry.atomic_volumes import volume_bounds
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER, SYMBOLS
from xtalpriors.mining.cif import extract
from xtalpriors.mining.sources.amcsd import AmcsdSource

FM3M = "_space_group_name_H-M_alt 'F m -3 m'\n"
ROCK_SALT = ("Na1 Na 0 0 0", "Cl1 Cl .5 .5 .5")


def counts(**of: float) -> np.ndarray:
    row = np.zeros((1, len(SYMBOLS)))
    for symbol, n in of.items():
        row[0, ATOMIC_NUMBER[symbol]] = n
    return row


@pytest.mark.parametrize(
    ("contents", "volume"),
    # cells that textbooks give, in Å³
    [
        ({"C": 8}, 45.4),  # diamond
        ({"C": 4}, 35.2),  # graphite
        ({"Na": 4, "Cl": 4}, 179.4),
        ({"Si": 3, "O": 6}, 113.0),  # quartz
        ({"Fe": 2}, 23.5),
        ({"Cs": 1, "Cl": 1}, 70.1),
        ({"C": 32, "H": 32}, 487.0),  # naphthalene has 20 and 16; pyrene-like packing
        ({"U": 4, "O": 8}, 163.7),
        ({"Mg": 4, "Si": 4, "O": 12}, 162.4),  # perovskite of the lower mantle
    ],
)
def test_crystals_that_exist_are_within_the_bounds(contents: dict[str, float], volume: float) -> None:
    least, largest = volume_bounds(counts(**contents))
    assert 0.85 * least[0] < volume < 1.6 * largest[0]


@given(
    st.dictionaries(st.sampled_from(["C", "O", "Si", "Fe", "Cs"]), st.floats(0.1, 50), min_size=2),
    st.floats(1, 9),
)
def test_bounds_grow_with_the_contents(contents: dict[str, float], factor: float) -> None:
    one, more = volume_bounds(counts(**contents)), volume_bounds(factor * counts(**contents))
    assert np.allclose(np.array(more), factor * np.array(one))
    assert one[0][0] < one[1][0]


@pytest.mark.parametrize(
    ("a", "lines", "implausible"),
    [
        (5.64, "", False),
        (4.0, "", True),  # 64 Å³ for four NaCl
        (4.0, "_diffrn_ambient_pressure 3e7", False),  # 30 GPa
        (4.0, "_diffrn_ambient_pressure '30 GPa'", False),
        (4.0, "_diffrn_ambient_pressure_gt 1e6", False),
        (11.28, "", True),
        (11.28, "_diffrn_ambient_pressure 3e7", True),  # pressure makes no cell larger
        # contents × Z against the density, where sites and Z differ
        (
            5.64,
            "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 4\n_exptl_crystal_density_diffrn 0.9",
            False,
        ),
        (
            5.64,
            "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 2\n_exptl_crystal_density_diffrn 0.9",
            True,
        ),
        (
            5.64,
            "_chemical_formula_sum 'Cl Na'\n_cell_formula_units_Z 2\n_exptl_crystal_density_diffrn 2.16",
            False,
        ),
    ],
)
def test_rock_salt_in_cells_of_several_sizes(a: float, lines: str, implausible: bool) -> None:
    found = entry(structure(cell(a, a, a), lines, atoms(*ROCK_SALT), symmetry=FM3M))
    assert ("volume-implausible" in notes(found, volume=True)) == implausible


@pytest.mark.parametrize(
    ("density", "mismatch"),
    [("2.163(2)", False), ("2163", False), ("3.0", True), ("1.7", True), ("?", False)],
)
def test_a_declared_density_that_the_contents_do_not_have_is_noted(density: str, mismatch: bool) -> None:
    # 4 × 58.443 u in 179.4 Å³ are 2.163 g/cm³
    lines = f"_exptl_crystal_density_diffrn {density}"
    found = entry(structure(cell(5.64, 5.64, 5.64), lines, atoms(*ROCK_SALT), symmetry=FM3M))
    assert ("density-mismatch" in notes(found)) == mismatch


def test_heavy_water_is_no_mismatch() -> None:
    lines = "_chemical_formula_sum 'D2 O'\n_exptl_crystal_density_diffrn 1.11"
    sites = atoms("O1 O .1 .2 .3", "D1 D .2 .3 .4", "D2 D .3 .4 .1")
    assert "density-mismatch" not in notes(entry(structure(cell(3.1, 3.1, 3.1), lines, sites)))


def test_orientations_of_a_molecule_over_one_place_are_overfull() -> None:
    ring = [
        f"{'CN'[i % 2]}{i} {'CN'[i % 2]} {0.12 * np.cos(a):.4f} {0.12 * np.sin(a):.4f} .25 1"
        for i, a in enumerate(np.arange(6) + 0.3)
    ]
    text = structure(
        cell(9, 9, 9),
        "_chemical_formula_sum 'C3 N3'\n_cell_formula_units_Z 1",
        atoms(*ring, columns="occupancy"),
        symmetry="_space_group_name_H-M_alt 'P 4/m m m'\n",
    )
    found = notes(entry(text))
    assert "overfull-position" in found
    halves = entry(text.replace(" 1\n", " 0.0625\n").replace(".25 1", ".25 0.0625"))
    assert "overfull-position" not in notes(halves)


@pytest.mark.parametrize(
    ("shares", "formula", "overfull"),
    [
        ((0.5, 0.5), "Fe2 Mg2 O4", False),
        ((0.25, 0.75), "Fe Mg3 O4", False),
        ((0.6, 0.6), None, True),  # no reading fills the position
    ],
)
def test_the_whole_cell_of_a_solid_solution_counts_once(
    shares: tuple[float, float], formula: str | None, overfull: bool
) -> None:
    places = ("0 0 0", "0 .5 .5", ".5 0 .5", ".5 .5 0")
    rows = [
        f"{el}{i} {el} {p} {s}"
        for i, p in enumerate(places)
        for el, s in zip(("Fe", "Mg"), shares, strict=True)
    ]
    found = entry(
        structure(cell(4.25, 4.25, 4.25), atoms(*rows, "O1 O .5 .5 .5 1", columns="occupancy"), symmetry=FM3M)
    )
    assert ("overfull-position" in notes(found)) == overfull
    if formula:
        assert found["formula_sites"] == formula
        assert found["has_mixed_sites"]


def test_five_minerals_of_amcsd_that_no_cell_can_hold() -> None:
    source = AmcsdSource()
    ids = ["0002996.cif", "0003471.cif", "0016427.cif", "0014390.cif", "0014392.cif"]  # 3.4 to 4.9 Å³ an atom
    found = extract("amcsd", "AMCSD", "rebuilt", [(i, source.read(i)) for i in ids]).entries.to_pylist()
    assert all("volume-implausible" in notes(e, volume=True) for e in found)


def test_few_entries_of_the_cod_are_implausible() -> None:
    folder = corpus_dir("cod")
    items = [(p.name, p.read_bytes()) for p in sorted(folder.glob("cif/**/*.cif"))[::4]]
    found = extract("cod", None, "original", items).entries.to_pylist()
    marked = [e for e in found if "volume-implausible" in notes(e, volume=True)]
    assert len(found) > 600
    assert len(marked) < 0.015 * len(found)
