"""Changes of setting: equal |F| before and after, and the least-oblique P2₁/c cell."""

from __future__ import annotations

import itertools

import gemmi
import numpy as np
import pytest
from corpus import corpus_dir

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.basis import ChangeOfBasis
from xtalpriors.crystal.symmetry.closure import NotAGroupError
from xtalpriors.crystal.symmetry.resolve import Resolution, resolve_space_group
from xtalpriors.crystal.symmetry.settings import (
    change_setting,
    group_in_setting,
    least_oblique_p21c,
    to_reference,
)
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError

SITES = np.array([[0.11, 0.23, 0.37], [0.43, 0.07, 0.61], [0.79, 0.41, 0.19], [0.25, 0.66, 0.91]])
ELEMENTS = ("C", "O", "Cl", "N")


def _structure_factors(cell: UnitCell, group: SpaceGroup, fract: np.ndarray, hkl: np.ndarray) -> np.ndarray:
    """|F| by gemmi from every atom of the cell, so that only our operators count."""
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*cell.parameters)
    structure.spacegroup_hm = "P 1"
    for element, site in zip(ELEMENTS, fract, strict=True):
        for rotation, translation in zip(group.rotations, group.translations, strict=True):
            atom = gemmi.SmallStructure.Site()
            atom.type_symbol, atom.element = element, gemmi.Element(element)
            atom.fract = gemmi.Fractional(*(rotation @ site + translation))
            atom.occ, atom.u_iso = 1.0, 0.03
            structure.add_site(atom)
    structure.setup_cell_images()
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    return np.array([abs(calculator.calculate_sf_from_small_structure(structure, h)) for h in hkl.tolist()])


def _cell_for(group: SpaceGroup) -> UnitCell:
    reference = {
        "triclinic": (6.1, 7.3, 8.9, 83, 99, 107),
        "monoclinic": (6.1, 7.3, 8.9, 90, 99, 90),
        "orthorhombic": (6.1, 7.3, 8.9, 90, 90, 90),
        "tetragonal": (6.1, 6.1, 8.9, 90, 90, 90),
        "trigonal": (6.1, 6.1, 8.9, 90, 90, 120),
        "hexagonal": (6.1, 6.1, 8.9, 90, 90, 120),
        "cubic": (6.1, 6.1, 6.1, 90, 90, 90),
    }[group.crystal_system]
    return group.to_reference.inverse().cell(UnitCell(*reference))


HKL = np.array([h for h in itertools.product(range(-2, 4), repeat=3) if any(h)][::3])


@pytest.mark.parametrize(
    "symbol",
    [
        "P 1 21/n 1",
        "P 1 21/a 1",
        "P 1 1 21/b",
        "P b n m",
        "P c a b",
        "P m c n",
        "A 1 2/n 1",
        "I 1 2/a 1",
        "B 1 1 2/b",
        "R -3 c:R",
        "R 3 m:R",
        "P n n n:1",
        "F d d d:1",
        "C -1",
        "C 2 c m",
        "I 41/a m d:1",
        "P 21/n 1 1",
    ],
)
def test_to_reference_keeps_the_amplitudes(symbol: str) -> None:
    group = SpaceGroup.from_hm(symbol)
    cell = _cell_for(group)
    moved = to_reference(group, cell, SITES)
    assert moved.group.is_reference
    assert not group.is_reference
    hkl = moved.change.miller_indices(HKL)
    integer = np.abs(hkl - np.rint(hkl)).max(axis=1) < 1e-9
    before = _structure_factors(cell, group, SITES, HKL)
    after = _structure_factors(moved.cell, moved.group, moved.fract, np.rint(hkl).astype(int))
    assert integer.sum() > 20
    np.testing.assert_allclose(
        after[integer] * cell.volume, before[integer] * moved.cell.volume, rtol=1e-5, atol=1e-3
    )
    # a reflection that has no integer index in the other cell is one that centring extinguishes
    assert (before[~integer] < 1e-4).all()
    assert before.max() > 10


