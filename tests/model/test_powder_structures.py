"""Cells, structures and looked-up densities of cubic patterns: by hand, and against the crystal itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from powder_crystals import cubic_crystals

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.powder.canonical import canonical_coordinates
from xtalpriors.model.powder.composition import Composition, read_composition
from xtalpriors.model.powder.contacts import tightest_contact
from xtalpriors.model.powder.dataset import PowderCrystals
from xtalpriors.model.powder.density_maps import fourier_coefficients, iam_density
from xtalpriors.model.powder.fourier.examples import example_of, stacked
from xtalpriors.model.powder.fourier.network import GRID, FourierNet
from xtalpriors.model.powder.fourier.predict import predict_densities
from xtalpriors.model.powder.fourier.training import FourierConfig, fit, map_loss
from xtalpriors.model.powder.pattern import powder_pattern
from xtalpriors.model.powder.prototypes import orbit
from xtalpriors.model.powder.r_factor import r_factor
from xtalpriors.model.powder.scoring.retrieval import METHODS, Retrieval
from xtalpriors.model.powder.scoring.score import best_score, ssim
from xtalpriors.model.powder.structures.candidates import Candidate, Library, fit_parameters
from xtalpriors.model.powder.structures.cells import possible_cells
from xtalpriors.model.powder.structures.indexing import bin_of_shells, formula_units, index_cubic
from xtalpriors.model.powder.structures.orbits import template_of
from xtalpriors.model.powder.structures.shells import SPECTRUM_LENGTH, observed_shells, shells_of
from xtalpriors.model.powder.structures.solve import candidate_structures
from xtalpriors.model.powder.structures.wyckoff_search import fillings, search


def crystal(
    number: int, a: float, sites: dict[str, tuple[float, ...]]
) -> tuple[UnitCell, np.ndarray, np.ndarray]:
    """Cell, atomic numbers and coordinates of a cubic crystal from one site of each element."""
    group = SpaceGroup.from_number(number)
    orbits = [orbit(group, point) for point in sites.values()]
    (elements,) = [[read_composition(symbol).numbers[0] for symbol in sites]]
    numbers = np.concatenate([np.full(len(o), z) for z, o in zip(elements, orbits, strict=True)])
    return UnitCell(a, a, a), numbers, np.concatenate(orbits)


SALT = (225, 5.64, {"Na": (0.0, 0.0, 0.0), "Cl": (0.5, 0.5, 0.5)})
PYRITE = (205, 5.42, {"Fe": (0.0, 0.0, 0.0), "S": (0.385, 0.385, 0.385)})
TITANATE = (221, 3.905, {"Sr": (0.5, 0.5, 0.5), "Ti": (0.0, 0.0, 0.0), "O": (0.5, 0.0, 0.0)})


def pattern_of(number: int, a: float, sites: dict[str, tuple[float, ...]]) -> np.ndarray:
    cell, numbers, fract = crystal(number, a, sites)
    return powder_pattern(cell, SpaceGroup.from_number(number), numbers, fract)


@pytest.fixture(scope="module")
def crystals() -> PowderCrystals:
    return cubic_crystals()


@pytest.mark.parametrize("known", [SALT, PYRITE, TITANATE])
def test_cell_of_a_pattern(known: tuple[int, float, dict[str, tuple[float, ...]]]) -> None:
    cells = index_cubic(pattern_of(*known))
    assert min(abs(cell.a - known[1]) for cell in cells) < 0.002


def test_most_cells_are_found(crystals: PowderCrystals) -> None:
    """The right a is among four for every crystal, and first for most of them."""
    found = [[c.a for c in index_cubic(p)] for p in crystals.patterns]
    right = np.abs(np.array(found) / crystals.lattice[:, :1] - 1.0) < 0.002
    assert right.any(axis=1).all()
    assert right[:, 0].mean() > 0.7


def test_bins_by_hand() -> None:
    """sin θ = λ √N / 2a; N = 7 cannot be h² + k² + l², and 1/d has an end."""
    two_theta = 2 * math.degrees(math.asin(0.71073 * math.sqrt(3) / 2 / 4.0))
    assert bin_of_shells(4.0, np.array([3]))[0] == int(1024 * two_theta / 180)
    assert bin_of_shells(4.0, np.array([127]))[0] == -1
    n = shells_of(UnitCell(2.0, 2.0, 2.0)).s_squared * 4.0
    assert not {7, 15, 23, 28, 60}.intersection(np.rint(n).astype(int).tolist())


def test_patterns_that_are_not_cubic() -> None:
    with pytest.raises(UsageError, match="no peaks"):
        index_cubic(np.zeros(1024, dtype=np.float32))
    rng = np.random.default_rng(0)
    chance = np.zeros(1024, dtype=np.float32)
    chance[rng.choice(np.arange(60, 500), 40, replace=False)] = rng.uniform(0.1, 1.0, 40)
    with pytest.raises(UsageError, match="another system"):
        index_cubic(chance)


def test_r_factor_by_hand() -> None:
    """Lines 2 : 1 against 4 : 2 (half of it is right), 1 : 0 (twice that leaves 1 of 3), and no line."""
    r, scale = r_factor(np.array([2.0, 1.0]), np.array([[4.0, 2.0], [1.0, 0.0], [0.0, 0.0]]))
    assert r == pytest.approx([0.0, 1 / 3, 1.0]) and scale == pytest.approx([0.5, 2.0, 0.0])


def test_formula_units_by_volume() -> None:
    """NaCl: 179.4 Å³ hold 1 to 35 formula units of atoms between 2.5 and 90 Å³."""
    assert formula_units(read_composition("NaCl"), 5.64**3) == tuple(range(1, 36))


def test_contact_of_salt() -> None:
    """Radii of Cordero et al.: (1.66 + 1.02) / (5.64 / 2)."""
    assert tightest_contact(*crystal(*SALT)) == pytest.approx(2.68 / 2.82)


def test_the_crystal_agrees_with_its_pattern(crystals: PowderCrystals) -> None:
    for i in range(8):
        assert residuals(crystals, i)[0] < 0.01 < 0.1 < residuals(crystals, i)[1]


def residuals(crystals: PowderCrystals, i: int) -> tuple[float, float]:
    """R of a crystal against its own pattern, and of one with equal structure factors."""
    numbers, fract = crystals.atoms(i)
    shells = shells_of(crystals.cell(i))
    observed = observed_shells(crystals.patterns[i], shells)
    sums = shells.reflections.sums
    f = sum(shells.form_factors(int(z)) * sums(fract[numbers == z]) for z in np.unique(numbers))
    return float(observed.residual(f)), float(observed.residual(np.ones_like(f)))


def test_templates_have_all_atoms(crystals: PowderCrystals) -> None:
    for i in range(20):
        numbers, fract = crystals.atoms(i)
        group = SpaceGroup.from_number(int(crystals.space_group[i]))
        template = template_of(str(crystals.prototype[i]), group, numbers, fract)
        points = np.concatenate(template.points()) % 1.0
        away = points[:, None] - fract[None]
        near = (np.abs(away - np.rint(away)) < 1e-5).all(axis=2)
        assert near.sum() == len(fract) == len(points)
        assert template.free == sum(o.free for o in template.orbits)


@pytest.mark.parametrize(
    ("number", "counts", "expected"),
    [
        (225, (4, 4), [(("a",), ("b",))]),
        # zincblende, and rocksalt described in the subgroup
        (216, (4, 4), [(("a",), ("b",)), (("a",), ("c",))]),
        (221, (1, 1, 3), [(("a",), ("b",), ("c",)), (("a",), ("b",), ("d",))]),
        (205, (4, 8), [(("a",), ("c",))]),
        (225, (4, 6), []),
    ],
)
def test_fillings_by_hand(
    number: int, counts: tuple[int, ...], expected: list[tuple[tuple[str, ...], ...]]
) -> None:
    """Positions of ITA, one of each set that another origin makes of the rest."""
    assert sorted(f.letters for f in fillings(number, counts)) == expected


@pytest.mark.parametrize(("known", "formula"), [(TITANATE, "SrTiO3"), (PYRITE, "FeS2"), (SALT, "NaCl")])
def test_search_finds_structures(
    known: tuple[int, float, dict[str, tuple[float, ...]]], formula: str
) -> None:
    cell, numbers, fract = crystal(*known)
    found = search(pattern_of(*known), read_composition(formula), cell)[0]
    assert found.residual < 0.02
    fract = canonical_coordinates(SpaceGroup.from_number(known[0]), cell, numbers, fract)
    truth = iam_density(cell, numbers, fract)
    density = iam_density(found.cell, *found.atoms())
    assert best_score(truth, [density]).ssim > 0.99


def test_search_refines_the_parameter_of_pyrite() -> None:
    found = search(pattern_of(*PYRITE), read_composition("FeS2"), UnitCell(5.42, 5.42, 5.42))[0]
    numbers, fract = found.atoms()
    x = np.abs(fract[numbers == 16][0])
    assert np.minimum(x, 1 - x) == pytest.approx([0.385] * 3, abs=0.002)


@pytest.mark.parametrize("u", [0.31, 0.43])
def test_a_template_far_from_the_crystal_is_fitted(u: float) -> None:
    """Pyrite from a sulfur parameter that is 0.045 or 0.075 off; minima of R lie between."""
    group = SpaceGroup.from_number(205)
    cell, numbers, fract = crystal(205, 5.42, {"Fe": (0.0, 0.0, 0.0), "S": (u, u, u)})
    start = Candidate(template_of("205 a c", group, numbers, fract), (16, 26), cell, 1.0, 1)
    assert fit_parameters(pattern_of(*PYRITE), start).residual < 0.01


def test_a_measurement_may_end_early() -> None:
    """Only lines to 45° are left, and one is off by a bin: the structure still agrees."""
    pattern = pattern_of(*TITANATE)
    pattern[256:] = 0.0
    line = int(np.flatnonzero(pattern)[2])
    pattern[line + 1], pattern[line] = pattern[line], 0.0
    found = search(pattern, read_composition("SrTiO3"), crystal(*TITANATE)[0])[0]
    assert found.residual < 0.02
    assert found.template.free == 0
    assert sorted(found.template.counts) == [1, 1, 3]


def test_library_offers_the_crystal_and_can_leave_its_type_out(crystals: PowderCrystals) -> None:
    library = Library(crystals)
    perovskite = int(np.flatnonzero(crystals.name == "perovskite")[0])
    pattern, composition = crystals.patterns[perovskite], crystals.composition(perovskite)
    found = candidate_structures(pattern, composition, library)[0]
    assert found.known > 0
    assert found.template.label == crystals.prototype[perovskite]
    assert ssim(crystals.density(perovskite), iam_density(found.cell, *found.atoms())) > 0.99
    without = candidate_structures(pattern, composition, library, str(crystals.prototype[perovskite]))[0]
    assert without.known == 0
    assert ssim(crystals.density(perovskite), iam_density(without.cell, *without.atoms())) > 0.95


def test_lookups_know_their_own(crystals: PowderCrystals) -> None:
    """Asked for a crystal of the training, all but the mean map return it; the mean map is none of them."""
    retrieval = Retrieval(crystals)
    i = int(np.flatnonzero(crystals.name == "perovskite")[0])
    truth = crystals.density(i)
    for method in METHODS:
        density = retrieval.density(method, crystals.patterns[i], crystals.composition(i))
        score = ssim(truth, density)
        assert (score > 0.97) == (method != "mean-map"), (method, score)
    electrons = retrieval.density("stoichiometry", crystals.patterns[i], crystals.composition(i)).mean()
    assert electrons * crystals.cell(i).volume == pytest.approx(crystals.atoms(i)[0].sum(), rel=0.01)


def test_network_begins_with_the_best_candidate_and_learns(crystals: PowderCrystals) -> None:
    library = Library(crystals)
    examples, truths, found = [], [], []
    for i in range(5):
        candidates = candidate_structures(crystals.patterns[i], crystals.composition(i), library)
        found.append(candidates)
        examples.append(example_of(crystals.patterns[i], crystals.composition(i), candidates))
        truth = fourier_coefficients(crystals.cell(i), *crystals.atoms(i), GRID)
        truths.append(truth / truth[0, 0, 0].real)
    target = torch.from_numpy(np.array(truths, dtype=np.complex64))
    fresh = FourierNet("cubic")
    first = predict_densities(fresh, found[0], crystals.patterns[0], crystals.composition(0))[0]
    best = found[0][0]
    assert ssim(iam_density(best.cell, *best.atoms()), first.density) > 0.95
    twice = predict_densities(fresh, [best, best], crystals.patterns[0], crystals.composition(0), 5)
    assert len(twice) == 1  # the same map is one try
    fitted = fit(examples, target, FourierConfig(epochs=2, batch_size=4), "cubic")
    batch = stacked(examples)
    with torch.no_grad():
        assert fitted.weights(batch).sum(1).numpy() == pytest.approx(np.ones(5), abs=1e-5)
        assert map_loss(fitted(batch), target).mean() <= map_loss(fresh(batch), target).mean() + 1e-4
    with pytest.raises(XtalpriorsError, match="No structure has"):
        predict_densities(fitted, [], crystals.patterns[0], Composition((11, 17), (1, 1)))


QUARTZ_CELL = UnitCell(4.9134, 4.9134, 5.4052, gamma=120.0)
QUARTZ = {14: (0.4699, 0.0, 2 / 3), 8: (0.4141, 0.2681, 0.7854)}
"""α-Quartz in P3₂21 (Kihara 1990, doi 10.1127/ejm/2/1/0063, 298 K)."""
CALCITE_CELL = UnitCell(4.99, 4.99, 17.06, gamma=120.0)
CALCITE = {20: (0.0, 0.0, 0.0), 6: (0.0, 0.0, 0.25), 8: (0.257, 0.0, 0.25)}


def trigonal(
    number: int, cell: UnitCell, sites: dict[int, tuple[float, ...]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atomic numbers, coordinates and pattern of a crystal from one site of each element."""
    group = SpaceGroup.from_number(number)
    orbits = [orbit(group, point) for point in sites.values()]
    numbers = np.concatenate([np.full(len(o), z) for z, o in zip(sites, orbits, strict=True)])
    fract = np.concatenate(orbits)
    return numbers, fract, powder_pattern(cell, group, numbers, fract)


