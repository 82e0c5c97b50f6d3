"""Every tolerance of the package as a number: just inside it and just outside, by hand.

The other tests take the constants from the code, and so would not see one that changed.
"""

from __future__ import annotations

import numpy as np
import pytest

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.cells.distances import StructureArrays, distance_histograms
from xtalpriors.crystal.cells.lattice_match import lattices_match
from xtalpriors.crystal.scattering import CrystalArrays, IndexBox, StructureFactorCalculator
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.subgroups import p21c_subgroups, split_sites
from xtalpriors.crystal.symmetry.symbols import axes_of
from xtalpriors.crystal.symmetry.triplets import DENOMINATOR, parse_triplet
from xtalpriors.crystal.wyckoff import site_symmetries

P21C = SpaceGroup.from_number(14)


def test_a_site_is_special_within_0_05_angstrom_of_its_image() -> None:
    # the inversion at the origin moves (x, 0, 0) by 2 x a; a = 10 Å
    metric = UnitCell(10, 8, 7, 90, 100, 90).metric_tensor
    found = site_symmetries(P21C, [[0.0024, 0, 0], [0.0026, 0, 0], [0.0049, 0, 0]], metric)  # 0.048, 0.052 Å
    assert found.order.tolist() == [2, 1, 1]
    assert found.letter.tolist() == ["a", "e", "e"]


def two_atoms(distance: float, occupancy: float) -> np.ndarray:
    """Histogram to 2 Å of two carbon atoms in a large cell."""
    structures = StructureArrays(
        cells=np.array([[20.0, 20, 20, 90, 90, 90]]),
        offsets=np.array([0, 2]),
        fract=np.array([[0, 0, 0], [distance / 20, 0, 0]]),
        atomic_number=np.array([6, 6]),
        occupancy=np.full(2, occupancy),
        multiplicity=np.array([1, 1]),
        radius_angstrom=np.full(2, 0.76),
        group_of=np.array([0]),
        group_offsets=np.array([0, 1]),
        rotations=np.eye(3, dtype=np.int64)[None],
        translations=np.zeros((1, 3)),
    )
    return np.nan_to_num(distance_histograms(structures, maximum_angstrom=2.0).all_atoms)


@pytest.mark.parametrize(
    ("distance", "occupancy", "counts"),
    [
        (0.09, 1.0, False),  # nearer than 0.1 Å: one position
        (0.11, 1.0, True),
        (1.05, 0.5, False),  # alternatives of one atom are nearer than 0.7 (0.76 + 0.76) = 1.064 Å
        (1.08, 0.5, True),
        (1.05, 0.6, True),  # together more than one atom: neighbours
    ],
)
def test_pairs_that_are_too_near_are_not_distances(distance: float, occupancy: float, counts: bool) -> None:
    assert (two_atoms(distance, occupancy).sum() > 0) == counts


@pytest.mark.parametrize(
    ("cell", "same"),
    [
        ((5.14, 7, 9, 90, 90, 90), True),  # 2.8 % longer
        ((5.16, 7, 9, 90, 90, 90), False),  # 3.2 % longer
        ((5, 7, 9, 90, 90, 91.9), True),
        ((5, 7, 9, 90, 90, 92.1), False),
        ((5.1, 7.14, 9.08, 90, 90, 90), True),  # 4.9 % and 5.4 % more volume, each length within 3 %
        ((5.1, 7.14, 9.12, 90, 90, 90), False),
    ],
)
def test_lattices_match_within_3_percent_2_degrees_and_5_percent_of_volume(
    cell: tuple[float, ...], same: bool
) -> None:
    assert lattices_match((5, 7, 9, 90, 90, 90), cell) == same


def test_angles_within_0_02_degree_are_the_same() -> None:
    assert axes_of((90.0, 90.019, 90.0)) == "o"
    assert axes_of((90.0, 90.021, 90.0)) == "b"
    assert axes_of((90.0, 90.0, 119.981)) == "H"
    assert axes_of((90.0, 90.0, 119.979)) == "c"


def test_decimals_of_translations() -> None:
    thirds = {text: parse_triplet(f"x+{text},y,z")[1][0] for text in ("0.33", "0.3333", "0.337", "0.67")}
    third = DENOMINATOR // 3
    assert thirds["0.33"] == thirds["0.3333"] == third
    assert thirds["0.67"] == 2 * third
    assert thirds["0.337"] == round(0.337 * DENOMINATOR) != third


def test_points_of_an_orbit_meet_within_0_001_angstrom() -> None:
    """Pnma to P2₁/c: the mirror's site stays one, and splits in two once it is off the mirror by 0.0005 Å."""
    group = SpaceGroup.from_number(62)
    metric = np.diag([100.0, 100.0, 100.0])
    subgroup = p21c_subgroups(group)[0]
    for off_mirror_angstrom, sites in ((0.0004, 1), (0.0006, 2)):
        fract = [[0.1, 0.25 + off_mirror_angstrom / 10, 0.2]]
        assert len(split_sites(group, subgroup, fract, metric).parent) == sites


def test_a_reflection_at_d_min_belongs_and_amplitudes_below_0_01_electrons_do_not() -> None:
    """One hydrogen atom in P1, a = 10 Å: 1 0 0 is at exactly 10 Å."""
    group = SpaceGroup.from_number(1)
    box = IndexBox(0, 1, 0, 0, 0, 0)

    def amplitude(d_min: float, weight: float) -> float:
        atoms = CrystalArrays(
            cells=np.array([[10.0, 10, 10, 90, 90, 90]]),
            offsets=np.array([0, 1]),
            numbers=np.array([1]),
            fract=np.zeros((1, 3)),
            u_iso=np.array([1e-6]),
            weights=np.array([weight]),
        )
        found = StructureFactorCalculator(group, box).amplitudes_and_phases(atoms, d_min, scale="none")
        return float(found.amplitudes[0, 1, 0, 0])

    f = amplitude(5.0, 1.0)
    assert 0.9 < f < 1.0
    assert amplitude(10.0, 1.0) == pytest.approx(f)
    assert amplitude(5.0, 0.011 / f) == pytest.approx(0.011, rel=1e-4)
    assert amplitude(5.0, 0.009 / f) == 0.0
