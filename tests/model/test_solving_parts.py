"""Parts of solving one by one: symmetry in intensities, derivatives, peaks, elements, files of SHELX."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from phasing_crystals import Oracle, card_of, untrained
from simulated import Simulated, simulated

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.scattering.reciprocal import s_squared, systematic_absences
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.charge_flipping.map_correlation import map_correlation
from xtalpriors.model.measured.merging import laue_rotations, merge_equivalents
from xtalpriors.model.measured.read_data import MeasuredCrystal
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.network.reflections import Reflections as ListOfReflections
from xtalpriors.model.network.weights import save_model
from xtalpriors.model.prediction.merge_reflections import network_setting
from xtalpriors.model.solving.assemble import assembled
from xtalpriors.model.solving.candidates import find_centring, rank_groups
from xtalpriors.model.solving.derivatives import Reflections, calculated, squared_with_derivatives
from xtalpriors.model.solving.elements import Composition, assign_elements
from xtalpriors.model.solving.laue import choose_laue_classes, laue_classes, metric_rotations
from xtalpriors.model.solving.model import Atoms, site_of
from xtalpriors.model.solving.network_phases import DualSpacePhases, PhaiPhases, phasing_network
from xtalpriors.model.solving.phasing import group_grid
from xtalpriors.model.solving.prepare import GroupData, data_of_group, unique_data
from xtalpriors.model.solving.search import SolveSettings, solve_crystal
from xtalpriors.model.solving.shelx_output import atom_labels
from xtalpriors.model.solving.space_groups import centring_vectors, group_frequency, groups_of_laue_class
from xtalpriors.model.solving.statistics import possible_reflections

CUBIC = UnitCell(9, 9, 9, 90, 90, 90)
SECOND_OF_PAIR = {78, 95, 96, 145, 153, 154, 170, 172, 179, 181, 213}
"""P4₃ beside P4₁, and so on: intensities do not tell the two apart."""
HEXAGONAL = UnitCell(7, 7, 12, 90, 90, 120)


def test_rotations_of_lattices() -> None:
    """Proper rotations of the holohedries: 24, 12, 8, 4, 2, 1; 6 of a rhombohedral lattice."""
    cells = {
        24: CUBIC,
        12: HEXAGONAL,
        8: UnitCell(7, 7, 9, 90, 90, 90),
        4: UnitCell(7, 8, 9, 90, 90, 90),
        2: UnitCell(7, 8, 9, 90, 99, 90),
        1: UnitCell(7, 8, 9, 80, 99, 95),
    }
    for order, cell in cells.items():
        assert len(metric_rotations(cell)) == order
    assert len(metric_rotations(HEXAGONAL, centring_vectors("R"))) == 6
    assert len(metric_rotations(CUBIC, centring_vectors("C"))) == 8
    # the subgroups of 432 that are groups of rotations: 30 (those of S₄)
    assert len(laue_classes(metric_rotations(CUBIC))) == 30


def test_every_space_group_has_a_place() -> None:
    """The groups of all Laue classes and centrings on the usual axes are the 230 less 11 mirror images."""
    axes = [CUBIC, HEXAGONAL]
    numbers = {
        group.number
        for cell in axes
        for rotations in laue_classes(metric_rotations(cell))
        for letter in "PABCIFR"
        for group in groups_of_laue_class(rotations, letter)
    }
    assert numbers == set(range(1, 231)) - SECOND_OF_PAIR


def test_settings_that_differ_in_the_origin_only_are_there_once() -> None:
    two_over_m = metric_rotations(UnitCell(7, 8, 9, 90, 99, 90))
    names = [g.hm for g in groups_of_laue_class(two_over_m, "C")]
    assert "C 1 2/c 1" in names and "C 1 2/n 1" not in names
    primitive = [g.hm for g in groups_of_laue_class(two_over_m, "P")]
    assert {"P 1 21/c 1", "P 1 21/n 1", "P 1 21/a 1"} <= set(primitive), "their absences differ"


def test_frequencies_are_a_distribution() -> None:
    """P2₁/c is the commonest of molecules; both of a pair count for one, so pairs are counted twice here."""
    shares = [group_frequency(n, True) for n in range(1, 231)]
    assert np.argmax(shares) == 13
    singles = [
        s for n, s in enumerate(shares, 1) if n not in (78, 95, 96, 145, 153, 154, 170, 172, 179, 181, 213)
    ]
    assert 0.9 < sum(singles) < 1.05


@pytest.mark.parametrize(
    ("symbol", "order"), [("P -1", 1), ("P 1 21/n 1", 2), ("P 21 21 21", 4), ("P 41", 4), ("R -3:H", 3)]
)
def test_symmetry_in_the_intensities(symbol: str, order: int) -> None:
    """The Laue class from the disagreement of equivalents, centring and absences from the intensities."""
    made = simulated(symbol, seed=2, volume_angstrom3=800.0, d_min_angstrom=0.95)
    one = laue_rotations(np.eye(3, dtype=np.int64)[None])
    merged = merge_equivalents(made.hkl, made.intensity, made.sigma, one)
    e2 = merged.intensity / merged.intensity.mean()
    possible = possible_reflections(made.cell, 0.95)
    letter = find_centring(merged.hkl, e2, possible, contamination=0.08)
    assert letter == made.group.centring
    # without the absences, as in a list that lost them
    present = e2 > 0.02
    assert find_centring(merged.hkl[present], e2[present], possible, contamination=0.08) == letter
    chosen = choose_laue_classes(merged, metric_rotations(made.cell, centring_vectors(letter)), letter)
    assert len(chosen[0].rotations) == order


def centred(cell: UnitCell, letter: str) -> MeasuredCrystal:
    """Reflections to 1 Å that a centring allows, each of another intensity."""
    hkl = possible_reflections(cell, 1.0)
    product = hkl @ centring_vectors(letter).T
    hkl = hkl[(np.abs(product - np.rint(product)) < 1e-6).all(axis=1)]
    intensity = np.random.default_rng(1).exponential(100.0, len(hkl))
    seen = Observations(hkl, intensity, np.full(len(hkl), 1.0), 0, "x.hkl", "|F|²")
    return MeasuredCrystal("x", (Path("x.hkl"),), seen, cell, elements=("C",))


def test_a_centring_that_no_group_of_the_laue_class_has() -> None:
    """There is no C-centred cubic group, and no triclinic one with the centring R."""
    with pytest.raises(UsageError, match=r"x.hkl.* centring C, and no .* P m -3 m .*--space-group"):
        solve_crystal(centred(CUBIC, "C"), laue=SpaceGroup.from_hm("P m -3 m"))
    with pytest.raises(UsageError, match=r"x.hkl.* centring R, and no .* cell 7 8 9 80 99 95 .*axes"):
        solve_crystal(centred(UnitCell(7, 8, 9, 80, 99, 95), "R"))


def test_few_trials() -> None:
    """Fewer than are made at once are made, and none is refused."""
    with pytest.raises(UsageError, match=r"trials = 0 is too few: .* at least 1"):
        SolveSettings(trials=0)
    settings = SolveSettings(trials=1, cycles=40, seconds=0.0)
    found = solve_crystal(
        centred(UnitCell(5, 6, 7, 90, 90, 90), "P"), space_group=SpaceGroup.from_number(2), settings=settings
    )
    assert len(found.tried) == 1


def test_absences_rank_the_groups() -> None:
    """P2₁/n of a simulated crystal comes first, and a list without its absences still shows them."""
    made = simulated("P 1 21/n 1", seed=6, d_min_angstrom=0.95)
    laue = laue_rotations(made.group.rotations)
    merged = merge_equivalents(made.hkl, made.intensity, made.sigma, laue)
    e2, sigma = merged.intensity / merged.intensity.mean(), merged.sigma / merged.intensity.mean()
    possible = np.unique(merged.hkl, axis=0)
    groups = groups_of_laue_class(metric_rotations(made.cell), "P")
    for kept in (np.ones(len(e2), dtype=bool), e2 > 5 * sigma):
        found, _ = rank_groups(
            groups, merged.hkl[kept], e2[kept], (e2 / sigma)[kept], sigma[kept], possible,
            contamination=0.08, with_carbon=True,
        )  # fmt: skip
        assert found[0].group is made.group
    wrong = next(c for c in found if c.group.hm == "P 1 21/c 1")
    assert wrong.log_likelihood < found[0].log_likelihood - 5


def _some_atoms(group: SpaceGroup, cell: UnitCell) -> Atoms:
    rng = np.random.default_rng(0)
    fract = rng.random((4, 3))
    fract[0] = 0.01, 0.99, 0.02  # moved onto the inversion centre, where there is one
    sites = [site_of(group, cell, x) for x in fract]
    return Atoms(
        np.array([16, 6, 7, 8]),
        np.array([s.fract for s in sites]),
        np.array([0.02, 0.03, 0.05, 0.04]),
        np.array([s.weight for s in sites]),
        np.array([s.projection for s in sites]),
    )


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P 21 21 21", "C 1 2/c 1", "P 32"])
def test_derivatives_are_those_of_differences(symbol: str) -> None:
    group = SpaceGroup.from_hm(symbol)
    cell = HEXAGONAL if symbol == "P 32" else UnitCell(7, 8, 9, 90, 99 if "/c" in symbol else 90, 90)
    hkl = np.random.default_rng(1).integers(-5, 6, (40, 3))
    reflections = Reflections(group, hkl, s_squared(hkl, [cell.parameters])[0], "x-ray")
    atoms = _some_atoms(group, cell)
    squared, rows = squared_with_derivatives(reflections, atoms)
    np.testing.assert_allclose(squared, np.abs(calculated(reflections, atoms)) ** 2, rtol=1e-9, atol=1e-9)
    step = 1e-6
    for j in range(len(atoms)):
        for k in range(4):
            moved = [a.copy() for a in (atoms.fract, atoms.u_iso)]
            sides = []
            for sign in (1, -1):
                fract, u = moved[0].copy(), moved[1].copy()
                if k < 3:
                    fract[j, k] += sign * step
                else:
                    u[j] += sign * step
                changed = Atoms(atoms.numbers, fract, u, atoms.weights, atoms.projections)
                sides.append(np.abs(calculated(reflections, changed)) ** 2)
            slope = (sides[0] - sides[1]) / (2 * step)
            np.testing.assert_allclose(
                rows[:, j, k], slope, rtol=1e-4, atol=1e-3 * np.abs(slope).max() + 1e-6
            )


def test_calculated_is_that_of_the_other_sum() -> None:
    """Against `crystal.scattering`, float32, for the reflections of a simulated crystal."""
    made = simulated("P n a 21", seed=5, noise=1e-6)
    crystal = made.crystal
    reflections = Reflections(made.group, made.hkl, s_squared(made.hkl, crystal.cells)[0], "x-ray")
    eye = np.repeat(np.eye(3)[None], len(crystal.numbers), axis=0)
    atoms = Atoms(
        crystal.numbers.astype(np.int64), crystal.fract, crystal.u_iso.astype(float), crystal.weights, eye
    )
    ours = np.abs(calculated(reflections, atoms)) ** 2
    np.testing.assert_allclose(ours, made.intensity, atol=0.06 * made.intensity.mean(), rtol=1e-3)


def test_sites() -> None:
    """Near an inversion centre an atom is on it and cannot move; near a mirror it moves in the plane."""
    group, cell = SpaceGroup.from_hm("P 1 21/m 1"), UnitCell(7, 8, 9, 90, 99, 90)
    centre = site_of(group, cell, np.array([0.51, 0.01, 0.49]))
    np.testing.assert_allclose(centre.fract, [0.5, 0.0, 0.5], atol=1e-9)
    assert centre.weight == 0.5 and not centre.projection.any()
    mirror = site_of(group, cell, np.array([0.3, 0.26, 0.2]))
    np.testing.assert_allclose(mirror.fract, [0.3, 0.25, 0.2], atol=1e-9)
    np.testing.assert_allclose(mirror.projection, np.diag([1.0, 0.0, 1.0]))
    assert site_of(group, cell, np.array([0.3, 0.1, 0.2])).weight == 1.0


def test_elements_by_power_and_by_count() -> None:
    """Without counts the nearest power decides; with them the strongest peaks get the heaviest element."""
    free = Composition((6, 8, 16), (), (6.0, 8.0, 16.0))
    powers, weights = np.array([15.0, 7.9, 7.2, 6.1, 5.5]), np.ones(5)
    assert assign_elements(powers, weights, free, 4).tolist() == [16, 8, 8, 6, 6]
    known = Composition((6, 8, 16), (12.0, 4.0, 4.0), (6.0, 8.0, 16.0))
    assert assign_elements(powers, weights, known, 4).tolist() == [16, 8, 6, 6, 6]


def test_counts_that_cannot_fill_the_cell_are_passed_over() -> None:
    cell = UnitCell(10, 10, 10, 90, 90, 90)
    assert Composition.of(["C", "H"], [50.0, 80.0], cell, "x-ray").counts == (50.0,)
    assert Composition.of(["C", "H"], [500.0, 80.0], cell, "x-ray").counts == ()
    assert Composition.of([], [], cell, "x-ray").numbers == (6, 7, 8)


def test_bonded_atoms_stand_together() -> None:
    """Two atoms 1.5 Å apart across the cell's edge and by symmetry are moved beside each other."""
    group, cell = SpaceGroup.from_hm("P 1 21/c 1"), UnitCell(10, 10, 10, 90, 95, 90)
    first, second = np.array([0.02, 0.4, 0.3]), np.array([-0.13, 0.4, 0.3])
    image = (group.rotations[2] @ second + group.translations[2]) % 1.0
    atoms = Atoms(
        np.array([6, 6]),
        np.array([first, image]),
        np.full(2, 0.04),
        np.ones(2),
        np.tile(np.eye(3), (2, 1, 1)),
    )
    apart = np.diff(assembled(group, cell, atoms).fract, axis=0)[0]
    assert np.linalg.norm(cell.orthogonalization @ apart) == pytest.approx(1.5, abs=1e-6)


