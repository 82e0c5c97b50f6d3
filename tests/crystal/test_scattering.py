"""Structure factors against gemmi, cctbx and a plain sum; form factors against the tables; bad input."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
import torch
from crystals import (
    gemmi_structure_factors,
    random_crystals,
    summed_structure_factors,
)
from oracle import ask

from xtalpriors.crystal.chemistry.form_factors import form_factor_table, form_factors
from xtalpriors.crystal.scattering import (
    CrystalArrays,
    IndexBox,
    StructureFactorCalculator,
    asymmetric_box,
    structure_factors,
)
from xtalpriors.crystal.scattering.reciprocal import s_squared
from xtalpriors.crystal.scattering.structure_factors_torch import TorchStructureFactors
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import XtalpriorsError

TOLERANCE = 5e-6
"""Of the largest |F|: what generator.md promises."""

GROUPS = (
    "P 1", "P -1", "P 1 2 1", "P 1 21/c 1", "P 1 2/c 1", "P 1 21/m 1", "P 1 21/n 1", "P 1 21/a 1",
    "C 1 2/c 1", "C 1 2/m 1", "I 1 2/a 1", "C 1 c 1", "P 1 1 21/b", "P 21 21 21", "P b c a", "P n m a",
    "C m c 21", "F d d 2", "I b a m", "P n n n:1", "P n n n:2", "I 41/a:1", "I 41/a:2", "P 41 21 2",
    "I -4 2 d", "P 4/n m m:1", "P 31", "P 32 2 1", "R -3:H", "R -3:R", "R 3 c:H", "R -3 m:H", "R -3 m:R",
    "P 63", "P 63/m m c", "P -6 2 m", "P 21 3", "P a -3", "I -4 3 d", "F d -3 m:1", "F d -3 m:2",
    "F m -3 m", "I a -3 d", "P m -3 n",
)  # fmt: skip


def compare(expected: np.ndarray, found: np.ndarray, hkl: np.ndarray) -> None:
    """The two demands of generator.md; 0 0 0 sets no scale."""
    largest = np.abs(expected[np.any(hkl != 0, axis=1)]).max()
    assert largest > 1.0
    assert np.abs(found - expected).max() <= TOLERANCE * largest
    strong = np.abs(expected) > 0.01 * largest
    assert strong.sum() >= 5
    turn = np.angle(found[strong] / expected[strong])
    assert np.abs(turn).max() < 2e-3


@pytest.mark.parametrize("symbol", GROUPS)
def test_structure_factors_agree_with_gemmi(symbol: str) -> None:
    group = SpaceGroup.from_hm(symbol)
    crystals = random_crystals(group, 3, seed=len(symbol))
    assert (crystals.weights < 1.0).any() or symbol == "P 1"
    box = IndexBox(-4, 5, -3, 4, -2, 5)
    hkl = box.miller_indices
    d_min = 1.1
    found = structure_factors(group, crystals, box, d_min).reshape(3, -1)
    inside = s_squared(hkl, crystals.cells) <= d_min**-2
    assert (inside.any() and not inside.all()) or group.order > 90
    rng = np.random.default_rng(5)
    for i in range(3):
        assert np.all(found[i, ~inside[i]] == 0)
        some = rng.permutation(np.flatnonzero(inside[i]))[:150]
        compare(gemmi_structure_factors(group, crystals, i, hkl[some]), found[i, some], hkl[some])


SUMMED = (
    "P 1", "P 1 21/c 1", "P 1 2/m 1", "P 1 21/m 1", "P 1 2/c 1", "C 1 2/m 1", "C 1 2/c 1", "P 1 21/n 1",
    "P n n n:1", "R -3:R", "P 61 2 2", "F d -3 m:1",
)  # fmt: skip


@pytest.mark.parametrize("symbol", SUMMED)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_numba_and_torch_agree_with_a_plain_sum(symbol: str, precision: str) -> None:
    group = SpaceGroup.from_hm(symbol)
    crystals = random_crystals(group, 4, seed=11)
    box = asymmetric_box(group, 5)
    hkl = box.miller_indices
    d_min = np.array([1.0, 1.2, 1.5, 2.0])
    kernel = structure_factors(group, crystals, box, d_min).reshape(4, -1)
    on_torch = TorchStructureFactors(group, box, dtype=getattr(torch, precision), elements_per_chunk=5000)
    tensor = on_torch.structure_factors(crystals, d_min).reshape(4, -1).numpy()
    for i in range(4):
        inside = s_squared(hkl, crystals.cells)[i] <= d_min[i] ** -2
        expected = np.where(inside, summed_structure_factors(group, crystals, i, hkl), 0.0)
        compare(expected, kernel[i], hkl)
        compare(expected, tensor[i], hkl)
        if precision == "float64":
            assert np.abs(tensor[i] - expected).max() < 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("symbol", ["P 1 21/c 1", "P 1 21/n 1", "P 1 21 1"])
def test_large_cells_and_many_atoms_agree_with_gemmi(symbol: str) -> None:
    # the separable kernel, the general one with F real, and with F complex; rows over two blocks of lanes in
    # h, k and l, and every element more than once
    group = SpaceGroup.from_hm(symbol)
    parts = [random_crystals(group, 6, seed=s) for s in (1, 2)]
    atoms = [len(part.numbers) for part in parts]
    crystals = CrystalArrays(
        np.array([[19.0, 17.5, 20.0, 90.0, 118.0, 90.0], [4.1, 18.0, 9.0, 90.0, 90.0, 90.0]]),
        np.array([0, atoms[0], sum(atoms)]),
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("numbers", "fract", "u_iso", "weights")),
    )
    box = asymmetric_box(group, (18, 17, 19))
    hkl = box.miller_indices
    found = structure_factors(group, crystals, box, 1.05).reshape(2, -1)
    rng = np.random.default_rng(2)
    for i in range(2):
        inside = s_squared(hkl, crystals.cells)[i] <= 1.05**-2
        assert np.abs(hkl[inside]).max() >= 16
        assert np.all(found[i, ~inside] == 0)
        some = rng.permutation(np.flatnonzero(inside))[:300]
        compare(gemmi_structure_factors(group, crystals, i, hkl[some]), found[i, some], hkl[some])


@pytest.mark.parametrize(
    "box", [(2, 6, 1, 4, 0, 3), (-4, -1, 0, 2, 2, 5), (0, 0, 0, 5, 0, 1), (-2, 20, 0, 0, 2, 2)]
)
def test_separable_kernel_in_any_box_of_one_sign_of_k_and_l(box: tuple[int, ...]) -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")
    crystals = random_crystals(group, 2, seed=17)
    part, every = IndexBox(*box), IndexBox(-20, 20, -6, 6, -6, 6)
    whole = structure_factors(group, crystals, every, 0.9)  # k < 0: the kernel for any group
    h, k, l = (slice(box[i] - every[i], box[i + 1] - every[i] + 1) for i in (0, 2, 4))
    expected = whole[:, h, k, l]
    found = structure_factors(group, crystals, part, 0.9)
    assert expected.shape == found.shape and np.count_nonzero(expected) > 3
    assert np.abs(found - expected).max() < 1e-6 * np.abs(whole).max()
    assert np.array_equal(found == 0, expected == 0)


def test_a_box_of_absences_is_zero() -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")  # h 0 l with l odd
    f = structure_factors(group, random_crystals(group, 2, seed=1), IndexBox(-3, 3, 0, 0, 1, 1), 1.0)
    assert f.shape == (2, 7, 1, 1) and not f.any()


CCTBX = """
from cctbx import crystal, miller, xray
from cctbx.array_family import flex
answer = []
for item in question:
    symmetry = crystal.symmetry(unit_cell=item["cell"], space_group_symbol=item["hall"])
    structure = xray.structure(crystal_symmetry=symmetry)
    for k, (element, site, u, occupancy) in enumerate(item["atoms"]):
        structure.add_scatterer(xray.scatterer(label=element + str(k), site=site, u=u, occupancy=occupancy,
                                               scattering_type=element))
    structure.scattering_type_registry(table="it1992")
    indices = flex.miller_index([tuple(h) for h in item["hkl"]])
    array = miller.set(symmetry, indices, anomalous_flag=True)
    f = array.structure_factors_from_scatterers(structure, algorithm="direct").f_calc().data()
    answer.append([[x.real, x.imag] for x in f])
