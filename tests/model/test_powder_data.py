"""Crystals for powder densities: against pymatgen, gemmi and spglib, distances by hand, and properties."""

from __future__ import annotations

import math
from pathlib import Path

import gemmi
import numpy as np
import pytest
import spglib
from powder_crystals import cubic_crystals

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import ATOMIC_NUMBER
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError
from xtalpriors.model.powder.canonical import canonical_coordinates, normaliser
from xtalpriors.model.powder.composition import composition_vector, read_composition
from xtalpriors.model.powder.dataset import PowderCrystals, powder_crystals, split
from xtalpriors.model.powder.density_maps import (
    U_ISO_ANGSTROM2,
    fourier_coefficients,
    iam_density,
    map_of,
)
from xtalpriors.model.powder.pattern import BINS, powder_lines, powder_pattern
from xtalpriors.model.powder.prototypes import Prototype, orbit, prototypes
from xtalpriors.model.powder.structure_type import structure_type

NA, CL, FE, S = (ATOMIC_NUMBER[e] for e in ("Na", "Cl", "Fe", "S"))
ALL = [*prototypes("cubic"), *prototypes("trigonal")]


@pytest.fixture(scope="module")
def crystals() -> PowderCrystals:
    return cubic_crystals()


def atoms_of(prototype: Prototype) -> tuple[np.ndarray, np.ndarray]:
    """Species and coordinates of the whole cell."""
    orbits = [orbit(prototype.group, site.point()) for site in prototype.sites]
    species = [np.full(len(o), s.species) for o, s in zip(orbits, prototype.sites, strict=True)]
    return np.concatenate(species), np.concatenate(orbits)