def test_labels_have_four_characters() -> None:
    labels = atom_labels(np.array([6] * 1200 + [17] * 120))
    assert max(map(len, labels)) <= 4 and len(set(labels)) == len(labels)
    assert labels[:2] == ["C1", "C2"] and labels[998] == "C999"


def iron_tetranitride() -> MeasuredCrystal:
    """FeN₄ at 180 GPa (Bykov et al. 2018, doi 10.1107/S2056989018012161): 5.3 Å³ an atom, exact to 0.55 Å."""
    group, cell = SpaceGroup.from_number(2), UnitCell(2.4473, 3.4688, 3.5144, 105.22, 110.60, 91.39)
    fract = np.array([[0.5, 0.0, 0.0], [0.163, -0.346, -0.485], [0.065, -0.309, -0.861]])
    sites = [site_of(group, cell, x) for x in fract]
    atoms = Atoms(
        np.array([26, 7, 7]), fract, np.full(3, 0.007), np.array([s.weight for s in sites]),
        np.array([s.projection for s in sites]),
    )  # fmt: skip
    hkl = possible_reflections(cell, 0.55)
    s2 = s_squared(hkl, [cell.parameters])[0]
    intensity = np.abs(calculated(Reflections(group, hkl, s2, "x-ray"), atoms)) ** 2
    seen = Observations(hkl, intensity, 0.02 * intensity + 1.0, 0, "x.hkl", "|F|²")
    return MeasuredCrystal("x", (Path("x.hkl"),), seen, cell, elements=("Fe", "N"))