"""


def test_structure_factors_agree_with_cctbx() -> None:
    questions, ours = [], []
    for symbol in ("P 1 21/c 1", "P 21 21 21", "R -3:H", "I -4 3 d"):
        group = SpaceGroup.from_hm(symbol)
        crystals = random_crystals(group, 1, seed=3)
        box = IndexBox(-5, 5, -4, 4, -3, 5)
        hkl = box.miller_indices
        inside = (s_squared(hkl, crystals.cells)[0] <= 1.0) & np.any(hkl != 0, axis=1)
        found = structure_factors(group, crystals, box, 1.0).ravel()
        present = np.flatnonzero(inside & (found != 0))[::5]
        order = group.order
        atoms = []
        for j in range(len(crystals.numbers)):
            images = (group.rotations @ crystals.fract[j] + group.translations) % 1.0
            copies = len({tuple(np.rint(x * 1e6).astype(int) % 1_000_000) for x in images})
            # cctbx applies the multiplicity itself
            occupancy = float(crystals.weights[j]) * order / copies
            element = gemmi.Element(int(crystals.numbers[j])).name
            atoms.append([element, crystals.fract[j].tolist(), float(crystals.u_iso[j]), occupancy])
        hall = f"Hall: {group.hall}"
        questions.append(
            {"cell": crystals.cells[0].tolist(), "hall": hall, "atoms": atoms, "hkl": hkl[present].tolist()}
        )
        ours.append((found[present], hkl[present]))
    answers = ask("cctbx", CCTBX, questions)
    for answer, (found, hkl) in zip(answers, ours, strict=True):
        compare(np.array(answer) @ [1.0, 1.0j], found, hkl)


def test_amplitudes_and_phases_of_a_centrosymmetric_crystal() -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")
    crystals = random_crystals(group, 70, seed=8)  # more than a chunk
    box = asymmetric_box(group, 5)
    wanted = np.ones(box.shape, dtype=bool)
    wanted[5, 0, 0] = False
    calculator = StructureFactorCalculator(group, box, wanted)
    f = calculator.structure_factors(crystals, 1.2)
    data = calculator.amplitudes_and_phases(crystals, 1.2)
    assert np.all(f.imag == 0) and np.all(f[:, 5, 0, 0] == 0)
    largest = np.abs(f).max(axis=(1, 2, 3))
    np.testing.assert_allclose(data.scale, largest, rtol=1e-6)
    assert np.all(data.amplitudes.max(axis=(1, 2, 3)) == pytest.approx(1.0, abs=1e-6))
    seen = data.amplitudes > 0
    np.testing.assert_allclose(
        data.amplitudes * data.scale[:, None, None, None],
        np.where(np.abs(f) >= 0.01, np.abs(f), 0),
        atol=1e-3,
    )
    assert set(np.unique(data.phases)) == {np.float32(0.0), np.float32(np.pi)}
    assert np.all((data.phases[seen] == 0) == (f.real[seen] > 0))
    assert np.all(data.phases[~seen] == 0)
    faint = (np.abs(f) > 0) & (np.abs(f) < 0.01)
    assert faint.any() and not data.amplitudes[faint].any()


def test_amplitudes_and_phases_of_an_acentric_crystal_are_the_polar_form_of_f() -> None:
    group = SpaceGroup.from_hm("P 21 21 21")
    crystals = random_crystals(group, 3, seed=9)
    box = asymmetric_box(group, 4)
    calculator = StructureFactorCalculator(group, box)
    f = calculator.structure_factors(crystals, 1.3)
    data = calculator.amplitudes_and_phases(crystals, 1.3, scale="none")
    assert not calculator.real and np.all(data.scale == 1)
    seen = np.abs(f) > 0.02
    np.testing.assert_allclose((data.amplitudes * np.exp(1j * data.phases))[seen], f[seen], rtol=2e-5)


def test_the_scale_is_taken_again_from_the_reflections_that_were_measured() -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")
    crystals = random_crystals(group, 5, seed=4)
    box = asymmetric_box(group, 5)
    wanted = np.ones(box.shape, dtype=bool)
    wanted[5, 0, 0] = False
    calculator = StructureFactorCalculator(group, box, wanted)
    every = calculator.amplitudes_and_phases(crystals, 1.2)
    kept = every.amplitudes < 1.0  # all but the strongest
    data = calculator.amplitudes_and_phases(crystals, 1.2, kept=kept)
    assert np.all(data.scale < every.scale)
    assert np.all(data.amplitudes[~kept] == 0) and np.all(data.phases[~kept] == 0)
    np.testing.assert_allclose(data.amplitudes.max(axis=(1, 2, 3)), 1.0, rtol=1e-6)
    ratio = (every.scale / data.scale)[:, None, None, None]
    np.testing.assert_allclose(data.amplitudes[kept], (every.amplitudes * ratio)[kept], rtol=1e-5)
    rms = calculator.amplitudes_and_phases(crystals, 1.2, kept=kept, scale="rms")
    values = [a[a > 0] for a in rms.amplitudes]
    np.testing.assert_allclose([np.sqrt(np.mean(v**2)) for v in values], 1.0, rtol=1e-5)


def test_form_factors_at_zero_are_the_numbers_of_electrons() -> None:
    # IT vol. C states the sums to 0.1 %; hydrogen and the first rows are the ones that matter here
    for number in range(1, 99):
        assert form_factors(number, 0.0) == pytest.approx(number, rel=2e-3, abs=0.03)


def test_the_form_factor_of_carbon_is_that_of_the_table() -> None:
    # IT vol. C, table 6.1.1.1: f of carbon at sin θ/λ = 0.25 and 0.50 Å⁻¹ is 2.949 and 1.685
    assert form_factors(6, 4.0 * 0.25**2) == pytest.approx(2.949, abs=0.02)
    assert form_factors(6, 4.0 * 0.50**2) == pytest.approx(1.685, abs=0.02)
    assert form_factor_table().shape == (99, 9)


def one_atom(**changes: object) -> CrystalArrays:
    crystal = CrystalArrays(
        np.array([[5.0, 6.0, 7.0, 90.0, 100.0, 90.0]]),
        np.array([0, 1]),
        np.array([6]),
        np.array([[0.1, 0.2, 0.3]]),
        np.array([0.05]),
        np.array([1.0]),
    )
    return replace(crystal, **changes)


@pytest.mark.parametrize(
    ("crystals", "d_min", "message"),
    [
        # 5 Å · sin 100° of 1 0 0: 0 0 1 and 0 1 0 are absent in P2₁/c
        (one_atom(), 9.0, r"Crystal 0 .* d_min = 9 Å: its largest d-spacing.*4\.924 Å"),
        (one_atom(), 0.0, r"d_min is 0\.0 Å.*positive"),
        (one_atom(), float("nan"), r"d_min is nan Å"),
        (one_atom(), np.array([1.0, 2.0]), r"d_min is one number or one for each of 1 crystal;"),
        (one_atom(numbers=np.array([99])), 1.0, r"atomic number 99 \(Es\).*go from 1 \(H\) to 98 \(Cf\)"),
        (one_atom(numbers=np.array([0])), 1.0, r"atomic number 0.*no form factor"),
        (one_atom(u_iso=np.array([0.0])), 1.0, r"atom 0: U_iso must be a positive number.*got 0"),
        (one_atom(u_iso=np.array([-0.02])), 1.0, r"U_iso must be a positive number.*got -0\.02"),
        (one_atom(fract=np.array([[0.1, np.nan, 0.0]])), 1.0, r"coordinates must be finite.*nan"),
        (one_atom(weights=np.array([np.inf])), 1.0, r"weight must be positive.*inf"),
        (one_atom(cells=np.array([[5.0, 6.0, 7.0, 30.0, 100.0, 30.0]])), 1.0, r"has no volume"),
        (one_atom(cells=np.array([[5.0, 6.0, np.nan, 90.0, 90.0, 90.0]])), 1.0, r"has no volume"),
        (one_atom(offsets=np.array([0, 2])), 1.0, r"offsets must ascend from 0 to the number of atoms, 1"),
        (one_atom(u_iso=np.array([0.05, 0.05])), 1.0, r"u_iso of the shape \(1,\), not \(2,\)"),
    ],
)
@pytest.mark.parametrize("implementation", [StructureFactorCalculator, TorchStructureFactors])
def test_bad_input_is_named(
    implementation: type, crystals: CrystalArrays, d_min: float, message: str
) -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")
    with pytest.raises(XtalpriorsError, match=message):
        implementation(group, asymmetric_box(group, 5)).structure_factors(crystals, d_min)


def test_an_empty_batch_gives_empty_arrays() -> None:
    group = SpaceGroup.from_hm("P 1 21/c 1")
    empty = CrystalArrays(
        np.zeros((0, 6)), np.zeros(1, int), np.zeros(0, int), np.zeros((0, 3)), np.zeros(0), np.zeros(0)
    )
    calculator = StructureFactorCalculator(group, asymmetric_box(group, 3))
    assert calculator.structure_factors(empty, 1.0).shape == (0, 7, 4, 4)
    data = calculator.amplitudes_and_phases(empty, 1.0)
    assert data.amplitudes.shape == data.phases.shape == (0, 7, 4, 4)
    on_torch = TorchStructureFactors(group, asymmetric_box(group, 3)).structure_factors(empty, 1.0)
    assert on_torch.shape == (0, 7, 4, 4)


def test_the_example_of_the_documentation_runs() -> None:
    page = Path(__file__).parents[2] / "docs" / "scattering.md"
    example = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["f"].shape == (1, 21, 11, 11)
    hkl = names["calculator"].box.miller_indices
    expected = gemmi_structure_factors(names["group"], names["crystals"], 0, hkl)
    inside = s_squared(hkl, names["crystals"].cells)[0] <= 1.0
    compare(np.where(inside, expected, 0.0), names["f"].ravel(), hkl)


def test_a_reflection_far_out_in_indices_counts_in_a_long_cell() -> None:
    """a = 50 Å, b = c = 1 Å: 20 0 0 lies at 2.5 Å, and 24 reflections of smaller indices beyond 1 Å."""
    box = IndexBox(0, 20, 0, 4, 0, 4)
    hkl = box.miller_indices
    wanted = np.all(hkl == (20, 0, 0), axis=1) | ((hkl[:, 0] == 0) & (hkl[:, 1:].sum(axis=1) > 0))
    calculator = StructureFactorCalculator(SpaceGroup.from_number(1), box, wanted.reshape(box.shape))
    crystal = CrystalArrays(
        cells=np.array([[50.0, 1, 1, 90, 90, 90]]),
        offsets=np.array([0, 1]),
        numbers=np.array([6]),
        fract=np.zeros((1, 3)),
        u_iso=np.array([0.01]),
        weights=np.ones(1),
    )
    found = calculator.structure_factors(crystal, 2.0)[0]
    assert np.argwhere(np.abs(found) > 0).tolist() == [[20, 0, 0]]
