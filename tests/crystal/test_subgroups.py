"""Structures of supergroups described in P2₁/c: the same |F|, the same atoms, the cell's own volume."""

from __future__ import annotations

import gemmi
import numpy as np
import numpy.typing as npt
import pytest

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.crystal.symmetry.subgroups import describe_in_p21c, p21c_subgroups, split_sites
from xtalpriors.crystal.wyckoff import site_symmetries

MONOCLINIC = UnitCell(9.1, 7.3, 6.2, 90, 107, 90)
ORTHORHOMBIC = UnitCell(6.9, 8.3, 9.4)

# Group, cell, coordinates: a general position, then special ones of ITA vol. A.
CASES = [
    ("C 1 2/c 1", MONOCLINIC, [(0.13, 0.27, 0.41), (0, 0.15, 0.25), (0.25, 0.25, 0), (0, 0, 0)]),
    (
        "C 1 2/m 1",
        MONOCLINIC,
        [(0.13, 0.27, 0.41), (0.21, 0, 0.35), (0, 0.3, 0), (0.25, 0.25, 0.5), (0, 0, 0)],
    ),
    ("I 1 2/a 1", MONOCLINIC, [(0.13, 0.27, 0.41), (0.25, 0.15, 0), (0, 0, 0)]),
    ("P b c a", ORTHORHOMBIC, [(0.13, 0.27, 0.41), (0, 0, 0), (0, 0, 0.5)]),
    ("P b c n", ORTHORHOMBIC, [(0.13, 0.27, 0.41), (0, 0.2, 0.25), (0, 0.5, 0)]),
    ("P n m a", ORTHORHOMBIC, [(0.13, 0.07, 0.41), (0.2, 0.25, 0.35), (0, 0, 0.5)]),
    ("P b n m", ORTHORHOMBIC, [(0.13, 0.27, 0.41), (0.2, 0.35, 0.25), (0.5, 0, 0)]),
    ("P c a b", ORTHORHOMBIC, [(0.13, 0.27, 0.41), (0, 0, 0)]),
]
ELEMENTS = ("S", "O", "Fe", "C", "Br")


def structure_factors(
    group: SpaceGroup,
    cell: UnitCell,
    fract: npt.NDArray[np.float64],
    elements: list[str],
    hkl: list[list[int]],
) -> npt.NDArray[np.complex128]:
    """gemmi's structure factors of a structure in P1, all atoms written out."""
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*cell.parameters)
    small.spacegroup_hm = "P 1"
    small.determine_and_set_spacegroup("h")
    assert not small.cell.images
    metric = cell.metric_tensor
    for xyz, element in zip(fract, elements, strict=True):
        orbit: list[npt.NDArray[np.float64]] = []
        for rotation, translation in zip(group.rotations, group.translations, strict=True):
            image = rotation @ xyz + translation
            steps = [image - known - np.rint(image - known) for known in orbit]
            if all(d @ metric @ d > 1e-4 for d in steps):
                orbit.append(image)
        for image in orbit:
            site = gemmi.SmallStructure.Site()
            site.element, site.fract, site.u_iso, site.occ = (
                gemmi.Element(element),
                gemmi.Fractional(*image),
                0.02,
                1.0,
            )
            small.add_site(site)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    return np.array([calculator.calculate_sf_from_small_structure(small, h) for h in hkl])


@pytest.mark.parametrize(("symbol", "cell", "points"), CASES, ids=[c[0] for c in CASES])
def test_equal_structure_factors(
    symbol: str, cell: UnitCell, points: list[tuple[float, float, float]]
) -> None:
    group = SpaceGroup.from_hm(symbol)
    description = describe_in_p21c(group, cell)
    assert description is not None
    fract = np.array(points, dtype=float)
    elements = list(ELEMENTS[: len(points)])
    split = split_sites(group, description.subgroup, fract, cell.metric_tensor)
    target = SpaceGroup.from_hm("P 1 21/c 1")
    moved = description.change.coordinates(split.fract)
    hkl = [[h, k, m] for h in range(-4, 5) for k in range(5) for m in range(5) if (h, k, m) > (0, 0, 0)]
    before = structure_factors(group, cell, fract, elements, hkl)
    indices = np.rint(description.change.miller_indices(hkl)).astype(int).tolist()
    after = structure_factors(target, description.cell, moved, [elements[p] for p in split.parent], indices)
    assert np.abs(before).max() > 20
    assert np.abs(np.abs(before) - np.abs(after)).max() < 1e-4 * np.abs(before).max()
    # In P2₁/c with the inversion at the origin every F is real.
    assert np.abs(after.imag).max() < 1e-4 * np.abs(after).max()