def test_a_small_cell_under_pressure_is_solved() -> None:
    """Its few reflections are used beyond 0.7 Å, and its atoms find room without a formula."""
    found = solve_crystal(iron_tetranitride(), space_group=SpaceGroup.from_number(2))
    assert found.unique.d_min_angstrom < 0.6
    assert sorted(found.symbols) == ["Fe", "N", "N"] and found.r1 < 0.05
    assert found.verdict == "solved"


def data_and_truth(made: Simulated) -> tuple[GroupData, np.ndarray]:
    """A simulated measurement as it is solved from, and its true structure factors (m,)."""
    unique = unique_data(
        Observations(made.hkl, made.intensity, made.sigma, 0, "x", "|F|²"), made.cell,
        metric_rotations(made.cell), made.group.centring, "x-ray",
    )  # fmt: skip
    data = data_of_group(unique, made.group, made.cell)
    return data, true_factors(made, data.hkl)


def true_factors(made: Simulated, hkl: np.ndarray) -> np.ndarray:
    atoms = Atoms(
        made.crystal.numbers.astype(np.int64), made.crystal.fract, made.crystal.u_iso.astype(float),
        made.crystal.weights, np.repeat(np.eye(3)[None], len(made.crystal.numbers), axis=0),
    )  # fmt: skip
    s2 = s_squared(hkl, [made.cell.parameters])[0]
    return calculated(Reflections(made.group, hkl, s2, "x-ray"), atoms)


