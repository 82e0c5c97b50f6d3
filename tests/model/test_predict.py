"""Phasing one crystal: lists in any order and form, refusals that say why, and files that read back."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest
from corpus import corpus_dir
from phasing_crystals import ATOMS, P21C, Oracle, card_of, cif_text, structures, untrained, write_cif

from xtalpriors.crystal.cells.cell import UnitCell
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.check_observations import Doubt
from xtalpriors.model.network.reflections import Reflections
from xtalpriors.model.network.weights import save_model
from xtalpriors.model.prediction.phase_crystal import phase_crystal
from xtalpriors.model.prediction.predict import Prediction, predict, symmetric
from xtalpriors.model.prediction.prediction_input import PredictionInput, prediction_input
from xtalpriors.model.prediction.read_crystal import read_crystal
from xtalpriors.model.prediction.write_prediction import prediction_cif, write_map, write_phases
from xtalpriors.model.scoring.diffraction import calculate
from xtalpriors.model.scoring.runs import Protocol

FIVE = Reflections(P21C, 5)
SHORT = Protocol(cycles=2, random_starts=1)
CELL = UnitCell(5.91, 7.23, 8.64, 90, 98.7, 90)


def read_input(
    path: Path,
    reflections: Reflections,
    d_min_angstrom: float | None = 1.0,
    accept: Collection[Doubt] = (),
    **options: Any,
) -> PredictionInput:
    """A file as the network takes it; the options are those of `read_crystal`."""
    found = read_crystal(path, **options)
    return prediction_input(found, reflections, d_min_angstrom=d_min_angstrom, accept=accept)


def read_list(path: Path, **options: Any) -> PredictionInput:
    """A list in the network's group and setting."""
    return read_input(path, FIVE, space_group=P21C, **options)


def _lines(form: str = "f", *, seed: int = 0) -> list[str]:
    """The reflections of the crystal: an equivalent of each at random, some twice, in any order."""
    rng = np.random.default_rng(seed)
    magnitudes = calculate(FIVE, structures(cif_text()).crystals).magnitudes[0]
    chosen = np.flatnonzero(FIVE.counted)
    lines = []
    for i in rng.permutation(np.concatenate([chosen, chosen[:20]])):
        h, k, l = FIVE.hkl[i] * rng.choice([1, -1])
        k = k * rng.choice([1, -1])
        value = magnitudes[i] if form in ("f", "hklf3") else magnitudes[i] ** 2 / 10
        if form in ("hklf3", "hklf4"):
            lines.append(f"{h:4d}{k:4d}{l:4d}{value:8.{3 if value < 1000 else 2}f}{0.05:8.2f}")
        else:
            lines.append(f"{h} {k} {l} {value:.6f} 0.05")
    return lines


def _write(folder: Path, lines: list[str]) -> Path:
    path = folder / "list.hkl"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["f", "f2", "hklf3", "hklf4"])
def test_every_form_gives_the_same_amplitudes(form: str, tmp_path: Path) -> None:
    end = ["   0   0   0    0.00    0.00", "TITL what follows is not data"] if form.startswith("hklf") else []
    found = read_list(_write(tmp_path, _lines(form) + end), hkl_format=form, d_min_angstrom=None)  # type: ignore[arg-type]
    expected = calculate(FIVE, structures(cif_text()).crystals, d_min_angstrom=0.01).amplitudes[0]
    scale = (found.data.amplitudes @ expected) / (expected @ expected)
    assert scale == pytest.approx(1.0 if form in ("f", "hklf3") else 10**-0.5, rel=1e-3)
    strong = expected > 1
    np.testing.assert_allclose(found.data.amplitudes[strong] / scale, expected[strong], rtol=2e-3)
    assert strong.sum() > 100
    assert found.cell is None and found.change == "x,y,z"


def test_order_and_repeats_do_not_matter(tmp_path: Path) -> None:
    first = read_list(_write(tmp_path, _lines(seed=1)))
    second = read_list(_write(tmp_path, sorted(_lines(seed=2))))
    np.testing.assert_allclose(first.data.amplitudes, second.data.amplitudes, atol=1e-5)
    assert first.data.n_observations == second.data.n_observations == FIVE.counted.sum() + 20


