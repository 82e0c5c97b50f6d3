"""The group by its absences, |F| told from |F|² by their distribution: by hand, and on simulated crystals."""

from __future__ import annotations

import csv
from pathlib import Path

import gemmi
import numpy as np
import pytest
from corpus import corpus_dir

from xtalpriors.arrays import F64, I64
from xtalpriors.crystal.symmetry.space_group import SpaceGroup
from xtalpriors.errors import UsageError, XtalpriorsError
from xtalpriors.model.measured.absences import absent_reflections
from xtalpriors.model.measured.check_observations import check_observations
from xtalpriors.model.measured.intensity_statistics import intensity_statistics
from xtalpriors.model.measured.read_cif_reflections import read_cif_reflections
from xtalpriors.model.measured.read_reflections import Observations

P21C, P212121 = SpaceGroup.from_number(14), SpaceGroup.from_hm("P 21 21 21")
TRICLINIC = {True: SpaceGroup.from_number(2), False: SpaceGroup.from_number(1)}


def _observations(hkl: I64, values: F64, read_as: str, sigma: F64 | None = None) -> Observations:
    """Values of a list, taken for |F| or for |F|²."""
    intensity = values**2 if read_as == "|F|" else values
    unknown = np.full(len(hkl), np.nan)
    return Observations(hkl, intensity, unknown if sigma is None else sigma, 0, "list", read_as)  # type: ignore[arg-type]


def _half_sphere(radius: int) -> I64:
    axis = np.arange(-radius, radius + 1)
    hkl = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    first = hkl @ [(2 * radius + 1) ** 2, 2 * radius + 1, 1] > 0
    chosen: I64 = hkl[first & ((hkl**2).sum(axis=1) <= radius**2)].astype(np.int64)
    return chosen


def _simulated(centre: bool, seed: int) -> tuple[I64, F64]:
    """|F| of 40 equal atoms at random, with an anisotropic fall-off; F is real with a centre."""
    rng = np.random.default_rng(seed)
    hkl = _half_sphere(6)
    phases = 2 * np.pi * (hkl @ rng.random((3, 40)))
    f = 2 * np.cos(phases).sum(axis=1) if centre else np.exp(1j * phases).sum(axis=1)
    return hkl, np.abs(f) * np.exp(-(hkl**2) @ [0.02, 0.035, 0.01])


@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_simulated_values_are_told_apart_both_ways(centre: bool, seed: int) -> None:
    """Wilson's moments: |F| has π/2 with a centre and 4/π without, |F|² has 3 and 2."""
    hkl, magnitudes = _simulated(centre, seed)
    expected = {"|F|": np.pi / 2 if centre else 4 / np.pi, "|F|²": 3.0 if centre else 2.0}
    for truth, values in (("|F|", magnitudes), ("|F|²", magnitudes**2)):
        for read_as in ("|F|", "|F|²"):
            seen = _observations(hkl, values, read_as)
            found = intensity_statistics(hkl, seen.intensity, TRICLINIC[centre], seen.read_as)
            assert found.second_moment == pytest.approx(expected[truth], rel=0.15)
            assert found.verdict == truth and found.contradict == (truth != read_as)
            if truth == read_as:
                check_observations(seen, TRICLINIC[centre])
                continue
            with pytest.raises(UsageError, match=r"they look like .*--accept distribution"):
                check_observations(seen, TRICLINIC[centre])
            notes = check_observations(seen, TRICLINIC[centre], ["distribution"])
            assert any("they look like" in note for note in notes)


def test_what_cannot_be_decided_is_said() -> None:
    """Few reflections; and a moment between the two: |F|^1.3 of a crystal with a centre."""
    hkl, magnitudes = _simulated(True, 0)
    few = check_observations(_observations(hkl[:150], magnitudes[:150], "|F|"), TRICLINIC[True])
    assert any("undecided (fewer than 200 reflections)" in note for note in few)
    between = check_observations(_observations(hkl, magnitudes**1.3, "|F|"), TRICLINIC[True])
    assert any("undecided (the value lies between)" in note for note in between)


def test_negative_values_are_squares_whatever_their_distribution() -> None:
    hkl, magnitudes = _simulated(True, 1)
    values = magnitudes.copy()
    values[3] = -0.1
    found = intensity_statistics(hkl, values, TRICLINIC[True], "|F|²")
    assert found.verdict == "|F|²" and "negative: 1 value, so" in str(found)


