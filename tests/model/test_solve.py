"""Structures solved from simulated measurements, from files to files; what cannot be solved is said."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from corpus import corpus_dir
from oracle import ask
from simulated import Simulated, share_found, simulated

from xtalpriors.cli import run
from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.chemistry.elements import SYMBOLS
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.read_data import MeasuredCrystal
from xtalpriors.model.measured.read_reflections import Observations
from xtalpriors.model.solving import Solution, SolveSettings, solve, solve_crystal, write_solution
from xtalpriors.model.solving import solve_file as solve_file
from xtalpriors.model.solving.doubts import data_doubts, model_doubts
from xtalpriors.model.solving.solve_file import crystal_of
from xtalpriors.reports.solution_page import solution_page

REFINE = """
from smtbx.refinement import model
from scitbx.lstbx import normal_eqns_solving
found = model.from_shelx(question + ".res", question + ".hkl")
for scatterer in found.xray_structure.scatterers():
    scatterer.flags.set_grad_site(True)
    scatterer.flags.set_grad_u_iso(True)
equations = found.least_squares()
normal_eqns_solving.naive_iterations(equations, n_max_iterations=8)
answer = {"r1": equations.r1_factor(cutoff_factor=2)[0], "atoms": len(found.xray_structure.scatterers())}
"""


def positions(solution: Solution) -> np.ndarray:
    group = solution.group
    every = np.einsum("nij,mj->mni", group.rotations, solution.fract) + group.translations
    return every.reshape(-1, 3) % 1.0


@pytest.fixture(scope="module")
def monoclinic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Simulated, Solution, Path]:
    """A molecule in P2₁/c, solved and written."""
    folder = tmp_path_factory.mktemp("solved")
    made = simulated("P 1 21/c 1", seed=3)
    solution = solve(made.write(folder), seconds=300)
    write_solution(solution, folder / "out")
    return made, solution, folder


def test_a_molecule_is_found_with_its_group(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    made, solution, _ = monoclinic
    assert (solution.verdict, solution.group) == ("solved", made.group)
    recall, precision = share_found(made.positions, made.cell, positions(solution))
    assert recall > 0.95 and precision > 0.95


def test_the_res_refines_in_cctbx(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    """An independent program reads both files and refines the model: what is left is noise and hydrogen."""
    made, _, folder = monoclinic
    answer = ask("smtbx", REFINE, str(folder / "out" / "made"))
    assert answer["r1"] < 0.1
    assert answer["atoms"] == (made.crystal.numbers > 1).sum()


def test_files_read_back(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    _, solution, folder = monoclinic
    out = folder / "out"
    ccp4 = gemmi.read_ccp4_map(str(out / "made.ccp4"))
    assert ccp4.header_i32(56) == 1
    assert ccp4.header_str(57, 80) == "xtalpriors solve: made".ljust(80), "one label, without rests of others"
    ccp4.setup(0.0)
    heights = [ccp4.grid.tricubic_interpolation(gemmi.Fractional(*x)) for x in solution.fract]
    assert min(heights) > 3.0 * np.array(ccp4.grid, copy=False).std(), "atoms stand on peaks of the map"
    mtz = gemmi.read_mtz_file(str(out / "made.mtz"))
    assert mtz.spacegroup.hm == "P 1 21/c 1"
    fo, fc = (np.array(mtz.column_with_label(name)) for name in ("FP", "FC"))
    assert np.corrcoef(fo, fc)[0, 1] > 0.98
    block = gemmi.cif.read(str(out / "made.phases.cif")).sole_block()
    small = gemmi.make_small_structure_from_block(block)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    for row in block.find("_refln_", ["index_h", "index_k", "index_l", "F_calc", "phase_calc"]):
        h = [int(row[i]) for i in range(3)]
        f = calculator.calculate_sf_from_small_structure(small, h)
        if float(row[3]) > 20.0:
            assert abs(f) == pytest.approx(float(row[3]), rel=0.02), "gemmi's F of the atoms in the file"
            turn = np.exp(1j * np.radians(float(row[4])))
            assert (f / abs(f) * turn.conjugate()).real > 0.99
    assert len((out / "made.peaks.csv").read_text().splitlines()) > len(solution.fract)


def test_the_page_says_it_in_its_head(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    _, solution, _ = monoclinic
    page = solution_page(solution, ["made.res"])
    head = page[: page.index("<main")]
    assert "solved" in head and "P 1 21/c 1" in head and f"{solution.r1:.3f}" in head
    assert page.count("<circle") > 2 * len(solution.fract), "atoms of the model, rings of the map"
    assert "http" not in page.split("</style>")[1], "the page asks no other place for anything"


@pytest.mark.slow
@pytest.mark.parametrize("symbol", ["P 21 21 21", "P -1", "C 1 2/c 1", "P n a 21"])
def test_other_groups(symbol: str, tmp_path: Path) -> None:
    """Chiral, triclinic, centred and polar; the same absences as Pnma in Pna2₁."""
    made = simulated(symbol, seed=5, volume_angstrom3=900.0 if symbol.startswith("C") else 560.0)
    solution = solve(made.write(tmp_path), seconds=300)
    assert (solution.verdict, solution.group.number) == ("solved", made.group.number)
    recall, precision = share_found(made.positions, made.cell, positions(solution))
    assert recall > 0.9 and precision > 0.9


def test_the_setting_of_the_user_is_kept(tmp_path: Path) -> None:
    """P2₁/n is solved as P2₁/n, and a declared group that is wrong does not hinder it."""
    made = simulated("P 1 21/n 1", seed=4)
    path = made.write(tmp_path)
    text = (tmp_path / "made.ins").read_text()
    (tmp_path / "made.ins").write_text(text.replace("SFAC", "LATT -1\nSYMM -X, Y, -Z\nSFAC"))
    solution = solve(path, seconds=300)
    assert solution.crystal.group is SpaceGroup.from_hm("P 1 2 1")
    assert solution.group.hm == "P 1 21/n 1" and solution.verdict == "solved"


@pytest.mark.parametrize(("symbol", "d_min"), [("P -1", 0.9), ("P 1 21/c 1", 2.4)])
def test_noise_is_not_called_solved(symbol: str, d_min: float, tmp_path: Path) -> None:
    """Intensities of no structure at all; few of them are fitted by any model that has as many parameters."""
    made = simulated(symbol, seed=1, volume_angstrom3=400.0, d_min_angstrom=d_min)
    intensity = np.random.default_rng(1).exponential(1.0, len(made.hkl))
    noise = Simulated(made.group, made.crystal, made.hkl, intensity, 0.02 * intensity + 0.001)
    solution = solve(noise.write(tmp_path), seconds=4)
    assert solution.verdict != "solved" and solution.reasons


def test_the_shipped_network_is_tried_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--network none` of the command is null here."""
    asked: list[str] = []

    def remember(name: str) -> None:
        asked.append(name)

    monkeypatch.setattr(solve_file, "phasing_network", remember)
    for options in ({}, {"network": None}, {"network": "mine"}):
        with pytest.raises(XtalpriorsError, match=r"none\.hkl"):
            solve(tmp_path / "none.hkl", **options)
    for name in ("none", "mine"):
        run(["solve", "none.hkl", "--output", str(tmp_path / "out"), "--network", name])
    assert asked == ["shipped", "mine", "mine"]