def cell_of(prototype: Prototype, a: float) -> UnitCell:
    return UnitCell(a, a, a * prototype.c_over_a, gamma=120.0 if prototype.system == "trigonal" else 90.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:spglib")
@pytest.mark.parametrize("prototype", ALL, ids=lambda p: p.name)
def test_prototypes_have_their_space_group(prototype: Prototype) -> None:
    """spglib finds the group of the table from cell and atoms alone."""
    species, fract = atoms_of(prototype)
    assert len(fract) == sum(prototype.counts)
    lattice = cell_of(prototype, 6.0).orthogonalization.T
    dataset = spglib.get_symmetry_dataset((lattice, fract, species), symprec=1e-4)
    assert dataset.number == prototype.group.number


def shortest(prototype: Prototype, first: int, second: int) -> tuple[float, int]:
    """Shortest distance in units of a between two species, and how many an atom of the first has."""
    species, fract = atoms_of(prototype)
    difference = fract[species == second] - fract[species == first][0]
    shifts = np.array(np.meshgrid(*[(-1, 0, 1)] * 3)).reshape(3, -1).T
    vectors = (difference[:, None] + shifts).reshape(-1, 3) @ cell_of(prototype, 1.0).orthogonalization.T
    lengths = np.sqrt((vectors**2).sum(axis=1))
    least = lengths[lengths > 1e-6].min()
    return float(least), int((abs(lengths - least) < 1e-4).sum())


@pytest.mark.parametrize(
    ("name", "first", "second", "distance", "number"),
    [
        ("rocksalt", 0, 1, 1 / 2, 6),
        ("caesium-chloride", 0, 1, math.sqrt(3) / 2, 8),
        ("zincblende", 0, 1, math.sqrt(3) / 4, 4),
        ("fluorite", 0, 1, math.sqrt(3) / 4, 8),
        ("perovskite", 0, 2, math.sqrt(2) / 2, 12),
        ("perovskite", 1, 2, 1 / 2, 6),
        ("elpasolite", 1, 3, 0.24, 6),
        ("spinel", 0, 2, math.sqrt(3) * (0.2625 - 0.125), 4),
        ("pyrite", 1, 1, math.sqrt(3) * (1 - 2 * 0.385), 1),
        ("laves-mgcu2", 1, 1, math.sqrt(2) / 4, 6),
        ("skutterudite", 1, 1, 2 * 0.155, 1),
        ("cuprite", 1, 0, math.sqrt(3) / 4, 4),
        ("chromium-silicide", 0, 1, math.sqrt(5) / 4, 12),
        ("cadmium-iodide", 0, 1, math.sqrt(1 / 3 + (0.25 * 1.6) ** 2), 6),
        ("calcite", 1, 2, 0.257, 3),
    ],
)
def test_coordination(name: str, first: int, second: int, distance: float, number: int) -> None:
    prototype = next(p for p in ALL if p.name == name)
    found, count = shortest(prototype, first, second)
    assert found == pytest.approx(distance, abs=1e-5)
    assert count == number


def test_quartz_has_tetrahedra() -> None:
    """Si–O of quartz is 1.61 Å at a = 4.913 Å."""
    quartz = next(p for p in ALL if p.name == "quartz")
    assert shortest(quartz, 0, 1)[0] * 4.913 == pytest.approx(1.61, abs=0.02)


def structures() -> list[tuple[UnitCell, SpaceGroup, np.ndarray, np.ndarray]]:
    salt = SpaceGroup.from_number(225)
    pyrite = SpaceGroup.from_number(205)
    calcite = next(p for p in ALL if p.name == "calcite")
    species, fract = atoms_of(calcite)
    halves, sulfur = orbit(salt, [0.5, 0.5, 0.5]), orbit(pyrite, [0.385] * 3)
    return [
        (
            UnitCell(5.64, 5.64, 5.64),
            salt,
            np.repeat([NA, CL], 4),
            np.concatenate([orbit(salt, [0, 0, 0]), halves]),
        ),
        (
            UnitCell(5.42, 5.42, 5.42),
            pyrite,
            np.repeat([FE, S], [4, 8]),
            np.concatenate([orbit(pyrite, [0, 0, 0]), sulfur]),
        ),
        (UnitCell(4.99, 4.99, 17.06, gamma=120.0), calcite.group, np.array([20, 6, 8])[species], fract),
    ]


def test_lines_are_those_of_pymatgen() -> None:
    """Positions equal; intensities to 2 % of the strongest, pymatgen has other fits of form factors."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Lattice, Structure

    calculator = XRDCalculator("MoKa")
    for cell, group, numbers, fract in structures():
        ours = powder_lines(cell, group, numbers, fract, calculator.wavelength)
        structure = Structure(Lattice.from_parameters(*cell.parameters), numbers.tolist(), fract)
        theirs = calculator.get_pattern(structure, two_theta_range=(0, 120))
        strong = np.array(theirs.y) > 0.5
        relative = 100 * ours.intensity / ours.intensity.max()
        for angle, height in zip(np.array(theirs.x)[strong], np.array(theirs.y)[strong], strict=True):
            near = np.abs(ours.two_theta - angle) < 1e-3
            assert near.any(), (group, angle)
            assert relative[near].sum() == pytest.approx(height, abs=2.0)


def test_pattern_of_salt_by_hand() -> None:
    """200 of NaCl is the strongest line; sin θ = λ / a gives its bin, and 111 has |F| ∝ f(Cl) − f(Na)."""
    pattern = powder_pattern(*structures()[0])
    assert pattern.shape == (BINS,)
    two_theta = 2 * math.degrees(math.asin(0.71073 / 5.64))
    assert pattern.argmax() == int(1024 * two_theta / 180)
    first = int(1024 * 2 * math.degrees(math.asin(0.71073 * math.sqrt(3) / 2 / 5.64)) / 180)
    assert 0.03 < pattern[first] < 0.15
    assert not pattern[:first].any()


def test_density_has_the_electrons() -> None:
    for cell, _, numbers, fract in structures():
        density = iam_density(cell, numbers, fract)
        # Σ of the form factors' fits at s = 0 is Z to 0.1 %
        assert density.mean() * cell.volume == pytest.approx(numbers.sum(), rel=2e-3)


def test_coefficients_are_structure_factors_of_gemmi() -> None:
    cell, _, numbers, fract = structures()[1]
    structure = gemmi.SmallStructure()
    structure.cell = gemmi.UnitCell(*cell.parameters)
    structure.spacegroup = gemmi.SpaceGroup(1)
    for z, x in zip(numbers.tolist(), fract.tolist(), strict=True):
        site = gemmi.SmallStructure.Site()
        site.element, site.type_symbol = gemmi.Element(z), gemmi.Element(z).name
        site.fract, site.u_iso, site.occ = gemmi.Fractional(*x), U_ISO_ANGSTROM2, 1.0
        structure.add_site(site)
    structure.setup_cell_images()
    calculator = gemmi.StructureFactorCalculatorX(structure.cell)
    ours = fourier_coefficients(cell, numbers, fract, 25) * cell.volume
    for h in [(2, 0, 0), (1, 1, 1), (2, 1, 0), (-3, 2, 1), (5, -4, 3)]:
        theirs = calculator.calculate_sf_from_small_structure(structure, h)
        assert ours[h].conjugate() == pytest.approx(theirs, abs=1e-3), h


def test_map_of_fewer_coefficients_is_the_smooth_map() -> None:
    cell, _, numbers, fract = structures()[0]
    whole = iam_density(cell, numbers, fract)
    small = map_of(fourier_coefficients(cell, numbers, fract, 25))
    assert np.abs(small - whole).max() < 0.02 * whole.max()


@pytest.mark.parametrize("shift", [(0.5, 0.5, 0.5), (0.0, 0.0, 0.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_canonical_origin(shift: tuple[float, ...], sign: int) -> None:
    """Half Heusler in four origins and two hands is one map, with the heaviest atom at the origin."""
    cell, group = UnitCell(6.0, 6.0, 6.0), SpaceGroup.from_number(216)
    fract = np.concatenate([orbit(group, [x] * 3) for x in (0.0, 0.25, 0.5)])
    numbers = np.repeat([28, 79, 12], 4)
    reference = iam_density(cell, numbers, canonical_coordinates(group, cell, numbers, fract))
    moved = canonical_coordinates(group, cell, numbers, sign * fract + shift)
    density = iam_density(cell, numbers, moved)
    assert np.allclose(density, reference, atol=1e-4)
    assert np.unravel_index(density.argmax(), density.shape) == (0, 0, 0)


def test_normalisers_are_those_of_the_tables() -> None:
    """ITA vol. A, table 3.5.2.5: Pa-3 has Ia-3 with half the translations each way, P4₁32 no inversion."""
    pa3 = normaliser(SpaceGroup.from_number(205))
    assert {tuple(np.abs(matrix).sum(axis=0)) for matrix, _ in pa3} == {(1.0, 1.0, 1.0)}
    assert all(np.abs(np.trace(matrix)) == 3 for matrix, _ in pa3)  # no fourfold axis
    assert len(pa3) == 2 * 2
    assert all(np.linalg.det(matrix) > 0 for matrix, _ in normaliser(SpaceGroup.from_number(213)))
    p213 = normaliser(SpaceGroup.from_number(198))
    assert any(np.trace(matrix) == 1 for matrix, _ in p213)  # Ia-3d: a fourfold screw axis


def test_structure_type_knows_no_origin() -> None:
    group, cell = SpaceGroup.from_number(225), UnitCell(8.0, 8.0, 8.0)
    sites = np.array([[0.25] * 3, [0, 0, 0], [0.5] * 3, [0, 0, 0.24]])
    label = structure_type(group, cell, ["Cs", "Na", "Y", "Cl"], sites)
    assert label == "225 a b c e" == structure_type(group, cell, "KLMN", sites + 0.5)


@pytest.mark.parametrize("system", ["cubic", "trigonal"])
def test_same_seed_same_bytes(system: str, tmp_path: Path) -> None:
    first, second = (powder_crystals(system, 5, seed=5) for _ in range(2))  # type: ignore[arg-type]
    longer = powder_crystals(system, 7, seed=5)  # type: ignore[arg-type]
    assert longer.formula[:5].tolist() == first.formula.tolist()
    paths = tmp_path / "a.npz", tmp_path / "b.npz"
    first.save(paths[0])
    second.save(paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    again = PowderCrystals.load(paths[0])
    assert np.array_equal(again.patterns, first.patterns)
    assert np.array_equal(again.density(3, 20), first.density(3, 20))


def test_a_strange_file_is_refused_and_kept(crystals: PowderCrystals, tmp_path: Path) -> None:
    path = tmp_path / "notes.npz"
    path.write_text("mine")
    with pytest.raises(UsageError, match="cannot be read"):
        PowderCrystals.load(path)
    with pytest.raises(UsageError, match="is there already"):
        crystals.save(path)
    assert path.read_text() == "mine"


def test_crystals_are_plausible(crystals: PowderCrystals) -> None:
    keys = list(zip(crystals.formula.tolist(), crystals.space_group.tolist(), strict=True))
    assert len(set(keys)) == len(crystals)
    assert np.allclose(crystals.patterns.max(axis=1), 1.0)
    assert np.allclose(crystals.compositions.sum(axis=1), 1.0, atol=1e-6)
    volumes = crystals.lattice[:, 0] ** 3 / np.diff(crystals.offsets)
    assert volumes.min() > 3.0
    assert np.median(volumes) < 40.0


@pytest.mark.parametrize("kind", ["S", "P"])
def test_splits(crystals: PowderCrystals, kind: str) -> None:
    parts = split(crystals, kind, seed=1)  # type: ignore[arg-type]
    names = [set(zip(p.formula.tolist(), p.space_group.tolist(), strict=True)) for p in parts]
    assert sum(map(len, names)) == len(set.union(*names)) == len(crystals)
    shared = set(parts.train.prototype.tolist()) & set(parts.test.prototype.tolist())
    assert bool(shared) == (kind == "S")
    assert [p.formula.tolist() for p in split(crystals, kind, seed=1)] == [p.formula.tolist() for p in parts]  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="too few"):
        split(crystals.take([0, 1, 2]), kind)  # type: ignore[arg-type]


def test_composition() -> None:
    titanate = read_composition("Ca Ti O3")
    assert (titanate.numbers, titanate.counts, titanate.stoichiometry) == ((8, 20, 22), (3, 1, 1), "1:1:3")
    assert titanate == read_composition("Ca0.2Ti0.2O0.6") == read_composition("Ca2 Ti2 O6")
    assert titanate.electrons == 20 + 22 + 24
    vector = composition_vector(titanate)
    assert vector.shape == (119,)
    assert vector[[8, 20, 22]].tolist() == pytest.approx([0.6, 0.2, 0.2])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Qq O2", "does not exist"),
        ("", "cannot be read"),
        ("Na0 Cl0", "sum of its counts is zero"),
        ("Og O2", "no form factor"),
        ("Fe1.4142 Ca2.7183 O3.1416", "small whole numbers"),
    ],
)
def test_bad_compositions(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_composition(text)