@pytest.mark.parametrize("known", [(154, QUARTZ_CELL, QUARTZ), (167, CALCITE_CELL, CALCITE)])
def test_cell_of_a_trigonal_pattern(known: tuple[int, UnitCell, dict[int, tuple[float, ...]]]) -> None:
    """a and c are found from the lines of a primitive and of a rhombohedral crystal, first of all cells."""
    first, cell = possible_cells(trigonal(*known)[2], "trigonal")[0], known[1]
    assert (first.a, first.c) == (pytest.approx(cell.a, rel=1e-3), pytest.approx(cell.c, rel=1e-3))
    assert first.gamma == 120.0


def test_a_cubic_pattern_is_rhombohedral_too_and_chance_is_no_cell() -> None:
    """A face-centred cell with a is a rhombohedral one with a/√2 and a√3."""
    cells = possible_cells(pattern_of(*SALT), "trigonal")
    wanted = 5.64 / math.sqrt(2), 5.64 * math.sqrt(3)
    assert any(abs(c.a / wanted[0] - 1) < 1e-3 and abs(c.c / wanted[1] - 1) < 1e-3 for c in cells)
    rng = np.random.default_rng(0)
    chance = np.zeros(1024, dtype=np.float32)
    chance[rng.choice(np.arange(60, 500), 40, replace=False)] = rng.uniform(0.1, 1.0, 40)
    with pytest.raises(UsageError, match="No hexagonal cell"):
        possible_cells(chance, "trigonal")


