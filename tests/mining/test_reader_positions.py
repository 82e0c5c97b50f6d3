"""Special positions given with two digits, and sites of SHELXL's negative parts that are near one."""

from __future__ import annotations

import gemmi
import pytest

from tests.reader_cif import atoms, cell, entry, sites, structure

HEXAGONAL = {"a": 21.0, "b": 21.0, "c": 9.0, "gamma": 120}


def listed(symbol: str) -> str:
    group = gemmi.find_spacegroup_by_name(symbol)
    assert group is not None
    return "loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"'{op.triplet()}'\n" for op in group.operations())


@pytest.mark.parametrize(
    ("group", "place", "multiplicity", "letter"),
    [  # multiplicities and letters of ITA vol. A
        ("P -3", "0.33 0.67 0.21", 2, "d"),
        ("P -3", "0.33 0.66 0.21", 2, "d"),  # cut off, not rounded
        ("P -3", "-0.33 0.33 0.21", 2, "d"),
        ("P -3", "1.33 0.67 0.21", 2, "d"),
        ("P 63/m", "0.67 0.33 0.25", 2, "d"),
        ("P 3 m 1", "0.33 0.67 0.4", 1, "b"),
        ("R -3:H", "0.17 0.33 0.33", 9, "e"),  # image of 1/2,0,0 by 2/3,1/3,1/3
        ("R -3:H", "0.16 0.33 0.33", 9, "e"),
        ("P 63/m m c", "0.33 0.67 0.25", 2, "c"),
    ],
)
def test_thirds_and_sixths_of_two_digits_are_the_fractions(
    group: str, place: str, multiplicity: int, letter: str
) -> None:
    """0.33 on an axis of 21 Å is 0.07 Å from 1/3, more than the tolerance for special positions."""
    (site,) = sites(structure(cell(**HEXAGONAL), atoms(f"C1 C {place}"), symmetry=listed(group)))
    assert (site["multiplicity"], site["wyckoff_letter"]) == (multiplicity, letter)
    assert site["x"] == float(place.split()[0])  # the file's coordinates stay


@pytest.mark.parametrize(
    ("group", "place", "axes"),
    [
        ("P -3", "0.34 0.67 0.21", HEXAGONAL),
        ("P -3", "0.33 0.65 0.21", HEXAGONAL),
        ("P -3", "0.32 0.67 0.21", HEXAGONAL),
        ("P -3", "0.33 0.33 0.21", HEXAGONAL),
        ("P -3", "0.326 0.67 0.21", HEXAGONAL),
        ("P 1 21/c 1", "0.33 0.67 0.5", {"a": 21, "beta": 99}),
    ],
)
def test_other_decimals_and_other_axes_are_as_they_stand(
    group: str, place: str, axes: dict[str, float]
) -> None:
    (site,) = sites(structure(cell(**axes), atoms(f"C1 C {place}"), symmetry=listed(group)))
    assert site["site_symmetry_order"] == 1


@pytest.mark.parametrize("third", ["0.33", "0.333", "0.3333", "1/3"])
@pytest.mark.parametrize("two_thirds", ["0.66", "0.67", "0.667", "2/3"])
def test_translations_of_two_digits_are_thirds(third: str, two_thirds: str) -> None:
    shifts = ((two_thirds, third), (third, two_thirds))
    rows = ["x,y,z", *(f"x+{a},y+{b},z+{b}" for a, b in shifts)]
    symmetry = "loop_\n_symmetry_equiv_pos_as_xyz\n" + "\n".join(rows) + "\n"
    found = entry(structure(cell(**HEXAGONAL), atoms("C1 C 0.1 0.2 0.3"), symmetry=symmetry))
    assert (found["n_operators"], found["sg_number"]) == (3, 1)


@pytest.mark.parametrize(
    ("group", "place", "occupancy", "multiplicity"),
    [
        # a site within 0.05 Å of its image: the centre 1/2,1/2,1/2, a mirror, 2/m, an axis of order 3
        ("P -1", "0.502 0.5 0.5", "0.5", 2),
        ("P -1", "0.5 0.5 0.5", "0.5", 2),
        ("P -1", "0.502 0.5 0.5", "0.25", 2),
        ("P n m a", "0.1 0.252 0.3", "0.5", 8),
        ("P 1 2/m 1", "0.001 0.001 0", "0.25", 4),
        ("P 3", "0.001 0 0.3", "0.333", 3),
        # whole atoms, and more than the images leave room for
        ("P -1", "0.502 0.5 0.5", "1", 1),
        ("P -1", "0.502 0.5 0.5", "0.6", 1),
        ("P 1 2/m 1", "0.001 0.001 0", "0.5", 1),
        ("P 3", "0.001 0 0.3", "0.5", 1),
    ],
)
def test_a_site_of_a_negative_part_is_general_where_its_images_leave_room(
    group: str, place: str, occupancy: str, multiplicity: int
) -> None:
    axes = {"a": 9, "b": 9, "gamma": 120} if group == "P 3" else {}
    rows = [f"C1 C {place} {occupancy} {part}" for part in ("-1", "-2", "1", ".")]
    found = [
        sites(
            structure(cell(**axes), atoms(row, columns="occupancy disorder_group"), symmetry=listed(group))
        )[0]["multiplicity"]
        for row in rows
    ]
    special = gemmi.find_spacegroup_by_name(group).operations()
    assert found[:2] == [multiplicity, multiplicity]
    assert found[2] == found[3] < len(list(special))


def test_half_a_molecule_about_a_centre_counts_whole() -> None:
    """Toluene about an inversion centre: seven atoms of occupancy ½ and their images, one molecule."""
    rows = [f"C{i} C {0.40 + 0.034 * i:.3f} {0.5 + 0.01 * i:.3f} 0.5 0.5 -1" for i in range(7)]
    rows[3] = "C3 C 0.501 0.500 0.5 0.5 -1"  # within 0.02 Å of its own image
    text = structure(
        "_chemical_formula_sum 'C7'\n_cell_formula_units_Z 1\n",
        atoms(*rows, columns="occupancy disorder_group"),
        symmetry=listed("P -1"),
    )
    found = entry(text)
    assert (found["formula_sites"], found["composition_agreement"]) == ("C7", "agree")
    assert found["n_special_positions"] == 0


@pytest.mark.parametrize(("occupancy", "order"), [("0.25", 1), ("0.5", 2)])
def test_a_site_of_order_times_the_occupancy_of_its_part_is_special(occupancy: str, order: int) -> None:
    """A molecule of occupancy ¼ across a mirror, as in COD 7105250: the atom on the mirror has ½."""
    rows = ["C1 C 0.1 0.31 0.3 0.25 -1", f"C2 C 0.1 0.251 0.35 {occupancy} -1", "C3 C 0.4 0.1 0.1 0.5 -2"]
    found = sites(structure(atoms(*rows, columns="occupancy disorder_group"), symmetry=listed("P n m a")))
    assert [s["site_symmetry_order"] for s in found] == [1, order, 1]