def agreement(made: Simulated, data: GroupData, phases: list[np.ndarray], true: np.ndarray) -> float:
    """r of the best candidate, over the reflections that have a phase."""
    known = np.abs(phases[0]) > 0
    found, answer = (torch.from_numpy(np.array(f).astype(np.complex64)) for f in (phases, true))
    amplitudes = torch.from_numpy(np.where(known, data.amplitude, 0.0))
    return float(map_correlation(group_grid(made.group, data.hkl), found, answer, amplitudes).max())


def test_phases_of_the_network() -> None:
    """Those of reflections within 1 Å agree with the structure; the others have none."""
    made = simulated("P 1 21/c 1", seed=3, volume_angstrom3=300.0)
    data, true = data_and_truth(made)
    network = phasing_network("shipped")
    phases, doubt = network.phases(made.group, made.cell, data, np.random.default_rng(1))
    assert doubt is None
    np.testing.assert_allclose(np.abs(phases[0]), data.s2 <= 1.0, atol=1e-6)
    assert agreement(made, data, phases, true) > 0.8
    equal = replace(data, amplitude=np.ones(len(data.hkl)))
    _, doubt = network.phases(made.group, made.cell, equal, np.random.default_rng(1))
    assert doubt is not None and "all amplitudes are nearly equal" in doubt
    assert isinstance(network, DualSpacePhases)
    elsewhere = replace(network, trained=network.trained.model_copy(update={"space_groups": ("P -1",)}))
    _, doubt = elsewhere.phases(made.group, made.cell, data, np.random.default_rng(1))
    assert doubt is not None and "the network was not trained in P 1 21/c 1" in doubt