def test_hexagonal_shells_by_hand() -> None:
    """1/d² = 4 M/(3 a²) + l²/c². Of 12 reflections 101 -3 leaves two sets, of the six of 100 and 110 one."""
    shells = shells_of(QUARTZ_CELL)
    a, c = QUARTZ_CELL.a, QUARTZ_CELL.c
    ends = np.append(shells.reflections.starts, len(shells.reflections.hkl))
    for m, l, sets in ((1, 0, 1), (1, 1, 2), (3, 0, 1)):
        s_squared = 4 * m / (3 * a * a) + l * l / c**2
        k = int(np.argmin(np.abs(shells.s_squared - s_squared)))
        own = slice(ends[k], ends[k + 1])
        assert shells.s_squared[k] == pytest.approx(s_squared)
        assert shells.reflections.sizes[own].tolist() == [6] * sets
        h, j, third = shells.reflections.hkl[own].T
        assert (h * h + h * j + j * j == m).all() and (np.abs(third) == l).all()
    spectrum = observed_shells(trigonal(154, QUARTZ_CELL, QUARTZ)[2], shells).spectrum()
    assert spectrum.shape == (SPECTRUM_LENGTH["trigonal"],)


def test_search_finds_calcite() -> None:
    """Without a library; calcite has one free parameter, and its lines a rhombohedral lattice."""
    numbers, fract, pattern = trigonal(167, CALCITE_CELL, CALCITE)
    group = SpaceGroup.from_number(167)
    found = search(pattern, read_composition("CaCO3"), CALCITE_CELL)[0]
    truth = iam_density(CALCITE_CELL, numbers, canonical_coordinates(group, CALCITE_CELL, numbers, fract))
    assert best_score(truth, [iam_density(found.cell, *found.atoms())]).ssim > 0.99