def test_few_reflections_are_said(tmp_path: Path) -> None:
    made = simulated("P 1 21/c 1", seed=3)
    chosen = np.random.default_rng(0).random(len(made.hkl)) < 0.12
    part = Simulated(made.group, made.crystal, *(x[chosen] for x in (made.hkl, made.intensity, made.sigma)))
    solution = solve(part.write(tmp_path), space_group=made.group, seconds=6)
    assert solution.verdict != "solved"
    assert any("% of the reflections" in reason for reason in solution.reasons)


def test_amplitudes_taken_for_intensities_are_said(tmp_path: Path) -> None:
    made = simulated("P 21 21 21", seed=5)
    root = np.sqrt(np.maximum(made.intensity, 0.0))
    wrong = Simulated(made.group, made.crystal, made.hkl, root, 0.02 * root + 0.01 * root.mean())
    solution = solve(wrong.write(tmp_path), space_group=made.group, seconds=6)
    assert any("look like |F|" in reason for reason in solution.reasons)
    assert solution.verdict != "solved"


def doubts_of(solution: Solution, **changes: object) -> str:
    """What is said of a solution whose crystal were another."""
    crystal = replace(solution.crystal, **changes)  # type: ignore[arg-type]
    found = data_doubts(
        crystal, solution.cell, solution.unique, solution.chosen, solution.mean_e2_minus_1
    )  # fmt: skip
    return "; ".join(doubt.text for doubt in found)