@pytest.mark.parametrize("symbol", [sg.hm for sg in gemmi.spacegroup_table() if sg.number == 14])
def test_least_oblique_keeps_the_amplitudes_and_the_operators(symbol: str) -> None:
    group = SpaceGroup.from_hm(symbol)
    angles = [90.0, 90.0, 90.0]
    angles["abc".index(gemmi.SpaceGroup(symbol).monoclinic_unique_axis())] = 128.0
    cell = UnitCell(9.0, 7.2, 6.5, *angles)
    cell_and_change = least_oblique_p21c(group, cell)
    moved = change_setting(group, cell, SITES, cell_and_change.change)
    assert moved.group is SpaceGroup.from_hm("P 1 21/c 1")
    np.testing.assert_allclose(moved.cell.parameters, cell_and_change.cell.parameters, rtol=1e-12)
    assert moved.cell.volume == pytest.approx(cell.volume)
    hkl = np.rint(moved.change.miller_indices(HKL)).astype(int)
    before = _structure_factors(cell, group, SITES, HKL)
    after = _structure_factors(moved.cell, moved.group, moved.fract, hkl)
    np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-3)
    assert (before > 1).sum() > 20


def test_least_oblique_beats_every_other_p21c_cell() -> None:
    rng = np.random.default_rng(2)
    symbols = [sg.hm for sg in gemmi.spacegroup_table() if sg.number == 14]
    group = SpaceGroup.from_number(14)
    allowed = [
        (p, q, r, s)
        for p, q, r, s in itertools.product(range(-7, 8), repeat=4)
        if r % 2 == 0 and s % 2 and abs(p * s - q * r) == 1
    ]
    for symbol in symbols[:3] * 7:
        group = SpaceGroup.from_hm(symbol)
        cell = UnitCell(*rng.uniform(4, 20, 3), 90, rng.uniform(60, 140), 90)
        found = least_oblique_p21c(group, cell).cell
        g = group.to_reference.cell(cell).metric_tensor[np.ix_([0, 2], [0, 2])]
        p, q, r, s = np.array(allowed).T
        a, c = np.stack([p, q]), np.stack([r, s])
        cosine = np.einsum("in,ij,jn->n", a, g, c) / np.sqrt(
            np.einsum("in,ij,jn->n", a, g, a) * np.einsum("in,ij,jn->n", c, g, c)
        )
        best = np.abs(np.degrees(np.arccos(cosine)) - 90).min()
        assert found.beta >= 90
        assert found.beta - 90 == pytest.approx(best, abs=1e-6)
        assert found.beta - 90 <= abs(cell.beta - 90) + 1e-9 or symbol != "P 1 21/c 1"


def test_the_reference_setting_of_p21n_is_very_oblique() -> None:
    # the example of the design: (9, 7.2, 6.5, 105°) in P2₁/n
    group, cell = SpaceGroup.from_hm("P 1 21/n 1"), UnitCell(9, 7.2, 6.5, 90, 105, 90)
    reference = group.to_reference.cell(cell)
    assert reference.c == pytest.approx(12.39, abs=0.01)
    assert reference.beta == pytest.approx(149.6, abs=0.1)
    # by hand: n glide along a + c, |a + c|² = 81 + 42.25 + 2·9·6.5·cos 105°
    least = least_oblique_p21c(group, cell).cell
    assert least.c == pytest.approx((81 + 42.25 + 2 * 9 * 6.5 * np.cos(np.radians(105))) ** 0.5)
    assert least.beta < 120