@pytest.mark.parametrize(("symbol", "cell", "points"), CASES, ids=[c[0] for c in CASES])
def test_orbits_add_up(symbol: str, cell: UnitCell, points: list[tuple[float, float, float]]) -> None:
    group = SpaceGroup.from_hm(symbol)
    description = describe_in_p21c(group, cell)
    assert description is not None
    before = site_symmetries(group, points, cell.metric_tensor)
    split = split_sites(group, description.subgroup, points, cell.metric_tensor)
    target = SpaceGroup.from_number(14)
    after = site_symmetries(
        target, description.change.coordinates(split.fract), description.cell.metric_tensor
    )
    total = np.bincount(split.parent, weights=after.multiplicity)
    assert total.tolist() == before.multiplicity.tolist()
    assert description.cell.volume == pytest.approx(cell.volume, rel=1e-12)
    assert abs(description.cell.beta - 90) < 35


# ITA vol. A1 (2004): translationengleiche subgroups of Pbca, Pnma, Pbcn; klassengleiche ones of C2/c, C2/m.
@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("P b c a", {"P 21/b 1 1", "P 1 21/c 1", "P 1 1 21/a"}),
        ("P n m a", {"P 21/n 1 1", "P 1 1 21/a"}),
        ("P b c n", {"P 21/b 1 1", "P 1 1 21/n"}),
        ("C 1 2/m 1", {"P 1 21/a 1"}),
        ("P 1 21/c 1", {"P 1 21/c 1"}),
        ("P 1 2/m 1", set()),
        ("P -1", set()),
        ("P 21 21 21", set()),
        ("F d d d:2", set()),
    ],
)
def test_subgroups_of_the_tables(symbol: str, expected: set[str]) -> None:
    assert {s.hm for s in p21c_subgroups(SpaceGroup.from_hm(symbol))} == expected


def test_c2c_loses_its_centring_in_two_ways() -> None:
    """P 1 2₁/n 1 with the origin kept, and P 1 2₁/c 1 with the inversion at ¼ ¼ 0 (ITA vol. A1, no. 15)."""
    subgroups = p21c_subgroups(SpaceGroup.from_hm("C 1 2/c 1"))
    assert sorted(s.hm or "shifted" for s in subgroups) == ["P 1 21/n 1", "shifted"]
    assert [s.number for s in subgroups] == [14, 14]
    assert all(s.order == 4 and s.centring == "P" for s in subgroups)


def test_groups_without_such_a_subgroup() -> None:
    assert describe_in_p21c(SpaceGroup.from_hm("P -1"), UnitCell(5, 6, 7, 80, 85, 95)) is None


@pytest.mark.parametrize(
    ("hm", "twofold"),
    [
        ("P b c a", "-x,y+1/2,-z+1/2"),  # subgroups along a, b and c: b is taken
        ("P n m a", "-x+1/2,-y,z+1/2"),  # along a and c (along b it is P2₁/m): c is taken
    ],
)
def test_of_equally_oblique_cells_b_comes_before_c_before_a(hm: str, twofold: str) -> None:
    """The cells of an orthorhombic group all have β = 90°; the twofold screw axis tells which was taken."""
    described = describe_in_p21c(SpaceGroup.from_hm(hm), UnitCell(5.0, 6.0, 7.0))
    assert described is not None
    assert described.cell.beta == 90.0
    assert twofold in described.subgroup.operators


def test_sites_split_by_a_subgroup_that_is_not_normal() -> None:
    """Pa-3 has three P2₁/c subgroups of index 6, turned into each other by the threefold axes."""
    group, point = SpaceGroup.from_hm("P a -3"), np.array([0.11, 0.23, 0.37])
    subgroups = p21c_subgroups(group)
    assert len(subgroups) == 3
    whole = (group.rotations @ point + group.translations) % 1
    for subgroup in subgroups:
        sites = split_sites(group, subgroup, point[None], np.eye(3) * 100)
        assert len(sites.fract) == 6
        images = np.einsum("nij,mj->mni", subgroup.rotations, sites.fract) + subgroup.translations[None]
        found = {tuple(x) for x in np.round(images.reshape(-1, 3) % 1, 6).tolist()}
        assert found == {tuple(x) for x in np.round(whole, 6).tolist()}
        assert len(found) == 24