def test_another_setting_is_brought_to_the_network(tmp_path: Path) -> None:
    """The list in P2₁/n with its cell and group: h_n = h, k_n = −k, l_n = −(h + l) for c′ = −(a + c)."""
    lines = []
    for line in _lines():
        h, k, l, *rest = line.split()
        lines.append(" ".join([h, str(-int(k)), str(-(int(h) + int(l))), *rest]))
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(cif_text("P 1 21/n 1")).sole_block())
    cell = UnitCell(*small.cell.parameters)
    group = SpaceGroup.from_hm("P 1 21/n 1")
    path = _write(tmp_path, lines)
    found = read_input(path, FIVE, cell=cell, space_group=group, d_min_angstrom=None)
    straight = read_list(_write(tmp_path, _lines()), d_min_angstrom=None)
    np.testing.assert_allclose(found.data.amplitudes, straight.data.amplitudes, atol=1e-4)
    assert found.cell is not None
    assert found.cell.parameters == pytest.approx(CELL.parameters, abs=1e-5)
    with pytest.raises(UsageError, match="the cell is needed"):
        read_input(path, FIVE, space_group=group)


def test_what_is_outside_is_named_not_lost(tmp_path: Path) -> None:
    path = _write(tmp_path, [*_lines(), "7 0 2 55.0", "-7 0 -2 55.0", "0 0 9 3.0"])
    found = read_list(path)
    assert {tuple(abs(x) for x in h) for h in found.data.outside.tolist()} == {(7, 0, 2)}
    assert any("1 unique reflection outside the network's box" in note for note in found.notes)
    assert any("1 observation of systematic absences" in note for note in found.notes)
    only = _write(tmp_path, ["7 0 2 55.0", "9 1 2 3.0"])
    with pytest.raises(
        XtalpriorsError, match=r"none is a reflection that the network takes.*2 unique reflections out"
    ):
        read_list(only)


def test_repeats_that_contradict_each_other_are_said(tmp_path: Path) -> None:
    """|F| of 2 and 4 are |F|² of 4 and 16: mean 10, R_int (6 + 6) / 20; equal repeats have none."""
    found = read_list(_write(tmp_path, ["2 0 0 2", "-2 0 0 4", "1 1 1 7"]))
    assert (found.data.n_repeated, found.data.r_int) == (2, pytest.approx(0.6))
    at = {tuple(h): f for h, f in zip(FIVE.hkl.tolist(), found.data.amplitudes, strict=True)}
    assert at[2, 0, 0] == pytest.approx(10**0.5)
    assert any("R_int = 0.600 of 2 observations" in n and "contradict" in n for n in found.notes)
    found = read_list(_write(tmp_path, ["2 0 0 2", "-2 0 0 2", "1 1 1 7"]))
    assert found.data.r_int == 0.0 and not any("contradict" in note for note in found.notes)
    assert read_list(_write(tmp_path, ["2 0 0 2", "1 1 1 7"])).data.r_int is None


def _merged(folder: Path, form: str, *lines: str) -> float:
    """|F| of 2 0 0 after merging a list."""
    found = read_list(_write(folder, [*lines, "1 1 1 7 1"]), hkl_format=form)  # type: ignore[arg-type]
    return float(found.data.amplitudes[FIVE.hkl.tolist().index([2, 0, 0])])


def test_equivalents_have_the_weights_of_shelx(tmp_path: Path) -> None:
    """Hand arithmetic: the weight is I/σ² where I > 3σ, else 3/σ (SHELXL).

    |F|² of 100 ± 10 and 60 ± 30: (100·1 + 60·0.1) / (1 + 0.1). |F| of 10 ± 1 and 20 ± 1 are |F|² of 100 ± 20
    and 400 ± 40, whose weights are both 1/4. Where one σ is missing or zero the mean is the plain one.
    """
    assert _merged(tmp_path, "f2", "2 0 0 100 10", "-2 0 0 60 30") == pytest.approx((106 / 1.1) ** 0.5)
    assert _merged(tmp_path, "f", "2 0 0 10 1", "-2 0 0 20 1") == pytest.approx(250**0.5)
    assert _merged(tmp_path, "f2", "2 0 0 100 10", "-2 0 0 130") == pytest.approx(115**0.5)
    assert _merged(tmp_path, "f2", "2 0 0 100 10", "-2 0 0 130 0") == pytest.approx(115**0.5)