def test_a_cell_that_is_least_oblique_already_stays() -> None:
    cell = UnitCell(9.0, 7.2, 10.5, 90, 97, 90)
    found = least_oblique_p21c(SpaceGroup.from_number(14), cell)
    assert found.change.triplet == "x,y,z"
    np.testing.assert_allclose(found.cell.parameters, cell.parameters, rtol=1e-14)
    folded = least_oblique_p21c(SpaceGroup.from_number(14), UnitCell(9.0, 7.2, 10.5, 90, 83, 90))
    assert folded.cell.beta == pytest.approx(97)
    right = least_oblique_p21c(SpaceGroup.from_number(14), UnitCell(9.0, 7.2, 10.5, 90, 90, 90))
    assert right.cell.beta == 90.0


def test_wrong_use_is_said() -> None:
    with pytest.raises(UsageError, match=r"no\. 14"):
        least_oblique_p21c(SpaceGroup.from_number(15), UnitCell(5, 6, 7, 90, 95, 90))
    with pytest.raises(UsageError, match="no volume"):
        least_oblique_p21c(SpaceGroup.from_number(14), UnitCell(5, 6, float("nan"), 90, 95, 90))
    with pytest.raises(NotAGroupError):
        group_in_setting(SpaceGroup.from_number(225), ChangeOfBasis.from_triplet("2*x,y,z"))


def test_change_of_basis_arithmetic() -> None:
    change = ChangeOfBasis.from_triplet("x-z/2,y+1/4,z/2")
    assert change.after(change.inverse()).triplet == "x,y,z"
    assert change.inverse().after(change).triplet == "x,y,z"
    assert float(change.determinant) == 0.5
    assert change.triplet == "x-1/2*z,y+1/4,1/2*z"
    np.testing.assert_allclose(change.coordinates([[0.2, 0.3, 0.4]]), [[0.0, 0.55, 0.2]], atol=1e-15)


def test_obliqueness_of_the_no_14_entries_of_the_cod() -> None:
    """Why there is a least-oblique convention: β > 125° in 0.5, 28 and 7 % of the entries."""
    folder = corpus_dir("cod")
    lines = (folder / "manifest.tsv").read_text("utf-8").splitlines()
    beta: dict[str, list[float]] = {"declared": [], "reference": [], "least-oblique": []}
    for path in (line.split("\t")[0] for line in lines[1:] if line.split("\t")[2] == "14"):
        block = gemmi.cif.read(str(folder / path)).sole_block()
        tags = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
        cell = UnitCell(*(gemmi.cif.as_number(block.find_value(f"_cell_{tag}")) for tag in tags))
        listed = ("_symmetry_equiv_pos_as_xyz", "_space_group_symop_operation_xyz")
        operators = tuple(gemmi.cif.as_string(x) for tag in listed for x in block.find_values(tag))
        symbol = block.find_value("_symmetry_space_group_name_H-M") or "?"
        answer = resolve_space_group(operators, None, symbol, None, cell.parameters[3:])
        assert isinstance(answer, Resolution), path
        group = answer.group
        beta["declared"].append(90 + max(abs(x - 90) for x in cell.parameters[3:]))
        beta["reference"].append(90 + abs(group.to_reference.cell(cell).beta - 90))
        beta["least-oblique"].append(least_oblique_p21c(group, cell).cell.beta)
    assert len(beta["declared"]) > 600
    shares = {k: np.mean(np.array(v) > 125) for k, v in beta.items()}
    assert shares == pytest.approx({"declared": 0.005, "reference": 0.28, "least-oblique": 0.07}, abs=0.01)


def test_the_least_oblique_axes_stay_right_handed() -> None:
    rng = np.random.default_rng(7)
    planes = set()
    for symbol in ("P 1 21/c 1", "P 1 21/n 1", "P 1 21/a 1", "P 1 1 21/b"):
        group = SpaceGroup.from_hm(symbol)
        for a, b, c in rng.uniform(4, 12, (60, 3)):
            angles = [90.0, 90.0, 90.0]
            angles["abc".index("c" if symbol.endswith("b") else "b")] = rng.uniform(60, 130)
            change = least_oblique_p21c(group, UnitCell(a, b, c, *angles)).change
            planes.add(change.triplet)
            assert change.determinant == 1
    assert len(planes) > 8
