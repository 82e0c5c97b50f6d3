"""Neighbours by pair of elements, and sets of elements, of crystals whose numbers are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from xtalpriors.crystal.cells.distances import StructureArrays
from xtalpriors.crystal.cells.pairs import pair_counts
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.priors.fitting.as_measured import contents
from xtalpriors.priors.fitting.as_measured.bonds import effective_clusters, kind_of, leaning_ratio
from xtalpriors.priors.fitting.context import Context, Unavailable
from xtalpriors.priors.fitting.subset_table import SubsetTable


def test_rock_salt_has_six_neighbours_of_the_other_element_and_twelve_of_its_own() -> None:
    """a = 5.64 Å: Na–Cl 2.82 Å, Na–Na 3.99 Å; at random places 4/V·4π/3·(r₂³ − r₁³)."""
    group = SpaceGroup.from_number(225)
    radii = np.array([1.66, 1.02])
    salt = StructureArrays(
        cells=np.array([[5.64, 5.64, 5.64, 90.0, 90.0, 90.0]]),
        offsets=np.array([0, 2]),
        fract=np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5]]),
        atomic_number=np.array([11, 17]),
        occupancy=np.ones(2),
        multiplicity=np.array([4, 4]),
        radius_angstrom=radii,
        group_of=np.array([0]),
        group_offsets=np.array([0, group.order]),
        rotations=group.rotations,
        translations=group.translations,
    )
    found, bonded = pair_counts(
        salt, np.ones(1), np.array([0, 1]), radii, n_bins=96, ratio_max=2.2, bond_max=1.25,
        cutoff_angstrom=4.1,
    )  # fmt: skip
    around = found.counts.sum(axis=2) / found.atoms[:, None]
    assert around == pytest.approx(np.array([[12.0, 6.0], [6.0, 12.0]]))
    ratio = np.sqrt(np.linspace(0, 2.2**2, 97))
    at = int(np.flatnonzero(found.counts[0, 1])[0])
    assert ratio[at] <= 2.82 / 2.68 < ratio[at + 1]
    shell = 4 / 3 * np.pi * 2.68**3 * (ratio[at + 1] ** 3 - ratio[at] ** 3)
    assert found.expected[0, 1, at] == pytest.approx(4 * 4 / 5.64**3 * shell)
    # Na–Cl is bonded (2.82 Å over 2.68 Å), Na–Na (3.99 Å over 3.32 Å) is too, Cl–Cl (over 2.04 Å) is not
    assert [x.tolist() for x in bonded] == [[0, 0], [0, 0], [0, 1], [48.0, 48.0]]


def test_bonds_of_a_pair_are_as_good_as_so_many_clusters() -> None:
    """Two structures of a cluster are one; (4 + 4)²/(4² + 4²) = 2, (9 + 1)²/(81 + 1); a lone one is 1."""
    rows = [(6, 8, "a", 1.0), (6, 8, "a", 3.0), (6, 8, "b", 4.0), (7, 8, "a", 9.0), (7, 8, "b", 1.0),
            (8, 8, "c", 5.0)]  # fmt: skip
    bonds = pl.DataFrame(rows, schema=["first", "second", "cluster", "amount"], orient="row")
    assert effective_clusters(bonds) == pytest.approx({(6, 8): 2.0, (7, 8): 100 / 82, (8, 8): 1.0})


def test_every_element_has_one_kind() -> None:
    assert [kind_of(x) for x in ("H", "C", "Cl", "S", "Si", "Mg", "Ca", "Fe", "U", "Pb", "Xe")] == [
        "H", "C", "halogen", "chalcogen", "tetrahedral", "light-metal", "alkaline", "d-metal", "f-metal",
        "p-metal", "other",
    ]  # fmt: skip


def test_empty_bins_below_the_shortest_distance_count_as_one() -> None:
    """Leaning on g = 1 with the weight of two pairs: 2/(4 + 2) below, (4 + 2)/(2 + 2) and 2/(1 + 2) above."""
    found = leaning_ratio(np.array([0.0, 0, 0, 4, 0]), np.array([1.0, 1, 2, 2, 1]), np.ones(5))
    assert found == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1.5, 2 / 3])


def test_sets_of_elements_their_positions_and_their_order(table_of: Callable[..., SubsetTable]) -> None:
    """30 structures of MgO-like sites (Mg special, O general and special), 10 of C with H and a metal."""
    entry = np.concatenate([np.repeat(np.arange(30), 4), np.repeat(np.arange(30, 40), 3)])
    elements = ["O", "Mg", "O", "O"] * 30 + ["C", "C", "Fe"] * 10
    special = [0, 1, 1, 0] * 30 + [0, 0, 0] * 10
    table = table_of(
        40,
        sites={"entry": entry, "element": elements, "is_special": special},
        strings={"hydrogen_origin": ["sites"] * 40},
        h_fraction=[0.0] * 30 + [0.5] * 10,
        volume_per_non_h_atom_angstrom3=[11.0] * 30 + [19.0] * 10,
    )
    context = Context(table, None, None, 1, 200)
    fitted = contents.fit(context)
    assert set(fitted.sets) == {"Mg O", "Fe C H"}
    oxide, organic = fitted.in_order
    assert (oxide.elements, oxide.hydrogen, oxide.kind) == (("Mg", "O"), False, "inorganic")
    assert (organic.elements, organic.hydrogen, organic.kind) == (("Fe", "C"), True, "metal-organic")
    assert (oxide.share.value, oxide.with_special, organic.with_special) == pytest.approx((0.75, 1.0, 0.0))
    assert oxide.general == pytest.approx((0.0, 1.0)) and oxide.special == pytest.approx((0.5, 0.5))
    assert organic.general == pytest.approx((1 / 3, 2 / 3)) and organic.special is None
    assert context.places == pytest.approx({"Mg O": 0.375, "Fe C H": 0.875})


def test_numbers_of_sites_are_listed_whole_and_only_of_ordered_structures(
    table_of: Callable[..., SubsetTable],
) -> None:
    """24 of SiO2 with one Si and two O, 12 of twice that, 4 with a site that Si and O share: unlisted."""
    entry = np.concatenate(
        [np.repeat(np.arange(24), 3), np.repeat(np.arange(24, 36), 6), np.repeat(np.arange(36, 40), 3)]
    )
    elements = ["Si", "O", "O"] * 24 + ["Si", "Si", "O", "O", "O", "O"] * 12 + ["Si", "O", "O"] * 4
    special = [1, 0, 0] * 24 + [0] * 72 + [0] * 12
    occupancy = [1.0] * 72 + [1.0] * 72 + [1.0, 0.5, 1.0] * 4
    table = table_of(
        40,
        sites={"entry": entry, "element": elements, "is_special": special, "occupancy": occupancy},
        strings={"hydrogen_origin": ["sites"] * 40},
        h_fraction=[0.0] * 40,
        volume_per_non_h_atom_angstrom3=[12.0] * 40,
    )
    (silica,) = contents.fit(Context(table, None, None, 1, 200)).sets.values()
    assert [(x.general, x.special) for x in silica.sites] == [((0, 2), (1, 0)), ((2, 4), (0, 0))]
    assert [x.share for x in silica.sites] == pytest.approx([0.6, 0.3])


def test_a_subset_of_five_structures_has_no_sets(table_of: Callable[..., SubsetTable]) -> None:
    table = table_of(
        5, sites={"entry": range(5), "element": ["O"] * 5}, strings={"hydrogen_origin": ["none"] * 5}
    )
    with pytest.raises(Unavailable, match="only 5 clusters"):
        contents.fit(Context(table, None, None, 1, 200))