def test_a_cell_without_the_symmetry_of_the_group_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, _lines())
    assert read_list(path, cell=UnitCell(5.91, 7.23, 8.64, 90.3, 98.7, 89.8)).cell is not None
    for angles in ((98.7, 90, 90), (90, 98.7, 94)):
        with pytest.raises(
            UsageError, match=r"list.hkl, format f: the cell .* does not have the symmetry of P 1 21/c"
        ):
            read_list(path, cell=UnitCell(5.91, 7.23, 8.64, *angles))
    with pytest.raises(UsageError, match="has no volume"):
        read_list(path, cell=UnitCell(5.91, 7.23, 8.64, 90, 190, 90))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 2 3 1e200", "line 2: '1e200' is no measurement of 1 2 3"),
        ("9999999999 2 3 4", "line 2: '9999999999 2 3' are no Miller indices"),
        ("1 2 3 nan", "line 2: 'nan' is no measurement of 1 2 3"),
        ("1 2 3 -4.5", r"line 2: the amplitude \|F\| of 1 2 3 is -4.5, which is negative.*hklf4"),
        ("1 2 x 4.5", "line 2: '1 2 x' are no Miller indices"),
        ("1 2 3", "line 2: '1 2 3' is no reflection"),
        ("0 0 0 0.00 0.00", "SHELX.*hklf3.* or .*hklf4"),
    ],
)
def test_bad_lines_are_named(line: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match=message):
        read_list(_write(tmp_path, ["2 0 0 10.0", line]))


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(XtalpriorsError, match="cannot be read"):
        read_list(tmp_path / "none.hkl")
    with pytest.raises(UsageError, match="no reflection format"):
        read_list(_write(tmp_path, _lines()), hkl_format="hklf6")  # type: ignore[arg-type]
    path = tmp_path / "bad.cif"
    path.write_text("data_x\n_cell_length_a 5 6 7\n")
    with pytest.raises(XtalpriorsError, match="no valid CIF"):
        read_input(path, FIVE)
    path.write_text("data_x\n_cell_length_a 5\n")
    with pytest.raises(XtalpriorsError, match="neither a structure nor measured reflections"):
        read_input(path, FIVE)
    with pytest.raises(XtalpriorsError, match="has no block 'other'; it has made"):
        read_input(write_cif(tmp_path), FIVE, block="other")
    with pytest.raises(UsageError, match="leave the format out"):
        read_input(write_cif(tmp_path), FIVE, hkl_format="f")


def test_reflections_that_cannot_be_used_do_not_hinder_the_structure(tmp_path: Path) -> None:
    """HKLF 6 (sums of reflections): refused as data, passed over where calculated |F| are asked for."""
    path = tmp_path / "twin.cif"
    twin = "_shelx_res_file\n;\nHKLF 6\n;\n_shelx_hkl_file\n;\n   1   0   0   10.00    1.00   2\n;\n"
    path.write_text(cif_text() + twin)
    with pytest.raises(UsageError, match=r"type HKLF 6.*\(calculated\)"):
        read_input(path, FIVE)
    plain = read_input(write_cif(tmp_path), FIVE)
    np.testing.assert_array_equal(
        read_input(path, FIVE, calculated=True).data.amplitudes, plain.data.amplitudes
    )


def test_a_group_without_inversion_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, _lines())
    with pytest.raises(UsageError, match="P 1 21 1, which is not centrosymmetric"):
        read_input(path, FIVE, cell=CELL, space_group=SpaceGroup.from_number(4))
    with pytest.raises(UsageError, match=r"is in P -1 \(no. 2\); the network is for P 1 21/c 1"):
        read_input(path, FIVE, cell=CELL, space_group=SpaceGroup.from_number(2))