@pytest.mark.parametrize("symbol", ["P 1 21/n 1", "C 1 2/c 1"])
def test_phases_of_phai_come_back_in_the_setting_of_the_crystal(symbol: str) -> None:
    """A network that knows F(hW) exp(2πi h·w), the structure factors after x′ = W x + w, in its P2₁/c."""
    made = simulated(symbol, seed=2, volume_angstrom3=400.0, d_min_angstrom=1.0)
    data, true = data_and_truth(made)
    own = ListOfReflections(SpaceGroup.from_number(14), 5)
    change = network_setting(own, made.group, made.cell).change
    of_crystal = np.rint(own.hkl @ change.matrix).astype(np.int64)
    there = ~systematic_absences(made.group, of_crystal)
    moved = there * true_factors(made, of_crystal) * np.exp(2j * np.pi * (own.hkl @ change.vector))
    assert np.abs(moved.imag).max() < 1e-6 * np.abs(moved).max()
    network = PhaiPhases(Oracle(own, moved.real > 0), card_of(own))
    phases, _ = network.phases(made.group, made.cell, data, np.random.default_rng(0))
    listed = np.abs(phases[0]) > 0
    assert 0.05 < listed.mean() < 0.9, "its list ends at index 5"
    assert agreement(made, data, phases, true) > 0.99


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere", "There is no network 'nowhere'. Give shipped"), (".", "holds no network: there is neither")],
)
def test_a_network_that_is_not_there(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match=said):
        phasing_network(name if name == "nowhere" else str(tmp_path))


@pytest.mark.parametrize(
    ("network", "why"), [("shipped", "hexagonal axes"), ("run", "P 3, which is not centrosymmetric")]
)
def test_a_group_that_a_network_was_not_made_for(network: str, why: str, tmp_path: Path) -> None:
    """The structure is looked for without the network, dual-space or PhAI, and the solution says why."""
    said: list[str] = []
    own = ListOfReflections(SpaceGroup.from_number(14), 3)
    save_model(tmp_path / "run", untrained(own), card_of(own))
    found = solve_crystal(
        centred(UnitCell(5, 5, 6, 90, 90, 120), "P"), space_group=SpaceGroup.from_hm("P 3"),
        network=phasing_network("shipped" if network == "shipped" else str(tmp_path / network)),
        # time is over when the network has had its turn
        settings=SolveSettings(trials=1, cycles=20, clock=lambda: 99.0 * any("no net" in s for s in said)),
        say=said.append,
    )  # fmt: skip
    reasons = "\n".join(found.reasons)
    assert "the network was not used in P 3: " in reasons and why in reasons


def test_weak_reflections_that_are_seen_are_no_absences() -> None:
    """A heavy atom on a centre of Pbca makes three quarters of the reflections weak, but not absent."""
    hkl = possible_reflections(UnitCell(7, 8, 9, 90, 90, 90), 1.0)
    face = (hkl % 2 == hkl[:, :1] % 2).all(axis=1)
    e2 = np.where(face, 1.0, 0.02)
    arguments = {"contamination": 0.08}
    assert find_centring(hkl, e2, hkl, **arguments) == "F"
    assert find_centring(hkl, e2, hkl, i_over_sigma=np.full(len(e2), 1.5), **arguments) == "F"
    assert find_centring(hkl, e2, hkl, i_over_sigma=np.full(len(e2), 8.0), **arguments) == "P"