def test_what_the_files_say_wrongly_is_said(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    """Wavelength, contents, setting and σ, each with the value that cannot be."""
    _, solution, _ = monoclinic
    assert doubts_of(solution) == ""
    long = doubts_of(solution, wavelength_angstrom=2.5)
    assert "0.85 Å, but a wavelength of 2.5 Å reaches only 1.25 Å: the cell or the wavelength" in long
    full = doubts_of(solution, elements=("C", "U"), counts=(400.0, 90.0))
    assert "C400 U90 leave 1.1 Å³ an atom" in full and "only its elements were used" in full
    setting = doubts_of(solution, group=SpaceGroup.from_hm("C 1 2/c 1"))
    assert "declares the centring C, the reflections have P" in setting
    observations = solution.crystal.observations
    bare = replace(observations, sigma=np.zeros(len(observations.sigma)))
    assert "no reflection has a standard uncertainty" in doubts_of(solution, observations=bare)
    turned = replace(observations, intensity=observations.sigma, sigma=observations.intensity)
    assert "% of the observations are stronger than 3 σ: are the columns" in doubts_of(
        solution, observations=turned
    )
    equal = replace(observations, intensity=np.full(len(observations.sigma), 100.0))
    assert "all intensities are nearly equal" in doubts_of(solution, observations=equal)


def test_equal_amplitudes_are_no_solution() -> None:
    """Every correlation with them is undefined; the answer is a doubt, without a warning on the way."""
    made = simulated("P 1 21/c 1", seed=3, d_min_angstrom=1.2)
    made = replace(made, sigma=np.ones(len(made.hkl)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solution = tried_shortly(made, made.hkl, np.full(len(made.hkl), 100.0))
    assert solution.verdict != "solved" and solution.chosen.correlation == 0.0
    assert any("nearly equal" in reason for reason in solution.reasons)


def test_a_formula_that_the_cell_cannot_hold_is_said(
    monoclinic: tuple[Simulated, Solution, Path],
) -> None:
    """490 atoms in some 540 Å³; a model that explains the data no better than so is not called solved."""
    _, solution, _ = monoclinic
    found = crystal_of(solution.crystal, formula="C400 H10 U90")
    assert (found.elements, found.counts) == (("C", "H", "U"), (400.0, 10.0, 90.0))
    text = "C400 U90 leave 1.1 Å³ an atom"
    for r1, serious in ((0.05, False), (0.19, True)):
        fit = replace(solution.chosen.built.fit, r1=r1)
        chosen = replace(solution.chosen, built=replace(solution.chosen.built, fit=fit))
        doubts = data_doubts(found, solution.cell, solution.unique, chosen, solution.mean_e2_minus_1)
        assert next(doubt.serious for doubt in doubts if text in doubt.text) is serious


def test_a_cell_that_is_not_that_of_the_files_is_taken_and_said(
    monoclinic: tuple[Simulated, Solution, Path],
) -> None:
    read = monoclinic[1].crystal
    assert read.cell is not None
    swollen = replace(read.cell, a=1.001 * read.cell.a)
    assert crystal_of(read, cell=swollen).notes == read.notes
    slip = replace(read.cell, a=1.01 * read.cell.a)
    found = crystal_of(read, cell=slip)
    assert found.cell == slip
    assert f"{slip.a:g}" in found.notes[-1] and f"the files say {read.cell.a:g}" in found.notes[-1]


def test_contents_beside_the_formula(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    """A model with the formula's atoms says nothing; with other numbers of them it says which."""
    _, solution, _ = monoclinic
    atoms = solution.chosen.built.fit.atoms
    order = solution.group.order
    have = {SYMBOLS[z]: float(atoms.weights[atoms.numbers == z].sum()) for z in set(atoms.numbers.tolist())}
    elements, counts = tuple(have), tuple(n * order for n in have.values())
    right = replace(solution.crystal, elements=elements, counts=counts)
    assert not any("asymmetric unit" in d.text for d in model_doubts([solution.chosen], right, "x-ray")[1])
    twice = replace(right, counts=tuple(2.0 * n + 4.0 * order for n in counts))
    verdict, doubts = model_doubts([solution.chosen], twice, "x-ray")
    assert verdict == "solved" and any("asymmetric unit" in doubt.text for doubt in doubts)


def tried_shortly(made: Simulated, hkl: np.ndarray, intensity: np.ndarray) -> Solution:
    """One short trial: enough for what the data say of themselves."""
    seen = Observations(hkl, intensity, made.sigma, 0, "x.hkl", "|F|²")
    crystal = MeasuredCrystal("x", (), seen, made.cell, elements=("C", "N", "O"))
    return solve_crystal(crystal, settings=SolveSettings(seconds=0.0, trials=1, cycles=20))


def test_indices_of_another_setting_are_suspected() -> None:
    """a and b exchanged: the twofold axis of the intensities is not that of the cell."""
    made = simulated("P 1 21/c 1", seed=3, d_min_angstrom=1.0)
    solution = tried_shortly(made, made.hkl[:, [1, 0, 2]], made.intensity)
    assert solution.verdict != "solved"
    assert any("2 rotations, the intensities 1 of them: is the list in" in x for x in solution.reasons)


def test_a_perfect_twin_is_suspected() -> None:
    """P4₁ in equal parts of two orientations: the Laue class is that of the twin, ⟨|E² − 1|⟩ is too small."""
    made = simulated("P 41", seed=3, volume_angstrom3=800.0, d_min_angstrom=1.0)
    place = {h: i for i, h in enumerate(map(tuple, made.hkl.tolist()))}
    mates = [place[k, h, -l] for h, k, l in made.hkl.tolist()]
    solution = tried_shortly(made, made.hkl, 0.5 * (made.intensity + made.intensity[mates]))
    assert len(solution.unique.laue) == 16, "R and −R of 4/mmm"
    assert solution.verdict != "solved"
    assert any("it may be twinned" in reason for reason in solution.reasons)


def test_what_cannot_be_is_refused_in_a_sentence(tmp_path: Path) -> None:
    made = simulated("P 1 21/c 1", seed=3)
    bare = made.write(tmp_path, "bare", instructions=False)
    with pytest.raises(UsageError, match=r"the cell is not known\. Give --cell, or an .ins file"):
        solve(bare)
    with pytest.raises(UsageError, match="does not have the symmetry of P 21 21 21"):
        solve(bare, cell=made.cell, space_group=SpaceGroup.from_hm("P 21 21 21"))
    with pytest.raises(UsageError, match="has no volume"):
        solve(bare, cell=UnitCell(5, 5, 5, 30, 30, 100))
    with pytest.raises(UsageError, match=r"cannot be read\. Write it as in 'C12 H10 N2 O2'"):
        solve(bare, cell=made.cell, formula="water")
    (tmp_path / "zero.hkl").write_text("   1   0   0    0.00    0.00\n   0   1   0    0.00    0.00\n")
    with pytest.raises(XtalpriorsError, match="no reflection has an intensity above 0"):
        solve(tmp_path / "zero.hkl", cell=made.cell)


def test_what_was_read_is_not_replaced(monoclinic: tuple[Simulated, Solution, Path]) -> None:
    _, solution, folder = monoclinic
    before = (folder / "made.hkl").read_bytes()
    with pytest.raises(UsageError, match="would be replaced by the output"):
        write_solution(solution, folder)
    (folder / "other").mkdir()
    (folder / "other" / "made.res").write_text("TITL mine\n")
    with pytest.raises(UsageError, match="is there already"):
        write_solution(solution, folder / "other")
    assert (folder / "made.hkl").read_bytes() == before
    write_solution(solution, folder / "out")  # its own files of before are


@pytest.mark.slow
@pytest.mark.parametrize("name", ["crystals-hydrogen", "crystals-ylid"])
def test_measured_crystals(name: str, tmp_path: Path) -> None:
    """Two measured sets, P2₁/c and P2₁2₁2₁; .res files that refine isotropically below R1 0.15 in cctbx."""
    folder = corpus_dir("reflections2") / name
    solution = solve(folder / "data.hkl", instructions=folder / "start.ins", seconds=300)
    assert solution.verdict == "solved"
    assert solution.group.number == {"crystals-hydrogen": 14, "crystals-ylid": 19}[name]
    write_solution(solution, tmp_path)
    assert ask("smtbx", REFINE, str(tmp_path / "data"))["r1"] < 0.15


@pytest.mark.parametrize("wavelength", [-1.0, 0.0, 154.0, float("nan")])
def test_wavelengths_that_cannot_be(wavelength: float, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must be between 0\.005 Å .* and 20 Å"):
        solve(tmp_path / "none.hkl", wavelength_angstrom=wavelength)