def _perfect(path: Path) -> Prediction:
    given = read_input(path, FIVE, d_min_angstrom=None)
    assert given.true_positive is not None
    return predict(Oracle(FIVE, given.true_positive), card_of(FIVE), given, SHORT)


def test_phases_read_back(tmp_path: Path) -> None:
    prediction = _perfect(write_cif(tmp_path))
    assert prediction.r == pytest.approx(1.0) and prediction.r_multiplicity == pytest.approx(1.0)
    path = tmp_path / "out" / "phases.fcf"
    write_phases(prediction, path)
    block = gemmi.cif.read(str(path)).sole_block()
    status = {row[0] for row in block.find(["_refln_include_status"])}
    assert status == {"o", "-"}
    assert "1 atom without U_iso: 0.05 Å² assumed" in str(block.find_value("_refln_special_details"))
    refln = gemmi.hkl_cif_as_refln_block(block)  # takes the block
    np.testing.assert_array_equal(refln.make_miller_array(), FIVE.hkl)
    np.testing.assert_allclose(refln.cell.parameters, CELL.parameters, atol=1e-3)
    phases = refln.make_float_array("phase_calc")
    present = ~FIVE.absent
    np.testing.assert_array_equal(np.isnan(phases), FIVE.absent)
    np.testing.assert_array_equal(phases[present] == 0, prediction.positive[present])


def test_every_reflection_has_a_phase_beyond_the_data_too(tmp_path: Path) -> None:
    given = read_input(write_cif(tmp_path), FIVE, d_min_angstrom=1.8)
    prediction = predict(untrained(FIVE), card_of(FIVE), given, SHORT)
    loop = (
        gemmi.cif.read_string(prediction_cif(prediction))
        .sole_block()
        .find("_refln_", ["F_meas", "phase_calc", "include_status"])
    )
    extended = [row for row in loop if row[2] == "x"]
    assert len(loop) == 171 and len(extended) > 20
    assert all(row[0] == "?" and row[1] in ("0", "180") for row in extended)


def test_r_is_of_what_was_given(tmp_path: Path) -> None:
    """Right phases of the reflections given, wrong ones of all others: r is 1 of the first, less of all.

    By hand: with the sign of each |F| that is not given turned, r of all is (G − R)/(G + R) at this origin,
    G and R the sums of |F|² over what is given and the rest; another origin may be better, none is worse.
    """
    given = read_input(write_cif(tmp_path), FIVE, d_min_angstrom=2.5)
    assert given.true_positive is not None and given.true_magnitudes is not None
    turned = given.true_positive ^ ~given.data.measured
    prediction = predict(Oracle(FIVE, turned), card_of(FIVE), given, SHORT)
    squares = given.true_magnitudes[FIVE.counted] ** 2
    known = squares[given.data.measured[FIVE.counted]].sum()
    assert prediction.r == pytest.approx(1.0)
    assert prediction.r_extended is not None
    assert (2 * known - squares.sum()) / squares.sum() - 1e-6 <= prediction.r_extended < 0.999
    n = prediction.n_given
    assert n == (given.data.measured & FIVE.counted).sum() < 129
    lines = str(prediction).splitlines()
    assert lines[0].startswith(f"made: {n} unique amplitudes phased")
    assert (
        lines[1].strip()
        == f"with a phase too: {129 - n} reflections of the network's list without an amplitude"
    )
    assert any(f"of the {n} amplitudes: 1.0000" in line for line in lines)
    assert any("r of all 129 phases" in line for line in lines)


def test_map_reads_back_and_peaks_at_the_atoms(tmp_path: Path) -> None:
    """With true phases the five heaviest atoms are where the map, read by gemmi, is highest."""
    prediction = _perfect(write_cif(tmp_path))
    path = tmp_path / "map.ccp4"
    write_map(prediction, path)
    ccp4 = gemmi.read_ccp4_map(str(path))
    ccp4.setup(0.0)
    np.testing.assert_allclose(ccp4.grid.unit_cell.parameters, CELL.parameters, atol=1e-3)
    values = np.array(ccp4.grid.array)
    assert abs(values.mean()) < 1e-4 * values.max()
    at = {label: ccp4.grid.interpolate_value(gemmi.Fractional(x, y, z)) for label, _, x, y, z, _, _ in ATOMS}
    spread = values.std()
    assert at["Fe1"] > at["Cl1"] > at["O1"] > 2 * spread
    assert at["C1"] > spread and at["Fe1"] > 0.8 * values.max()