def test_absences_by_hand() -> None:
    """P2₁/c forbids 0 k 0 with odd k and h 0 l with odd l: I/σ of 3/1, 8/2 and −1/1 have the mean 2.

    Their mean intensity is 10/3, that of the two others 100.
    """
    hkl = np.array([[0, 1, 0], [1, 0, 3], [0, 0, 1], [1, 1, 1], [0, 2, 0], [0, 0, 0]])
    values, sigma = np.array([3.0, 8, -1, 120, 80, 9]), np.array([1.0, 2, 1, 1, 1, 1])
    found = absent_reflections(hkl, values, sigma, P21C)
    assert found.n == 3 and found.mean_i_over_sigma == pytest.approx(2.0)
    assert found.relative_intensity == pytest.approx(10 / 300)
    assert found.strongest == ((1, 0, 3), (0, 1, 0), (0, 0, 1)) and not found.contradict
    assert absent_reflections(hkl, values, sigma / 2, P21C).contradict  # 4 > 3
    unknown = absent_reflections(hkl, values, np.zeros(6), P21C)
    assert unknown.mean_i_over_sigma is None and not unknown.contradict
    strong = absent_reflections(hkl, np.array([30.0, 40, 50, 120, 80, 9]), np.zeros(6), P21C)
    assert strong.contradict and "no σ known" in str(strong)  # 0.4 > 0.3
    nothing = absent_reflections(hkl[3:], values[3:], sigma[3:], P21C)
    assert nothing.n == 0 and not nothing.contradict


def test_a_wrong_group_is_refused_unless_told() -> None:
    """Data of P2₁2₁2₁, whose h 0 l are all there, read as P2₁/c: what once was phased without a word."""
    rng = np.random.default_rng(3)
    hkl = _half_sphere(5)
    hkl = hkl[(hkl >= 0).all(axis=1)]
    single = (hkl > 0).sum(axis=1) == 1
    values = rng.exponential(100.0, len(hkl)) * ~(single & (hkl.sum(axis=1) % 2 == 1))
    seen = _observations(hkl, values, "|F|²", np.full(len(hkl), 1.0))
    with pytest.raises(UsageError, match=r"P 1 21/c 1 forbids .*mean I/σ = .*--accept absences"):
        check_observations(seen, P21C)
    assert any("left out" in note for note in check_observations(seen, P21C, ["absences"]))
    assert any("mean I/σ = 0.0" in note for note in check_observations(seen, P212121))


def test_measured_sets_of_the_corpus() -> None:
    """No measured set is taken for the wrong one, as it is or as |F|, and the declared group stands."""
    folder = corpus_dir("reflections")
    decided, moments = {"|F|": 0, "|F|²": 0}, 0
    with (folder / "manifest.tsv").open(encoding="utf-8") as table:
        rows = [r for r in csv.DictReader(table, delimiter="\t") if int(r["n_refl"]) < 6_000]
    for row in rows:
        seen = _of_cif(folder / row["struct_file"])
        if seen is None:
            continue
        moments += 1
        observations, group = seen
        amplitudes = np.sqrt(np.clip(observations.intensity, 0, None))
        for truth, values in (("|F|²", observations.intensity), ("|F|", amplitudes)):
            if observations.read_as != "|F|²":
                continue
            read = _observations(observations.hkl, values, truth)
            found = intensity_statistics(read.hkl, read.intensity, group, read.read_as)
            assert found.verdict in (None, truth), f"{row['struct_file']}: {found}"
            decided[truth] += found.verdict is not None
    assert moments > 15 and decided["|F|²"] > 12 and decided["|F|"] > 8, (moments, decided)


def _of_cif(path: Path) -> tuple[Observations, SpaceGroup] | None:
    for block in gemmi.cif.read(str(path)):
        try:
            observations = read_cif_reflections(path, block)
        except XtalpriorsError:
            return None
        operators = [
            gemmi.cif.as_string(text)
            for tag in ("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz")
            for text in block.find_values(tag)
        ]
        if observations is not None and operators:
            return observations, SpaceGroup.from_operators(operators)
    return None