def test_no_cell_no_map_and_no_half_written_file(tmp_path: Path) -> None:
    given = read_list(_write(tmp_path, _lines()))
    prediction = predict(untrained(FIVE), card_of(FIVE), given, SHORT)
    assert prediction.r is None
    with pytest.raises(UsageError, match="a map needs the cell"):
        write_map(prediction, tmp_path / "map.ccp4")
    blocked = tmp_path / "list.hkl"
    with pytest.raises(XtalpriorsError, match="cannot be written"):
        write_phases(prediction, blocked / "phases.cif")
    write_phases(prediction, tmp_path / "phases.cif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["list.hkl", "phases.cif"]
    with pytest.raises(UsageError, match="needed"):
        predict(untrained(FIVE), card_of(FIVE).model_copy(update={"scaling": "normalised-E"}), given, SHORT)


def test_copies_have_the_phase_of_their_originals() -> None:
    """F(−h k 0) = (−1)^k F(h k 0) in P2₁/c, from the operator −x, y + ½, ½ − z."""
    rng = np.random.default_rng(4)
    given = rng.random(171) < 0.5
    positive, _ = symmetric(FIVE, given, rng.random(171))
    h, k, l = FIVE.hkl.T
    copies = np.flatnonzero((l == 0) & (h < 0) & ~FIVE.absent)
    for i in copies:
        original = int(np.flatnonzero((FIVE.hkl == [-h[i], k[i], 0]).all(axis=1))[0])
        assert positive[i] == (given[original] == (k[i] % 2 == 0))
    assert (positive[copies] != given[copies]).any()
    np.testing.assert_array_equal(positive[FIVE.unique], given[FIVE.unique])


def test_measured_data_of_the_corpus() -> None:
    """Measured |F| of P2₁/c and its supergroups, merged and brought to P2₁/c, against their structures."""
    folder = corpus_dir("reflections")
    ten = Reflections(P21C, 10)
    groups = ("12", "14", "15", "60", "61", "62")
    checked = 0
    with (folder / "manifest.tsv").open(encoding="utf-8") as table:
        rows = [r for r in csv.DictReader(table, delimiter="\t") if r["sg_number"] in groups]
    rows = [r for r in rows if int(r["n_refl"]) < 20_000]  # the largest take seconds each
    for row in rows:
        found = read_input(folder / row["struct_file"], ten)
        if found.data.n_observations == 0:
            continue  # the reflections are in a file of their own
        structure = read_input(folder / row["struct_file"], ten, calculated=True)
        both = found.data.measured & structure.data.measured & ten.counted
        assert both.sum() > 0.9 * (structure.data.measured & ten.counted).sum(), row["struct_file"]
        correlation = np.corrcoef(found.data.amplitudes[both], structure.data.amplitudes[both])[0, 1]
        assert correlation > 0.9, row["struct_file"]
        checked += 1
    assert checked >= 5


def test_from_file_to_files(tmp_path: Path) -> None:
    save_model(tmp_path / "run", untrained(FIVE), card_of(FIVE))
    source, output = write_cif(tmp_path, "P 1 21/n 1"), tmp_path / "phases.cif"
    done = phase_crystal(tmp_path / "run", source, output, density_map=tmp_path / "map.ccp4", protocol=SHORT)
    assert output.is_file() and (tmp_path / "map.ccp4").is_file()
    text = str(done)
    assert (
        "129 unique amplitudes phased" in text
        and "setting: P 1 21/c 1" in text
        and "r with the known" in text
    )
    listed = _write(tmp_path, _lines())
    nowhere = tmp_path / "no.cif"
    with pytest.raises(UsageError, match="a map needs the cell"):
        phase_crystal(
            tmp_path / "run",
            listed,
            nowhere,
            density_map=tmp_path / "no.ccp4",
            space_group=P21C,
            protocol=SHORT,
        )
    assert not nowhere.exists()
